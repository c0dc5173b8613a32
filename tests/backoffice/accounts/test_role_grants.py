"""Roles for a time, who may give them, and that nobody is left without a Super Admin (P-035, P-046, Q-018)."""

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from backoffice.accounts.models import RoleGrant, User
from backoffice.accounts.services import roles, staff
from backoffice.audit.models import AuditEntry
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid
from tests.desk.clients import seat
from tests.factories import accounts

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def fresh(person: User) -> User:
    return User.objects.get(pk=person.pk)


def lapse(person: User, role: str) -> None:
    """Lets the person's grant have ended a second ago, before any clean-up has run."""
    RoleGrant.objects.filter(user=person, role=role).update(expires_at=clock.now() - timedelta(seconds=1))


def test_a_role_for_a_time_gives_its_rights_and_then_none_before_any_job_ran() -> None:
    person = accounts.staff("analyst")
    roles.give(user=person, role="financial_admin", by=None, reason="Holiday cover", until=clock.now() + HOUR)
    assert fresh(person).may("payouts.approve")
    lapse(person, "financial_admin")
    assert not fresh(person).may("payouts.approve")
    assert fresh(person).may("reports.view"), "the role for good stays"
    assert fresh(person).role_codes == ("analyst",)
    assert person.groups.filter(name="financial_admin").exists(), "no clean-up ran"


def test_the_job_takes_it_out_of_the_group_and_writes_it_down() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    roles.give(user=person, role="editor", by=boss, reason="Launch", until=clock.now() + HOUR)
    lapse(person, "editor")
    jobs.enqueue("accounts.expire_grants")
    jobs.run_due(kinds=["accounts.expire_grants"])
    assert not person.groups.exists()
    entry = AuditEntry.objects.get(action="role.expire")
    assert (entry.subject_id, entry.before["role"]) == (str(person.pk), "editor")
    assert roles.expire_due() == 0


def test_a_lapsed_role_closes_desk_and_editor_at_the_next_request() -> None:
    client = seat()
    roles.give(
        user=client.person, role="editor", by=accounts.staff("super_admin"), reason="x", until=clock.now() + HOUR
    )
    assert client.get("/cms/").status_code == 200
    lapse(client.person, "editor")
    assert client.get("/cms/").status_code in (302, 403)
    assert not client.person.groups.exists(), "what reads groups itself sees it too"


def test_only_super_admins_give_roles() -> None:
    person = accounts.staff()
    for role in ("admin", "ops_manager", "customer_support"):
        with pytest.raises(Forbidden):
            roles.give(user=person, role="analyst", by=accounts.staff(role), reason="x")
        with pytest.raises(Forbidden):
            roles.take(user=person, role="analyst", by=accounts.staff(role), reason="x")


def test_a_reason_and_a_future_end_are_needed() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    with pytest.raises(Invalid, match="why"):
        roles.give(user=person, role="editor", by=boss, reason=" ")
    with pytest.raises(Invalid, match="future"):
        roles.give(user=person, role="editor", by=boss, reason="x", until=clock.now() - HOUR)
    with pytest.raises(Invalid):
        roles.give(user=person, role="editor", by=boss, reason="x", languages=["xx"])


@pytest.mark.parametrize("role", ["financial_admin", "super_admin", "editor"])
def test_nobody_gives_a_role_to_themselves(role: str) -> None:
    boss = accounts.staff("super_admin")
    with pytest.raises(Forbidden, match="themselves"):
        roles.give(user=boss, role=role, by=boss, reason="I need it", until=clock.now() + HOUR)


def test_a_super_admin_opens_documents_to_themselves_for_hours_and_the_others_are_told() -> None:
    boss, other, admin = accounts.staff("super_admin"), accounts.staff("super_admin"), accounts.staff("admin")
    assert not boss.may("documents.view")
    for until in (None, clock.now() + timedelta(hours=9)):
        with pytest.raises(Invalid, match="8 hours"):
            roles.give(user=boss, role="verification_reviewer", by=boss, reason="Court order", until=until)
    roles.give(user=boss, role="verification_reviewer", by=boss, reason="Court order", until=clock.now() + HOUR)
    assert fresh(boss).may("documents.view")
    jobs.run_due(kinds=["notifications.send"])
    assert [message.to for message in mail.outbox] == [[other.email]]
    assert "Court order" in mail.outbox[0].body
    assert AuditEntry.objects.get(action="role.give").subject_id == str(boss.pk)
    assert admin.email not in str(mail.outbox)


def test_the_last_super_admin_stays() -> None:
    boss, temporary = accounts.staff("super_admin"), accounts.staff()
    roles.give(user=temporary, role="super_admin", by=None, reason="Cover", until=clock.now() + HOUR)
    with pytest.raises(Conflict, match="last Super Admin"):
        roles.take(user=boss, role="super_admin", by=temporary, reason="x")
    with pytest.raises(Conflict, match="last Super Admin"):
        staff.deactivate(user=boss, by=fresh(temporary), reason="x")
    with pytest.raises(Conflict, match="last Super Admin"):
        roles.give(user=boss, role="super_admin", by=temporary, reason="x", until=clock.now() + HOUR)
    roles.give(user=accounts.staff(), role="super_admin", by=None, reason="Second one")
    roles.take(user=boss, role="super_admin", by=temporary, reason="Left")


def test_giving_a_role_again_replaces_its_end() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    roles.give(user=person, role="editor", by=boss, reason="Trial", until=clock.now() + HOUR)
    roles.give(user=person, role="editor", by=boss, reason="Stays")
    assert RoleGrant.objects.get(user=person, ended_at=None).expires_at is None
    assert RoleGrant.objects.filter(user=person).count() == 2


def test_two_super_admins_who_take_each_others_role_at_once_leave_one(transactional_db: None) -> None:
    first, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    gate, problems = threading.Barrier(2), []

    def take(user: User, by: User) -> None:
        gate.wait(60)
        try:
            roles.take(user=user, role="super_admin", by=by, reason="Coup")
        except DomainError as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert roles.super_admins().count() == 1
    assert len(problems) == 1
