"""A kind of job whose runs and effects can be counted, and that stops at a wanted place for the kill."""

import time

from django.db import connection, transaction

from backoffice.core import jobs

KIND = "verification.add"
# Long after the test has killed the process.
FOREVER = 600

TABLES = """
CREATE TABLE verification_run (number integer NOT NULL, attempt integer NOT NULL);
CREATE TABLE verification_effect (number integer PRIMARY KEY);
CREATE TABLE verification_total (amount integer NOT NULL);
INSERT INTO verification_total VALUES (0);
GRANT SELECT, INSERT, UPDATE ON verification_run, verification_effect, verification_total TO PUBLIC;
"""


@jobs.handler(KIND, timeout=60)
def add(job: jobs.JobContext, *, number: int, stop: str = "") -> None:
    """Adds one to the total, once per number however often it runs.

    On its first attempt a job with ``stop`` stays "before" or "after" its commit until somebody kills it.
    """
    hangs = stop if job.attempt == 1 else ""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO verification_run VALUES (%s, %s)", [number, job.attempt])
        with transaction.atomic():
            cursor.execute("INSERT INTO verification_effect VALUES (%s) ON CONFLICT DO NOTHING", [number])
            fresh = cursor.rowcount
            if hangs == "before":
                time.sleep(FOREVER)
            if fresh:
                cursor.execute("UPDATE verification_total SET amount = amount + 1")
    if hangs == "after":
        time.sleep(FOREVER)
