"""What no server process starts with, and the headers of what it answers (X-014)."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import Tags, run_checks
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.settings import base
from tests.desk.clients import seat

ROOT = Path(__file__).resolve().parents[2]
STRONG = "Zk3vR8qL2mXw7TnB5yHc9JdF4sGp6AeU1oNi0bVtKxQzWrYhMl"


def production(**changes: str) -> dict[str, str]:
    """A production environment that is as it should be, with changes."""
    key = base64.b64encode(os.urandom(32)).decode()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DATA_DIR") if name in os.environ}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "backoffice.settings.production",
        "SECRET_KEY": STRONG,
        "ALLOWED_HOSTS": "backlot.example",
        "SITE_URL": "https://backlot.example",
        "DOCUMENT_MASTER_KEYS": key,
        "AUDIT_ANCHOR_KEYS": key,
        "STRIPE_API_KEY": "sk_live_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
        **changes,
    }


def start(*code: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *code],
        cwd=ROOT,
        env=production(**changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
def test_the_deployment_check_is_clean_in_production() -> None:
    done = start("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ""),
        ({"SECRET_KEY": "short"}, "accounts.E005"),
        ({"SECRET_KEY": f"django-insecure-{STRONG}"}, "accounts.E005"),
        ({"SECRET_KEY": "a" * 60}, "accounts.E005"),
        ({"STRIPE_WEBHOOK_SECRET": " "}, "api.E001"),
        ({"STRIPE_API_KEY": "", "STRIPE_WEBHOOK_SECRET": ""}, "api.E001"),
        ({"DOCUMENT_MASTER_KEYS": ""}, "accounts.E006"),
        ({"DOCUMENT_MASTER_KEYS": "bm90IDMyIGJ5dGVz"}, "accounts.E007"),
        ({"ALLOWED_HOSTS": "*"}, "accounts.E008"),
        ({"AUDIT_ANCHOR_KEYS": ""}, "audit.E001"),
        ({"AUDIT_ANCHOR_KEYS": "bm90IDMyIGJ5dGVz"}, "audit.E002"),
    ],
)
def test_the_web_server_does_not_start_with(changes: dict[str, str], code: str) -> None:
    done = start("-c", "import backoffice.wsgi", **changes)
    assert (done.returncode != 0) is bool(code), done.stderr
    assert code in done.stderr


@pytest.mark.slow
def test_a_worker_does_not_start_either() -> None:
    done = start("-m", "celery", "-A", "backoffice", "worker", SECRET_KEY="short", CELERY_BROKER_URL="memory://")
    assert done.returncode != 0
    assert "accounts.E005" in done.stderr


@pytest.mark.slow
def test_the_timetable_does_not_start_either() -> None:
    ready = "import backoffice.celery, django; from celery.signals import beat_init; django.setup()"
    done = start("-c", f"{ready}; beat_init.send(None); print('started')", SECRET_KEY="short")
    assert done.returncode != 0
    assert "accounts.E005" in done.stderr
    assert "started" not in done.stdout


def found() -> set[str | None]:
    return {message.id for message in run_checks(tags=[Tags.security])}


def test_middleware_that_holds_staff_to_factor_and_network_cannot_be_left_out() -> None:
    for missing, code in (
        ("backoffice.accounts.middleware.StaffFactorMiddleware", "accounts.E002"),
        ("backoffice.accounts.presence.StaffPresenceMiddleware", "accounts.E003"),
    ):
        with override_settings(MIDDLEWARE=[name for name in base.MIDDLEWARE if name != missing]):
            assert code in found()
    swapped = [name for name in base.MIDDLEWARE if "StaffPresence" not in name]
    swapped.append("backoffice.accounts.presence.StaffPresenceMiddleware")
    with override_settings(MIDDLEWARE=swapped):
        assert "accounts.E003" in found()


def test_debug_and_secrets_in_clear_are_refused_in_production() -> None:
    with override_settings(PRODUCTION=True, DEBUG=True, SECRET_KEY=STRONG, ALLOWED_HOSTS=["backlot.example"]):
        assert "accounts.E004" in found()
    with override_settings(PRODUCTION=True, MFA_ADAPTER="allauth.mfa.adapter.DefaultMFAAdapter"):
        assert "accounts.E009" in found()
    assert not {code for code in found() if str(code).startswith("accounts")}


PAGES = ["/accounts/login/", "/admin/work/", "/cms/", "/api/v1/help/categories", "/healthz"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_every_answer_carries_the_headers(address: str) -> None:
    answer = seat("super_admin").get(address, follow=True)
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == ("SAMEORIGIN" if address == "/cms/" else "DENY")
    assert "camera=()" in headers["Permissions-Policy"]
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in headers["Permissions-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_staff_pages_are_kept_by_no_cache_and_loaded_by_no_other_site() -> None:
    answer = seat("super_admin").get(reverse("desk:my_sessions"))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.django_db
def test_production_insists_on_https_with_secure_cookies(settings: object) -> None:
    secure = {
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
    }
    with override_settings(**secure):
        assert Client().get("/accounts/login/")["Location"].startswith("https://")
        answer = Client().get("/accounts/login/", secure=True)
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    cookie = answer.cookies["backlot_csrf"]
    assert (cookie["secure"], cookie["samesite"]) == (True, "Lax")
