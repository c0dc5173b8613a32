"""Tax forms on the desk: last signs for those who see payouts, the whole number for one look with a reason."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.creators.models import TaxProfile
from backoffice.creators.services import renewals, tax
from tests.factories import creators as make
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db
BASE = "/admin/creators/tax/"
NUMBER = "003-456-7891"
SEES = {"super_admin", "admin", "ops_manager", "financial_admin"}
JUDGES = {"super_admin", "admin", "financial_admin"}
ROLES = sorted(SEES | {"content_moderator", "customer_support", "verification_reviewer", "editor", "analyst"})


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def read(page: str) -> str:
    """What a person reads on a page; tokens and keys in its tags may hold any four digits."""
    return re.sub(r"<script.*?</script>|<[^>]*>", " ", page, flags=re.DOTALL)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_the_last_signs_or_nothing_and_the_whole_number_only_by_a_recorded_look(
    client: Client, role: str
) -> None:
    profile = make.tax_profile()
    sign_in(client, staff(role))
    for address in (BASE, f"{BASE}{profile.pk}/"):
        answer = client.get(address)
        assert answer.status_code == (200 if role in SEES else 403)
        assert NUMBER not in answer.content.decode()
        assert ("7891" in read(answer.content.decode())) == (role in SEES)
    answer = client.post(f"{BASE}{profile.pk}/number/", {"reason": "Form 1042-S"})
    assert (NUMBER in answer.content.decode()) == (role in JUDGES)
    assert audit.for_subject(profile).filter(action="tax_profile.view").count() == (role in JUDGES)
    if role in JUDGES:
        assert "no-store" in answer["Cache-Control"]
    else:
        assert answer.status_code == 403


def test_without_a_fresh_factor_neither_number_nor_verdict(client: Client) -> None:
    profile = make.tax_profile()
    sign_in(client, staff("financial_admin"), factor_age=600)
    for verb in ("number", "verify", "reject"):
        answer = client.post(f"{BASE}{profile.pk}/{verb}/", {"reason": "x"})
        assert answer.status_code == 302
        assert NUMBER not in answer.content.decode()
    profile.refresh_from_db()
    assert profile.status == "submitted"
    assert not audit.for_subject(profile).filter(action="tax_profile.view").exists()


def test_a_form_is_accepted_with_what_is_withheld(client: Client) -> None:
    profile = make.tax_profile()
    sign_in(client, staff("financial_admin"))
    answer = client.post(f"{BASE}{profile.pk}/verify/", {"withholding": "7.5"}, follow=True)
    profile.refresh_from_db()
    assert (profile.status, profile.withholding_rate) == ("verified", 750)
    assert "7.5 %" in answer.content.decode()
    profile.creator.refresh_from_db()
    assert profile.creator.tax_form_status == "verified"


@pytest.mark.parametrize("text", ["101", "7.555", "-1", "ten", "1e2", "٧"])
def test_a_wrong_percentage_is_said_and_kept(client: Client, text: str) -> None:
    profile = make.tax_profile()
    sign_in(client, staff("financial_admin"))
    answer = client.post(f"{BASE}{profile.pk}/verify/", {"withholding": text})
    assert answer.status_code == 400
    assert f'value="{text}"' in answer.content.decode()
    assert "bl-field__error" in answer.content.decode()


def test_a_refusal_needs_a_reason_and_a_form_that_was_judged_is_not_judged_again(client: Client) -> None:
    profile = make.tax_profile()
    sign_in(client, staff("financial_admin"))
    assert client.post(f"{BASE}{profile.pk}/reject/", {"reason": " "}).status_code == 400
    assert client.post(f"{BASE}{profile.pk}/reject/", {"reason": "The name differs."}).status_code == 302
    again = client.post(f"{BASE}{profile.pk}/reject/", {"reason": "Again, with words."})
    assert (again.status_code, "Again, with words." in again.content.decode()) == (409, True)


def test_the_tabs_hold_what_they_say_in_a_fixed_number_of_statements(client: Client) -> None:
    by = staff("financial_admin")
    sign_in(client, by)
    waiting = make.tax_profile()
    ending, expired = make.tax_profile(), make.tax_profile()
    for profile in (ending, expired):
        tax.verify(profile=profile, by=by)
    TaxProfile.objects.filter(pk=ending.pk).update(valid_until=clock.now().date() + timedelta(days=10))
    TaxProfile.objects.filter(pk=expired.pk).update(valid_until=clock.now().date() - timedelta(days=1))
    tax.expire_due()

    def rows(tab: str) -> list[str]:
        page = client.get(BASE, {"tab": tab}).content.decode()
        return re.findall(r"/admin/creators/tax/([0-9a-f-]{36})/", page)

    assert rows("waiting") == [str(waiting.pk)]
    assert rows("ending") == rows("verified") == [str(ending.pk)]
    assert rows("expired") == [str(expired.pk)]
    assert "No tax forms here" in client.get(BASE, {"tab": "past"}).content.decode()
    few = count(lambda: client.get(BASE))
    for _number in range(3):
        make.tax_profile()
    assert count(lambda: client.get(BASE)) == few


def test_the_missing_tab_lists_live_creators_who_cannot_be_paid_for_want_of_a_form(client: Client) -> None:
    sign_in(client, staff("financial_admin"))
    lacking, signed = make.creator(), make.tax_profile().creator
    page = client.get(BASE, {"tab": "missing"}).content.decode()
    assert f"/admin/creators/{lacking.pk}/" in page
    assert f"/admin/creators/{signed.pk}/" not in page
    make.tax_profile(lacking)
    assert "Every live creator has a tax form" in client.get(BASE, {"tab": "missing"}).content.decode()


def test_the_creators_page_leads_finance_to_the_form(client: Client) -> None:
    profile = make.tax_profile()
    address = f"/admin/creators/{profile.creator_id}/"
    sign_in(client, staff("financial_admin"))
    assert f"{BASE}{profile.pk}/" in client.get(address).content.decode()
    sign_in(client, staff("content_moderator"))
    assert f"{BASE}{profile.pk}/" not in client.get(address).content.decode()


# --- renewals --------------------------------------------------------------------------------------------


def test_the_queue_of_renewals_leads_to_the_creator_where_one_press_keeps_them(client: Client) -> None:
    creator = make.activated().creator
    assert creator is not None
    at = clock.now() + timedelta(days=366)
    renewals.put_due(at=at)
    by = make.reviewer()
    sign_in(client, by)
    page = client.get("/admin/creators/reviews/").content.decode()
    assert "Verified a year ago." in page
    assert f"/admin/creators/{creator.pk}/" in page
    assert f"{creator.pk}/keep/" in client.get(f"/admin/creators/{creator.pk}/").content.decode()
    assert client.post(f"/admin/creators/{creator.pk}/keep/").status_code == 302
    assert "Nobody is due" in client.get("/admin/creators/reviews/").content.decode()
    assert f"{creator.pk}/keep/" not in client.get(f"/admin/creators/{creator.pk}/").content.decode()


@pytest.mark.parametrize("role", ["financial_admin", "content_moderator", "customer_support", "editor"])
def test_nobody_else_keeps_a_creator(client: Client, role: str) -> None:
    creator = make.creator()
    sign_in(client, staff(role))
    assert client.post(f"/admin/creators/{creator.pk}/keep/").status_code == 403
