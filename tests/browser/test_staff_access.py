"""The one door in a real browser: a passkey from its enrolment on, codes, step-up, and sessions that are ended."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.people import Seat, sign_in_by_form
from tests.browser.platform import PASSWORD, Platform

LOGIN = "/accounts/login/"
ADD_KEY = "/accounts/2fa/webauthn/add/"
NEWCOMER = "newcomer@company.example"
SUPER, EDITOR = "super.admin@backlot.example", "editor@backlot.example"


def on_localhost(seat: Seat) -> Seat:
    """Passkeys belong to a name; an address in digits cannot have any."""
    seat.url = seat.url.replace("127.0.0.1", "localhost")
    return seat


def authenticator(seat: Seat) -> tuple[CDPSession, str]:
    """A phone that can keep passkeys and knows its owner's finger: the wire to it and its number."""
    wire = seat.context.new_cdp_session(seat.page)
    wire.send("WebAuthn.enable")
    made = wire.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return wire, str(made["authenticatorId"])


def leads_to(seat: Seat, path: str) -> str:
    """Where an address ends up, without the host."""
    seat.page.goto(seat.url + path)
    return seat.page.url.removeprefix(seat.url)


def submit(page: Page, field: str, value: str) -> None:
    page.fill(field, value)
    with page.expect_navigation():
        page.press(field, "Enter")


def test_every_login_leads_to_the_one_door(seat: Callable[..., Seat]) -> None:
    nobody = seat(None)
    for path in ("/admin/", "/admin/work/", "/admin/login/", "/cms/", "/cms/login/", "/admin/system/sessions/"):
        assert leads_to(nobody, path).startswith(LOGIN), path
    assert nobody.page.locator('input[name="password"]').count() == 1


@pytest.fixture
def newcomer(platform: Platform) -> str:
    """A new editor with a password and no second factor yet."""
    platform.call("newcomer", NEWCOMER, PASSWORD, "editor")
    return NEWCOMER


def test_a_passkey_from_enrolment_to_sign_in_and_step_up(
    platform: Platform, seat: Callable[..., Seat], newcomer: str
) -> None:
    person = on_localhost(seat(None))
    page = person.page
    wire, phone = authenticator(person)

    person.open(LOGIN)
    page.fill('input[name="login"]', newcomer)
    submit(page, 'input[name="password"]', PASSWORD)
    assert leads_to(person, "/admin/work/") == "/accounts/2fa/", "nothing else opens before a factor is there"
    assert leads_to(person, "/cms/") == "/accounts/2fa/"

    assert leads_to(person, ADD_KEY).startswith("/accounts/reauthenticate/")
    submit(page, 'input[name="password"]', PASSWORD)
    page.fill('input[name="name"]', "Phone")
    page.check('input[name="passwordless"]')
    with page.expect_navigation(url="**/accounts/2fa/webauthn/reauthenticate/**"):
        page.click("#mfa_webauthn_add")
    kept = wire.send("WebAuthn.getCredentials", {"authenticatorId": phone})["credentials"]
    assert [key["isResidentCredential"] for key in kept] == [True]

    asked = leads_to(person, "/admin/work/")
    assert asked.startswith("/accounts/2fa/webauthn/reauthenticate/"), "the session has not given it yet"
    with page.expect_navigation(url="**/admin/work/**"):
        page.click("#mfa_webauthn_reauthenticate")
    platform.call("age_factor", newcomer, 600)
    assert leads_to(person, "/accounts/2fa/recovery-codes/").startswith("/accounts/2fa/webauthn/reauthenticate/")
    with page.expect_navigation(url="**/recovery-codes/**"):
        page.click("#mfa_webauthn_reauthenticate")

    leave(person)
    person.open(LOGIN)
    with page.expect_navigation(url="**/admin/**"):
        page.click("#passkey_login")
    assert leads_to(person, "/admin/work/") == "/admin/work/"
    assert leads_to(person, "/cms/") == "/cms/"


def leave(seat: Seat) -> None:
    """Signs out by the page that asks."""
    seat.open("/accounts/logout/")
    with seat.page.expect_navigation():
        seat.page.click('main form button:not([type="button"])')


def test_a_code_opens_the_desk_and_an_old_one_is_asked_for_again(platform: Platform, seat: Callable[..., Seat]) -> None:
    person = sign_in_by_form(seat(None), SUPER, PASSWORD, platform.call("secret", SUPER))
    person.open("/admin/system/staff/")
    platform.call("age_factor", SUPER, 600)
    person.open("/admin/system/roles/")
    person.page.click("summary:has-text('Analyst')")
    box = person.page.locator("details[open]")
    box.locator("textarea").fill("127.0.0.0/8")
    box.locator('input[name="reason"]').fill("Try")
    with person.page.expect_navigation(url="**/accounts/2fa/reauthenticate/**"):
        box.locator("button").click()


def test_a_session_that_is_ended_elsewhere_is_out_at_its_next_click(seat: Callable[..., Seat]) -> None:
    here, there = seat("editor"), seat("editor")
    there.open("/admin/work/")
    here.open("/admin/system/sessions/")
    assert here.page.locator("text=this one").count() == 1
    with here.page.expect_navigation():
        here.page.click("text=End all other sessions")
    assert leads_to(there, "/admin/work/").startswith(LOGIN)
    assert leads_to(here, "/admin/work/") == "/admin/work/"


def test_a_deactivated_colleague_is_out_at_the_next_click(platform: Platform, seat: Callable[..., Seat]) -> None:
    boss, colleague = seat("super_admin"), seat("analyst")
    colleague.open("/admin/work/")
    boss.open("/admin/system/staff/")
    with boss.page.expect_navigation():
        boss.page.click('tr:has-text("analyst@backlot.example") a')
    boss.page.click("summary:has-text('Deactivate')")
    boss.page.fill("#account-reason", "Left")
    with boss.page.expect_navigation():
        boss.page.click("button:has-text('Deactivate')")
    assert leads_to(colleague, "/admin/work/").startswith(LOGIN)


def test_wrong_passwords_lock_that_browser_out_and_say_for_how_long(seat: Callable[..., Seat]) -> None:
    person = seat(None)
    person.open(LOGIN)
    for _ in range(6):
        person.page.fill('input[name="login"]', "finance.lock@company.example")
        submit(person.page, 'input[name="password"]', f"wrong {time.time()}")
    assert "Too many wrong tries" in person.page.content()
