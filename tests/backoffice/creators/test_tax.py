"""Tax forms: signed by the creator, judged by finance, the number in the clear nowhere (E-021)."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators.models import Creator, TaxProfile
from backoffice.creators.services import tax
from backoffice.creators.services.vault import Unreadable
from backoffice.creators.states import TaxForm
from backoffice.notifications.models import Notification
from tests.factories import creators as make
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NUMBER = "CANARY-TAX-0815"


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def fact(creator: Creator) -> str:
    creator.refresh_from_db()
    return creator.tax_form_status


def told(creator: Creator, event: str) -> int:
    return Notification.objects.filter(user=creator.user, event=event, channel="in_app").count()


def test_the_number_is_in_no_table_and_comes_back_under_audit() -> None:
    profile, by = make.tax_profile(tax_id=NUMBER), staff("financial_admin")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM \"{table}\" t")
            text = cursor.fetchone()[0] or ""
            assert NUMBER not in text, table
            assert NUMBER.encode().hex() not in text, table
    assert profile.last_four == "0815"
    assert tax.reveal(profile=profile, by=by, reason="Form 1042-S") == NUMBER
    look = audit.for_subject(profile).get(action="tax_profile.view")
    assert (look.actor, look.reason) == (by, "Form 1042-S")


def test_a_short_number_shows_less_of_itself() -> None:
    assert make.tax_profile(tax_id="123-456").last_four == "56"


def test_only_the_creator_signs() -> None:
    creator = make.creator()
    with pytest.raises(Forbidden):
        tax.submit(
            creator=creator, by=staff("financial_admin"), form="w8ben", country="HT", tax_id=NUMBER, signed_name="Jo P"
        )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"form": "w2"}, "form"),
        ({"form": "w9"}, "form"),
        ({"country": "US"}, "form"),
        ({"country": "Haiti"}, "country"),
        ({"form": "w9", "country": "US", "tax_id": "12-345"}, "tax_id"),
        ({"form": "w9", "country": "US", "tax_id": "AB-CDEFGHI"}, "tax_id"),
        ({"tax_id": "12 34"}, "tax_id"),
        ({"tax_id": "<script>alert(1)"}, "tax_id"),
        ({"tax_id": "1" * 41}, "tax_id"),
        ({"signed_name": " "}, "signed_name"),
        ({"signed_name": "x" * 201}, "signed_name"),
    ],
)
def test_what_does_not_fit_is_named_and_never_repeated(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        make.tax_profile(**fields)
    assert error.value.field == field
    assert fields.get("tax_id", "nothing") not in str(error.value)


def test_a_form_of_the_united_states_takes_nine_digits() -> None:
    assert make.tax_profile(form="w9", country="US", tax_id="123-45-6789").last_four == "6789"


def test_the_creators_fact_follows_the_form() -> None:
    creator, by = make.creator(), staff("financial_admin")
    assert fact(creator) == "missing"
    first = make.tax_profile(creator)
    assert fact(creator) == "submitted"
    tax.reject(profile=first, by=by, reason="The name differs from your account.")
    assert fact(creator) == "missing"
    second = make.tax_profile(creator)
    tax.verify(profile=second, by=by, withholding_rate=1_500)
    assert (fact(creator), second.withholding_rate) == ("verified", 1_500)
    assert tax.expire_due(at=clock.now() + 1200 * DAY) == 1
    assert fact(creator) == "expired"
    make.tax_profile(creator)
    assert fact(creator) == "submitted"
    second.refresh_from_db()
    assert second.status == "replaced"


def test_a_refusal_says_why() -> None:
    profile, by = make.tax_profile(), staff("financial_admin")
    with pytest.raises(Invalid):
        tax.reject(profile=profile, by=by, reason=" ")
    tax.reject(profile=profile, by=by, reason="The name differs.")
    notice = Notification.objects.get(user=profile.creator.user, event="tax.rejected", channel="in_app")
    assert "The name differs." in notice.body
    with pytest.raises(Conflict):
        tax.verify(profile=profile, by=by)


def test_a_refusal_names_the_form_in_the_language_of_the_creator() -> None:
    profile, by = make.tax_profile(make.creator(member(language="fr")), form="other"), staff("financial_admin")
    with translation.override("en"):
        tax.reject(profile=profile, by=by, reason="x")
    with translation.override("fr"):
        name = str(TaxForm.OTHER.label)
    assert name != "Another form"
    notice = Notification.objects.get(user=profile.creator.user, event="tax.rejected", channel="in_app")
    assert (notice.data["form"], "Another form" in notice.body) == (name, False)


def test_a_new_form_takes_the_place_of_the_one_before_and_there_is_one_current() -> None:
    first = make.tax_profile()
    second = make.tax_profile(first.creator)
    first.refresh_from_db()
    assert (first.status, first.ended_at is not None, second.status) == ("replaced", True, "submitted")
    with pytest.raises(IntegrityError), transaction.atomic():
        TaxProfile.objects.filter(pk=first.pk).update(status="submitted")


def test_a_form_lasts_three_years_from_its_signature() -> None:
    at = clock.now().replace(year=2028, month=2, day=29)
    assert make.tax_profile(at=at).valid_until == date(2031, 2, 28)


def test_whose_form_ends_soon_is_told_once_and_again_when_it_has() -> None:
    profile = make.tax_profile()
    tax.verify(profile=profile, by=staff("financial_admin"))
    soon = clock.now() + timedelta(days=3 * 365 - 30)
    assert tax.tell_expiring() == 0
    assert tax.tell_expiring(at=soon) == 1
    assert tax.tell_expiring(at=soon) == 0
    assert told(profile.creator, "tax.expiring") == 1
    assert tax.expire_due(at=soon) == 0
    assert tax.expire_due(at=soon + 40 * DAY) == 1
    assert told(profile.creator, "tax.expired") == 1


@pytest.mark.parametrize(
    "role",
    ["ops_manager", "content_moderator", "customer_support", "verification_reviewer", "editor", "analyst"],
)
def test_only_finance_judges_and_sees_the_number(role: str) -> None:
    profile, by = make.tax_profile(), staff(role)
    with pytest.raises(Forbidden):
        tax.verify(profile=profile, by=by)
    with pytest.raises(Forbidden):
        tax.reject(profile=profile, by=by, reason="x")
    with pytest.raises(Forbidden):
        tax.reveal(profile=profile, by=by, reason="x")
    assert not audit.for_subject(profile).filter(action="tax_profile.view").exists()


def test_nobody_judges_their_own_form() -> None:
    by = staff("financial_admin")
    profile = make.tax_profile(make.creator(by))
    with pytest.raises(Forbidden):
        tax.verify(profile=profile, by=by)


def test_a_look_needs_a_reason_and_one_persons_number_does_not_open_in_anothers_row() -> None:
    mine, other, by = make.tax_profile(), make.tax_profile(), staff("financial_admin")
    with pytest.raises(Invalid):
        tax.reveal(profile=mine, by=by, reason="")
    mine.sealed_id = other.sealed_id
    with pytest.raises(Unreadable):
        tax.reveal(profile=mine, by=by, reason="x")
    assert not audit.for_subject(mine).filter(action="tax_profile.view").exists()


def test_the_number_of_a_form_that_ended_seven_years_ago_is_destroyed() -> None:
    first = make.tax_profile()
    make.tax_profile(first.creator)
    assert tax.purge_due(at=clock.now() + 2550 * DAY) == 0
    assert tax.purge_due(at=clock.now() + 2560 * DAY) == 1
    first.refresh_from_db()
    assert (first.status, first.sealed_id, first.last_four, first.form) == ("purged", None, "", "w8ben")
    with pytest.raises(Conflict):
        tax.reveal(profile=first, by=staff("financial_admin"), reason="x")
