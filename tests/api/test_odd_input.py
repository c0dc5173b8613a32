"""What nobody sends by accident: the API refuses it with a sentence and never breaks (G-004)."""

import json
from typing import Any

import pytest

from tests.factories import catalogue as make
from tests.factories.accounts import api_client, member

pytestmark = pytest.mark.django_db

NUL = "\x00"
LONG = "9" * 5_000
UNKNOWN = "01890000-0000-7000-8000-000000000000"

QUERIES = [
    ("titles", "q"),
    ("titles", "category"),
    ("titles", "tag"),
    ("titles", "language"),
    ("titles", "creator"),
    ("titles", "price_min"),
    ("titles", "region"),
    ("titles", "page"),
    ("titles", "page_size"),
    ("creators", "q"),
    ("creators", "category"),
    ("creators", "language"),
    ("creators", "country"),
    ("featured", "section"),
    ("featured", "page"),
    ("featured", "language"),
    ("help", "q"),
    ("library", "page"),
    ("tickets", "page"),
    ("users/me/notifications", "unread"),
    ("creators/me/titles", "moderation_status"),
    ("creators/me/titles", "page"),
    ("creators/me/payouts", "page"),
]


@pytest.mark.parametrize("odd", [NUL, f"a{NUL}b", "²", "-1", LONG, "\ud83d", "😀" * 50, "%s%n", "'; --", "[]", "NaN"])
def test_odd_parameters_are_answered(odd: str) -> None:
    owner = make.creator()
    make.published(owner=owner)
    client = api_client(owner.user)
    broken = []
    for address, name in QUERIES:
        answer = client.get(f"/api/v1/{address}", {name: odd.encode("utf-8", "replace").decode()})
        if answer.status_code >= 500:
            broken.append((address, name, answer.status_code))
    assert broken == []


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("post", "auth/register", {"email": "a@example.com", "password": "correct horse battery", "display_name": "A"}),
    ("post", "auth/login", {"email": "a@example.com", "password": "x"}),
    ("post", "auth/refresh", {"refresh": "x"}),
    ("post", "auth/mfa/verify", {"code": "123456", "mfa_token": "x"}),
    ("post", "auth/mfa/confirm", {"code": "123456"}),
    ("patch", "users/me", {"display_name": "A", "language": "fr", "timezone": "UTC", "country": "HT"}),
    (
        "post",
        "creators/apply",
        {
            "stage_name": "A",
            "country": "HT",
            "currency": "USD",
            "categories": ["music"],
            "languages": ["ht"],
            "cultural_affiliations": ["a"],
            "sample": UNKNOWN,
            "social": [{"platform": "x", "handle": "a", "url": "https://x.com/a", "follower_count": 1}],
        },
    ),
    ("patch", "creators/me/application", {"stage_name": "A", "languages": ["ht"]}),
    ("put", "creators/me", {"stage_name": "A", "categories": ["music"], "avatar": UNKNOWN}),
    ("post", "creators/me/agreement", {"version": "2026-01"}),
    (
        "post",
        "creators/me/titles",
        {
            "title": "A",
            "video_asset_id": UNKNOWN,
            "kind": "video",
            "tags": ["a"],
            "price": {"amount": "1.00", "currency": "USD"},
            "access_model": "purchase",
            "required_plan_rank": 1,
            "unlock_at": "2030-01-01T00:00:00Z",
            "geo_allow": ["HT"],
            "subtitles": [{"asset_id": UNKNOWN, "language": "fr"}],
            "proof_asset_ids": [UNKNOWN],
            "category": "music",
            "age_rating": "18",
        },
    ),
    ("patch", "creators/me/titles/{title}", {"title": "A", "price": {"amount": "1.00", "currency": "USD"}}),
    (
        "post",
        "uploads",
        {
            "filename": "a.mp4",
            "bytes": 1000,
            "content_type": "video/mp4",
            "purpose": "video",
            "checksum": "a" * 64,
        },
    ),
    ("post", f"uploads/{UNKNOWN}/complete", {"parts": [{"number": 1, "etag": "a"}]}),
    (
        "post",
        "tickets",
        {"subject": "A", "body": "B", "issue_type": "general", "links": [{"kind": "title", "id": UNKNOWN}]},
    ),
    ("post", f"tickets/{UNKNOWN}/messages", {"body": "B"}),
    ("post", f"tickets/{UNKNOWN}/rating", {"rating": 5, "comment": "A"}),
    ("post", "titles/{title}/purchase", {"return_url": "https://example.com/", "cancel_url": "https://example.com/"}),
    (
        "post",
        "creators/me/payout-accounts",
        {"country": "HT", "currency": "USD", "account_number": "1", "holder_name": "A"},
    ),
    (
        "put",
        "creators/me/offerings",
        {"offerings": [{"occasions": ["other"], "length_seconds": 60, "delivery_hours": 24, "price": "25.00"}]},
    ),
    (
        "put",
        "creators/me/availability",
        {
            "mode": "schedule",
            "vacation_until": "2030-01-01",
            "daily_capacity": 1,
            "blocks": [{"kind": "slot", "starts_at": "2030-01-01T10:00:00Z", "ends_at": "2030-01-01T11:00:00Z"}],
        },
    ),
    ("post", "creators/me/payouts", {"amount": {"amount": "1.00", "currency": "USD"}, "account_id": UNKNOWN}),
]
ODD: list[Any] = [
    None, True, 0, -1, 2**63, 10**400, 1.5, "", NUL, f"a{NUL}", "\ud800", "A\nB", "A\rB", "²", "٣", "x" * 20_000,
    "1e999999", LONG, "0001-01-01T00:00:00+14:00", [], [[]], [None], {}, {"a": {}}, [1, "a", None],
    "javascript:alert(1)", "https://[", "http://\x00", "../../etc/passwd", "🎬", "ZZZ", "zz",
]  # fmt: skip


@pytest.mark.parametrize(("verb", "address", "good"), BODIES)
def test_odd_bodies_are_answered(verb: str, address: str, good: dict[str, Any]) -> None:
    owner = make.creator()
    title = make.published(owner=owner)
    client = api_client(owner.user if "creators/me" in address else member(), factor=True)
    address = f"/api/v1/{address.format(title=title.pk)}"
    broken = []

    def send(body: Any) -> None:
        answer = getattr(client, verb)(
            address, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        if answer.status_code >= 500:
            broken.append(repr(body)[:200])

    for odd in ODD:
        send(odd)
        for name, value in good.items():
            send({**good, name: odd})
            if isinstance(value, list):
                send({**good, name: [odd]})
                send({**good, name: [value[0], value[0]]})
            inner = value[0] if isinstance(value, list) else value
            if isinstance(inner, dict):
                for key in inner:
                    changed = {**inner, key: odd}
                    send({**good, name: [changed] if isinstance(value, list) else changed})
    assert broken == []
