#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL it uses the private PostgreSQL in the data directory."""

import os
import sys
from pathlib import Path

# These change the schema, so they connect as its owner (docs/decisions/0002-database-roles.md).
OWNER_COMMANDS = {"migrate", "createcachetable", "sqlmigrate", "sqlflush", "flush"}


def main() -> None:
    """Runs one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings.local")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in OWNER_COMMANDS:
        os.environ["BACKLOT_AS_OWNER"] = "1"
    if "DATABASE_URL" not in os.environ and "production" not in os.environ["DJANGO_SETTINGS_MODULE"]:
        from backoffice.settings import embedded

        data_dir = Path(os.environ.get("DATA_DIR", Path(__file__).resolve().parent / ".data")).resolve()
        found = embedded.start(data_dir)
        os.environ["DATABASE_URL"] = found.application
        os.environ["DATABASE_ADMIN_URL"] = found.owner

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
