"""What no browser sends by accident: the desk refuses it or looks past it, and never breaks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.desk.clients import Desk
from tests.factories import support

LISTS: list[tuple[str, list[str]]] = [
    ("desk:audit_list", ["actor", "action", "object", "from", "to", "after"]),
    ("desk:job_list", ["tab", "kind", "after"]),
    ("desk:application_list", ["tab", "q", "country", "language", "category", "after", "document"]),
    ("desk:creator_list", ["q", "status", "held", "after"]),
    ("desk:title_list", ["q", "moderation", "processing", "visibility", "after"]),
    ("desk:case_list", ["tab", "language", "after"]),
    ("desk:ticket_list", ["tab", "words", "issue_type", "status", "language", "page"]),
    ("desk:import_list", ["page"]),
    ("desk:payout_list", ["tab", "q", "after", "page"]),
    ("desk:payment_list", ["q", "status", "after", "page"]),
    ("desk:event_list", ["status", "q", "after", "page"]),
    ("desk:moderation_bench", ["case"]),
    ("desk:revenue", ["start", "end", "creator", "category", "currency", "by", "compare"]),
    ("admin:accounts_user_changelist", ["q", "p", "o", "is_staff__exact", "password", "_to_field"]),
    ("admin:catalogue_category_changelist", ["q", "p", "o", "kind__exact", "parent__slug"]),
]


@pytest.mark.parametrize("odd", ["a\x00", "²", "-1", "9" * 5_000, "😀", "%", "0001-01-01", "9999-12-31", "WzFd", "W10"])
def test_odd_parameters_break_no_list(desk: Callable[..., Desk], odd: str) -> None:
    client = desk("super_admin")
    client.raise_request_exception = False
    broken = [
        (name, parameter)
        for name, parameters in LISTS
        for parameter in parameters
        if client.get(reverse(name), {parameter: odd}).status_code >= 500
    ]
    assert broken == []


@pytest.mark.parametrize("compare", ["previous", "year"])
@pytest.mark.parametrize(("start", "end"), [("0001-01-02", "0001-03-05"), ("9999-12-01", "9999-12-31")])
def test_the_report_takes_no_period_before_or_after_all_calendars(
    desk: Callable[..., Desk], start: str, end: str, compare: str
) -> None:
    answer = desk("admin").get(reverse("desk:revenue"), {"start": start, "end": end, "compare": compare})
    assert answer.status_code == 200
    assert "between the years" in answer.content.decode()


@pytest.mark.parametrize("seen", ["²", "9" * 5_000, "-1", ""])
def test_an_odd_version_counts_as_having_seen_nothing(desk: Callable[..., Desk], seen: str) -> None:
    client, ticket = desk("customer_support"), support.ticket()
    data: dict[str, Any] = {"verb": "escalate", "reason": "Help", "seen": seen}
    assert client.post(reverse("desk:ticket_status", args=[ticket.pk]), data).status_code == 409


def test_a_zero_byte_in_a_form_is_refused_with_a_sentence(desk: Callable[..., Desk]) -> None:
    client, ticket = desk("customer_support"), support.ticket()
    answer = client.post(reverse("desk:ticket_note", args=[ticket.pk]), {"note": "a\x00b"})
    assert answer.status_code == 400
    assert "zero byte" in answer.content.decode()
