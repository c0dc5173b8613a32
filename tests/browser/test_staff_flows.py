"""How many keys and clicks a flow takes, with its list already open (docs: every flow has a budget)."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.people import FRESH, Seat, wait_for_time_to_type
from tests.browser.platform import Platform, eventually

MODERATION = "/admin/moderation/cases/"


def on_show(page: Page) -> None:
    """The bench shows a film that plays and its frames."""
    page.wait_for_function("document.querySelector('[data-video]').readyState >= 1")
    assert page.locator("[data-frames] img").evaluate("image => image.complete || image.decode().then(() => true)")


def test_an_upload_is_approved_with_one_key_and_the_next_one_is_there(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    platform.call("waiting_titles", "First Light", "Second Wind", "Third Rail")
    moderator = seat("content_moderator")
    page = moderator.open(MODERATION)
    moderator.go("g")
    on_show(page)
    expect(page.locator("#facts-title + *")).to_contain_text("First Light")
    moderator.effort = 0
    moderator.go("a")
    assert moderator.effort == 1
    expect(page.locator("#facts-title + *")).to_contain_text("Second Wind")
    expect(page.locator("[data-lease-countdown]")).to_have_text(FRESH)
    on_show(page)

    # A second thought within the window: one key brings the first one back.
    platform.call("change", "moderation.undo_seconds", 30)
    moderator.go("a")
    expect(page.locator("#facts-title + *")).to_contain_text("Third Rail")
    moderator.effort = 0
    moderator.go("z")
    assert moderator.effort == 1
    expect(page.locator("#facts-title + *")).to_contain_text("Second Wind")


def test_a_rejection_takes_two_keys_and_shows_the_message_before_it_is_sent(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    platform.call("waiting_titles", "Copied Song")
    moderator = seat("ops_manager")
    page = moderator.open(MODERATION)
    with page.expect_navigation():
        page.keyboard.press("g")
    on_show(page)
    moderator.effort = 0
    moderator.press("r")
    moderator.press("1")
    assert moderator.effort == 2
    message = page.locator("#reject-message")
    expect(message).not_to_have_value("")
    expect(message).to_be_visible()
    expect(page.locator("[data-send]")).to_be_focused()
    moderator.go("Enter")
    page = moderator.open("/admin/moderation/decisions/")
    expect(page.locator("tbody tr").first).to_contain_text("Rejected")


def test_a_verification_with_every_check_passed_takes_one_key(platform: Platform, seat: Callable[..., Seat]) -> None:
    platform.call("waiting_applications", "Ti Joslin", "Wideline Sévère")
    reviewer = seat("verification_reviewer")
    page = reviewer.open("/admin/creators/applications/")
    reviewer.go("n")
    expect(page.locator(".bl-page__heading h2")).to_have_text("Ti Joslin")
    paper = page.locator(".bl-viewer img")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=paper.element_handle())
    reviewer.effort = 0
    reviewer.go("a")
    assert reviewer.effort == 1
    expect(page.locator("body")).to_contain_text("is approved")
    expect(page.locator(".bl-page__heading h2")).to_have_text("Wideline Sévère")

    # What is missing: the failing check's digit writes the request.
    paper = page.locator(".bl-viewer img")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=paper.element_handle())
    reviewer.effort = 0
    reviewer.press("1")
    reviewer.press("i")
    expect(page.locator("#request-info textarea")).not_to_have_value("")
    reviewer.go("Control+Enter")
    assert reviewer.effort == 3
    page = reviewer.open("/admin/creators/applications/?tab=waiting")
    expect(page.locator("tbody")).to_contain_text("Wideline Sévère")


def test_a_reviewer_decides_on_a_phone_by_keys_alone(platform: Platform, seat: Callable[..., Seat]) -> None:
    platform.call("waiting_applications", "Phone First", "Phone Second")
    reviewer = seat("verification_reviewer", width=360)
    page = reviewer.open("/admin/creators/applications/")
    reviewer.go("n")
    name = page.locator(".bl-page__heading h2").inner_text()
    paper = page.locator(".bl-viewer img")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=paper.element_handle())
    # Every verb can be reached with Tab as well, none of them lies outside the screen.
    reached = set()
    for _stop in range(160):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement?.dataset?.key || ''"))
    assert {"a", "i", "r", "s", "l"} <= reached
    assert page.evaluate("document.documentElement.scrollWidth") <= 361
    page.evaluate("document.activeElement.blur()")
    reviewer.go("a")
    expect(page.locator(".bl-page__heading h2")).not_to_have_text(name)
    following = page.locator(".bl-page__heading h2").inner_text()
    reviewer.press("1")
    reviewer.press("i")
    expect(page.locator("#request-info textarea")).not_to_have_value("")
    reviewer.go("Control+Enter")
    page = reviewer.open("/admin/creators/applications/?tab=waiting")
    expect(page.locator("tbody")).to_contain_text(following)


def test_a_payout_is_opened_approved_and_confirmed_in_three(platform: Platform, seat: Callable[..., Seat]) -> None:
    run = platform.call("waiting_payout", 61_00)
    finance = seat("financial_admin")
    page = finance.open("/admin/finance/payouts/")
    assert platform.call("age_factor", "financial.admin@backlot.example", 600) == 1
    finance.effort = 0
    finance.send(f"a:has-text('{run['reference']}')")
    expect(page.locator("[aria-label='Preview']")).to_contain_text("$61.00")
    wait_for_time_to_type()
    finance.go("a")
    finance.send("button:has-text('Use this code')")
    assert finance.effort == 3
    expect(page.locator("body")).to_contain_text("Your approval is recorded.")
    assert eventually(lambda: platform.call("state_of_payout", run["id"]) in ("sent", "paid"), "sending")


def test_a_title_is_featured_in_two_from_its_page(platform: Platform, seat: Callable[..., Seat]) -> None:
    title = platform.call("published_title", "Nocturne")
    editor = seat("editor")
    page = editor.open(f"/admin/catalogue/titles/{title}/")
    editor.effort = 0
    editor.go("f")
    section = page.locator("button[data-digit='2']").get_attribute("value")
    editor.go("2")
    assert editor.effort == 2
    expect(page.locator(f"#section-{section}")).to_contain_text("Nocturne")


def test_a_templated_reply_takes_three_and_its_letters(platform: Platform, seat: Callable[..., Seat]) -> None:
    platform.call("waiting_tickets", "How do I change my picture?", "Where is my library?")
    agent = seat("customer_support")
    page = agent.open("/admin/support/tickets/")
    agent.go("n")
    expect(page.locator("body")).to_contain_text("How do I change my picture?")
    agent.effort = 0
    agent.press("/")
    expect(page.locator("#picker-letters")).to_be_focused()
    code = page.locator("#picker-list li strong").first.inner_text()
    page.keyboard.type(code[:4])
    agent.press("Enter")
    expect(page.locator("#reply-body")).not_to_have_value("")
    agent.go("Control+Enter")
    assert agent.effort == 3
    expect(page.locator("body")).to_contain_text("Where is my library?")


def test_two_people_never_hold_the_same_case(platform: Platform, seat: Callable[..., Seat]) -> None:
    cases = platform.call("waiting_titles", "Only One")
    first, second = seat("content_moderator"), seat("admin")
    first.open(f"{MODERATION}{cases[0]}/")
    claim = first.page.locator("form[action$='/claim/'] button")
    with first.page.expect_navigation():
        claim.click()
    page = second.open(f"{MODERATION}{cases[0]}/")
    assert page.locator("form[action$='/claim/']").count() == 0
    expect(page.locator("body")).to_contain_text("Guerda Philistin is working on this.")
