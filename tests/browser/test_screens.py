"""Every entry of every role's menu, and a page about one thing of each kind, as people meet them in a browser."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from backoffice.accounts.roles import ROLES
from tests.browser.people import Seat
from tests.browser.platform import Platform

DESKTOP, PHONE = 1280, 360
RULES = {
    # Its reading of stylesheets asks for their imports at wrong addresses.
    "preload": False,
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
}
SERIOUS = ("serious", "critical")
# Wagtail's own frame is Wagtail's; what the product puts into it is not.
PART = {"/cms/": "main"}
TAB_STOPS = 10

# Where the focus is and whether it can be seen, on the element or the frame around it. A film or a date has parts of
# its own that take the focus one after the other: only its first stop is judged.
FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const again = window.lastFocus === element;
  window.lastFocus = element;
  const box = element.getBoundingClientRect();
  const around = [element, element.parentElement, element.parentElement?.parentElement, element.closest("label")];
  const marked = around.filter(Boolean).some((candidate) => {
    const look = getComputedStyle(candidate);
    return (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== "none";
  });
  const style = getComputedStyle(element);
  const there = box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.opacity !== "0";
  return { what: element.outerHTML.slice(0, 160), fine: again || (marked && there) };
}"""
TOO_WIDE = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= innerWidth + 1) return "";
  const wide = [...document.body.querySelectorAll("*")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.right > innerWidth + 1 && box.width > 0;
  });
  return `${page.scrollWidth} px: ` + wide.slice(0, 3).map((element) => element.outerHTML.slice(0, 120)).join(" | ");
}"""


def too_wide(page: Page) -> str:
    """What makes the page scroll sideways, once it has followed its window: charts do so a moment later."""
    try:
        page.wait_for_function(f"() => ({TOO_WIDE})() === ''", timeout=10_000)
    except PlaywrightTimeout:
        return str(page.evaluate(TOO_WIDE))
    return ""


@pytest.fixture(scope="module")
def furnished(platform: Platform) -> dict[str, str]:
    """A platform with something in every list, read in a language with long words."""
    pages: dict[str, str] = platform.call("furnish")
    platform.call("speak", "fr")
    return pages


@pytest.fixture(scope="module")
def looked_at() -> set[str]:
    """Screens that were examined closely; for the other roles it is enough that they open."""
    return set()


def entries(page: Page) -> list[str]:
    """The addresses in the sidebar."""
    links = page.locator("#nav-sidebar a[href^='/']").evaluate_all("all => all.map((a) => a.getAttribute('href'))")
    return list(dict.fromkeys(links))


@pytest.mark.parametrize("role", list(ROLES))
def test_every_entry_of_the_menu_opens_clean_and_fits(
    role: str, furnished: dict[str, str], looked_at: set[str], seat: Callable[..., Seat]
) -> None:
    person = seat(role)
    addresses = entries(person.page)
    assert "/admin/work/" in addresses
    problems: list[str] = []
    for address in addresses:
        problems += _opens(person, address)
        if address not in looked_at:
            looked_at.add(address)
            problems += _examined(person, address)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    "kind",
    [
        "case",
        "application",
        "creator",
        "title",
        "ticket",
        "payout",
        "payment",
        "tax form",
        "hold",
        "place a hold",
        "account",
        "sign-in help",
    ],
)
def test_a_page_about_one_thing_opens_clean_and_fits(
    kind: str, furnished: dict[str, str], seat: Callable[..., Seat]
) -> None:
    person = seat("verification_reviewer" if kind == "application" else "admin")
    problems = _opens(person, furnished[kind]) + _examined(person, furnished[kind])
    assert not problems, "\n".join(problems)


def test_the_benches_fit_and_are_clean(furnished: dict[str, str], seat: Callable[..., Seat]) -> None:
    problems: list[str] = []
    for role, queue, key in (
        ("content_moderator", "/admin/moderation/cases/", "g"),
        ("verification_reviewer", "/admin/creators/applications/", "n"),
        ("customer_support", "/admin/support/tickets/", "n"),
    ):
        person = seat(role)
        person.open(queue)
        person.go(key)
        problems += _fits(person, person.page.url) + _examined(person, person.page.url)
    assert not problems, "\n".join(problems)


def test_the_door_is_clean_and_fits(furnished: dict[str, str], seat: Callable[..., Seat]) -> None:
    visitor = seat(None)
    problems = _opens(visitor, "/accounts/login/") + _examined(visitor, "/accounts/login/")
    assert not problems, "\n".join(problems)


def _opens(person: Seat, address: str) -> list[str]:
    person.page.set_viewport_size({"width": DESKTOP, "height": 900})
    person.open(address)
    return _fits(person, address)


def _fits(person: Seat, address: str) -> list[str]:
    """The page never scrolls sideways, whatever its tables do."""
    problems = []
    for width in (DESKTOP, PHONE):
        person.page.set_viewport_size({"width": width, "height": 900})
        if wide := too_wide(person.page):
            problems.append(f"{address} at {width} px scrolls sideways: {wide}")
    person.page.set_viewport_size({"width": DESKTOP, "height": 900})
    return problems


def _examined(person: Seat, address: str) -> list[str]:
    """Axe in light and dark, and the focus as the Tab key moves it."""
    page = person.page
    problems = _axe(page, address, "light") + _focus(page, address)
    page.emulate_media(color_scheme="dark")
    page.reload()
    if not address.startswith("/cms/"):
        expect(page.locator("html"), f"{address} stays light").to_contain_class("dark")
    problems += _axe(page, address, "dark")
    page.emulate_media(color_scheme="light")
    return problems


def _axe(page: Page, address: str, mode: str) -> list[str]:
    context = next((part for prefix, part in PART.items() if address.startswith(prefix)), None)
    found: list[dict[str, Any]] = Axe().run(page, context, RULES).response["violations"]
    return [
        f"{address} ({mode}) {violation['id']}: {violation['help']}: "
        + " | ".join(
            f"{node['html'][:140]} {node['any'][:1] and node['any'][0]['message']}" for node in violation["nodes"][:3]
        )
        for violation in found
        if violation["impact"] in SERIOUS
    ]


def _focus(page: Page, address: str) -> list[str]:
    page.evaluate("document.activeElement?.blur?.()")
    problems = []
    for _stop in range(TAB_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUS)
        if found is None:
            break
        if not found["fine"]:
            problems.append(f"{address}: the focus cannot be seen on {found['what']}")
    return problems
