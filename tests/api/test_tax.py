"""A creator's tax form over the API: signed with a fresh code, shown back by its last signs (E-021)."""

from typing import Any

import pytest

from backoffice.creators.models import Creator, TaxProfile
from backoffice.creators.services import tax
from tests.factories import creators as make
from tests.factories.accounts import api_client, member, staff

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/creators/me/tax-form"
FORM = {"form": "w8ben", "country": "HT", "tax_id": "003-456-7891", "signed_name": "Jocelyne Pierre"}


def send(creator: Creator, *, factor: bool = True, **fields: Any) -> Any:
    return api_client(creator.user, factor=factor).post(ADDRESS, {**FORM, **fields}, format="json")


def test_a_signed_form_is_shown_back_by_its_last_signs() -> None:
    creator = make.creator()
    client = api_client(creator.user)
    assert client.get(ADDRESS).json()["data"] == {"status": "missing", "form": None}
    answer = send(creator)
    assert answer.status_code == 201
    assert answer.json()["data"]["form"]["last_four"] == "7891"
    for text in (answer.content.decode(), client.get(ADDRESS).content.decode()):
        assert "003-456" not in text
        assert "0034567891" not in text
    assert client.get(ADDRESS).json()["data"]["status"] == "submitted"
    assert TaxProfile.objects.get().creator == creator


def test_signing_needs_a_fresh_code() -> None:
    answer = send(make.creator(), factor=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "mfa_required")
    assert TaxProfile.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"form": "w2"}, "form"),
        ({"country": "haiti"}, "country"),
        ({"tax_id": "12"}, "tax_id"),
        ({"tax_id": "1" * 41}, "tax_id"),
        ({"form": "w9"}, "form"),
        ({"signed_name": ""}, "signed_name"),
    ],
)
def test_a_wrong_field_is_named_and_the_number_is_not_repeated(fields: dict[str, str], named: str) -> None:
    answer = send(make.creator(), **fields)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["details"]
    assert FORM["tax_id"] not in answer.content.decode()
    assert TaxProfile.objects.count() == 0


def test_a_refused_form_says_why_and_makes_room() -> None:
    creator = make.creator()
    send(creator)
    tax.reject(profile=TaxProfile.objects.get(), by=staff("financial_admin"), reason="The name differs.")
    data = api_client(creator.user).get(ADDRESS).json()["data"]
    assert (data["status"], data["form"]["status"], data["form"]["reason"]) == (
        "missing",
        "rejected",
        "The name differs.",
    )
    assert send(creator).status_code == 201


def test_the_form_is_the_creators_own() -> None:
    first, second = make.creator(), make.creator()
    send(first)
    assert api_client(second.user).get(ADDRESS).json()["data"]["form"] is None
    assert api_client(member()).get(ADDRESS).status_code == 403
    assert api_client().get(ADDRESS).status_code == 401
