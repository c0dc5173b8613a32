"""The investigation view: who sees what, and that looking leaves a trace."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from backoffice.accounts.models import SecurityEvent
from backoffice.accounts.roles import ROLES, permissions_of
from backoffice.audit.models import AuditEntry, ExportRecord
from backoffice.core import clock, jobs
from backoffice.finance.models import PayoutItem
from backoffice.journeys.services import evidence
from tests.desk.clients import Desk
from tests.factories import creators, finance, sales, support
from tests.factories.accounts import member
from tests.statements import count

SEARCH = "/admin/system/investigations/"
REASON = "police request 12/2026"


@pytest.fixture(autouse=True)
def places(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"


def person_page(person: Any, **query: Any) -> str:
    return reverse("desk:investigate_person", args=[person.pk], query=query or None)


@pytest.mark.parametrize("role", ROLES)
def test_people_are_for_who_reads_the_whole_log_and_money_for_finance_too(desk: Callable[..., Desk], role: str) -> None:
    client, held = desk(role), permissions_of(role)
    payment = sales.sale(at=clock.now(), buyer=member(email="canary@example.com"))
    everything = "audit.view" in held
    money = everything or "audit.view_finance" in held
    person = client.get(person_page(payment.user))
    trace = client.get(reverse("desk:investigate_payment", args=[payment.pk]))
    search = client.get(SEARCH, {"q": "canary@example.com"})
    assert [person.status_code == 200, trace.status_code == 200, search.status_code == 200] == [
        everything,
        money,
        money,
    ]
    if money:
        assert bool(search.context["found"]) is everything
        assert (person_page(payment.user) in trace.content.decode()) is everything
        assert ("bundle-reason" in trace.content.decode()) is ("audit.export" in held)


@pytest.mark.parametrize("role", ROLES)
def test_the_bundle_is_for_who_may_take_the_log_out(desk: Callable[..., Desk], role: str) -> None:
    person = member()
    fields = {"kind": "person", "key": str(person.pk), "reason": REASON}
    answer = desk(role).post(reverse("desk:investigation_bundle"), fields)
    allowed = "audit.export" in permissions_of(role)
    assert answer.status_code == (302 if allowed else 403)
    assert ExportRecord.objects.exists() is allowed


def test_the_way_from_the_search_to_the_downloaded_bundle(desk: Callable[..., Desk]) -> None:
    client, person = desk("admin"), member(email="nadege@example.com")
    support.ticket(requester=person)
    (found,) = client.get(SEARCH, {"q": "nadege@example.com"}).context["found"]
    page = client.get(person_page(person, chapter="tickets"))
    carried = dict(page.context["carried"])
    assert carried == {"kind": "person", "key": str(found.key), "chapter": "tickets"}
    asked = client.post(reverse("desk:investigation_bundle"), carried | {"reason": REASON}, follow=True)
    made = ExportRecord.objects.get()
    assert 'hx-trigger="every 2s"' in asked.content.decode()
    assert made.filters["chapters"] == ["tickets"]
    progress = reverse("desk:export_progress", args=[made.pk])
    assert "HX-Refresh" not in client.get(progress)
    jobs.run_due(kinds=[evidence.MAKE])
    assert client.get(progress)["HX-Refresh"] == "true"
    download = reverse("desk:export_download", args=[made.pk])
    assert download in client.get(reverse("desk:export", args=[made.pk])).content.decode()
    taken: Any = client.get(download, follow=True)
    assert b"".join(taken.streaming_content).startswith(b"PK")
    assert taken["Content-Disposition"].startswith("attachment")
    assert AuditEntry.objects.filter(action="evidence.download", actor=client.person).count() == 1


def test_asking_and_taking_demand_a_fresh_factor(desk: Callable[..., Desk]) -> None:
    person = member()
    old = desk("admin", factor_age=600)
    fields = {"kind": "person", "key": str(person.pk), "reason": REASON}
    for answer in (
        old.post(reverse("desk:investigation_bundle"), fields),
        old.get(reverse("desk:export_download", args=[person.pk])),
    ):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    assert not ExportRecord.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": ""}, 400),
        ({"key": "nonsense"}, 400),
        ({"kind": "world"}, 400),
        ({"start": "2026-02-31"}, 400),
        ({"key": "0198f000-0000-7000-8000-000000000000"}, 404),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused(desk: Callable[..., Desk], fields: dict[str, str], status: int) -> None:
    given = {"kind": "person", "key": str(member().pk), "reason": REASON} | fields
    assert desk("admin").post(reverse("desk:investigation_bundle"), given).status_code == status
    assert not ExportRecord.objects.exists()


def test_every_look_is_on_record(desk: Callable[..., Desk]) -> None:
    client, person = desk("ops_manager"), member()
    client.get(person_page(person))
    entry = AuditEntry.objects.get(action="investigation.view")
    assert (entry.actor, entry.subject_id) == (client.person, str(person.pk))


def test_a_journey_is_filtered_and_paged(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    client, person = desk("admin"), member()
    for _ in range(60):
        SecurityEvent.objects.create(user=person, kind=SecurityEvent.Kind.LOGIN_OK, at=clock.now())
    support.ticket(requester=person)
    first = client.get(person_page(person, chapter="sign_ins"))
    assert len(first.context["lines"]) == 50
    rest = client.get(person_page(person) + first.context["page"]["next_query"])
    assert len(rest.context["lines"]) == 10
    assert {line["chapter"] for line in rest.context["lines"]} == {first.context["lines"][0]["chapter"]}
    assert client.get(person_page(person, start="2999-01-01")).context["lines"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"}, {"after": "2026-01-01T00:00:00+00:00~9~1"}, {"after": "2026-01-01T00:00:00~1~1"},
        {"start": "0001-01-01"}, {"end": "9999-12-31"}, {"chapter": "nonsense"},
        {"start": "2026-02-02", "end": "2026-01-01"},
        {"after": "2026-01-01T00:00:00+00:00~1~" + "9" * 40},
    ],
)  # fmt: skip
def test_nonsense_in_the_address_is_no_error(desk: Callable[..., Desk], query: dict[str, str]) -> None:
    assert desk("admin").get(person_page(member()), query).status_code == 200


def test_a_journey_takes_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client, person = desk("admin"), member()
    support.ticket(requester=person)
    client.get(person_page(person))
    short = count(lambda: client.get(person_page(person)))
    for _ in range(20):
        support.ticket(requester=person)
    assert count(lambda: client.get(person_page(person))) == short


def test_a_payout_has_a_trace_and_its_run_leads_back(desk: Callable[..., Desk]) -> None:
    creator = finance.payable(100_00)
    run = finance.requested(creator, 50_00)
    item = PayoutItem.objects.get(run=run)
    page = desk("financial_admin").get(reverse("desk:investigate_payout", args=[item.pk]))
    assert page.status_code == 200
    assert reverse("desk:payout", args=[run.pk]) in page.content.decode()


def test_pages_of_people_and_money_lead_to_their_history(desk: Callable[..., Desk]) -> None:
    admin = desk("admin")
    creator = creators.creator()
    payment = sales.sale(at=clock.now())
    ticket = support.ticket()
    run = finance.requested(finance.payable(100_00), 50_00)
    pages = {
        reverse("desk:creator_detail", args=[creator.pk]): person_page(creator.user),
        reverse("desk:payment", args=[payment.pk]): reverse("desk:investigate_payment", args=[payment.pk]),
        reverse("desk:payout", args=[run.pk]): reverse("desk:audit_object", args=["finance.payoutrun", run.pk]),
        reverse("desk:ticket", args=[ticket.pk]): person_page(ticket.requester),
        reverse("desk:title", args=[payment.purchase.title_id]): reverse(
            "desk:audit_object", args=["catalogue.title", payment.purchase.title_id]
        ),
        reverse("admin:accounts_user_change", args=[creator.user_id]): person_page(creator.user),
    }
    missing = [page for page, link in pages.items() if link not in admin.get(page).content.decode()]
    assert missing == []
    moderator = desk("content_moderator")
    shown = moderator.get(reverse("desk:title", args=[payment.purchase.title_id])).content.decode()
    assert "/admin/system/audit/objects/" not in shown
