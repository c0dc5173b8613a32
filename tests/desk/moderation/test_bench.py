"""The review bench: hand-out, deciding with what is on the page, undo, refusals (W-006)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.audit.models import AuditEntry
from backoffice.catalogue.services import titles
from backoffice.core import clock
from backoffice.moderation.models import Case, Decision, PolicyRule
from backoffice.moderation.services import cases
from backoffice.queues.models import WorkItem
from tests.factories import catalogue as make
from tests.factories import moderation as moderate
from tests.factories.accounts import member, sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db

BENCH = "/admin/moderation/bench/"


@pytest.fixture
def moderator() -> Any:
    return staff("content_moderator", display_name="Ruth")


@pytest.fixture
def desk(client: Client, moderator: Any) -> Client:
    return sign_in(client, moderator)


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    form = re.search(rf'<form method="post" action="{re.escape(action)}".*?</form>', page, re.S)
    assert form, action
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.group())
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def take_next(desk: Client) -> str:
    return desk.post(reverse("desk:moderation_next"), follow=True).content.decode()


def test_an_empty_queue_says_so(desk: Client) -> None:
    assert "Nothing waits for a decision" in desk.get(BENCH).content.decode()


def test_next_shows_the_case_with_its_reasons_creator_and_proof(desk: Client) -> None:
    owner = make.creator(stage_name="Ti Manno Band")
    case = moderate.case(owner=owner, access_model="purchase", price_minor=499)
    page = take_next(desk)
    for text in (case.title.title, case.reference, "First upload", "Ti Manno Band", "$4.99", "proof.bin"):
        assert text in page


def test_looking_at_the_bench_claims_nothing(desk: Client) -> None:
    moderate.case()
    page = desk.get(BENCH).content.decode()
    assert "1 title waits" in page
    assert WorkItem.objects.get().state == "open"


def test_approving_decides_and_brings_the_next_case_claimed(desk: Client, moderator: Any) -> None:
    first = moderate.case(age_rating="18")
    second = moderate.case()
    page = take_next(desk)
    action = reverse("desk:case_approve", args=[first.pk])
    page = desk.post(action, form_of(page, action), follow=True).content.decode()
    first.refresh_from_db()
    assert (first.status, first.decided_by) == ("settling", moderator)
    assert second.reference in page
    assert moderate.item(second).holder == moderator
    assert reverse("desk:decision_undo", args=[Decision.objects.get().pk]) in page


def test_rejecting_shows_each_policy_with_its_message_in_the_creators_language(desk: Client) -> None:
    case = moderate.case(owner=make.creator(user=member(language="ht")))
    page = take_next(desk)
    rule = PolicyRule.objects.get(code="rights", is_active=True)
    assert rule.message_ht in page
    assert rule.message_en not in page
    action = reverse("desk:case_reject", args=[case.pk])
    sent = form_of(page, action) | {
        "policy": str(rule.pk),
        "message": rule.message_ht,
        "timecodes": "12, 7,x",
    }
    desk.post(action, sent)
    decision = Decision.objects.get()
    assert (decision.verdict, decision.policy, decision.message) == ("reject", rule, rule.message_ht)
    assert decision.timecodes == [7, 12]


def test_a_rejection_without_policy_comes_back_with_what_was_typed(desk: Client) -> None:
    case = moderate.case()
    page = take_next(desk)
    action = reverse("desk:case_reject", args=[case.pk])
    answer = desk.post(action, form_of(page, action) | {"message": "My own words"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Choose the policy" in page
    assert "My own words" in page
    assert 'id="reject" aria-labelledby="reject-title" data-open' in page
    assert not Decision.objects.exists()


def test_a_decision_on_a_title_that_changed_is_refused_and_the_case_stays(desk: Client, moderator: Any) -> None:
    case = moderate.case()
    page = take_next(desk)
    titles.update(case.title, by=case.title.creator.user, changes={"description": "Other"})
    action = reverse("desk:case_approve", args=[case.pk])
    answer = desk.post(action, form_of(page, action))
    assert answer.status_code == 409
    assert "changed this title" in answer.content.decode()
    assert moderate.item(case).holder == moderator


def test_who_comes_second_is_told_by_name(desk: Client) -> None:
    case = moderate.case()
    page = take_next(desk)
    stale = form_of(page, reverse("desk:case_approve", args=[case.pk]))
    other = staff("content_moderator", display_name="Wideline")
    later = clock.now() + timedelta(minutes=10)
    assert cases.claim_next(by=other, at=later) == case
    cases.approve(case, at=later, **moderate.decision_of(case, other))
    answer = desk.post(reverse("desk:case_approve", args=[case.pk]), stale)
    assert answer.status_code == 409
    assert "Wideline has already decided this." in answer.content.decode()
    assert Decision.objects.count() == 1


def test_undo_brings_the_case_back_to_the_bench(desk: Client, moderator: Any) -> None:
    case = moderate.case()
    page = take_next(desk)
    action = reverse("desk:case_approve", args=[case.pk])
    desk.post(action, form_of(page, action))
    undo = reverse("desk:decision_undo", args=[Decision.objects.get().pk])
    page = desk.post(undo, follow=True).content.decode()
    case.refresh_from_db()
    assert (case.status, case.assignee) == ("in_review", moderator)
    assert case.reference in page


def test_whoever_has_a_case_in_hand_is_not_given_another(desk: Client, moderator: Any) -> None:
    moderate.case()
    moderate.case()
    take_next(desk)
    take_next(desk)
    assert WorkItem.objects.filter(holder=moderator, state="claimed").count() == 1


def test_nobody_undoes_what_another_decided(desk: Client) -> None:
    other = staff("content_moderator")
    moderate.case()
    case = cases.claim_next(by=other)
    assert case is not None
    decision = cases.approve(case, **moderate.decision_of(case, other))
    assert desk.post(reverse("desk:decision_undo", args=[decision.pk])).status_code == 404


def test_skip_escalate_and_give_back(desk: Client) -> None:
    case = moderate.case()
    page = take_next(desk)
    skip = reverse("desk:case_skip", args=[case.pk])
    page = desk.post(skip, form_of(page, skip), follow=True).content.decode()
    assert "not offered to you again" in page

    other = moderate.case()
    page = take_next(desk)
    release = reverse("desk:case_release", args=[other.pk])
    desk.post(release, form_of(page, release))
    other.refresh_from_db()
    assert other.status == "queued"

    page = take_next(desk)
    escalate = reverse("desk:case_escalate", args=[other.pk])
    assert desk.post(escalate, form_of(page, escalate)).status_code == 400
    desk.post(escalate, form_of(page, escalate) | {"reason": "Looks staged"})
    other.refresh_from_db()
    assert other.status == "escalated"


def test_the_heartbeat_renews_and_says_who_has_it_when_it_is_lost(desk: Client) -> None:
    case = moderate.case()
    take_next(desk)
    beat = reverse("desk:case_heartbeat", args=[case.pk])
    token = moderate.item(case).lease_token
    assert "until" in desk.post(beat, {"token": token}).json()
    other = staff("content_moderator", display_name="Wideline")
    cases.claim_next(by=other, at=clock.now() + timedelta(minutes=10))
    answer = desk.post(beat, {"token": token})
    assert answer.status_code == 409
    assert "Wideline" in answer.json()["message"]


def test_a_claimed_case_is_opened_from_its_page(desk: Client) -> None:
    case = moderate.case()
    page = desk.get(reverse("desk:case", args=[case.pk])).content.decode()
    assert reverse("desk:case_claim", args=[case.pk]) in page
    page = desk.post(reverse("desk:case_claim", args=[case.pk]), follow=True).content.decode()
    assert reverse("desk:case_approve", args=[case.pk]) in page


def test_a_proof_document_is_opened_by_a_short_link_and_the_look_is_written_down(desk: Client, moderator: Any) -> None:
    case = moderate.case()
    file = case.title.files.get()
    answer = desk.get(reverse("desk:case_proof", args=[case.pk, file.pk]))
    assert answer.status_code == 302
    assert "/storage/" in answer["Location"]
    assert AuditEntry.objects.get(action="proof.view").actor == moderator
    elsewhere = moderate.case()
    assert desk.get(reverse("desk:case_proof", args=[elsewhere.pk, file.pk])).status_code == 404


@pytest.mark.parametrize(
    ("role", "listing", "bench"),
    [
        ("content_moderator", 200, 200),
        ("ops_manager", 200, 200),
        ("customer_support", 403, 403),
        ("financial_admin", 403, 403),
        ("editor", 403, 403),
        ("verification_reviewer", 403, 403),
        ("analyst", 403, 403),
    ],
)
def test_only_the_roles_of_the_matrix_see_moderation(client: Client, role: str, listing: int, bench: int) -> None:
    case = moderate.case()
    sign_in(client, staff(role))
    assert client.get(reverse("desk:case_list")).status_code == listing
    assert client.get(reverse("desk:case", args=[case.pk])).status_code == listing
    assert client.get(BENCH).status_code == bench
    assert client.post(reverse("desk:moderation_next"), follow=True).status_code == bench


@pytest.mark.parametrize(
    "name", ["moderation_next", "case_claim", "case_approve", "case_reject", "case_skip", "decision_undo"]
)
def test_nothing_changes_by_get(desk: Client, name: str) -> None:
    pk = [] if name == "moderation_next" else [moderate.case().pk]
    assert desk.get(reverse(f"desk:{name}", args=pk)).status_code == 405


def test_the_list_has_its_tabs_and_shows_waiting_cases_in_their_order(desk: Client) -> None:
    light, heavy = moderate.case(), moderate.case(age_rating="18")
    page = desk.get(reverse("desk:case_list")).content.decode()
    assert page.index(heavy.reference) < page.index(light.reference)
    haitian = moderate.case(language="ht")
    page = desk.get(reverse("desk:case_list"), {"tab": "cultural", "language": "ht"}).content.decode()
    assert haitian.reference in page
    assert light.reference not in page


def test_every_tab_opens_and_an_overdue_case_is_in_its_own(desk: Client) -> None:
    late = moderate.case(at=clock.now() - timedelta(days=2))
    for tab in (
        "waiting",
        "in_review",
        "escalated",
        "cultural",
        "overdue",
        "settling",
        "decided",
        "nonsense",
    ):
        page = desk.get(reverse("desk:case_list"), {"tab": tab})
        assert page.status_code == 200
        assert (late.reference in page.content.decode()) == (tab in ("waiting", "overdue", "nonsense"))


def test_my_recent_decisions_show_what_came_of_them(desk: Client, moderator: Any) -> None:
    moderate.case()
    case = cases.claim_next(by=moderator)
    assert case is not None
    cases.approve(case, undo_seconds=0, **moderate.decision_of(case, moderator))
    page = desk.get(reverse("desk:decision_list")).content.decode()
    assert case.title.title in page
    assert "Applied" in page


def test_the_screens_take_the_same_statements_however_much_there_is(desk: Client, moderator: Any) -> None:
    owner = make.creator()
    moderate.case(owner=owner)
    addresses = [reverse("desk:case_list"), reverse("desk:decision_list"), BENCH]
    take_next(desk)

    def all_of() -> list[int]:
        return [count(lambda url=url: desk.get(url)) for url in addresses]

    all_of()
    few = all_of()
    for _ in range(4):
        moderate.case(owner=owner)
    settled = Case.objects.filter(status="queued").first()
    assert settled is not None
    cases.claim(settled, by=moderator)
    cases.approve(settled, undo_seconds=0, **moderate.decision_of(settled, moderator))
    assert all_of() == few
