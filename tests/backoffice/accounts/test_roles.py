import pytest
from django.contrib.auth.models import Group

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.accounts.roles import MATRIX, ROLES, permissions_of
from backoffice.accounts.services import roles
from backoffice.audit.models import AuditEntry
from backoffice.core.errors import Forbidden, Invalid
from tests.factories.accounts import member, staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_its_column_says_and_nothing_else(role: str) -> None:
    person = staff(role)
    everything = {f"{area}.{verb}" for area, row in MATRIX.items() for verbs in row.values() for verb in verbs.split()}
    assert {name for name in everything if person.may(name)} == set(permissions_of(role))


@pytest.mark.parametrize(
    ("role", "may_not"),
    [
        (
            "ops_manager",
            ["payouts.approve", "payouts.decide", "users.edit", "switches.view", "users.export"],
        ),  # P-006 ff.
        ("content_moderator", ["payments.view", "payouts.view", "settings.view", "users.suspend"]),  # P-011 to P-014
        ("customer_support", ["cases.decide", "payouts.view", "documents.view", "settings.view"]),  # P-016 to P-019
        ("financial_admin", ["users.edit", "cases.view", "titles.view", "settings.view"]),  # P-021 to P-024
        ("super_admin", ["documents.view", "documents.decide"]),
        ("admin", ["staff.edit", "staff.decide", "settings.security", "switches.edit", "documents.view"]),  # P-029
    ],
)
def test_what_the_specification_denies_is_denied(role: str, may_not: list[str]) -> None:
    person = staff(role)
    assert [name for name in may_not if person.may(name)] == []


def test_nobody_but_staff_has_a_role_or_a_right() -> None:
    person = member()
    with pytest.raises(Invalid):
        roles.give(user=person, role="admin", by=None)
    person.groups.add(Group.objects.get(name="super_admin"))
    assert not person.may("payouts.approve")
    with pytest.raises(Forbidden):
        permissions.require(person, "payouts.approve")


def test_a_role_taken_away_or_a_person_deactivated_may_nothing_at_once() -> None:
    person = staff("financial_admin", "editor")
    roles.take(user=person, role="financial_admin", by=None, reason="moved on")
    assert not person.may("payouts.approve")
    assert person.may("cms.edit")
    person.is_active = False
    assert not person.may("cms.edit")
    assert AuditEntry.objects.filter(action="role.take", subject_id=str(person.pk)).count() == 1


def test_there_are_no_superusers() -> None:
    with pytest.raises(TypeError):
        User.objects.create_superuser("root@example.com", "x")


def test_loading_the_roles_again_puts_back_what_somebody_changed() -> None:
    group = Group.objects.get(name="analyst")
    group.permissions.clear()
    roles.load()
    assert staff("analyst").may("reports.view")


def test_the_label_of_a_member_shows_nothing_about_them() -> None:
    person = member(email="secret@example.com", display_name="Marie Secret")
    assert "Secret" not in str(person)
    assert "secret" not in str(person)
