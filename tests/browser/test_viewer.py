"""The viewer of identity documents in a browser: by keys, on a phone, and without losing what is typed beside it."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import Seat
from tests.browser.platform import Platform

SHOWN = "image => image.complete && image.naturalWidth > 500"
WIDTH = "image => image.getBoundingClientRect().width"


def test_one_document_after_the_other_larger_and_turned_by_keys_while_notes_stay(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    application = platform.call("waiting_with_papers", "Ti Joslin", "passport", "proof_of_address", "bank_proof")
    reviewer = seat("verification_reviewer")
    page = reviewer.open(f"/admin/creators/applications/{application}/")
    reviewer.go("c")
    page.fill("#id_notes", "Typed before the second paper.")
    page.locator("body").click(position={"x": 2, "y": 2})
    paper = page.locator(".bl-viewer img")
    expect(paper).to_have_attribute("alt", "Passport")
    page.wait_for_function(SHOWN, arg=paper.element_handle())
    first = paper.get_attribute("src")

    small = paper.evaluate(WIDTH)
    reviewer.press("+")
    assert paper.evaluate(WIDTH) > small * 1.3
    reviewer.press("-")
    assert abs(paper.evaluate(WIDTH) - small) < 2
    reviewer.press("R")
    assert paper.evaluate("image => getComputedStyle(image).rotate") == "90deg"
    expect(page.locator("[data-viewer-said]")).to_contain_text("90")

    reviewer.press("]")
    expect(paper).to_have_attribute("alt", "Proof of address")
    page.wait_for_function(SHOWN, arg=paper.element_handle())
    assert paper.get_attribute("src") != first
    assert paper.evaluate("image => getComputedStyle(image).rotate") == "0deg"
    reviewer.press("]")
    expect(paper).to_have_attribute("alt", "Bank proof")
    reviewer.press("[")
    expect(paper).to_have_attribute("alt", "Proof of address")
    expect(page.locator("#id_notes")).to_have_value("Typed before the second paper.")
    expect(page.locator(".bl-viewer__mark span").first).to_contain_text("UTC")

    page.set_viewport_size({"width": 360, "height": 740})
    reviewer.press("+")
    assert page.evaluate("document.documentElement.scrollWidth") <= 361
    reviewer.check()
