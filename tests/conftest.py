"""Every test runs on a real PostgreSQL, as the application's own role, in a copy of one migrated template."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from backoffice.settings import embedded

ROOT = Path(__file__).resolve().parents[1]
TEST_DATA = Path(os.environ.get("TEST_DATA_DIR", ROOT / ".data" / "test")).resolve()
TEMPLATE_LOCK = 7_245_001


def _schema_digest() -> str:
    """Changes whenever a migration, or what migrations call, changes."""
    files = sorted([*ROOT.glob("backoffice/**/migrations/*.py"), *ROOT.glob("cms/**/migrations/*.py")])
    files += [ROOT / "backoffice/core/database.py", ROOT / "requirements/dev.txt", ROOT / "tests/conftest.py"]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def pytest_configure(config: pytest.Config) -> None:
    """Starts the server before Django reads its settings."""
    if os.environ.get("TEST_DATABASE_ADMIN_URL"):
        superuser = os.environ["TEST_DATABASE_ADMIN_URL"]
    else:
        superuser = embedded.start(TEST_DATA, database="", fsync=False).superuser
    os.environ["BACKLOT_TEST_SUPERUSER"] = superuser
    os.environ.setdefault("DATA_DIR", str(TEST_DATA / "files"))
    os.environ["DATABASE_URL"] = _with_role(superuser, embedded.APPLICATION, "postgres")
    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings.test"
    from django.conf import settings

    assert settings.DATABASES  # reads the settings, so that pytest-django sets Django up


def _with_role(address: str, role: str, database: str) -> str:
    """The superuser's address for another role and database."""
    query = address.partition("?")[2]
    place = address.split("@", 1)[1].split("/", 1)[0] if "@" in address else ""
    return f"postgresql://{role}@{place}/{database}" + (f"?{query}" if query else "")


def _superuser(database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(_with_role(os.environ["BACKLOT_TEST_SUPERUSER"], "postgres", database), autocommit=True)


def _template() -> str:
    """The name of the migrated template database; made by whichever worker comes first."""
    from django.core.management import call_command
    from django.db import connections

    name = f"backlot_template_{_schema_digest()}"
    with _superuser() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        try:
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return name
            making = f"{name}_making"
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(making)))
            server.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(making), sql.Identifier(embedded.OWNER))
            )
            connection = connections["default"]
            connection.close()
            connection.settings_dict.update(NAME=making, USER=embedded.OWNER)
            call_command("migrate", verbosity=0)
            connection.close()
            connection.settings_dict.update(USER=embedded.APPLICATION)
            call_command("load_reference", verbosity=0)
            connection.close()
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
            )
        finally:
            server.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])
    return name


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_blocker: pytest.FixtureRequest, worker_id: str
) -> Iterator[None]:
    """A database of this worker's own, copied from the template; the connection is the application's role."""
    from django.db import connections
    from django.test import TransactionTestCase

    name = f"backlot_test_{os.getpid()}_{worker_id}"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        template = _template()
        os.environ["BACKLOT_TEST_TEMPLATE"] = template
        _copy(name, template)
        connection = connections["default"]
        connection.close()
        connection.settings_dict.update(NAME=name, USER=embedded.APPLICATION)
    # Django would empty the tables over the test's own connection, which has no right to.
    TransactionTestCase._fixture_teardown = _refill  # type: ignore[method-assign]
    os.environ["BACKLOT_TEST_DATABASE"] = name
    os.environ["DATABASE_URL"] = _with_role(os.environ["BACKLOT_TEST_SUPERUSER"], embedded.APPLICATION, name)
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connections["default"].close()
        with _superuser() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _copy(name: str, template: str) -> None:
    """Makes the worker's database anew from the template; whoever is still connected to the old one is cut off."""
    with _superuser() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(embedded.OWNER)
            )
        )
        server.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])


def _refill(case: object = None) -> None:
    """After a test that committed: a fresh copy. The application's role has no right to empty the tables."""
    from django.core.cache import cache
    from django.db import connections

    cache.clear()
    connections["default"].close()
    _copy(os.environ["BACKLOT_TEST_DATABASE"], os.environ["BACKLOT_TEST_TEMPLATE"])


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Settings, throttles and used codes of one test do not reach the next."""
    from django.core.cache import cache

    yield
    cache.clear()


@pytest.fixture
def owner_connection(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection as the superuser with triggers off: what an attacker with the server's keys could do."""
    with _superuser(os.environ["BACKLOT_TEST_DATABASE"]) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection
