"""What is typed at a bench outlives an ended session, a lost claim and a refused document; a decision is made once."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.people import Seat
from tests.browser.platform import Platform

LIST = "/admin/creators/applications/"
NOTES = "Saw her live in Jacmel; the second song is a cover."
KEPT = "Object.keys(sessionStorage).filter(key => key.startsWith('backlot.kept:')).length"


def opened(seat: Seat, application: str) -> Page:
    """The dossier, claimed, with its paper looked at."""
    page = seat.open(f"{LIST}{application}/")
    seat.go("c")
    paper = page.locator(".bl-viewer img")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=paper.element_handle())
    return page


def sign_in_again(seat: Seat, role: str) -> Page:
    """On the sign-in page that the desk sent them to."""
    page = seat.page
    expect(page.locator("input[name=login]")).to_be_visible()
    with page.expect_navigation(url="**/admin/**"):
        page.click(f'button[name="role"][value="{role}"]')
    return page


def test_a_session_that_ends_in_mid_review_loses_nothing_and_decides_nothing(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    (application,) = platform.call("waiting_applications", "Ti Joslin")
    reviewer = seat("verification_reviewer")
    page = opened(reviewer, application)
    page.fill("#id_notes", NOTES)
    page.locator("#decide-title").click()
    reviewer.press("3")
    reviewer.press("5")
    page.select_option("#id_video_quality", "5")
    written = page.locator("#id_request_text").input_value()
    assert written

    assert platform.call("end_sessions", "verification.reviewer@backlot.example") == 1
    reviewer.go("a")
    sign_in_again(reviewer, "verification_reviewer")
    assert page.url.endswith(f"{LIST}{application}/")
    expect(page.locator("[data-kept-back]")).to_be_visible()
    expect(page.locator("#id_notes")).to_have_value(NOTES)
    expect(page.locator("#id_not_posing")).not_to_be_checked()
    expect(page.locator("#id_languages")).not_to_be_checked()
    expect(page.locator("#id_identity")).to_be_checked()
    expect(page.locator("#id_video_quality")).to_have_value("5")
    assert page.locator("#id_request_text").input_value() == written
    assert platform.call("verdict", application) == ["in_review", ""]

    page.locator("#decide-title").click()
    reviewer.press("3")
    reviewer.press("5")
    reviewer.go("a")
    expect(page.locator("body")).to_contain_text("is approved")
    assert platform.call("verdict", application)[1] == "approve"
    assert page.evaluate(KEPT) == 0


def test_a_claim_that_runs_out_is_taken_again_with_what_was_typed(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    (application,) = platform.call("waiting_applications", "Wideline Sévère")
    reviewer = seat("verification_reviewer")
    page = opened(reviewer, application)
    expect(page.locator("button[data-lease-gone]")).to_be_hidden()
    page.fill("#id_notes", NOTES)
    page.locator("#decide-title").click()
    reviewer.press("3")
    platform.call("end_lease", application)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-lease-message]")).to_be_visible()
    expect(page.locator("button[data-key=a]")).to_be_disabled()
    expect(page.locator("button[data-lease-gone]")).to_be_visible()
    reviewer.effort = 0
    reviewer.go("c")
    assert reviewer.effort == 1
    expect(page.locator("button[data-key=a]")).to_be_enabled()
    expect(page.locator("#id_notes")).to_have_value(NOTES)
    expect(page.locator("#id_not_posing")).not_to_be_checked()
    expect(page.locator("input[name=accounts]").first).to_be_checked()

    # A colleague is quicker this time.
    platform.call("end_lease", application)
    colleague = seat("ops_manager")
    theirs = colleague.open(f"{LIST}{application}/")
    colleague.go("c")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("button[data-lease-gone]")).to_be_visible()
    page.fill("#id_notes", f"{NOTES} And a third.")
    page.locator("#decide-title").click()
    reviewer.go("c")
    expect(page.locator("body")).to_contain_text("is working on this.")
    expect(page.locator("#id_notes")).to_have_value(f"{NOTES} And a third.")
    # Even a reload shows the words, until the application is theirs again.
    page = reviewer.open(f"{LIST}{application}/")
    expect(page.locator("[data-kept-waits]")).to_be_visible()
    expect(page.locator("[data-kept-words]")).to_contain_text("And a third.")
    theirs.locator("#decide-title").click()
    colleague.go("l")
    page = reviewer.open(f"{LIST}{application}/")
    reviewer.go("c")
    expect(page.locator("[data-kept-back]")).to_be_visible()
    expect(page.locator("#id_notes")).to_have_value(f"{NOTES} And a third.")
    reviewer.click("[data-kept-discard]")
    expect(page.locator("[data-kept]")).to_be_hidden()
    expect(page.locator("#id_notes")).to_have_value("")
    assert page.evaluate(KEPT) == 0


def test_a_paper_is_refused_beside_the_review_and_signing_out_forgets_the_rest(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    application = platform.call("waiting_with_papers", "Marie-Flore", "passport", "bank_proof")
    reviewer = seat("verification_reviewer")
    page = opened(reviewer, application)
    page.evaluate("window.here = true")
    page.fill("#id_notes", NOTES)
    page.locator("#decide-title").click()
    reviewer.press("3")
    page.click("[data-dialog='refuse-document']")
    page.fill("#refuse-reason", "The photograph is too dark.")
    reviewer.press("Control+Enter")
    expect(page.locator(".bl-viewer__bar ~ dl")).to_contain_text("The photograph is too dark.")
    assert page.evaluate("window.here")
    expect(page.locator("#id_notes")).to_have_value(NOTES)
    expect(page.locator("#id_not_posing")).not_to_be_checked()

    # The same with a factor that has grown old: the page is left and comes back.
    reviewer.click("a:has-text('Bank proof')")
    paper = page.locator(".bl-viewer img[alt='Bank proof']")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=paper.element_handle())
    page.click("[data-dialog='refuse-document']")
    page.fill("#refuse-reason", "Not a bank's paper.")
    platform.call("age_factor", "verification.reviewer@backlot.example", 400)
    with page.expect_navigation(url="**/reauthenticate/**"):
        page.keyboard.press("Control+Enter")
    page = reviewer.open(f"{LIST}{application}/")
    expect(page.locator("[data-kept-back]")).to_be_visible()
    expect(page.locator("#id_notes")).to_have_value(NOTES)
    expect(page.locator("#id_not_posing")).not_to_be_checked()

    with page.expect_navigation(url="**/accounts/login/**"):
        page.evaluate("document.getElementById('logout-form').requestSubmit()")
    page.wait_for_function(f"({KEPT}) === 0")
    reviewer.check()


def test_the_other_benches_keep_what_was_typed_too(platform: Platform, seat: Callable[..., Seat]) -> None:
    (case,) = platform.call("waiting_titles", "Copied Song")
    moderator = seat("content_moderator")
    page = moderator.open(f"/admin/moderation/cases/{case}/")
    moderator.go("c")
    moderator.press("r")
    moderator.press("1")
    page.fill("#reject-reason", "Heard it on the radio.")
    message = page.locator("#reject-message").input_value()
    assert message
    assert platform.call("end_sessions", "content.moderator@backlot.example") == 1
    moderator.send("[data-send]")
    sign_in_again(moderator, "content_moderator")
    expect(page.locator("[data-kept-back]")).to_be_visible()
    moderator.press("r")
    expect(page.locator("#reject-reason")).to_have_value("Heard it on the radio.")
    assert page.locator("#reject-message").input_value() == message
    page.click("#reject [data-close]")
    platform.call("end_lease", case)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-lease-gone]")).to_be_visible()
    moderator.go("c")
    moderator.press("r")
    expect(page.locator("#reject-reason")).to_have_value("Heard it on the radio.")
    moderator.send("[data-send]")
    assert page.evaluate(KEPT) == 0

    (ticket,) = platform.call("waiting_tickets", "I paid twice")
    agent = seat("customer_support")
    page = agent.open(f"/admin/support/tickets/{ticket}/")
    agent.go("t")
    page.fill("#reply-body", "Your second payment is on its way back.")
    assert platform.call("end_sessions", "customer.support@backlot.example") == 1
    page.fill("#reply-body", "Your second payment is on its way back to you.")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    sign_in_again(agent, "customer_support")
    expect(page.locator("[data-kept-back]")).to_be_visible()
    expect(page.locator("#reply-body")).to_have_value("Your second payment is on its way back to you.")
    platform.call("end_lease", ticket)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    agent.send("[data-lease-gone]")
    expect(page.locator("#reply-body")).to_have_value("Your second payment is on its way back to you.")
    with page.expect_navigation():
        page.locator("#reply-body").press("Control+Enter")
    expect(page.locator("body")).to_contain_text("was sent")
    assert page.evaluate(KEPT) == 0
