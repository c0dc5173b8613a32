"""A change of the fees by two people in a browser, on a wide screen and on a telephone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from backoffice.core import clock
from tests.browser.people import Seat
from tests.browser.platform import Platform
from tests.browser.test_screens import DESKTOP, PHONE, RULES, SERIOUS, too_wide

FEES, METHODS = "/admin/finance/fees/", "/admin/finance/payout-methods/"
LONG_NAME = "Orchestre Septentrional d'Haïti et ses invités permanents de la saison des pluies"


def problems(page: Page) -> list[str]:
    """What is wrong with the page that is open: too wide, or not for everybody; bright on both widths, and dark."""
    found = []
    for width, scheme in ((DESKTOP, "light"), (PHONE, "light"), (PHONE, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        if wide := too_wide(page):
            found.append(f"{page.url} at {width} px: {wide}")
        violations: list[dict[str, Any]] = Axe().run(page, None, RULES).response["violations"]
        found += [
            f"{page.url} at {width} px, {scheme}: {violation['id']}: {violation['nodes'][0]['html'][:200]}"
            for violation in violations
            if violation["impact"] in SERIOUS
        ]
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    page.evaluate("document.documentElement.classList.remove('dark')")
    return found


@pytest.fixture(scope="module")
def creator(platform: Platform) -> str:
    """A premium creator who sold for 155.00 last month; the reference. Everybody reads English."""
    reference: str = platform.call("sold_last_month", LONG_NAME, 100_00, 50_00, 5_00)
    return reference


def test_one_person_proposes_and_another_approves_what_both_have_seen(creator: str, seat: Callable[..., Seat]) -> None:
    asker, approver = seat("financial_admin"), seat("admin")
    page = asker.open(FEES)
    wrong = problems(page)
    asker.go("r")
    page.select_option("#start-scope", "tier")
    asker.send('form[method="get"] button')
    page.select_option('select[name="tier"]', "premium")
    page.fill('input[name="percent"]', "19")
    page.fill('textarea[name="reason"]', "Agreed with the council of premium creators")
    asker.send('button[value="check"]')
    expect(page.locator("#id_percent_error")).to_contain_text("between 20 % and 25 %")
    assert page.input_value('textarea[name="reason"]') == "Agreed with the council of premium creators"
    wrong += problems(page)

    page.fill('input[name="percent"]', "20")
    asker.send('button[value="check"]')
    row = page.locator("#replay-rows + * tbody tr").filter(has_text=creator)
    expect(row).to_contain_text(LONG_NAME)
    expect(row).to_contain_text("$7.75")
    wrong += problems(page)
    asker.send('button[value="propose"]')
    expect(page.locator("main")).to_contain_text("somebody else has to decide")
    assert page.locator('[data-key="a"]').count() == 0
    address = page.url.removeprefix(asker.url)
    wrong += problems(page)

    other = approver.open(address)
    expect(other.locator("#replay-rows + * tbody tr").filter(has_text=creator)).to_contain_text("$7.75")
    approver.effort = 0
    approver.go("a")
    assert approver.effort == 1
    expect(other.locator("main .bl-badge").first).to_have_text("Applied")
    expect(other.locator("main")).not_to_contain_text("Not what it was")
    wrong += problems(other)
    other = approver.open(f"{FEES}?tab=upcoming")
    expect(other.locator("main tbody")).to_contain_text("Creator tier: Premium")
    with other.expect_navigation():
        other.click("main tbody th a")
    expect(other.locator("main")).to_contain_text("20 %")
    wrong += problems(other)
    assert not wrong, "\n".join(wrong)


def test_what_a_sale_would_cost_is_worked_out_in_words(creator: str, seat: Callable[..., Seat]) -> None:
    person = seat("ops_manager")
    page = person.open(FEES)
    person.go("c")
    page.fill('input[name="amount"]', "100")
    page.fill('input[name="creator"]', creator)
    page.fill('input[name="at"]', (clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"))
    with page.expect_navigation():
        page.press('input[name="amount"]', "Enter")
    expect(page.locator("main")).to_contain_text("25 % of $100.00 = $25.00")
    expect(page.locator("main")).to_contain_text("the rule for everything")
    assert not problems(page)


def test_a_payout_method_is_changed_by_two_people(platform: Platform, creator: str, seat: Callable[..., Seat]) -> None:
    asker, approver = seat("financial_admin"), seat("super_admin")
    page = asker.open(METHODS)
    wrong = problems(page)
    with page.expect_navigation():
        page.click("text=MonCash")
    wrong += problems(page)
    asker.go("c")
    page.fill('input[name="percent"]', "1.5")
    page.fill('textarea[name="reason"]', "The contract was renewed")
    asker.send('button[value="check"]')
    expect(page.locator("#changes-title + *")).to_contain_text("1.5 %")
    wrong += problems(page)
    asker.send('button[value="propose"]')
    address = page.url.removeprefix(asker.url)
    other = approver.open(address)
    approver.go("a")
    expect(other.locator("main")).to_contain_text("Applied")
    expect(approver.open(METHODS).locator("main tr").filter(has_text="MonCash")).to_contain_text("1.5 %")
    assert not wrong, "\n".join(wrong)
