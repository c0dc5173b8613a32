"""Who uses the platform from outside: people with the public API, staff with a browser, both with an app for codes."""

import base64
import hashlib
import hmac
import re
import struct
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

PERIOD = 30
# Nobody types a code that is about to change: it would be another one when it arrives.
TO_TYPE = 10.0


def wait_for_the_next_code() -> None:
    """Returns when the app, or a page of the demo, shows another code than now."""
    time.sleep(PERIOD - time.time() % PERIOD + 0.1)


def wait_for_time_to_type() -> None:
    """Returns when the code that is shown stays good long enough to be given."""
    if PERIOD - time.time() % PERIOD < TO_TYPE:
        wait_for_the_next_code()


def code(secret: str) -> str:
    """The six digits of an authenticator app (RFC 6238), with time left to give them."""
    wait_for_time_to_type()
    counter = int(time.time() // PERIOD)
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


class Api:
    """One person's client of the public API."""

    def __init__(self, url: str) -> None:
        self.base = f"{url}/api/v1/"
        self.session = requests.Session()
        self.secret = ""

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        expect: int | tuple[int, ...] = (200, 201, 202, 204),
        files: dict[str, Any] | None = None,
        form: dict[str, str] | None = None,
        key: str = "",
        **query: str,
    ) -> Any:
        """The answer's data. An answer with another status fails the test with what the server said."""
        answer = self.session.request(
            method,
            self.base + path,
            json=body,
            files=files,
            data=form,
            params=query,
            headers={"Idempotency-Key": key} if key else {},
            timeout=60,
        )
        wanted = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in wanted, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        if answer.status_code == 204:
            return None
        content = answer.json()
        return content["data"] if content["success"] else content["error"]

    def get(self, path: str, **options: Any) -> Any:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.call("POST", path, body, **options)

    def register(self, name: str, email: str, password: str, *, language: str = "en", country: str = "US") -> None:
        """A new account, signed in."""
        pair = self.post(
            "auth/register",
            {"email": email, "password": password, "display_name": name, "language": language, "country": country},
        )
        self.session.headers["Authorization"] = f"Bearer {pair['access']}"

    def enrol(self) -> None:
        """Sets up an authenticator app."""
        self.secret = self.post("auth/mfa/enroll")["secret"]
        given = self.post("auth/mfa/confirm", {"code": code(self.secret)})
        assert len(given["recovery_codes"]) >= 8

    def confirm(self) -> None:
        """Gives a fresh code on this session, and the next one when this one was used."""
        answer = self.post("auth/mfa/verify", {"code": code(self.secret)}, expect=(200, 400))
        if "code" in answer:
            wait_for_the_next_code()
            self.post("auth/mfa/verify", {"code": code(self.secret)})

    def upload(self, filename: str, content: bytes, content_type: str, purpose: str) -> str:
        """Sends a file in parts straight to storage; the id of the asset that is made of it."""
        started = self.post(
            "uploads",
            {
                "filename": filename,
                "bytes": len(content),
                "content_type": content_type,
                "purpose": purpose,
                "checksum": hashlib.sha256(content).hexdigest(),
            },
            expect=201,
        )
        done = []
        for part in started["parts"]:
            first = (part["number"] - 1) * started["part_size"]
            # The address itself is the permission: no token goes to storage.
            sent = requests.put(part["url"], data=content[first : first + part["bytes"]], timeout=60)
            assert sent.status_code in (200, 201, 204), sent.text
            done.append({"number": part["number"], "etag": sent.headers["ETag"]})
        finished = self.post(f"uploads/{started['id']}/complete", {"parts": done})
        assert finished["asset"]["checksum"] == hashlib.sha256(content).hexdigest()
        return str(finished["asset"]["id"])

    def ready(self, asset: str) -> dict[str, Any] | None:
        """The file once it is prepared; fails when it cannot be."""
        found: dict[str, Any] = self.get(f"assets/{asset}")["asset"]
        assert found["status"] not in ("error", "quarantined"), found
        return found if found["status"] == "ready" else None


# What a page may say without being wrong: a refused form is shown again with its status.
EXPECTED_STATUS = (400, 409)


@dataclass
class Seat:
    """A staff person at a browser of their own. ``wrong`` collects what no page may do; ``effort`` counts."""

    context: BrowserContext
    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)
    effort: int = 0

    def open(self, path: str) -> Page:
        """Goes to an address; a screen answers 200."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"
        return self.page

    def press(self, key: str) -> Page:
        """One key, where the page has the focus."""
        self.effort += 1
        self.page.keyboard.press(key)
        return self.page

    def go(self, key: str) -> Page:
        """One key that leads to another page."""
        self.effort += 1
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press(key)
        return self.page

    def click(self, selector: str) -> Page:
        """One click."""
        self.effort += 1
        self.page.click(selector)
        return self.page

    def send(self, selector: str) -> Page:
        """One click that leads to another page."""
        self.effort += 1
        with self.page.expect_navigation(wait_until="load"):
            self.page.click(selector)
        return self.page

    def check(self) -> None:
        """Fails when a page logged an error, broke its policy or missed a file."""
        assert not self.wrong, "\n".join(self.wrong)


# The countdown of a claim that somebody has just taken; a busy machine may show it some seconds later.
FRESH = re.compile(r"^(2:00|1:[345]\d)$")


def sit_down(
    browser: Browser,
    url: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
) -> Seat:
    """A fresh browser profile, watched, not signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US", reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    seat = Seat(context, page, url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        # Chromium repeats every status over 399 here; `on_response` judges those.
        if message.text.startswith("Failed to load resource"):
            return
        seat.wrong.append(f"{page.url}: console: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= 400 and response.status not in EXPECTED_STATUS:
            seat.wrong.append(f"{page.url}: {response.status} for {response.url}")

    def on_failed(request: Request) -> None:
        # A page that is left while a film loads breaks that request off.
        if request.failure and "ERR_ABORTED" not in request.failure:
            seat.wrong.append(f"{page.url}: {request.failure} for {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: seat.wrong.append(f"{page.url}: {error}"))
    page.on("response", on_response)
    page.on("requestfailed", on_failed)
    return seat


def sign_in(seat: Seat, role: str) -> Seat:
    """The demo's one click. ``role`` is a role, or a second person such as ``super.second``."""
    seat.open("/accounts/login/")
    with seat.page.expect_navigation(url="**/admin/**"):
        seat.page.click(f'button[name="role"][value="{role}"]')
    return seat


def sign_in_by_form(seat: Seat, email: str, password: str, secret: str) -> Seat:
    """Address and password, then the app's code."""
    page = seat.open("/accounts/login/")
    page.fill('input[name="login"]', email)
    page.fill('input[name="password"]', password)
    with page.expect_navigation():
        page.press('input[name="password"]', "Enter")
    page.fill('input[name="code"]:not([type="hidden"])', code(secret))
    with page.expect_navigation(url="**/admin/**"):
        page.press('input[name="code"]:not([type="hidden"])', "Enter")
    return seat
