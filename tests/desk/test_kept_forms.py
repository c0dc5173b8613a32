"""A form kept over step-up is carried out by the confirmation that it asked for, and by no later one."""

import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.accounts import stepup
from backoffice.accounts.models import StaffInvitation
from tests.desk.clients import Desk
from tests.factories.accounts import staff

KEPT = "account_reauthentication_state"


def typed() -> dict[str, str]:
    return {
        "display_name": "Rose Pierre",
        "email": "rose@example.com",
        "language": "fr",
        "timezone": "America/Port-au-Prince",
        "reason": "Joins the team",
    }


def confirm(client: Desk, prompt: str) -> object:
    secret = decrypt(Authenticator.objects.get(user=client.person, type="totp").data["secret"])
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    return client.post(prompt, {"code": code})


def age(client: Desk, seconds: float) -> None:
    """Moves the kept form into the past."""
    session = client.session
    session[KEPT] = {**session[KEPT], "at": time.time() - seconds}
    session.save()


@pytest.fixture
def client(desk: Callable[..., Desk]) -> Desk:
    return desk("super_admin", factor_age=900)


@pytest.fixture
def invite() -> str:
    return reverse("desk:staff_invite")


def test_a_form_is_carried_out_once_the_code_is_given(client: Desk, invite: str) -> None:
    prompt = client.post(invite, typed())["Location"]
    assert client.get(prompt).status_code == 200
    age(client, stepup.KEPT_SECONDS - 60)
    confirm(client, prompt)
    assert StaffInvitation.objects.filter(user__email="rose@example.com").count() == 1


def test_an_abandoned_form_is_not_carried_out_when_the_empty_one_is_opened(client: Desk, invite: str) -> None:
    client.post(invite, typed())
    prompt = client.get(invite)["Location"]
    answer = confirm(client, prompt)
    assert answer["Location"] == invite  # type: ignore[index]
    assert not StaffInvitation.objects.exists()
    assert client.get(invite).status_code == 200


def test_nor_when_a_file_was_chosen_afterwards(client: Desk, invite: str) -> None:
    client.post(invite, typed())
    prompt = client.post(invite, {**typed(), "file": SimpleUploadedFile("list.csv", b"x")})["Location"]
    assert confirm(client, prompt)["Location"] == invite  # type: ignore[index]
    assert not StaffInvitation.objects.exists()


def test_a_form_that_waited_too_long_is_dropped_and_the_person_is_told(client: Desk, invite: str) -> None:
    prompt = client.post(invite, typed())["Location"]
    client.get(prompt)
    age(client, stepup.KEPT_SECONDS + 1)
    answer = confirm(client, prompt)
    assert answer["Location"] == invite  # type: ignore[index]
    assert not StaffInvitation.objects.exists()
    assert "was not carried out" in client.get(invite).content.decode()


def test_from_an_address_that_shows_nothing_the_person_comes_back_to_the_form(client: Desk) -> None:
    someone = staff("editor")
    page, address = reverse("desk:staff_detail", args=[someone.pk]), reverse("desk:staff_deactivate", args=[someone.pk])
    prompt = client.post(address, {"reason": "Has left"}, HTTP_REFERER=f"http://testserver{page}")["Location"]
    age(client, stepup.KEPT_SECONDS + 1)
    assert client.get(confirm(client, prompt)["Location"])["Location"] == page  # type: ignore[index]
    assert "was not carried out" in client.get(page).content.decode()
    assert client.get(address).status_code == 405
    someone.refresh_from_db()
    assert someone.is_active


def test_the_pages_of_the_factors_keep_no_abandoned_form_either(client: Desk) -> None:
    key = Authenticator.objects.create(user=client.person, type="webauthn", data={"name": "Key"})
    address = reverse("mfa_remove_webauthn", args=[key.pk])
    client.post(address)
    prompt = client.get(address)["Location"]
    assert prompt.startswith(reverse("mfa_reauthenticate"))
    assert confirm(client, prompt)["Location"] == address  # type: ignore[index]
    assert Authenticator.objects.filter(pk=key.pk).exists()
    confirmed_later = client.post(address)
    assert confirmed_later.status_code == 302
    assert not Authenticator.objects.filter(pk=key.pk).exists()
