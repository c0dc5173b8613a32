"""Whether commits wait for the disk: the wait is the same for everybody and hides what the code costs."""

from django.db import connection


def wait_for_disk(wait: bool) -> None:
    """From now on, in this process."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET synchronous_commit = {'on' if wait else 'off'}")


def words(wait: bool) -> str:
    """What is added to the name of the work."""
    return ", every commit on disk" if wait else ""
