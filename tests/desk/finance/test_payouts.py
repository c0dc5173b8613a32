"""The payout desk: preview, two people, step-up, holds, and what a late click is told."""

import re
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.urls import reverse

from backoffice.approvals.models import Approval
from backoffice.audit.models import AuditEntry
from backoffice.core.models import Job
from backoffice.finance.models import PayoutRun
from backoffice.finance.services import payouts
from backoffice.finance.states import ItemStatus, RunStatus
from tests.desk.clients import Desk
from tests.factories import finance
from tests.statements import count

LIST = "/admin/finance/payouts/"


def address(run: PayoutRun, verb: str = "") -> str:
    return reverse(f"desk:payout_{verb}" if verb else "desk:payout", args=[run.pk])


def approve(client: Desk, run: PayoutRun, **extra: str) -> object:
    return client.post(address(run, "approve"), {"snapshot": run.snapshot_hash, **extra})


def code_of(client: Desk) -> str:
    secret = decrypt(Authenticator.objects.get(user=client.person, type="totp").data["secret"])
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_the_waiting_tab_adds_up_what_waits_per_currency(desk: Callable[..., Desk]) -> None:
    finance.requested(finance.payable(50_000), 20_000)
    finance.requested(finance.payable(50_000), 30_000)
    answer = desk("financial_admin").get(LIST)
    assert [(row["currency"], row["count"], row["gross"]) for row in answer.context["totals"]] == [("USD", 2, 50_000)]


def test_a_run_is_found_by_its_reference_and_by_its_creator(desk: Callable[..., Desk]) -> None:
    creator = finance.payable(50_000)
    run = finance.requested(creator, 20_000)
    finance.requested(finance.payable(50_000), 20_000)
    client = desk("financial_admin")
    for query in (run.reference, run.reference.lower(), creator.reference, creator.stage_name):
        assert [found.pk for found in client.get(LIST, {"q": query}).context["page"].items] == [run.pk]


def test_approving_with_a_fresh_factor_takes_one_click(desk: Callable[..., Desk]) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin")
    page = client.get(address(run)).content.decode()
    assert 'data-key="a"' in page
    answer = approve(client, run)
    assert answer["Location"] == address(run)  # type: ignore[index]
    run.refresh_from_db()
    assert run.status == RunStatus.APPROVED
    assert Approval.objects.get().approver == client.person


@pytest.mark.usefixtures("still")
def test_with_an_older_factor_the_approval_waits_for_the_code_and_is_then_carried_out(
    desk: Callable[..., Desk],
) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin", factor_age=301)
    answer = approve(client, run)
    prompt = answer["Location"]  # type: ignore[index]
    assert prompt.startswith(reverse("mfa_reauthenticate"))
    assert not Approval.objects.exists()
    client.get(prompt)
    answer = client.post(prompt, {"code": code_of(client)})
    assert answer.status_code == 302
    assert answer["Location"] == address(run)
    run.refresh_from_db()
    assert run.status == RunStatus.APPROVED


def test_a_wrong_code_approves_nothing(desk: Callable[..., Desk]) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin", factor_age=301)
    prompt = approve(client, run)["Location"]  # type: ignore[index]
    assert client.post(prompt, {"code": "000 000x"}).status_code == 200
    assert not Approval.objects.exists()


def test_the_kept_approval_holds_no_cookies(desk: Callable[..., Desk]) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin", factor_age=301)
    approve(client, run)
    assert client.cookies["backlot_session"].value not in str(client.session["account_reauthentication_state"])


def test_the_requester_of_a_run_is_told_that_somebody_else_has_to_approve(desk: Callable[..., Desk]) -> None:
    finance.payable(50_000)
    client = desk("financial_admin")
    run = payouts.draft(method=finance.method(), by=client.person)
    client.post(address(run, "submit"))
    run.refresh_from_db()
    page = client.get(address(run)).content.decode()
    assert "somebody else has to approve it" in page
    assert 'data-key="a"' not in page
    assert (
        "somebody else has to approve it"
        in client.get(
            approve(client, run)["Location"]  # type: ignore[index]
        ).content.decode()
    )
    assert not Approval.objects.exists()


def test_above_the_threshold_a_second_person_is_asked_for(desk: Callable[..., Desk]) -> None:
    run = finance.requested(finance.payable(500_000), 200_000)
    first, second = desk("financial_admin"), desk("admin")
    approve(first, run)
    page = first.get(address(run))
    assert (page.context["needed"], page.context["missing"]) == (2, 1)
    assert "it needs a second person" in page.content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.SUBMITTED
    approve(second, run)
    run.refresh_from_db()
    assert run.status == RunStatus.APPROVED


def test_an_approval_of_a_preview_that_changed_is_refused(desk: Callable[..., Desk]) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin")
    answer = client.post(address(run, "approve"), {"snapshot": "0" * 64}, follow=True)
    assert "The preview has changed since you opened it" in answer.content.decode()
    assert not Approval.objects.exists()


def test_the_second_click_on_a_decided_run_is_told_what_it_is_now(desk: Callable[..., Desk]) -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    late = desk("financial_admin")
    approve(desk("admin"), run)
    answer = late.post(address(run, "reject"), {"reason": "too late"}, follow=True)
    assert answer.status_code == 200
    assert "approved" in answer.content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.APPROVED


def test_rejecting_needs_a_reason_that_the_creator_will_read(desk: Callable[..., Desk]) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin")
    answer = client.post(address(run, "reject"), {"reason": " "}, follow=True)
    assert "Say why" in answer.content.decode()
    client.post(address(run, "reject"), {"reason": "The bank account is somebody else's."})
    run.refresh_from_db()
    assert (run.status, run.rejected_reason) == (RunStatus.REJECTED, "The bank account is somebody else's.")


def test_a_hold_is_set_with_a_reason_and_ended_by_somebody_else(desk: Callable[..., Desk]) -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    item, first, second = run.items.get(), desk("financial_admin"), desk("admin")
    first.post(reverse("desk:payout_item_hold", args=[item.pk]), {"reason": "name differs"})
    item.refresh_from_db()
    assert (item.status, item.hold_reason) == (ItemStatus.HELD, "name differs")
    release = reverse("desk:payout_item_release", args=[item.pk])
    assert "somebody else has to end it" in first.post(release, follow=True).content.decode()
    second.post(release)
    item.refresh_from_db()
    assert item.status == ItemStatus.RESERVED


@pytest.mark.parametrize("verb", ["approve", "run_again"])
def test_what_moves_money_asks_for_a_fresh_factor(desk: Callable[..., Desk], verb: str) -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    answer = desk("financial_admin", factor_age=301).post(address(run, verb))
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))


@pytest.mark.parametrize("role", ["ops_manager", "customer_support", "content_moderator", "editor", "analyst"])
def test_nobody_else_decides(desk: Callable[..., Desk], role: str) -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    client, item = desk(role), run.items.get()
    answers = {verb: client.post(address(run, verb)).status_code for verb in ("approve", "reject", "cancel", "submit")}
    answers |= {
        verb: client.post(reverse(f"desk:payout_item_{verb}", args=[item.pk])).status_code
        for verb in ("hold", "release", "drop", "retry", "resume")
    }
    assert set(answers.values()) == {403}, answers


def test_who_may_only_look_is_offered_nothing_to_press(desk: Callable[..., Desk]) -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    page = desk("ops_manager").get(address(run)).content.decode()
    assert not re.search(r'data-dialog="(reject|hold|cancel)', page)
    assert address(run, "approve") not in page


def test_a_draft_names_everybody_who_is_left_out_and_why(desk: Callable[..., Desk]) -> None:
    finance.payable(50_000)
    small, held = finance.payable(100), finance.payable(50_000)
    type(held).objects.filter(pk=held.pk).update(payout_hold=True, payout_hold_reason="chargebacks")
    client = desk("financial_admin")
    answer = client.post(reverse("desk:payout_draft"), {"method": finance.method().pk}, follow=True)
    reasons = {row["reference"]: row["reasons"] for row in answer.context["left_out"]}
    assert reasons == {
        small.reference: ["below the smallest payout"],
        held.reference: ["payouts of this creator are on hold"],
    }
    assert answer.context["totals"]["count"] == 1


@pytest.mark.parametrize("method", ["", "nonsense", "0198f000-0000-7000-8000-000000000000"])
def test_a_draft_of_no_known_method_is_refused(desk: Callable[..., Desk], method: str) -> None:
    assert desk("financial_admin").post(reverse("desk:payout_draft"), {"method": method}).status_code == 404


def test_the_page_shows_where_the_money_is(desk: Callable[..., Desk]) -> None:
    run, client = finance.requested(finance.payable(50_000), 20_000), desk("financial_admin")
    approve(client, run)
    answer = client.get(address(run))
    page = answer.content.decode()
    assert "•••• 6789" in page
    assert "Creator: on its way" in page
    assert Job.objects.filter(kind="finance.execute_run").exists()
    assert AuditEntry.objects.filter(action="payout_run.approve", actor=client.person).exists()
    assert {entry.action for entry in answer.context["timeline"]} >= {
        "payout_run.submit",
        "payout_run.approve",
    }


def test_pages_take_the_same_statements_for_one_creator_and_for_many(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    finance.payable(50_000)
    small = payouts.draft(method=finance.method(), by=finance.finance_person())
    client.get(address(small))
    short_page, short_list = (
        count(lambda: client.get(address(small))),
        count(lambda: client.get(LIST + "?tab=drafts")),
    )
    payouts.cancel(run=small, by=finance.finance_person())
    for _ in range(6):
        finance.payable(50_000)
    large = payouts.draft(method=finance.method(), by=finance.finance_person())
    assert large.items.count() == 7
    assert count(lambda: client.get(address(large))) == short_page
    for _ in range(5):
        payouts.draft(method=finance.method(), by=finance.finance_person())
    assert count(lambda: client.get(LIST + "?tab=drafts")) == short_list


def test_my_work_lists_what_waits_for_my_approval_and_not_my_own_requests(desk: Callable[..., Desk]) -> None:
    run = finance.requested(finance.payable(50_000), 20_000)
    client = desk("financial_admin")
    page = client.get(reverse("desk:work"))
    assert [row.label for row in page.context["waiting"]] == [run.reference]
    assert f'href="{address(run)}" data-key="p"' in page.content.decode()
    finance.payable(60_000)
    own = payouts.draft(method=finance.method(), by=client.person)
    payouts.submit(run=own, by=client.person)
    assert [row.label for row in client.get(reverse("desk:work")).context["waiting"]] == [run.reference]
    approve(client, run)
    assert client.get(reverse("desk:work")).context["waiting"] == []


def test_my_work_does_not_offer_a_run_that_pays_me(desk: Callable[..., Desk]) -> None:
    creator, client = finance.payable(50_000), desk("financial_admin")
    type(creator).objects.filter(pk=creator.pk).update(user=client.person)
    maker = finance.finance_person()
    payouts.submit(run=payouts.draft(method=finance.method(), by=maker), by=maker)
    assert client.get(reverse("desk:work")).context["waiting"] == []
    assert len(desk("financial_admin").get(reverse("desk:work")).context["waiting"]) == 1


def test_the_page_tells_counting_from_void_approvals_and_until_when_it_waits(desk: Callable[..., Desk]) -> None:
    creator = finance.payable(500_000)
    run = finance.requested(creator, 200_000)
    approve(desk("financial_admin"), run)
    account = finance.account_of(creator)
    account.version += 1
    account.save()
    client = desk("admin")
    approve(client, run)
    answer = client.get(address(run))
    page = answer.content.decode()
    consent = answer.context["consent"]
    assert (len(consent.valid), len(consent.void), answer.context["missing"]) == (0, 1, 2)
    assert '<span class="bl-badge bl-badge--muted">void</span>' in page
    assert "<dt>Rejected by itself</dt>" in page
    assert "approval_request.approval" in {entry.action for entry in answer.context["timeline"]}


def test_the_requester_is_not_offered_to_reject_but_to_cancel(desk: Callable[..., Desk]) -> None:
    finance.payable(50_000)
    client = desk("financial_admin")
    run = payouts.submit(run=payouts.draft(method=finance.method(), by=client.person), by=client.person)
    assert {"reject", "cancel"} & client.get(address(run)).context["verbs"] == {"cancel"}
    assert "reject" in desk("admin").get(address(run)).context["verbs"]


def test_the_page_says_why_two_people_are_needed(desk: Callable[..., Desk]) -> None:
    client = desk("financial_admin")
    euros = payouts.draft(method=finance.method("EUR"), by=finance.finance_person())
    page = client.get(address(euros)).content.decode()
    assert "in another currency two people approve every amount" in page
    large = finance.requested(finance.payable(500_000), 200_000)
    assert "Payouts above $1,000.00 need two people." in client.get(address(large)).content.decode()
    small = finance.requested(finance.payable(50_000), 20_000)
    assert client.get(address(small)).context["why_two"] == ""
