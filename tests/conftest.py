"""Every test runs on a real PostgreSQL, as the application's own role, in a copy of one migrated template."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from backoffice.settings import embedded
from tests.databases import Server, with_role

ROOT = Path(__file__).resolve().parents[1]
# How long an example takes is the machine's business, and what else runs on it.
hypothesis.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("tests")
TEST_DATA = Path(os.environ.get("TEST_DATA_DIR", ROOT / ".data" / "test")).resolve()


def server() -> Server:
    """The server of the tests."""
    return Server(os.environ["BACKLOT_TEST_SUPERUSER"])


def pytest_configure(config: pytest.Config) -> None:
    """Starts the server before Django reads its settings."""
    if os.environ.get("TEST_DATABASE_ADMIN_URL"):
        superuser = os.environ["TEST_DATABASE_ADMIN_URL"]
    else:
        superuser = embedded.start(TEST_DATA, database="", fsync=False).superuser
    os.environ["BACKLOT_TEST_SUPERUSER"] = superuser
    os.environ.setdefault("DATA_DIR", str(TEST_DATA / "files"))
    os.environ["DATABASE_URL"] = with_role(superuser, embedded.APPLICATION, "postgres")
    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings.test"
    from django.conf import settings

    assert settings.DATABASES  # reads the settings, so that pytest-django sets Django up


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_blocker: pytest.FixtureRequest, worker_id: str
) -> Iterator[None]:
    """A database of this worker's own, copied from the template; the connection is the application's role."""
    from django.db import connections
    from django.test import TransactionTestCase

    name = f"backlot_test_{os.getpid()}_{worker_id}"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        template = server().template()
        os.environ["BACKLOT_TEST_TEMPLATE"] = template
        server().copy(name, template)
        connection = connections["default"]
        connection.close()
        connection.settings_dict.update(NAME=name, USER=embedded.APPLICATION)
    # Django would empty the tables over the test's own connection, which has no right to.
    TransactionTestCase._fixture_teardown = _refill  # type: ignore[method-assign]
    os.environ["BACKLOT_TEST_DATABASE"] = name
    os.environ["DATABASE_URL"] = with_role(os.environ["BACKLOT_TEST_SUPERUSER"], embedded.APPLICATION, name)
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connections["default"].close()
        server().drop(name)


def _refill(case: object = None) -> None:
    """After a test that committed: a fresh copy. The application's role has no right to empty the tables."""
    from django.core.cache import cache
    from django.db import connections

    cache.clear()
    connections["default"].close()
    server().copy(os.environ["BACKLOT_TEST_DATABASE"], os.environ["BACKLOT_TEST_TEMPLATE"])


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Settings, throttles and used codes of one test do not reach the next."""
    from django.core.cache import cache

    yield
    cache.clear()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second passes: what an authenticator app shows is good when it arrives, and a factor grows no older."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture(autouse=True)
def _fresh_language() -> Iterator[None]:
    """The language of one test's last request is not the next test's."""
    from django.utils import translation

    yield
    translation.deactivate()


@pytest.fixture
def owner_connection(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection as the superuser with triggers off: what an attacker with the server's keys could do."""
    with server().connect(os.environ["BACKLOT_TEST_DATABASE"]) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection
