"""Legal holds on the desk: who sees, who places and lifts, what a mistake costs (PG-020, W-026)."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from backoffice.core import clock
from backoffice.creators.models import LegalHold
from backoffice.creators.services import holds
from tests.factories import creators as make
from tests.factories.accounts import member, sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/admin/system/holds/"
SEES = {"super_admin", "admin", "ops_manager", "customer_support"}
DECIDES = {"super_admin", "admin"}
ROLES = sorted(SEES | {"content_moderator", "financial_admin", "verification_reviewer", "editor", "analyst"})


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_places_and_lifts_or_does_not(client: Client, role: str) -> None:
    person = member()
    hold = holds.place(person=person, by=staff("admin"), reason="Inquiry 7")
    sign_in(client, staff(role))
    sees, decides = (200 if role in SEES else 403), (302 if role in DECIDES else 403)
    assert client.get(BASE).status_code == sees
    assert client.get(f"{BASE}{hold.pk}/").status_code == sees
    place = f"/admin/system/people/{person.pk}/hold/"
    assert client.get(place).status_code == (200 if role in DECIDES else 403)
    assert client.post(place, {"reason": "Another matter"}).status_code == decides
    assert client.post(f"{BASE}{hold.pk}/lift/", {"reason": "Closed"}).status_code == decides
    hold.refresh_from_db()
    assert (hold.lifted_at is not None) == (role in DECIDES)
    assert LegalHold.objects.count() == (2 if role in DECIDES else 1)


def test_placing_and_lifting_ask_for_the_factor_first(client: Client) -> None:
    person = member()
    hold = holds.place(person=person, by=staff("admin"), reason="Inquiry 7")
    sign_in(client, staff("admin"), factor_age=600)
    assert client.post(f"/admin/system/people/{person.pk}/hold/", {"reason": "x"}).status_code == 302
    assert client.post(f"{BASE}{hold.pk}/lift/", {"reason": "x"}).status_code == 302
    assert LegalHold.objects.count() == 1
    hold.refresh_from_db()
    assert hold.lifted_at is None


def test_a_mistake_is_said_beside_its_field_and_what_was_typed_stays(client: Client) -> None:
    person = member()
    sign_in(client, staff("admin"))
    yesterday = (clock.now() - timedelta(days=3)).date().isoformat()
    data = {"reason": "Inquiry of the court", "authority": "TJ-2026", "until": yesterday}
    answer = client.post(f"/admin/system/people/{person.pk}/hold/", data)
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "The end of a hold lies in the future." in text
    assert "Inquiry of the court" in text
    assert 'value="TJ-2026"' in text
    assert LegalHold.objects.count() == 0
    assert client.post(f"/admin/system/people/{person.pk}/hold/", {"reason": "x" * 2001}).status_code == 400


def test_a_hold_until_a_day_holds_through_that_day(client: Client) -> None:
    person = member()
    sign_in(client, staff("admin"))
    day = (clock.now() + timedelta(days=10)).date()
    client.post(f"/admin/system/people/{person.pk}/hold/", {"reason": "Inquiry", "until": day.isoformat()})
    until = LegalHold.objects.get().until
    assert until is not None
    assert until.date() >= day


def test_lifting_twice_is_refused_with_what_was_typed(client: Client) -> None:
    hold = holds.place(person=member(), by=staff("admin"), reason="Inquiry 7")
    sign_in(client, staff("admin"))
    client.post(f"{BASE}{hold.pk}/lift/", {"reason": "Closed"})
    answer = client.post(f"{BASE}{hold.pk}/lift/", {"reason": "Closed again"})
    assert answer.status_code == 409
    page = client.get(f"{BASE}{hold.pk}/").content.decode()
    assert "Closed" in page
    assert "Closed again" not in page


def test_the_list_has_two_tabs_and_a_fixed_number_of_statements(client: Client) -> None:
    by = staff("admin")
    sign_in(client, by)
    assert "Nobody is held" in client.get(BASE).content.decode()
    first = holds.place(person=make.creator().user, by=by, reason="Inquiry 7")
    few = count(lambda: client.get(BASE))
    for _number in range(4):
        holds.place(person=member(), by=by, reason="Another")
    assert count(lambda: client.get(BASE)) == few
    holds.lift(hold=first, by=by, reason="Closed")
    assert first.reference not in client.get(BASE).content.decode()
    assert first.reference in client.get(BASE, {"tab": "past"}).content.decode()
