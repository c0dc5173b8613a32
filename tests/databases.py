"""A migrated template database on a server, and quick copies of it: for the tests and the benchmarks."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from backoffice.settings import embedded

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE_LOCK = 7_245_001


def schema_digest() -> str:
    """Changes whenever a migration, or what migrations call, changes."""
    files = sorted([*ROOT.glob("backoffice/**/migrations/*.py"), *ROOT.glob("cms/**/migrations/*.py")])
    files += [ROOT / "backoffice/core/database.py", ROOT / "requirements/dev.txt", ROOT / "tests/databases.py"]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def with_role(address: str, role: str, database: str) -> str:
    """The superuser's address for another role and database."""
    query = address.partition("?")[2]
    place = address.split("@", 1)[1].split("/", 1)[0] if "@" in address else ""
    return f"postgresql://{role}@{place}/{database}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server by its superuser's address."""

    superuser: str

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as the superuser."""
        return psycopg.connect(with_role(self.superuser, "postgres", database), autocommit=True)

    def template(self) -> str:
        """The name of the migrated database with the reference data; made by whoever comes first.

        Django is set up and its connection leads to this server.
        """
        from django.core.management import call_command
        from django.db import connections

        name = f"backlot_template_{schema_digest()}"
        with self.connect() as server:
            server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
            try:
                if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                    return name
                making = f"{name}_making"
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(making)))
                server.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(making), sql.Identifier(embedded.OWNER)
                    )
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

    def copy(self, name: str, template: str) -> None:
        """Makes a database anew from the template; whoever is still connected to the old one is cut off."""
        with self.connect() as server:
            server.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(embedded.OWNER)
                )
            )
            server.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected."""
        with self.connect() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
