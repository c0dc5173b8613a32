"""From approval to going live: training in its order, agreement, help of staff; badges, offers and calendar."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from backoffice.accounts.models import User
from backoffice.audit.models import AuditEntry
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from backoffice.core.states import IllegalTransition, advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import (
    AvailabilityBlock,
    BadgeGrant,
    Creator,
    CreatorAgreement,
    ServiceOffering,
    TrainingModule,
    TrainingProgress,
)
from backoffice.creators.services import applications, badges, creators, offers, onboarding, training
from backoffice.notifications.models import Notification
from tests.factories import creators as make
from tests.factories.accounts import member, staff
from tests.machines import forbidden

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def modules() -> list[TrainingModule]:
    """Two required modules and one for who wants it."""
    return [
        training.declare(code=code, title=code.title(), position=position, required=required, by=None)
        for position, (code, required) in enumerate([("welcome", True), ("extra", False), ("rules", True)], start=1)
    ]


def offer(**fields: Any) -> dict[str, Any]:
    return {
        "occasions": ["birthday"],
        "length_seconds": 60,
        "delivery_hours": 72,
        "price_minor": 50_00,
        **fields,
    }


def missing(creator: Creator) -> set[str]:
    return {item.code for item in policies.missing_to_activate(creator)}


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user, channel="email").values_list("event", flat=True))


# --- training ----------------------------------------------------------------------------------------------


def test_a_creator_goes_live_only_with_the_required_training(modules: list[TrainingModule]) -> None:
    application = make.approved()
    creator = application.creator
    assert creator is not None
    make.make_ready(creator)
    with pytest.raises(policies.NotReady) as refusal:
        applications.activate(application=application)
    assert [item.code for item in refusal.value.unmet] == ["training"]
    for code in ("welcome", "rules"):
        training.start(creator=creator, code=code, by=creator.user)
        training.complete(creator=creator, code=code, by=creator.user)
    assert applications.activate(application=application).status == "activated"


def test_required_modules_are_taken_in_their_order(modules: list[TrainingModule]) -> None:
    creator = make.creator()
    with pytest.raises(Conflict, match="First comes “Welcome”"):
        training.start(creator=creator, code="rules", by=creator.user)
    training.start(creator=creator, code="extra", by=creator.user)
    training.start(creator=creator, code="welcome", by=creator.user)
    with pytest.raises(Conflict, match="First comes"):
        training.start(creator=creator, code="rules", by=creator.user)
    training.complete(creator=creator, code="welcome", by=creator.user)
    assert training.start(creator=creator, code="rules", by=creator.user).status == "in_progress"


def test_a_module_is_opened_before_it_is_completed_and_twice_changes_nothing(modules: list[TrainingModule]) -> None:
    creator = make.creator()
    with pytest.raises(Conflict, match="Open the module"):
        training.complete(creator=creator, code="welcome", by=creator.user)
    training.start(creator=creator, code="welcome", by=creator.user)
    first = training.complete(creator=creator, code="welcome", by=creator.user)
    again = training.complete(creator=creator, code="welcome", by=creator.user)
    assert again.completed_at == first.completed_at
    assert training.start(creator=creator, code="welcome", by=creator.user).status == "completed"
    assert AuditEntry.objects.filter(action="training.complete").count() == 1


def test_what_an_editor_withdraws_is_asked_of_nobody_and_stays_on_record(modules: list[TrainingModule]) -> None:
    creator = make.creator()
    training.start(creator=creator, code="welcome", by=creator.user)
    training.complete(creator=creator, code="welcome", by=creator.user)
    training.retire(code="welcome", by=staff("editor"))
    training.retire(code="rules", by=staff("editor"))
    assert "training" not in missing(creator)
    with pytest.raises(NotFound):
        training.start(creator=creator, code="rules", by=creator.user)
    assert TrainingProgress.objects.get(creator=creator).status == "completed"
    training.declare(code="rules", title="Rules again", position=3, required=True, by=staff("editor"))
    assert "training" in missing(creator)


def test_the_progress_is_read_with_every_module(modules: list[TrainingModule]) -> None:
    creator, other = make.creator(), make.creator()
    training.start(creator=other, code="welcome", by=other.user)
    training.start(creator=creator, code="welcome", by=creator.user)
    training.complete(creator=creator, code="welcome", by=creator.user)
    found = queries.training_of(creator)
    assert [(lesson.code, lesson.status) for lesson in found] == [
        ("welcome", "completed"),
        ("extra", "not_started"),
        ("rules", "not_started"),
    ]


@pytest.mark.parametrize(("state", "verb"), forbidden(states.TRAINING))
def test_training_moves_along_its_table_only(modules: list[TrainingModule], state: str, verb: str) -> None:
    progress = TrainingProgress.objects.create(creator=make.creator(), module=modules[0], status=state)
    with pytest.raises(IllegalTransition):
        advance(progress, verb, by=None)


def test_who_is_approved_and_lacks_something_is_reminded_now_and_then(modules: list[TrainingModule]) -> None:
    now = clock.now()
    decided = now - timedelta(days=values.get("training.remind_days") + 1)
    waiting, fresh = make.approved(at=decided), make.approved()
    event = "application.onboarding_reminder"
    jobs.enqueue("creators.remind_onboarding")
    jobs.run_due()
    assert told(waiting.applicant).count(event) == 1
    assert event not in told(fresh.applicant)
    assert training.remind_due(at=now + timedelta(days=1)) == 0
    assert training.remind_due(at=now + timedelta(days=9)) == 2
    mail = Notification.objects.filter(user=waiting.applicant, event=event).first()
    assert mail is not None
    assert "complete the training" in mail.body
    assert (decided + timedelta(days=values.get("application.activation_days"))).date().isoformat() in mail.body


# --- agreement and the help of staff ------------------------------------------------------------------------


def test_every_signature_stays_on_record() -> None:
    creator = make.creator()
    creators.sign_agreement(creator=creator, by=creator.user, version="2026-01")
    creators.sign_agreement(creator=creator, by=creator.user, version="2026-01")
    signature = CreatorAgreement.objects.get(creator=creator)
    assert (signature.version, signature.signed_by) == ("2026-01", creator.user)
    with pytest.raises(DatabaseError), transaction.atomic():
        CreatorAgreement.objects.filter(pk=signature.pk).update(version="2099-01")


def test_a_newer_agreement_is_signed_before_going_live_and_leaves_who_is_live_alone() -> None:
    live = make.activated().creator
    application = make.approved()
    creator = application.creator
    assert creator is not None
    assert live is not None
    make.make_ready(creator)
    values.change(key="creator.agreement_version", value="2027-01", by=staff("admin"), reason="New terms")
    assert missing(creator) == {"agreement"}
    assert applications.activate_ready() == 0
    with pytest.raises(policies.NotReady) as refusal:
        applications.activate(application=application)
    assert "2027-01" in str(refusal.value)
    live.refresh_from_db()
    assert live.is_live
    creators.sign_agreement(creator=creator, by=creator.user, version="2027-01")
    assert applications.activate_ready() == 1
    assert list(creator.agreements.order_by("signed_at").values_list("version", flat=True)) == ["2026-01", "2027-01"]


def test_staff_tick_their_help_off_and_the_launch_is_told() -> None:
    helper = staff("ops_manager")
    application = make.activated()
    creator = application.creator
    assert creator is not None
    for code in ("profile", "launch", "launch"):
        onboarding.tick(creator=creator, code=code, done=True, by=helper)
    assert set(creator.onboarding_steps.values_list("code", flat=True)) == {"profile", "launch"}
    assert told(creator.user).count("creator.launched") == 1
    onboarding.tick(creator=creator, code="profile", done=False, by=helper)
    assert list(creator.onboarding_steps.values_list("code", flat=True)) == ["launch"]


def test_nobody_announces_a_creator_who_is_not_live() -> None:
    application = make.approved()
    assert application.creator is not None
    with pytest.raises(Invalid, match="once the creator is live"):
        onboarding.tick(creator=application.creator, code="launch", done=True, by=staff("admin"))
    with pytest.raises(Invalid):
        onboarding.tick(creator=application.creator, code="party", done=True, by=staff("admin"))
    with pytest.raises(Forbidden):
        onboarding.tick(creator=application.creator, code="profile", done=True, by=staff("editor"))


# --- badges and tiers ---------------------------------------------------------------------------------------


def current(creator: Creator) -> set[str]:
    return {given.badge for given in queries.badges_of(creator)}


def test_the_badge_of_a_verified_creator_comes_and_goes_with_the_verification() -> None:
    application, by = make.activated(), staff("admin")
    creator = application.creator
    assert creator is not None
    assert current(creator) == {"verified"}
    creators.suspend(creator=creator, by=by, reason="Fraud")
    assert current(creator) == set()
    creators.restore(creator=creator, by=by, reason="Cleared")
    assert current(creator) == {"verified"}
    assert BadgeGrant.objects.filter(creator=creator).count() == 2


def test_staff_give_and_take_badges_with_a_reason() -> None:
    creator, by = make.creator(), staff("admin")
    badges.grant(creator=creator, badge="cultural_expert", by=by, reason="Teaches Vodou drumming")
    assert current(creator) == {"verified", "cultural_expert"}
    with pytest.raises(Conflict):
        badges.grant(creator=creator, badge="cultural_expert", by=by, reason="Again")
    badges.revoke(creator=creator, badge="cultural_expert", by=by, reason="Asked to")
    with pytest.raises(Conflict):
        badges.revoke(creator=creator, badge="cultural_expert", by=by, reason="Asked to")
    badges.grant(creator=creator, badge="cultural_expert", by=by, reason="Back")


@pytest.mark.parametrize("badge", ["verified", "king"])
def test_nobody_gives_the_badge_that_goes_with_the_verification(badge: str) -> None:
    creator, by = make.creator(), staff("admin")
    with pytest.raises(Invalid):
        badges.grant(creator=creator, badge=badge, by=by, reason="Because")
    with pytest.raises(Invalid):
        badges.revoke(creator=creator, badge=badge, by=by, reason="Because")


def test_badges_and_tiers_need_the_right_and_a_reason() -> None:
    creator = make.creator()
    with pytest.raises(Forbidden):
        badges.grant(creator=creator, badge="cultural_expert", by=staff("ops_manager"), reason="Because")
    with pytest.raises(Forbidden):
        badges.set_tier(creator=creator, tier="premium", by=staff("content_moderator"), reason="Because")
    for refused in (
        lambda by: badges.grant(creator=creator, badge="cultural_expert", by=by, reason=" "),
        lambda by: badges.set_tier(creator=creator, tier="premium", by=by, reason=""),
        lambda by: badges.set_tier(creator=creator, tier="gold", by=by, reason="Because"),
    ):
        with pytest.raises(Invalid):
            refused(staff("admin"))
    badges.set_tier(creator=creator, tier="premium", by=staff("admin"), reason="Sells well")
    creator.refresh_from_db()
    assert creator.tier == "premium"
    with pytest.raises(Conflict):
        badges.set_tier(creator=creator, tier="premium", by=staff("admin"), reason="Sells well")


# --- suspension ---------------------------------------------------------------------------------------------


def test_a_creator_can_be_suspended_while_proving_identity_again_and_still_has_to_prove_it() -> None:
    application, by = make.activated(), staff("admin")
    creator = application.creator
    assert creator is not None
    creators.reverify(creator=creator, by=make.reviewer(), reason="Yearly")
    creator.refresh_from_db()
    deadline = creator.reverify_by
    creators.suspend(creator=creator, by=by, reason="Fraud")
    creators.restore(creator=creator, by=by, reason="Cleared")
    creator.refresh_from_db()
    assert (creator.verification_status, creator.reverify_by) == ("pending", deadline)


# --- offers -------------------------------------------------------------------------------------------------


def test_the_list_of_offers_is_replaced_as_a_whole() -> None:
    creator = make.creator()
    offers.replace_offerings(
        creator=creator, by=creator.user, offerings=[offer(), offer(length_seconds=30, price_minor=20_00)]
    )
    with pytest.raises(Invalid):
        offers.replace_offerings(creator=creator, by=creator.user, offerings=[offer(price_minor=70_00), offer()])
    assert list(creator.offerings.values_list("price_minor", flat=True)) == [20_00, 50_00]
    offers.replace_offerings(creator=creator, by=creator.user, offerings=[])
    assert not creator.offerings.exists()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"occasions": []}, "occasions"),
        ({"occasions": ["funeral"]}, "occasions"),
        ({"length_seconds": 45}, "length_seconds"),
        ({"delivery_hours": 1}, "delivery_hours"),
        ({"price_minor": 4_99}, "price"),
        ({"price_minor": 10_000_01}, "price"),
        ({"price_minor": -1}, "price"),
        ({"extra_recipient_minor": 50_01}, "extra_recipient"),
        ({"extra_recipient_minor": -1}, "extra_recipient"),
        ({"special_requests": ["juggling"]}, "special_requests"),
    ],
)
def test_a_wrong_offer_is_named_by_its_place(fields: dict[str, Any], wrong: str) -> None:
    creator = make.creator()
    with pytest.raises(Invalid) as refusal:
        offers.replace_offerings(
            creator=creator, by=creator.user, offerings=[offer(delivery_hours=24), offer(**fields)]
        )
    assert refusal.value.field == f"offerings.1.{wrong}"


def test_bounds_follow_the_units_of_the_currency() -> None:
    assert offers.bounds("USD") == (5_00, 10_000_00)
    assert offers.bounds("JPY") == (5, 10_000)
    assert offers.bounds("KWD") == (5_000, 10_000_000)


def test_only_the_creator_sets_offers_and_calendar() -> None:
    creator = make.creator()
    for by in (staff("super_admin"), member(), None):
        with pytest.raises(Forbidden):
            offers.replace_offerings(creator=creator, by=by, offerings=[])
        with pytest.raises(Forbidden):
            offers.set_availability(creator=creator, by=by, mode="always")


def test_going_live_asks_for_a_price_unless_the_platform_sells_no_personal_videos() -> None:
    creator = make.creator()
    assert "pricing" in missing(creator)
    values.change(key="onboarding.offers_required", value=False, by=staff("admin"), reason="We sell films only")
    assert "pricing" not in missing(creator)
    values.change(key="onboarding.offers_required", value=True, by=staff("admin"), reason="We sell greetings")
    offers.replace_offerings(creator=creator, by=creator.user, offerings=[offer(active=False)])
    assert "pricing" in missing(creator)
    offers.replace_offerings(creator=creator, by=creator.user, offerings=[offer()])
    assert "pricing" not in missing(creator)


def test_guidance_tells_what_others_of_the_category_ask_and_nothing_of_few() -> None:
    asking = make.creator(categories=["music"])
    prices = [10_00, 20_00, 30_00, 40_00, 50_00]
    for number, price in enumerate(prices):
        other = make.creator(categories=["music", "comedy"])
        offers.replace_offerings(creator=other, by=other.user, offerings=[offer(price_minor=price)])
        if number == 3:
            assert queries.pricing_guidance(asking) == []
    stranger = make.creator(categories=["sports"])
    offers.replace_offerings(creator=stranger, by=stranger.user, offerings=[offer(price_minor=999_00)])
    assert queries.pricing_guidance(asking) == [queries.Guidance(60, 20_00, 30_00, 40_00, 5)]


# --- calendar -----------------------------------------------------------------------------------------------


def test_the_calendar_is_replaced_as_a_whole_and_refuses_overlaps() -> None:
    creator, at = make.creator(), clock.now()
    block = {"kind": "slot", "starts_at": at + HOUR, "ends_at": at + 2 * HOUR, "capacity": 3}
    later = {"kind": "blackout", "starts_at": at + 2 * HOUR, "ends_at": at + 3 * HOUR}
    offers.set_availability(creator=creator, by=creator.user, mode="schedule", blocks=[later, block], at=at)
    assert [row.kind for row in creator.availability.all()] == ["slot", "blackout"]
    for place, wrong in enumerate(
        [
            {**later, "starts_at": at + HOUR},
            {**later, "ends_at": at},
            {**later, "kind": "nap"},
            {**later, "premium_price_minor": 0},
        ]
    ):
        with pytest.raises(Invalid) as refusal:
            offers.set_availability(creator=creator, by=creator.user, mode="schedule", blocks=[block, wrong], at=at)
        assert (refusal.value.field or "").startswith("blocks."), place
    assert creator.availability.count() == 2
    offers.set_availability(creator=creator, by=creator.user, mode="always", at=at)
    assert creator.availability.count() == 2


def test_what_has_begun_keeps_its_place_in_the_calendar() -> None:
    creator, at = make.creator(), clock.now()
    running = AvailabilityBlock.objects.create(creator=creator, kind="slot", starts_at=at - 3 * HOUR, ends_at=at - HOUR)
    block = {"kind": "slot", "starts_at": at - 2 * HOUR, "ends_at": at + HOUR}
    with pytest.raises(Invalid, match="overlaps one"):
        offers.set_availability(creator=creator, by=creator.user, mode="schedule", blocks=[block], at=at)
    assert list(creator.availability.all()) == [running]


def test_the_database_refuses_an_overlap_too() -> None:
    creator, at = make.creator(), clock.now()
    AvailabilityBlock.objects.create(creator=creator, kind="slot", starts_at=at, ends_at=at + HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        AvailabilityBlock.objects.create(creator=creator, kind="vacation", starts_at=at, ends_at=at + HOUR)


def test_modes_ask_for_what_they_need() -> None:
    creator, at = make.creator(), clock.now()
    for fields in (
        {"mode": "vacation"},
        {"mode": "vacation", "vacation_until": at.date()},
        {"mode": "limited_capacity"},
        {"mode": "sometimes"},
    ):
        with pytest.raises(DomainError):
            offers.set_availability(creator=creator, by=creator.user, at=at, **fields)
    until = (at + timedelta(days=7)).date()
    creator = offers.set_availability(creator=creator, by=creator.user, mode="vacation", vacation_until=until, at=at)
    assert (creator.availability_mode, creator.vacation_until) == ("vacation", until)
    creator = offers.set_availability(creator=creator, by=creator.user, mode="limited_capacity", daily_capacity=2)
    assert (creator.vacation_until, creator.daily_capacity) == (None, 2)


def test_offers_of_one_kind_stand_once_in_the_database() -> None:
    creator = make.creator()
    offers.replace_offerings(creator=creator, by=creator.user, offerings=[offer()])
    row = ServiceOffering.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceOffering.objects.create(
            creator=creator, occasions=["other"], length_seconds=60, delivery_hours=72, price_minor=1, currency="USD"
        )
