"""Second-factor secrets are ciphertext in the database and readable only with the keys."""

import base64
import importlib
import os

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.accounts import sealing
from backoffice.accounts.services import factors
from tests.factories import accounts

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def stored() -> str:
    """Every factor's row as a thief of the database reads it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        return str(cursor.fetchone()[0])


def test_the_database_holds_no_secret_and_no_recovery_code_in_clear() -> None:
    person = accounts.member()
    TOTP.activate(person, SECRET)
    codes = RecoveryCodes.activate(person)
    assert SECRET not in stored()
    seed = Authenticator.objects.get(user=person, type="recovery_codes").data["seed"]
    assert sealing.is_sealed(seed)
    first = codes.get_unused_codes()[0]
    assert first not in stored()
    assert codes.validate_code(first)
    assert not codes.validate_code(first)


def test_a_secret_that_was_put_there_in_clear_is_refused() -> None:
    with pytest.raises(sealing.Unreadable):
        sealing.open_sealed(SECRET)


def test_an_altered_secret_is_refused() -> None:
    sealed = sealing.seal(SECRET)
    assert sealing.open_sealed(sealed) == SECRET
    version, name, body = sealed.split(".")
    raw = bytearray(base64.b64decode(body))
    raw[-1] ^= 1
    with pytest.raises(sealing.Unreadable):
        sealing.open_sealed(f"{version}.{name}.{base64.b64encode(bytes(raw)).decode()}")


def test_keys_are_changed_without_losing_anybody() -> None:
    old, new = key(), key()
    person = accounts.member()
    with override_settings(MFA_ENCRYPTION_KEYS=[old]):
        TOTP.activate(person, SECRET)
        RecoveryCodes.activate(person)
    with override_settings(MFA_ENCRYPTION_KEYS=[new, old]):
        call_command("reseal_factors")
        assert factors.reseal() == 0
    with override_settings(MFA_ENCRYPTION_KEYS=[new], DOCUMENT_MASTER_KEYS=[]):
        row = Authenticator.objects.get(user=person, type="totp")
        assert sealing.open_sealed(row.data["secret"]) == SECRET
    with override_settings(MFA_ENCRYPTION_KEYS=[old], DOCUMENT_MASTER_KEYS=[]), pytest.raises(sealing.Unreadable):
        sealing.open_sealed(row.data["secret"])


def test_the_migration_seals_what_was_in_clear_and_leaves_the_rest() -> None:
    person = accounts.member()
    clear = Authenticator.objects.create(user=person, type="totp", data={"secret": SECRET})
    other = accounts.staff()
    before = Authenticator.objects.get(user=other, type="totp").data
    migration = importlib.import_module("backoffice.accounts.migrations.0003_seal_and_guard")
    migration.seal(apps, None)
    clear.refresh_from_db()
    assert sealing.open_sealed(clear.data["secret"]) == SECRET
    assert Authenticator.objects.get(user=other, type="totp").data == before
    migration.open_again(apps, None)
    clear.refresh_from_db()
    assert clear.data == {"secret": SECRET}


def test_the_secret_of_an_unfinished_set_up_waits_encrypted() -> None:
    person, client = accounts.staff("editor"), Client()
    Authenticator.objects.filter(user=person).delete()
    accounts.sign_in(client, person, factor_age=None)
    client.post(reverse("account_reauthenticate"), {"password": accounts.PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    assert secret not in str(dict(client.session.items()))
