"""The staff list of titles, beside the list that Django's own admin makes of them."""

import time
from statistics import median

from django.db import connection
from django.test import Client

from backoffice.media.models import Asset
from benchmarks.measuring import Result, Scale, in_turn, milliseconds, ratio
from benchmarks.people import creators, staff_client
from benchmarks.rows import multiply, settle
from benchmarks.seat import Seat
from tests.factories.sales import category, published

CREATORS = 1_000
MAKER = f"(SELECT makers.id FROM makers WHERE makers.at = 1 + n %% {CREATORS})"  # noqa: S608  a constant
ADDRESSES = {"ours": "/admin/catalogue/titles/", "stock": "/stock/catalogue/title/"}
SIGNS = {"ours": b"bl-table", "stock": b'id="result_list"'}
_clients: dict[str, Client] = {}


def fill(count: int) -> None:
    """So many titles of a thousand creators, a tenth of them waiting for a decision, each with a picture."""
    first = published(creators(CREATORS), category=category())
    poster = Asset.objects.get(pk=first.video_id)
    multiply(poster, 1_000, id="md5('poster' || n)::uuid", storage_key="'posters/' || n", kind="'thumbnail'")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE makers AS SELECT id, row_number() OVER (ORDER BY id) AS at FROM creators_creator"
        )
    multiply(
        first,
        count - 1,
        id="uuidv7()",
        title="'The ' || (ARRAY['Long', 'Quiet', 'Last', 'Blue', 'Second'])[1 + n %% 5] || ' Night ' || n",
        slug="'film-number-' || n",
        creator_id=MAKER,
        poster_id="md5('poster' || 1 + n %% 1000)::uuid",
        moderation_status="CASE WHEN n %% 10 = 0 THEN 'pending' ELSE 'approved' END",
        created_at="now() - (n || ' minutes')::interval",
    )
    settle("catalogue_title", "creators_creator", "media_asset", "accounts_user")


def _client(side: str) -> Client:
    if side not in _clients:
        _clients[side] = staff_client("ops_manager")
    return _clients[side]


def page(side: str, count: int) -> float:
    """Median seconds of the first page."""
    client = _client(side)
    times = []
    for _number in range(count):
        started = time.perf_counter()
        answer = client.get(ADDRESSES[side])
        times.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.status_code
        assert SIGNS[side] in answer.content
    return median(times)


def statements(side: str) -> int:
    """How many statements the page sends."""
    client = _client(side)
    sent = 0

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        nonlocal sent
        sent += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        client.get(ADDRESSES[side])
    return sent


def measure(scale: Scale) -> list[Result]:
    """The first page of both lists, as a browser gets it."""
    seats = {"ours": Seat(), "stock": Seat("benchmarks.stock_settings")}
    results: list[Result] = []
    seats["ours"].call("lists.fill", count=scale.rows)
    mine, other = in_turn(
        scale.rounds,
        lambda: seats["ours"].call("lists.page", side="ours", count=scale.pages),
        lambda: seats["stock"].call("lists.page", side="stock", count=scale.pages),
    )
    sent = {side: seat.call("lists.statements", side=side) for side, seat in seats.items()}
    results.append(
        Result(
            f"Staff list of {scale.rows:,} titles, first page",
            f"{milliseconds(mine)}, {sent['ours']} statements",
            f"{milliseconds(other)}, {sent['stock']} statements",
            "Django's own admin: the same columns, filters, search and page length",
            ratio(other, mine),
            "higher is better",
            "10 at 1,000,000 rows",
            "how many times faster the whole page is made, session, menu and theme included.",
        )
    )
    for seat in seats.values():
        seat.close()
    return results
