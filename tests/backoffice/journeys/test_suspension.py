"""Suspending a creator takes everything along that hangs on it, and tells before and after (S-014, S-015)."""

from datetime import timedelta

import pytest
from django.test import Client

from backoffice.accounts.services import sessions
from backoffice.audit.models import AuditEntry
from backoffice.catalogue import queries as catalogue
from backoffice.catalogue.models import FeaturedSection, FeaturedSlot
from backoffice.catalogue.services import featured
from backoffice.core import clock
from backoffice.core.errors import Forbidden, Invalid
from backoffice.core.states import IllegalTransition
from backoffice.creators.models import Sanction
from backoffice.creators.services import creators as creator_services
from backoffice.finance.models import PayoutItem
from backoffice.finance.services import payouts
from backoffice.journeys.queries import suspension as queries
from backoffice.journeys.services import suspension
from tests.factories import finance
from tests.factories.accounts import sign_in, staff
from tests.factories.sales import published
from tests.statements import count

DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def test_everything_of_the_creator_is_hidden_ended_and_held() -> None:
    creator, by = finance.payable(50_00), staff("ops_manager")
    run = finance.requested(creator, 50_00)
    title = published(creator=creator)
    section = FeaturedSection.objects.first()
    assert section is not None
    featured.place(section=section, title=title, by=staff("editor"))
    sign_in(Client(), creator.user)
    before = queries.effects(creator, at=clock.now())
    assert (before.titles, before.slots, before.sessions) == (1, 1, 1)
    assert [(row.currency, row.count, row.gross_minor) for row in before.payouts] == [("USD", 1, 50_00)]

    assert suspension.suspend(creator=creator, by=by, reason="Fraud") == before
    creator.refresh_from_db()
    assert (creator.verification_status, creator.payout_hold) == ("suspended", True)
    assert not catalogue.published().filter(pk=title.pk).exists()
    assert not FeaturedSlot.objects.open(clock.now()).filter(title=title).exists()
    assert PayoutItem.objects.get(run=run).status == "held"
    assert sessions.open_for(creator.user) == []
    assert AuditEntry.objects.filter(action="creator.suspend_effects").get().data["payouts"] == [["USD", 1, 50_00]]
    sanction = Sanction.objects.get(creator=creator)
    assert (sanction.reason, sanction.issued_by, sanction.ended_at) == ("Fraud", by, None)


def test_refusing_a_verification_hides_ends_and_holds_the_same_and_leaves_the_person_signed_in() -> None:
    creator, by = finance.payable(50_00), staff("verification_reviewer")
    run = finance.requested(creator, 50_00)
    title = published(creator=creator)
    section = FeaturedSection.objects.first()
    assert section is not None
    featured.place(section=section, title=title, by=staff("editor"))
    sign_in(Client(), creator.user)
    creator_services.reverify(creator=creator, by=by, reason="Doubts")

    taken = suspension.refuse_verification(creator=creator, by=by, reason="Another person")
    assert (taken.titles, taken.slots, taken.sessions) == (1, 1, 0)
    creator.refresh_from_db()
    assert (creator.verification_status, creator.is_active, creator.payout_hold) == ("rejected", False, True)
    assert not catalogue.published().filter(pk=title.pk).exists()
    assert not FeaturedSlot.objects.open(clock.now()).filter(title=title).exists()
    assert PayoutItem.objects.get(run=run).status == "held"
    assert len(sessions.open_for(creator.user)) == 1
    assert AuditEntry.objects.filter(action="creator.refuse_effects").get().data["slots"] == 1
    with pytest.raises(IllegalTransition):
        suspension.refuse_verification(creator=creator, by=by, reason="Again")


def test_restoring_shows_the_titles_and_keeps_the_money_held() -> None:
    creator, by = finance.payable(50_00), staff("ops_manager")
    run = finance.requested(creator, 50_00)
    title = published(creator=creator)
    suspension.suspend(creator=creator, by=by, reason="Fraud")
    suspension.restore(creator=creator, by=by, reason="Cleared")
    creator.refresh_from_db()
    assert (creator.verification_status, creator.payout_hold) == ("verified", True)
    assert catalogue.published().filter(pk=title.pk).exists()
    assert PayoutItem.objects.get(run=run).status == "held"
    sanction = Sanction.objects.get(creator=creator)
    assert (sanction.ended_as, sanction.ended_by, sanction.end_reason) == ("lifted", by, "Cleared")


def test_whoever_suspends_does_not_end_the_hold_of_a_payout_that_came_with_it() -> None:
    creator, by, colleague = finance.payable(50_00), staff("admin"), staff("admin")
    run = finance.requested(creator, 50_00)
    suspension.suspend(creator=creator, by=by, reason="Fraud")
    suspension.restore(creator=creator, by=by, reason="Cleared")
    creator_services.release_payouts(creator=creator, by=by, reason="Cleared")
    item = PayoutItem.objects.get(run=run)
    with pytest.raises(Forbidden) as refusal:
        payouts.release(item=item, by=by, reason="Cleared")
    assert refusal.value.code == "own_hold"
    assert payouts.release(item=item, by=colleague, reason="Looked at").status == "reserved"


def test_a_suspension_that_runs_out_ends_as_expired() -> None:
    creator, at = finance.payable(50_00), clock.now()
    creator_services.suspend(creator=creator, by=None, reason="Alert", until=at + DAY, at=at)
    assert creator_services.end_suspensions(at=at + 2 * DAY) == 1
    assert Sanction.objects.get(creator=creator).ended_as == "expired"


def test_a_refused_suspension_takes_nothing_away() -> None:
    creator = finance.payable(50_00)
    run = finance.requested(creator, 50_00)
    with pytest.raises(Forbidden):
        suspension.suspend(creator=creator, by=staff("content_moderator"), reason="Fraud")
    with pytest.raises(Invalid):
        suspension.suspend(creator=creator, by=staff("ops_manager"), reason=" ")
    suspension.suspend(creator=creator, by=staff("ops_manager"), reason="Fraud")
    with pytest.raises(IllegalTransition):
        suspension.suspend(creator=creator, by=staff("ops_manager"), reason="Twice")
    assert Sanction.objects.filter(creator=creator).count() == 1
    assert PayoutItem.objects.get(run=run).hold_reason == "Suspended: Fraud"


def test_the_effects_take_the_same_statements_however_many() -> None:
    creator = finance.payable(50_00)
    published(creator=creator)
    few = count(lambda: queries.effects(creator, at=clock.now()))
    for _number in range(4):
        published(creator=creator)
    assert count(lambda: queries.effects(creator, at=clock.now())) == few
