"""What PostgreSQL itself refuses: migration operations for grants and append-only tables."""

from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION backlot_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: rows of this table are written once', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""

ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} LOGIN;
  END IF;
END $$;
"""


class ApplicationRole(Operation):
    """Gives the application's database role its rights on every table there is and every table to come.

    The role may read, insert, update and delete; it never gets TRUNCATE, and `AppendOnlyTable` takes UPDATE and
    DELETE away again table by table.
    """

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Grants are no part of the model state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        role = schema_editor.quote_name(settings.DATABASE_APP_ROLE)
        schema_editor.execute(ROLE.format(role=settings.DATABASE_APP_ROLE), params=None)
        schema_editor.execute(REFUSE_CHANGE, params=None)
        rights = "SELECT, INSERT, UPDATE, DELETE"
        for statement in (
            f"GRANT USAGE ON SCHEMA public TO {role}",
            f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {role}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON TABLES TO {role}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        ):
            schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        role = schema_editor.quote_name(settings.DATABASE_APP_ROLE)
        schema_editor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")

    def describe(self) -> str:
        return "Grants the application role its rights"


class AppendOnlyTable(Operation):
    """Makes a table insert-only: a trigger refuses UPDATE, DELETE and TRUNCATE, and the rights are revoked."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str) -> None:
        self.table = table

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.table], {})

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Triggers are no part of the model state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table, role = schema_editor.quote_name(self.table), schema_editor.quote_name(settings.DATABASE_APP_ROLE)
        schema_editor.execute(
            f"CREATE TRIGGER {self.table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION backlot_refuse_change()"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {self.table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION backlot_refuse_change()"
        )
        schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = schema_editor.quote_name(self.table)
        schema_editor.execute(f"DROP TRIGGER {self.table}_append_only ON {table}")
        schema_editor.execute(f"DROP TRIGGER {self.table}_no_truncate ON {table}")

    def describe(self) -> str:
        return f"Makes {self.table} insert-only"
