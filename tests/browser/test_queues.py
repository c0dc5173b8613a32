"""The queues in a browser: lists that follow, the duty switch, a decision taken back, what supervisors see."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import FRESH, Seat
from tests.browser.platform import Platform
from tests.browser.test_settings import problems

LIST = "/admin/creators/applications/"
# A poll is due every ten seconds; a busy machine takes its time.
SOON = 45_000


def test_a_list_follows_by_itself_but_never_under_somebodys_hands(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    platform.call("waiting_applications", "First Comer")
    reviewer = seat("verification_reviewer")
    page = reviewer.open(LIST)
    expect(page.locator("[data-live-state]")).to_contain_text("Up")
    page.evaluate("window.kept = true")

    platform.call("waiting_applications", "Second Comer")
    expect(page.locator("#queue-list")).to_contain_text("Second Comer", timeout=SOON)
    expect(page.locator(f"#nav-sidebar a[href='{LIST}'] .sidebar-badge").first).to_have_text("2", timeout=SOON)

    page.locator("#queue-list a").first.focus()
    platform.call("waiting_applications", "Third Comer")
    expect(page.locator("[data-live-state]")).to_contain_text("Something changed", timeout=SOON)
    assert "Third Comer" not in page.locator("#queue-list").inner_text()
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("#queue-list")).to_contain_text("Third Comer", timeout=SOON)
    assert page.evaluate("window.kept")


def test_a_decision_is_taken_back_with_one_key_and_the_application_is_there_again(
    platform: Platform, seat: Callable[..., Seat]
) -> None:
    platform.call("change", "application.undo_seconds", 60)
    platform.call("waiting_applications", "Somebody Else")
    reviewer = seat("verification_reviewer")
    page = reviewer.open(LIST)
    reviewer.go("n")
    name = page.locator(".bl-page__heading h2").inner_text()
    reviewer.effort = 0
    reviewer.press("r")
    reviewer.go("5")
    assert reviewer.effort == 2
    expect(page.locator("body")).to_contain_text("is rejected")
    expect(page.locator("[data-undo-left]").first).to_contain_text("s")
    wrong = problems(page)
    reviewer.effort = 0
    reviewer.go("z")
    assert reviewer.effort == 1
    expect(page.locator(".bl-page__heading h2")).to_have_text(name)
    expect(page.locator("[data-lease-countdown]")).to_have_text(FRESH)

    reviewer.press("e")
    expect(page.locator("#id_escalate_reason")).to_be_focused()
    page.keyboard.type("Is this the singer?")
    reviewer.go("Control+Enter")
    supervisor = seat("ops_manager")
    page = supervisor.open("/admin/work/queues/?queue=applications")
    expect(page.locator("#escalated-title ~ .bl-table-wrap")).to_contain_text("Is this the singer?")
    wrong += problems(page)
    assert not wrong, "\n".join(wrong)


def test_off_duty_is_one_key_and_nothing_is_handed_out(seat: Callable[..., Seat]) -> None:
    reviewer = seat("verification_reviewer")
    page = reviewer.open("/admin/work/")
    reviewer.effort = 0
    reviewer.go("d")
    assert reviewer.effort == 1
    expect(page.locator("#duty-title")).to_contain_text("Off duty")
    wrong = problems(page)
    page = reviewer.open(LIST)
    reviewer.go("n")
    expect(page.locator("body")).to_contain_text("You are off duty.")
    page = reviewer.open("/admin/work/")
    reviewer.go("d")
    expect(page.locator("#duty-title")).to_contain_text("On duty")
    assert not wrong, "\n".join(wrong)
