"""The database of a run: a server of its own that writes to disk as in production, migrated and thrown away."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from backoffice.settings import embedded
from tests.databases import Server, with_role

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("BENCH_DATA_DIR", ROOT / ".data" / "bench")).resolve()
NAME = "backlot_bench"


def superuser(name: str) -> psycopg.Connection:
    """A connection as the superuser: vacuums and checkpoints."""
    return Server(with_role(os.environ["DATABASE_URL"], "postgres", name)).connect(name)


@contextmanager
def database() -> Iterator[Server]:
    """Django set up on a fresh, migrated database, as the application's role; stopped and removed at the end."""
    server = Server(embedded.start(DATA, database="").superuser)
    try:
        for folder in ("broker", "broker-control", "static"):
            (DATA / folder).mkdir(exist_ok=True)
        os.environ["DATA_DIR"] = str(DATA)
        os.environ["LOG_LEVEL"] = "WARNING"
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        os.environ["DATABASE_URL"] = with_role(server.superuser, embedded.APPLICATION, "postgres")
        import django

        django.setup()
        template = server.template()
        server.copy(NAME, template)
        os.environ["DATABASE_URL"] = with_role(server.superuser, embedded.APPLICATION, NAME)
        _plain_tables()
        yield server
        server.drop(NAME)
    finally:
        for file in (DATA / "broker").glob("*"):
            file.unlink()
        embedded.stop(DATA)


def _plain_tables() -> None:
    """The tables of the ledger that ours is measured against; then Django works as the application."""
    from django.db import connections

    from benchmarks.models import PLAIN

    connection = connections["default"]
    connection.close()
    connection.settings_dict.update(NAME=NAME, USER=embedded.OWNER)
    with connection.schema_editor() as editor:
        for model in PLAIN:
            editor.create_model(model)
            editor.execute(f"GRANT SELECT, INSERT, UPDATE ON {model._meta.db_table} TO {embedded.APPLICATION}")
    connection.close()
    connection.settings_dict.update(USER=embedded.APPLICATION)
