"""One platform per file of tests, so that what waits in one is not in the way of another."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from backoffice.settings import embedded
from tests.browser.people import Seat, sign_in, sit_down
from tests.browser.platform import Platform, chromium
from tests.databases import Server, with_role

HERE = Path(__file__).parent
# Both cores work on other tests meanwhile: what a page shows after a moment may take many of them.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The browser; without one the tests are left out, unless the machine is meant to have one."""
    found = chromium()
    if found is None:
        if os.environ.get("BACKLOT_REQUIRE_BROWSER"):
            pytest.fail("Chromium is needed here and was not found.")
        pytest.skip("There is no Chromium on this machine.")
    return found


@pytest.fixture(scope="module")
def platform(
    browser_path: str, django_db_setup: None, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """Every process of the platform on ports, a data directory and a database of its own."""
    name = f"backlot_browser_{os.getpid()}_{worker_id}"
    superuser = os.environ["BACKLOT_TEST_SUPERUSER"]
    Server(superuser).copy(name, os.environ["BACKLOT_TEST_TEMPLATE"])
    running = Platform(
        tmp_path_factory.mktemp("platform"),
        application_url=with_role(superuser, embedded.APPLICATION, name),
        owner_url=with_role(superuser, embedded.OWNER, name),
    )
    try:
        running.start()
        yield running
    finally:
        running.stop()
        Server(superuser).drop(name)


@pytest.fixture(scope="package")
def chrome(browser_path: str) -> Iterator[Browser]:
    """A running browser. Not for the whole session: Django refuses its database while Playwright's loop runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def seat(platform: Platform, chrome: Browser) -> Iterator[Callable[..., Seat]]:
    """``seat("editor")`` is somebody of that role at a browser; ``seat(None)`` is nobody yet.

    At the end of the test none of them may have seen an error on a page.
    """
    seats: list[Seat] = []

    def take(role: str | None, **options: object) -> Seat:
        found = sit_down(chrome, platform.url, **options)  # type: ignore[arg-type]
        seats.append(found)
        return sign_in(found, role) if role else found

    yield take
    for found in seats:
        found.context.close()
    for found in seats:
        found.check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    """A failure shows what the processes wrote and what the browsers showed."""
    report = yield
    platform = getattr(item, "funcargs", {}).get("platform")
    if report.when == "call" and report.failed and platform is not None:
        report.sections.append(("platform", platform.logs()))
    return report
