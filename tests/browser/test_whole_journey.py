"""The whole journey on the really running platform: from an application to a creator who is paid, and what is left.

People use the public API only, staff a browser only; the worker, the timetable and the payment provider do the rest.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from playwright.sync_api import expect

from deploy.demo import files
from tests.browser.people import Api, Seat, sign_in_by_form, wait_for_time_to_type
from tests.browser.platform import PASSWORD, Platform, eventually

CREATOR = "mirlande@people.example"
SECOND = "finance.second@backlot.example"
FIRST = "financial.admin@backlot.example"
FILM = "Lakay, Chapter One"
QUESTION = "The film stops after a minute on my television."
PRICE = "49.99"
# 25 % commission, and 2.9 % + 0.30 for the processor, out of 49.99.
SHARE = "35.74"
BANK = {
    "country": "US",
    "currency": "USD",
    "account_number": "000123456789",
    "routing_number": "110000000",
    "holder_name": "Mirlande Désir",
}


@dataclass
class Story:
    """The people of the journey and what they have made so far."""

    platform: Platform
    creator: Api
    customer: Api
    seat: Callable[..., Seat]
    seats: dict[str, Seat] = field(default_factory=dict)
    title: str = ""
    ticket: str = ""

    def staff(self, role: str) -> Seat:
        """The person of this role, who stays signed in between the steps."""
        if role not in self.seats:
            self.seats[role] = self.seat(role)
        return self.seats[role]


@pytest.fixture
def story(platform: Platform, seat: Callable[..., Seat]) -> Story:
    return Story(platform, Api(platform.url), Api(platform.url), seat)


def test_from_an_application_to_a_creator_who_is_paid(story: Story) -> None:
    story.platform.call("curriculum")
    somebody_applies(story)
    a_reviewer_verifies_them(story)
    the_creator_gets_ready_and_goes_live(story)
    the_creator_uploads_a_film(story)
    a_moderator_approves_it(story)
    a_customer_buys_and_watches_it(story)
    the_creator_is_paid_after_one_approval(story)
    above_the_limit_two_people_must_approve(story)
    a_question_is_answered(story)
    an_editor_features_the_film(story)
    the_report_shows_the_sale(story)
    the_books_and_the_trail_hold(story)


def somebody_applies(story: Story) -> None:
    """S-001 to S-003: account, authenticator app, form, sample, ID, submitted."""
    api = story.creator
    api.register("Mirlande Désir", CREATOR, "a-long-secret-for-mirlande")
    api.enrol()
    application = api.post(
        "creators/apply",
        {
            "stage_name": "Mirlande Désir",
            "legal_name": "Mirlande Désir",
            "bio": "Short films from Jacmel, told in the kitchen.",
            "country": "US",
            "currency": "USD",
            "categories": ["film-makers"],
            "languages": ["ht", "en"],
            "social": [
                {
                    "platform": "instagram",
                    "handle": "mirlande.desir",
                    "url": "https://instagram.com/mirlande.desir",
                    "follower_count": 18_400,
                }
            ],
        },
        expect=201,
    )
    assert application["status"] == "pending_submission"
    unready = api.post("creators/me/application/submit", {}, expect=400)
    assert set(unready["details"]) == {"sample", "government_id", "terms"}

    sample = api.upload("sample.mp4", files.clip(0, seconds=2), "video/mp4", "sample")
    api.call("PATCH", "creators/me/application", {"sample": sample, "terms_version": "2026-01"})
    paper = api.post(
        "creators/me/verification",
        form={"document_type": "government_id"},
        files={"file": ("id.jpg", files.paper("Mirlande Désir", "IDENTITY CARD"), "image/jpeg")},
        expect=201,
    )
    assert paper["status"] == "pending"
    # Reviewers are to see the sample playing, not its upload.
    eventually(lambda: api.ready(sample), "processing of the sample")
    assert api.post("creators/me/application/submit", {})["status"] == "submitted"


def a_reviewer_verifies_them(story: Story) -> None:
    """W-001, S-004, S-007: next, open the document, approve with one key."""
    reviewer = story.staff("verification_reviewer")
    page = reviewer.open("/admin/creators/applications/")
    expect(page.locator("tbody")).to_contain_text("Mirlande Désir")
    reviewer.go("n")
    expect(page.locator(".bl-page__heading h2")).to_have_text("Mirlande Désir")
    paper = page.locator(".bl-viewer img")
    page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=paper.element_handle())
    page.wait_for_function("document.querySelector('.bl-player video').readyState >= 1")
    page.select_option("#id_cultural_authenticity", "5")
    page.fill("#id_document_expires_on", "2031-05-01")
    page.locator("#id_document_expires_on").blur()
    reviewer.go("a")
    expect(page.locator("body")).to_contain_text("is approved")
    reviewer.check()
    # The decision takes effect when its undo window is over.
    eventually(lambda: story.creator.get("creators/me/application")["status"] == "approved", "the approval")
    application = story.creator.get("creators/me/application")
    assert {row["code"] for row in application["missing"]} == {
        "tax_form",
        "payout_account",
        "agreement",
        "training",
        "pricing",
    }


def the_creator_gets_ready_and_goes_live(story: Story) -> None:
    """S-009: training, agreement, price, bank and tax form by the creator, accepted by finance, then live by itself."""
    api = story.creator
    api.get("creators/me", expect=403)
    required = [lesson["code"] for lesson in api.get("creators/me/training") if lesson["required"]]
    assert required[0] == "walkthrough"
    for code in required:
        api.post(f"creators/me/training/{code}/start", {})
        api.post(f"creators/me/training/{code}/complete", {})
    assert "training" not in {row["code"] for row in api.get("creators/me/onboarding")["missing"]}
    api.post("creators/me/agreement", {"version": "2026-01"})
    greeting = {"occasions": ["birthday"], "length_seconds": 60, "delivery_hours": 72, "price": "25.00"}
    api.call("PUT", "creators/me/offerings", {"offerings": [greeting]})
    account = api.post("creators/me/payout-accounts", BANK, expect=201)
    assert (account["status"], account["account"][-4:]) == ("verified", "6789")

    form = {"form": "w9", "country": "US", "tax_id": "912-34-5678", "signed_name": "Mirlande Désir"}
    signed = api.post("creators/me/tax-form", form, expect=201)
    assert (signed["status"], signed["form"]["last_four"]) == ("submitted", "5678")

    finance = story.staff("financial_admin")
    page = finance.open("/admin/creators/tax/")
    finance.send("th a:has-text('Mirlande Désir')")
    expect(page.locator("body")).to_contain_text("•••• 5678")
    assert "912-34" not in page.content()
    finance.press("a")
    finance.go("Control+Enter")
    expect(page.locator("body")).to_contain_text("The tax form is accepted.")
    finance.check()

    reviewer = story.staff("verification_reviewer")
    page = reviewer.open("/admin/creators/applications/?tab=decided")
    reviewer.send("th a:has-text('Mirlande Désir')")
    if page.locator("button[data-key='g']").count():  # the timetable may have been quicker
        reviewer.go("g")
    eventually(lambda: api.get("creators/me/application")["status"] == "activated", "activation")
    assert api.get("creators/me")["is_active"]


def the_creator_uploads_a_film(story: Story) -> None:
    """U-023 to U-025: parts straight to storage, made into frames and a stream by ffmpeg, waiting for review."""
    api = story.creator
    video = api.upload("lakay.mp4", files.clip(1, seconds=4), "video/mp4", "video")
    proof = api.upload("rights.jpg", files.paper("Mirlande Désir", "RIGHTS"), "image/jpeg", "proof")
    poster = api.upload("poster.jpg", files.poster(FILM, 3), "image/jpeg", "poster")
    for asset in (proof, poster):
        eventually(lambda asset=asset: api.ready(asset), "processing of the pictures")
    offer = {
        "title": FILM,
        "description": "A family, a kitchen, one night.",
        "language": "ht",
        "kind": "video",
        "category": "film",
        "access_model": "purchase",
        "price": {"amount": PRICE, "currency": "USD"},
        "video_asset_id": video,
        "poster_asset_id": poster,
    }
    refused = api.post("creators/me/titles", offer, expect=400)
    assert "proof" in str(refused)
    made = api.post("creators/me/titles", offer | {"proof_asset_ids": [proof]}, expect=201)
    assert made["moderation_status"] == "pending"
    story.title = made["id"]

    film = eventually(lambda: api.ready(video), "processing of the film")
    states = {step["name"]: step["state"] for step in film["steps"]}
    # There need not be a virus scanner on the machine; the checklist says so instead of pretending.
    assert set(states.values()) <= {"done", "not_configured"}, states
    assert {name for name, state in states.items() if state == "not_configured"} <= {"scan"}
    assert film["duration_ms"] == pytest.approx(4000, abs=150)
    eventually(
        lambda: api.get(f"creators/me/titles/{story.title}")["processing_status"] == "ready", "the title being ready"
    )
    assert story.title not in {row["id"] for row in Api(story.platform.url).get("titles")}


def a_moderator_approves_it(story: Story) -> None:
    """W-006, S-050, S-068: next, look, one key; on show when the undo window is over."""
    moderator = story.staff("content_moderator")
    page = moderator.open("/admin/moderation/cases/")
    moderator.go("g")
    expect(page.get_by_role("region", name="Video").first).to_be_visible()
    expect(page.locator("body")).to_contain_text(FILM)
    page.wait_for_function("document.querySelector('[data-video]').readyState >= 1")
    assert page.locator("[data-frames] img").evaluate("image => image.naturalWidth") > 200
    moderator.go("a")
    expect(page.locator("body")).to_contain_text("Nothing waits for a decision")
    moderator.check()
    visitor = Api(story.platform.url)
    eventually(lambda: story.title in {row["id"] for row in visitor.get("titles")}, "publication")


def a_customer_buys_and_watches_it(story: Story) -> None:
    """U-030 to U-032, S-089: hosted page, signed webhook, library, stream."""
    api = story.customer
    api.register("Beth Carter", "beth@members.example", "a-long-secret-for-beth")
    film = api.get(f"titles/{story.title}")
    assert (film["price"], film["can_play"], film["reason"]) == (
        {"amount": PRICE, "currency": "USD"},
        False,
        "purchase_required",
    )
    assert api.get(f"titles/{story.title}/play", expect=403)["code"] == "purchase_required"
    back = f"{story.platform.url}/healthz"
    bought = api.post(f"titles/{story.title}/purchase", {"return_url": back}, key="beth-1", expect=201)
    again = api.post(f"titles/{story.title}/purchase", {"return_url": back}, key="beth-1", expect=201)
    assert again == bought

    buyer = story.seat(None)
    page = buyer.page
    page.goto(bought["checkout_url"])
    expect(page.locator("body")).to_contain_text(f"USD {PRICE}")
    page.fill("#card_number", "4242 4242 4242 4242")
    page.fill("#name", "Beth Carter")
    with page.expect_navigation(url=f"{back}**"):
        page.click("button[value=pay]")

    def owned() -> Any:
        return [row for row in api.get("library") if row["title"]["id"] == story.title]

    assert eventually(owned, "the purchase in the library")[0]["status"] == "paid"
    assert api.post(f"titles/{story.title}/purchase", {"return_url": back}, key="beth-2", expect=409)

    stream = api.get(f"titles/{story.title}/play")
    assert stream["kind"] == "hls"
    address = urljoin(story.platform.url, stream["url"])
    playlist = requests.get(address, timeout=30)
    while "#EXT-X-STREAM-INF" in playlist.text:
        address = urljoin(address, _first_address(playlist.text))
        playlist = requests.get(address, timeout=30)
    assert playlist.text.startswith("#EXTM3U")
    segment = requests.get(urljoin(address, _first_address(playlist.text)), timeout=30)
    assert segment.status_code == 200
    assert len(segment.content) > 10_000
    # Without the token in the address there is nothing.
    assert requests.get(address.replace("/play/", "/play/x"), timeout=30).status_code in (403, 404)


def _first_address(playlist: str) -> str:
    return next(line for line in playlist.splitlines() if line and not line.startswith("#"))


def _payout(story: Story, reference: str) -> dict[str, Any]:
    found = next(row for row in story.creator.get("creators/me/payouts") if row["reference"] == reference)
    return dict(found)


def _ask(story: Story, amount: str, key: str) -> str:
    """The creator asks for a payout; its reference."""
    asked = story.creator.post(
        "creators/me/payouts", {"amount": {"amount": amount, "currency": "USD"}}, key=key, expect=201
    )
    assert (asked["state"], asked["run_state"]) == ("reserved", "submitted")
    return str(asked["reference"])


def _is_paid(story: Story, reference: str, screen: Seat) -> None:
    """Sent by the worker, confirmed by the provider's webhook, shown to the creator and to finance."""
    eventually(lambda: _payout(story, reference)["state"] == "paid", f"payment of {reference}")
    page = screen.page
    page.reload()
    expect(page.locator(".bl-page__heading .bl-badge")).to_have_text("Settled")
    expect(page.locator("tbody .bl-badge").first).to_have_text("Paid")
    screen.check()


def the_creator_is_paid_after_one_approval(story: Story) -> None:
    """S-077 to S-083: under the limit one person of finance, with the second factor asked for anew."""
    balance = story.creator.get("creators/me/balance")[0]
    assert (balance["free"]["amount"], balance["pending"]["amount"]) == (SHARE, "0.00")
    story.platform.call("age_factor", email=CREATOR, seconds=600)
    wanted = {"amount": {"amount": "12.00", "currency": "USD"}}
    refused = story.creator.post("creators/me/payouts", wanted, key="payout-0", expect=403)
    assert refused["code"] == "mfa_required"
    story.creator.confirm()
    reference = _ask(story, "12.00", "payout-1")
    assert story.creator.get("creators/me/balance")[0]["reserved"]["amount"] == "12.00"

    finance = story.staff("financial_admin")
    page = finance.open("/admin/finance/payouts/")
    story.platform.call("age_factor", email=FIRST, seconds=600)
    finance.effort = 0
    finance.send(f"th a:has-text('{reference}')")
    wait_for_time_to_type()
    finance.go("a")
    assert "/reauthenticate/" in page.url
    finance.send("button:has-text('Use this code')")
    expect(page.locator("body")).to_contain_text("Your approval is recorded.")
    assert finance.effort == 3
    _is_paid(story, reference, finance)
    assert _payout(story, reference)["net"]["amount"] == "11.72"


def above_the_limit_two_people_must_approve(story: Story) -> None:
    """N-016, Q-019: the same person never twice; the second signs in with password and code."""
    story.platform.call("change", key="payout.dual_approval_over", value=10_00)
    reference = _ask(story, "15.00", "payout-2")
    first = story.staff("financial_admin")
    page = first.open("/admin/finance/payouts/")
    first.send(f"th a:has-text('{reference}')")
    approve = page.locator("form[action$='/approve/']")
    address = approve.get_attribute("action")
    given = {name: approve.locator(f"[name={name}]").input_value() for name in ("csrfmiddlewaretoken", "snapshot")}
    first.go("a")
    expect(page.locator("body")).to_contain_text("You have approved this run; it needs a second person.")
    assert page.locator("[data-key=a]").count() == 0
    # Neither does sending the form again count twice.
    again = first.context.request.post(f"{story.platform.url}{address}", form=given, headers={"Referer": page.url})
    assert again.ok
    page.reload()
    expect(page.locator("aside")).to_contain_text("1 / 2")
    assert _payout(story, reference)["run_state"] == "submitted"

    second = story.seat(None)
    sign_in_by_form(second, SECOND, PASSWORD, story.platform.call("secret", email=SECOND))
    page = second.open("/admin/finance/payouts/")
    second.send(f"th a:has-text('{reference}')")
    expect(page.locator("aside")).to_contain_text("1 / 2")
    second.go("a")
    expect(page.locator("body")).to_contain_text("Your approval is recorded.")
    _is_paid(story, reference, second)
    assert story.creator.get("creators/me/balance")[0]["available"]["amount"] == "8.74"


def a_question_is_answered(story: Story) -> None:
    """U-050: opened by the customer, answered with the keyboard, read by the customer."""
    opened = story.customer.post(
        "tickets",
        {
            "issue_type": "content",
            "subject": QUESTION,
            "body": "It shows a black picture.",
            "links": [{"kind": "purchase", "id": story.customer.get("library")[0]["id"]}],
        },
        expect=201,
    )
    assert opened["first_response_due"]
    story.ticket = opened["id"]
    agent = story.staff("customer_support")
    page = agent.open("/admin/support/tickets/")
    agent.go("n")
    expect(page.locator("body")).to_contain_text(QUESTION)
    agent.press("r")
    page.keyboard.type("Hello Beth, please restart the player; we have mended the stream.")
    agent.go("Control+Enter")
    agent.check()
    answered = story.customer.get(f"tickets/{story.ticket}")
    assert answered["messages"][-1]["body"].startswith("Hello Beth, please restart")
    assert answered["messages"][-1]["side"] == "agent"
    assert answered["status"] == "pending_customer"


def an_editor_features_the_film(story: Story) -> None:
    """W-015, U-034: from the title's own page into a section, served at once."""
    visitor = Api(story.platform.url)
    editor = story.staff("editor")
    page = editor.open("/admin/catalogue/titles/")
    editor.send(f"a:has-text('{FILM}')")
    editor.effort = 0
    editor.go("f")
    assert page.url.startswith(f"{story.platform.url}/cms/featured/")
    section = page.locator("button[data-digit='1']").get_attribute("value")
    editor.go("1")
    assert editor.effort == 2
    expect(page.locator(f"#section-{section}")).to_contain_text(FILM)
    editor.check()
    shelves = {shelf["slug"]: shelf for shelf in visitor.get("featured", section=section)}
    assert [item["id"] for item in shelves[section]["items"]] == [story.title]


def the_report_shows_the_sale(story: Story) -> None:
    """W-032, K-006: the analyst's page and finance's file, from the ledger."""
    analyst = story.staff("analyst")
    page = analyst.open("/admin/reports/revenue/")
    expect(page.locator("tfoot").first).to_contain_text(f"${PRICE}")
    expect(page.locator("[data-chart] svg").first).to_be_visible()
    assert "Mirlande" not in page.content()
    analyst.check()

    finance = story.staff("financial_admin")
    page = finance.open("/admin/reports/revenue/")
    expect(page.locator("body")).to_contain_text("Mirlande Désir")
    page.click("button[data-dialog='export-periods-USD']")
    page.fill("dialog[open] textarea[name=reason]", "Checking the first sale")
    with page.expect_download() as waiting:
        page.click("dialog[open] .bl-btn--primary")
    content = waiting.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    totals = [row for row in rows if row["From"] == "Total"]
    assert len(totals) == 1
    assert PRICE in totals[0].values()
    finance.check()


def the_books_and_the_trail_hold(story: Story) -> None:
    """What left the platform left once; every rule of the ledger and every link of the audit chain, recomputed."""
    values = story.platform.values
    transfers = requests.get(
        f"{values['STRIPE_BASE_URL']}/v1/transfers", headers={"Authorization": "Bearer sk_test_local"}, timeout=30
    ).json()["data"]
    assert sorted(transfer["amount"] for transfer in transfers) == [11_72, 14_71]
    for name in ("verify_ledger", "verify_audit"):
        done = story.platform.command(name)
        assert done.returncode == 0, done.stdout + done.stderr
    admin = story.staff("super_admin")
    page = admin.open("/admin/system/jobs/?state=dead")
    expect(page.locator("body")).not_to_contain_text("Run again")
    admin.check()
