"""Payouts that wait for a person: found under one tab, each with what is known and whose turn it is."""

from collections.abc import Callable
from html import unescape

import pytest
from django.urls import reverse

from backoffice.creators.services import creators
from backoffice.desk.finance.payouts import NEXT_STEP
from backoffice.finance.models import PayoutRun
from backoffice.finance.queries import balances
from backoffice.finance.services import payouts
from backoffice.finance.states import ItemStatus, RunStatus
from tests.desk.clients import Desk
from tests.factories import finance

LIST = "/admin/finance/payouts/"


@pytest.mark.parametrize("status", ["held", "unknown", "needs_human", "failed"])
def test_a_payout_in_trouble_is_under_needs_attention_and_says_whose_turn_it_is(
    desk: Callable[..., Desk], status: str
) -> None:
    run = finance.approved(finance.payable(50_000), 20_000)
    PayoutRun.objects.filter(pk=run.pk).update(status=RunStatus.EXECUTING)
    run.items.update(status=status, hold_reason="why" if status == "held" else "")
    client = desk("financial_admin")
    page = client.get(LIST + "?tab=attention")
    assert run.reference in page.content.decode()
    assert {code: number for code, _label, number in page.context["tabs"]}["attention"] == 1
    assert str(NEXT_STEP[ItemStatus(status)]) in unescape(
        client.get(reverse("desk:payout", args=[run.pk])).content.decode()
    )


def test_a_run_whose_money_went_back_needs_nobody(desk: Callable[..., Desk]) -> None:
    run = finance.approved(finance.payable(50_000), 20_000)
    PayoutRun.objects.filter(pk=run.pk).update(status=RunStatus.PARTIALLY_FAILED)
    run.items.update(status="returned", in_transit_minor=0)
    client = desk("financial_admin")
    assert run.reference not in client.get(LIST + "?tab=attention").content.decode()
    assert run.reference in client.get(LIST + "?tab=settled").content.decode()


def test_a_payout_that_differs_at_the_provider_stays_in_sight(desk: Callable[..., Desk]) -> None:
    run = finance.approved(finance.payable(50_000), 20_000)
    PayoutRun.objects.filter(pk=run.pk).update(status=RunStatus.SETTLED)
    run.items.update(transfer_id="tr_1", status="returned", in_transit_minor=0)
    payouts.flag_reversed(transfer_id="tr_1")
    client = desk("financial_admin")
    assert run.reference in client.get(LIST + "?tab=attention").content.decode()
    assert "Finance settles it with the provider" in client.get(reverse("desk:payout", args=[run.pk])).content.decode()


def test_whoever_lets_a_payout_go_on_to_a_creator_on_hold_reads_that_the_money_went_back(
    desk: Callable[..., Desk],
) -> None:
    creator = finance.payable(50_000)
    run = finance.approved(creator, 20_000)
    PayoutRun.objects.filter(pk=run.pk).update(status=RunStatus.EXECUTING)
    run.items.update(status="needs_human")
    creators.hold_payouts(creator=creator, by=finance.finance_person(), reason="identity in doubt")
    address = reverse("desk:payout_item_resume", args=[run.items.get().pk])
    answer = desk("financial_admin").post(address, {"reason": "none there", "is_absent": "on"}, follow=True)
    page = unescape(answer.content.decode())
    assert "Nothing was sent: Payouts of this creator are on hold. The amount is back in the creator's balance." in page
    assert run.items.get().status == "returned"
    assert balances.of(creator, "USD").available == 50_000
