"""Taking a role away while somebody approves it: each waits for the other's request, never both for each other."""

import threading
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.accounts.services import roles, staff
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from tests.factories import accounts

pytestmark = pytest.mark.django_db(transaction=True)
# Tests of other processes wait for locks of the same server, too.
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def until_somebody_waits() -> None:
    """Returns once another connection waits for what this one has locked."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(WAITS)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize(
    "away",
    [
        lambda person, boss: roles.take(user=person, role="admin", by=boss, reason="Changed our minds"),
        lambda person, boss: staff.deactivate(user=person, by=boss, reason="Leaves"),
    ],
    ids=["take", "deactivate"],
)
def test_an_approval_under_way_and_its_end_do_not_wait_for_each_other(away: Callable[[User, User], None]) -> None:
    roles.load()
    boss, person = accounts.staff("super_admin"), accounts.staff()
    request = roles.give(user=person, role="admin", by=boss, reason="Takes over")
    assert isinstance(request, ApprovalRequest)
    broken: list[BaseException] = []

    def run() -> None:
        try:
            away(person, boss)
        except BaseException as error:
            broken.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=run)
    # What an approval locks, in its order: the request, then everything that role changes wait for.
    with transaction.atomic():
        requests.lock(request.pk)
        other.start()
        until_somebody_waits()
        Group.objects.select_for_update().get(name="super_admin")
    other.join(timeout=30)
    assert not other.is_alive()
    assert not broken, broken
    assert ApprovalRequest.objects.get(pk=request.pk).status == "withdrawn"
