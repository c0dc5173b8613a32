"""Many rows at once: copies of one real row, with some columns replaced."""

from django.db import connection, models

from benchmarks.database import NAME, superuser


def multiply(row: models.Model, count: int, **replaced: str) -> None:
    """Inserts ``count`` copies of ``row``; ``replaced`` maps columns to SQL, in which ``n`` counts from 1.

    The database checks every constraint as for any other row.
    """
    table = connection.ops.quote_name(row._meta.db_table)
    # The number goes in although no column has its name: it makes every copy an evaluation of its own.
    pairs = ", ".join(f"'{column}', {expression}" for column, expression in {"_": "n", **replaced}.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT copied.* FROM {table} base, generate_series(1, %s) n,"  # noqa: S608  ours
            f" LATERAL jsonb_populate_record(base, jsonb_build_object({pairs})) copied WHERE base.id = %s",
            [count, row.pk],
        )


def settle(*tables: str) -> None:
    """Statistics and visibility as they are on a platform that has been running."""
    with superuser(NAME) as server:
        for table in tables:
            server.execute(f"VACUUM ANALYZE {table}")
        server.execute("CHECKPOINT")
