"""Somebody joins the staff in a real browser: invited, approved by a second Super Admin, let in by a second factor."""

import re
from collections.abc import Callable

from tests.browser.people import Seat, code
from tests.browser.platform import Platform, eventually

NAME = "Marie-Joséphine Delacroix-Beaumont de la Rivière du Nord"
ADDRESS = "marie.josephine@company.example"
PASSWORD = "a long enough pass phrase"


def test_a_financial_admin_is_invited_approved_and_comes_in(platform: Platform, seat: Callable[..., Seat]) -> None:
    boss = seat("super_admin")
    page = boss.open("/admin/system/staff/")
    boss.send("text=Invite somebody")
    page.fill("#invite-display_name", NAME)
    page.fill("#invite-email", "super.second@backlot.example")
    page.select_option("#invite-timezone", "America/Port-au-Prince")
    page.check('input[name="roles"][value="financial_admin"]')
    page.check('input[name="roles"][value="analyst"]')
    page.fill("#invite-reason", "Month end")
    boss.send("button:has-text('Invite')")
    assert "There is a staff account with this address already" in page.content()
    assert page.is_checked('input[name="roles"][value="analyst"]'), "what was typed is kept"
    page.fill("#invite-email", ADDRESS)
    boss.send("button:has-text('Invite')")
    assert "The invitation is on its way." in page.content()
    assert "Another Super Admin is asked" in page.content()

    second = seat("super.second")
    second.open("/admin/work/approvals/")
    second.send("a:has-text('AR-')")
    assert NAME in second.page.content()
    second.send("button:has-text('Approve')")

    mailed = re.compile(r"/accounts/invitation/[^\s/]+/")
    found = eventually(lambda: mailed.search(mails_to(platform, ADDRESS)), "the mail with the link")
    guest = seat(None, width=360)
    guest.page.goto(guest.url + found[0])
    assert guest.page.url == guest.url + "/accounts/invitation/"
    assert NAME in guest.page.content()
    guest.page.fill('input[name="password"]', PASSWORD)
    guest.page.fill('input[name="again"]', PASSWORD)
    guest.send("button:has-text('Open my account')")
    guest.page.fill('input[name="login"]', ADDRESS)
    guest.page.fill('input[name="password"]', PASSWORD)
    guest.send("button:has-text('Sign in')")
    guest.page.goto(guest.url + "/admin/finance/payouts/")
    assert guest.page.url.endswith("/accounts/2fa/"), "nothing opens before the second factor"
    guest.page.goto(guest.url + "/accounts/2fa/totp/activate/")
    guest.page.fill('input[name="password"]', PASSWORD)
    with guest.page.expect_navigation(url="**/totp/activate/"):
        guest.page.press('input[name="password"]', "Enter")
    secret = guest.page.locator("#authenticator_secret").input_value()
    guest.page.fill('input[name="code"]', code(secret))
    with guest.page.expect_navigation():
        guest.page.press('input[name="code"]', "Enter")
    guest.open("/admin/finance/payouts/")
    boss.open("/admin/system/staff/")
    assert "Financial Admin" in page.locator(f'tr:has-text("{ADDRESS}")').inner_text()


def mails_to(platform: Platform, address: str) -> str:
    """The mails to an address: a local platform writes them to a folder."""
    folder = platform.directory / "mail"
    texts = [path.read_text() for path in sorted(folder.iterdir())] if folder.exists() else []
    return "\n".join(text for text in texts if f"To: {address}" in text)


def test_the_first_super_admin_comes_by_the_command_line(platform: Platform, seat: Callable[..., Seat]) -> None:
    said = platform.command("create_super_admin", "--email", "root@company.example", "--name", "Root").stdout
    link = next(line for line in said.splitlines() if "/accounts/invitation/" in line)
    guest = seat(None, scheme="dark")
    guest.page.goto(guest.url + "/accounts/" + link.partition("/accounts/")[2].strip())
    assert "Root" in guest.page.content()
    guest.page.goto(guest.url + "/accounts/invitation/")
    assert guest.page.locator('input[name="again"]').count() == 1
