"""The creator directory and a creator's page (W-004)."""

from datetime import timedelta

import pytest
from django.test import Client

from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Forbidden
from backoffice.creators.models import Creator
from backoffice.creators.services import badges, creators, offers, renewals, training
from tests.factories import creators as make
from tests.factories import finance
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/admin/creators/"


def names(answer: object) -> list[str]:
    return [creator.stage_name for creator in answer.context["page"].items]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("ops_manager", 200),
        ("customer_support", 200),
        ("verification_reviewer", 200),
        ("editor", 403),
        ("analyst", 403),
    ],
)
def test_who_sees_the_directory(client: Client, role: str, status: int) -> None:
    creator = make.creator()
    sign_in(client, staff(role))
    assert client.get(BASE).status_code == status
    assert client.get(f"{BASE}{creator.pk}/").status_code == status


def test_the_directory_narrows_by_words_state_and_hold(client: Client) -> None:
    live = make.creator(stage_name="Live Lina")
    gone = make.creator(stage_name="Gone Gary")
    held = make.creator(stage_name="Held Hana")
    creators.suspend(creator=gone, by=None, reason="x")
    creators.hold_payouts(creator=held, by=None, reason="x")
    sign_in(client, staff("ops_manager"))
    assert names(client.get(BASE)) == ["Gone Gary", "Held Hana", "Live Lina"]
    assert names(client.get(BASE, {"q": "lina"})) == ["Live Lina"]
    assert names(client.get(BASE, {"q": live.reference.lower()})) == ["Live Lina"]
    assert names(client.get(BASE, {"status": "suspended"})) == ["Gone Gary"]
    assert names(client.get(BASE, {"status": "active"})) == ["Held Hana", "Live Lina"]
    assert names(client.get(BASE, {"held": "1"})) == ["Gone Gary", "Held Hana"]


def test_the_directory_takes_the_same_statements_whatever_its_length(client: Client) -> None:
    make.creator()
    sign_in(client, staff("ops_manager"))
    client.get(BASE)
    few = count(lambda: client.get(BASE))
    for _number in range(5):
        make.creator()
    assert count(lambda: client.get(BASE)) == few


@pytest.mark.parametrize("role", ["customer_support", "verification_reviewer", "content_moderator", "financial_admin"])
def test_roles_without_the_right_do_not_suspend(client: Client, role: str) -> None:
    creator = make.creator()
    sign_in(client, staff(role))
    assert b'data-dialog="suspend"' not in client.get(f"{BASE}{creator.pk}/").content
    assert client.post(f"{BASE}{creator.pk}/suspend/", {"reason": "x"}).status_code == 403
    creator.refresh_from_db()
    assert creator.verification_status == "verified"


def test_operations_suspends_and_restores_with_reasons(client: Client) -> None:
    creator = make.creator()
    sign_in(client, staff("ops_manager"))
    empty = client.post(f"{BASE}{creator.pk}/suspend/", {"reason": ""})
    assert empty.status_code == 400
    past = client.post(f"{BASE}{creator.pk}/suspend/", {"reason": "Typed reason", "until": "2020-01-01"})
    assert (past.status_code, b"Typed reason" in past.content) == (409, True)
    assert client.post(f"{BASE}{creator.pk}/suspend/", {"reason": "Copied films"}).status_code == 302
    assert b"Copied films" in client.get(f"{BASE}{creator.pk}/").content
    assert client.post(f"{BASE}{creator.pk}/restore/", {"reason": "Cleared"}).status_code == 302
    creator.refresh_from_db()
    assert (creator.verification_status, creator.payout_hold) == ("verified", True)


def test_why_payouts_are_held_is_read_in_the_readers_language(client: Client) -> None:
    creator = make.creator()
    sign_in(client, staff("ops_manager", language="fr"))
    client.post(f"{BASE}{creator.pk}/suspend/", {"reason": "Copied films"})
    creator.refresh_from_db()
    assert creator.payout_hold_reason == "Suspended: Copied films"
    sign_in(client, staff("financial_admin", "ops_manager", language="ht"))
    assert "Sispann: Copied films" in client.get(f"{BASE}{creator.pk}/").content.decode()


def test_a_suspension_ends_at_midnight_of_whoever_set_it(client: Client) -> None:
    creator = make.creator()
    sign_in(client, staff("ops_manager", timezone="America/Port-au-Prince"))
    client.post(f"{BASE}{creator.pk}/suspend/", {"reason": "Copied films", "until": "2098-01-15"})
    creator.refresh_from_db()
    assert creator.suspended_until is not None
    assert creator.suspended_until.isoformat() == "2098-01-15T05:00:00+00:00"


def test_finance_holds_and_releases_payouts_and_operations_does_not(client: Client) -> None:
    creator = make.creator()
    sign_in(client, staff("ops_manager"))
    assert client.post(f"{BASE}{creator.pk}/hold/", {"reason": "x"}).status_code == 403
    sign_in(client, staff("financial_admin"))
    client.post(f"{BASE}{creator.pk}/hold/", {"reason": "Dispute"})
    creator.refresh_from_db()
    assert creator.payout_hold
    client.post(f"{BASE}{creator.pk}/release/", {"reason": "Settled"})
    creator.refresh_from_db()
    assert not creator.payout_hold


def test_support_sees_the_creator_but_not_the_dossier_links(client: Client) -> None:
    application = make.activated()
    sign_in(client, staff("customer_support"))
    page = client.get(f"{BASE}{application.creator_id}/").content.decode()
    assert application.reference not in page


def test_an_unknown_creator_is_not_found(client: Client) -> None:
    sign_in(client, staff("ops_manager"))
    assert client.get(f"{BASE}{make.reviewer().pk}/").status_code == 404


def test_a_reviewer_asks_for_an_id_again_and_confirms_or_refuses(client: Client) -> None:
    application = make.activated()
    address = f"{BASE}{application.creator_id}/"
    reviewer = make.reviewer()
    sign_in(client, reviewer)
    assert client.post(f"{address}reverify/", {"reason": "Yearly review"}).status_code == 302
    page = client.get(address).content.decode()
    assert "Identity has to be proved again" in page
    assert "Confirm identity" in page
    assert client.post(f"{address}confirm/").status_code == 409
    make.new_id(application, reviewer)
    assert client.post(f"{address}confirm/").status_code == 302
    client.post(f"{address}reverify/", {"reason": "Doubts"})
    assert client.post(f"{address}refuse/", {"reason": "Not the same person"}).status_code == 302
    assert application.creator is not None
    application.creator.refresh_from_db()
    assert application.creator.verification_status == "rejected"


def test_who_is_a_creator_too_finds_no_button_to_decide_about_themselves(client: Client) -> None:
    own = make.reviewer()
    mine, other = make.creator(own), make.creator()
    renewals.put_due(at=clock.now() + timedelta(days=366))
    sign_in(client, own)
    for words in ("Verify again", "Looked again: still right"):
        assert words in page(client, other)
        assert words not in page(client, mine)
    answer = client.post(f"{BASE}{mine.pk}/reverify/", {"reason": "x"})
    assert (answer.status_code, b"This is about you" in answer.content) == (409, True)


def test_an_identity_without_a_valid_id_is_not_confirmed(client: Client) -> None:
    creator = make.creator()
    creators.reverify(creator=creator, by=None, reason="")
    sign_in(client, make.reviewer())
    answer = client.post(f"{BASE}{creator.pk}/confirm/")
    assert (answer.status_code, b"No valid ID that came after the request is verified." in answer.content) == (
        409,
        True,
    )


# --- around the creator -------------------------------------------------------------------------------------


def page(client: Client, creator: Creator) -> str:
    return client.get(f"{BASE}{creator.pk}/").content.decode()


def test_money_is_for_finance_tickets_for_support_and_neither_for_moderators(client: Client) -> None:
    creator = finance.payable(1_234_56)
    seen = {}
    for role in ("financial_admin", "customer_support", "content_moderator", "verification_reviewer", "ops_manager"):
        sign_in(client, staff(role))
        text = page(client, creator)
        seen[role] = ("1,234.56" in text, "tickets-title" in text)
    assert seen == {
        "financial_admin": (True, False),
        "customer_support": (False, True),
        "content_moderator": (False, False),
        "verification_reviewer": (False, False),
        "ops_manager": (True, True),
    }


def test_whoever_suspends_reads_first_what_it_takes_away(client: Client) -> None:
    creator = finance.payable(50_00)
    finance.requested(creator, 50_00)
    sign_in(client, staff("ops_manager"))
    assert "1 payout that was not sent yet is held: $50.00" in page(client, creator)
    client.post(f"{BASE}{creator.pk}/suspend/", {"reason": "Fraud"})
    text = page(client, creator)
    assert "Suspension" in text
    assert "not sent yet is held" not in text


def test_badges_and_tier_are_given_with_a_reason_and_kept_typed_on_refusal(client: Client) -> None:
    creator = make.creator()
    sign_in(client, staff("admin"))
    address = f"{BASE}{creator.pk}/badge/"
    assert client.post(address, {"badge": "cultural_expert", "reason": ""}).status_code == 400
    assert client.post(address, {"badge": "verified", "reason": "Nice"}).status_code == 409
    client.post(address, {"badge": "cultural_expert", "reason": "Teaches"})
    assert "Cultural expert" in page(client, creator)
    client.post(address, {"badge": "cultural_expert", "take": "1", "reason": "Asked to"})
    assert not creator.badges.filter(badge="cultural_expert", revoked_at=None).exists()
    client.post(f"{BASE}{creator.pk}/tier/", {"tier": "premium", "reason": "Sells well"})
    creator.refresh_from_db()
    assert creator.tier == "premium"
    sign_in(client, staff("ops_manager"))
    assert client.post(address, {"badge": "cultural_expert", "reason": "x"}).status_code == 403


def test_onboarding_shows_what_is_missing_and_is_ticked_off(client: Client) -> None:
    training.declare(code="welcome", title="Welcome aboard", position=1, required=True, by=None)
    creator = make.approved().creator
    assert creator is not None
    sign_in(client, staff("verification_reviewer"))
    text = page(client, creator)
    assert "Welcome aboard" in text
    assert "The required training is not completed." in text
    client.post(f"{BASE}{creator.pk}/onboarding/", {"code": "profile", "done": "1"})
    assert creator.onboarding_steps.get().code == "profile"
    refused = client.post(f"{BASE}{creator.pk}/onboarding/", {"code": "launch", "done": "1"})
    assert refused.status_code == 409
    client.post(f"{BASE}{creator.pk}/onboarding/", {"code": "profile"})
    assert not creator.onboarding_steps.exists()


def test_the_page_takes_the_same_statements_however_much_there_is(client: Client) -> None:
    creator = finance.payable(50_00)
    sign_in(client, staff("admin"))
    page(client, creator)
    few = count(lambda: page(client, creator))
    rows = [
        {"occasions": ["other"], "length_seconds": length, "delivery_hours": 24, "price_minor": 20_00}
        for length in (30, 60, 180)
    ]
    offers.replace_offerings(creator=creator, offerings=rows, by=creator.user)
    for badge in ("cultural_expert", "community_leader"):
        badges.grant(creator=creator, badge=badge, by=staff("admin"), reason="x")
    assert count(lambda: page(client, creator)) == few


def test_money_is_released_and_tiers_are_changed_with_a_fresh_factor_only(client: Client) -> None:
    creator = make.creator()
    creators.hold_payouts(creator=creator, by=None, reason="x")
    sign_in(client, staff("super_admin"), factor_age=600)
    for verb, body in (("release", {"reason": "Looked at"}), ("tier", {"tier": "premium", "reason": "Sells well"})):
        answer = client.post(f"{BASE}{creator.pk}/{verb}/", body)
        assert (answer.status_code, "reauthenticate" in answer["Location"]) == (302, True), verb
    creator.refresh_from_db()
    assert (creator.payout_hold, creator.tier) == (True, "verified")


def test_nobody_without_the_right_or_with_a_share_releases_money() -> None:
    creator = make.creator()
    creators.hold_payouts(creator=creator, by=None, reason="x")
    for by in (staff("ops_manager"), creator.user):
        with pytest.raises(Forbidden):
            creators.release_payouts(creator=creator, by=by, reason="Looked at")


def test_the_page_says_when_another_agreement_is_in_force(client: Client) -> None:
    creator = make.creator()
    creators.sign_agreement(creator=creator, by=creator.user, version="2026-01")
    sign_in(client, staff("ops_manager"))
    address = f"{BASE}{creator.pk}/"
    assert "is in force" not in client.get(address).content.decode()
    values.change(key="creator.agreement_version", value="2027-01", by=staff("admin"), reason="New terms")
    assert "2027-01 is in force" in client.get(address).content.decode()
