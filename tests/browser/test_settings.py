"""Platform settings in a browser: two people change one, one person stops payouts, on a wide screen and a telephone."""

from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.people import Seat
from tests.browser.test_screens import DESKTOP, PHONE, RULES, SERIOUS, too_wide

LIST = "/admin/system/settings/"
LIMIT, SWITCH = "payout.dual_approval_over", "switch.payouts"


def problems(page: Page) -> list[str]:
    """Where the page that is open is too wide or not for everybody: on both widths, bright and dark."""
    found = []
    for width, dark in ((DESKTOP, False), (PHONE, False), (PHONE, True)):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
        found += [f"{page.url} at {width} px: {wide}" for wide in [too_wide(page)] if wide]
        violations: list[dict[str, Any]] = Axe().run(page, None, RULES).response["violations"]
        found += [
            f"{page.url} at {width} px, dark {dark}: {violation['id']}: {violation['nodes'][0]['html'][:200]}"
            for violation in violations
            if violation["impact"] in SERIOUS
        ]
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    page.evaluate("document.documentElement.classList.remove('dark')")
    return found


def test_one_person_asks_and_another_approves(seat: Callable[..., Seat]) -> None:
    asker, approver = seat("admin"), seat("super_admin")
    page = asker.open(LIST)
    wrong = problems(page)
    asker.press("/")
    page.keyboard.type("two approvers")
    asker.go("Enter")
    expect(page.locator("main tbody tr")).to_have_count(1)
    asker.send(f"text={LIMIT}")
    expect(page.locator("#id_value")).to_have_value("1,000.00")
    expect(page.locator("[data-change]")).to_be_hidden()
    page.fill("#id_value", "5OO")
    page.fill("#id_reason", "More payouts than two people can look at")
    asker.send("text=Ask for this change")
    expect(page.locator("#id_value_error")).to_contain_text("is not an amount")
    assert page.input_value("#id_reason") == "More payouts than two people can look at"
    wrong += problems(page)

    page.fill("#id_value", "500")
    expect(page.locator("[data-change]")).to_have_text("$1,000.00 → 500 USD")
    asker.send("text=Ask for this change")
    expect(page.locator("main .bl-alert--warn")).to_contain_text("asked for the value $500.00")
    expect(page.locator("#id_value")).to_have_count(0)
    wrong += problems(page)

    other = approver.open(LIST)
    approver.send("text=waits for approval")
    expect(other.locator("main tbody")).to_contain_text(LIMIT)
    expect(other.locator("main tbody")).to_contain_text("$500.00")
    approver.go("a")
    expect(other.locator("main .bl-badge").first).to_have_text("Applied")
    other = approver.open(f"{LIST}{LIMIT}/")
    history = other.locator("main tbody tr")
    expect(history).to_have_count(1)
    expect(history).to_contain_text("approved by")
    wrong += problems(other)
    assert not wrong, "\n".join(wrong)


def test_a_list_and_a_yes_or_no_say_what_would_change(seat: Callable[..., Seat]) -> None:
    person = seat("admin")
    page = person.open(f"{LIST}moderation.auto_approve_kinds/")
    wrong = problems(page)
    page.check("text=Showcase")
    expect(page.locator("[data-change]")).to_have_text("none → Showcase")
    page.fill("#id_reason", "Nobody minds")
    person.send("main form button:has-text('Save')")
    expect(page.locator("main tbody tr")).to_contain_text("Showcase")
    person.click("summary:has-text('Go back to the default')")
    page.fill("#back-default", "Somebody minds")
    wrong += problems(page)
    person.send("aside button:has-text('Go back')")
    expect(page.locator("main tbody tr")).to_have_count(2)
    page = person.open(f"{LIST}title.rereview_on_change/")
    page.uncheck("#id_value")
    expect(page.locator("[data-change]")).to_have_text("yes → no")
    assert not wrong, "\n".join(wrong)


def test_payouts_are_stopped_by_one_click_and_everybody_sees_it(seat: Callable[..., Seat]) -> None:
    person, finance, manager = seat("super_admin"), seat("financial_admin"), seat("ops_manager")
    page = person.open(f"{LIST}{SWITCH}/")
    wrong = problems(page)
    page.fill("#id_reason", "Somebody is in our Stripe account")
    person.send("text=Turn it off now")
    expect(page.locator("main .bl-alert--error")).to_contain_text("This kill switch is off.")
    wrong += problems(page)
    for reader in (finance, manager):
        expect(reader.open("/admin/work/").locator("main [role=status]")).to_contain_text("Sending of payouts")
    wrong += problems(finance.open("/admin/finance/payouts/"))
    page.fill("#id_reason", "The keys are changed")
    person.send("text=Ask to turn it on")
    expect(page.locator("main .bl-alert--error")).to_contain_text("This kill switch is off.")
    expect(page.locator("main .bl-alert--warn")).to_contain_text("somebody else has to approve it")
    wrong += problems(page)
    wrong += problems(manager.open(f"{LIST}application.lapse_days/"))
    expect(manager.page.locator("main")).to_contain_text("It is changed by: Super Admin, Admin.")
    assert not wrong, "\n".join(wrong)
