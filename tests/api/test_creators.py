"""The public list of creators and one's own profile (U-019, U-021)."""

import pytest

from backoffice.audit.models import AuditEntry
from backoffice.core.errors import Forbidden
from backoffice.creators.services import creators
from backoffice.notifications.models import Notification
from tests.factories import creators as make
from tests.factories.accounts import api_client, member, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/api/v1/creators"


def names(answer: object) -> list[str]:
    return [entry["stage_name"] for entry in answer.json()["data"]]  # type: ignore[attr-defined]


def test_the_list_shows_live_creators_only_and_no_private_fact() -> None:
    make.creator(stage_name="Shown")
    creators.suspend(creator=make.creator(stage_name="Suspended"), by=None, reason="x")
    creators.create_imported(user=member(), stage_name="Pending", by=None)
    answer = api_client().get(BASE)
    assert names(answer) == ["Shown"]
    shown = set(answer.json()["data"][0])
    assert not shown & {"payout_hold", "tax_form_status", "user", "email", "reference", "currency"}


def test_the_list_narrows_by_name_language_and_country() -> None:
    make.creator(stage_name="Anaïs", languages=["fr"], country="FR")
    make.creator(stage_name="Bastien", languages=["ht"], country="HT", categories=["music"])
    client = api_client()
    assert names(client.get(BASE, {"q": "anaï"})) == ["Anaïs"]
    assert names(client.get(BASE, {"language": "ht"})) == ["Bastien"]
    assert names(client.get(BASE, {"country": "fr"})) == ["Anaïs"]
    assert names(client.get(BASE, {"category": "music"})) == ["Bastien"]


def test_the_list_takes_the_same_statements_whatever_its_length() -> None:
    make.creator()
    client = api_client()
    few = count(lambda: client.get(BASE))
    for _number in range(5):
        make.creator()
    assert count(lambda: client.get(BASE)) == few


def test_a_suspended_or_unknown_creator_is_not_found() -> None:
    creator = make.creator()
    client = api_client()
    assert client.get(f"{BASE}/{creator.pk}").status_code == 200
    creators.suspend(creator=creator, by=None, reason="x")
    assert client.get(f"{BASE}/{creator.pk}").status_code == 404
    assert client.get(f"{BASE}/{member().pk}").status_code == 404


def test_one_changes_ones_own_profile_and_nothing_else() -> None:
    creator = make.creator(stage_name="Old")
    client = api_client(creator.user)
    answer = client.put(f"{BASE}/me", {"stage_name": "New", "tier": "premium", "is_active": False}, format="json")
    assert answer.json()["data"]["stage_name"] == "New"
    creator.refresh_from_db()
    assert (creator.stage_name, creator.is_active) == ("New", True)
    assert creator.tier != "premium"


def test_a_member_is_no_creator_and_a_creator_who_is_not_live_waits() -> None:
    assert api_client(member()).get(f"{BASE}/me").status_code == 403
    waiting = creators.create_imported(user=member(), stage_name="Waiting", by=None)
    assert api_client(waiting.user).get(f"{BASE}/me").json()["error"]["code"] == "not_activated"


def test_the_agreement_in_force_is_signed_once_and_an_older_one_is_not() -> None:
    creator = make.creator()
    client = api_client(creator.user)
    old = client.post(f"{BASE}/me/agreement", {"version": "1999-01"}, format="json")
    assert (old.status_code, list(old.json()["error"]["details"])) == (400, ["version"])
    assert client.post(f"{BASE}/me/agreement", {"version": "2026-01"}, format="json").status_code == 200
    creator.refresh_from_db()
    assert creator.agreement_version == "2026-01"


def test_how_often_one_is_paid_is_changed_with_a_fresh_code_audited_and_told() -> None:
    creator = make.creator()
    asked = {"payout_schedule": "weekly", "bio": "Songs"}
    stale = api_client(creator.user).put(f"{BASE}/me", asked, format="json")
    assert (stale.status_code, stale.json()["error"]["code"]) == (403, "mfa_required")
    creator.refresh_from_db()
    assert (creator.payout_schedule, creator.bio) == ("monthly", "")
    # The whole profile sent back as it was asks for no code.
    same = api_client(creator.user).put(f"{BASE}/me", {**asked, "payout_schedule": "monthly"}, format="json")
    assert same.status_code == 200
    client = api_client(creator.user, factor=True)
    assert client.put(f"{BASE}/me", asked, format="json").json()["data"]["payout_schedule"] == "weekly"
    entry = AuditEntry.objects.get(action="creator.update", after__has_key="payout_schedule")
    assert (entry.before, entry.after, entry.actor_id) == (
        {"payout_schedule": "monthly"},
        {"payout_schedule": "weekly"},
        creator.user_id,
    )
    told = Notification.objects.get(user=creator.user, event="payout.schedule_changed", channel="email")
    assert "one payout run a week" in told.body
    wrong = client.put(f"{BASE}/me", {"payout_schedule": "hourly"}, format="json")
    assert (wrong.status_code, list(wrong.json()["error"]["details"])) == (400, ["payout_schedule"])


def test_nobody_else_changes_how_often_a_creator_is_paid() -> None:
    creator = make.creator()
    with pytest.raises(Forbidden):
        creators.update_profile(creator=creator, by=staff("super_admin"), fields={"payout_schedule": "weekly"})
    creator.refresh_from_db()
    assert creator.payout_schedule == "monthly"
