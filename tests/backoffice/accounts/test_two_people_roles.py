"""Roles with much power are given by two Super Admins; taking them away takes one (P-030, X-047)."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import translation

from backoffice.accounts.models import RoleGrant, User
from backoffice.accounts.roles import ROLES
from backoffice.accounts.services import roles, staff
from backoffice.approvals import kinds
from backoffice.approvals.models import ApprovalRequest
from backoffice.approvals.services import requests
from backoffice.approvals.states import Status
from backoffice.audit.models import AuditEntry
from backoffice.configuration import defaults, values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden
from backoffice.notifications.models import Notification
from tests.factories import accounts

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def fresh(person: User) -> User:
    return User.objects.get(pk=person.pk)


def asked(**given: object) -> ApprovalRequest:
    outcome = roles.give(**given)  # type: ignore[arg-type]
    assert isinstance(outcome, ApprovalRequest)
    return outcome


def test_the_setting_offers_every_role_and_names_the_powerful_ones() -> None:
    assert [code for code, _name in defaults.ROLES] == list(ROLES)
    assert [str(name) for _code, name in defaults.ROLES] == [str(name) for name in ROLES.values()]
    powerful = {"super_admin", "admin", "financial_admin", "verification_reviewer"}
    assert set(values.get("roles.two_people")) == powerful


@pytest.mark.parametrize("role", ["super_admin", "admin", "financial_admin", "verification_reviewer"])
def test_a_powerful_role_is_given_by_the_second_yes(role: str) -> None:
    boss, second, person = accounts.staff("super_admin"), accounts.staff("super_admin"), accounts.staff()
    request = asked(user=person, role=role, by=boss, reason="Joins the team", until=clock.now() + DAY)
    assert fresh(person).role_codes == ()
    assert not RoleGrant.objects.exists()
    requests.approve(request=request, by=second)
    assert fresh(person).role_codes == (role,)
    grant = RoleGrant.objects.get(user=person)
    assert (grant.granted_by, grant.approved_by, grant.reason) == (boss, second, "Joins the team")
    entry = AuditEntry.objects.get(action="role.give")
    assert (entry.actor_id, entry.data["approved_by"]) == (boss.pk, str(second.pk))


def test_neither_who_asked_nor_who_gets_it_nor_who_is_no_super_admin_says_yes() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff("super_admin")
    request = asked(user=person, role="financial_admin", by=boss, reason="Helps out")
    for refused in (boss, person, accounts.staff("admin"), accounts.staff("financial_admin")):
        with pytest.raises(Forbidden):
            requests.approve(request=request, by=refused)
    assert not RoleGrant.objects.exists()
    assert fresh(person).role_codes == ("super_admin",)


def test_every_other_super_admin_is_asked_by_mail_and_the_asker_hears_the_end() -> None:
    boss, second, person = accounts.staff("super_admin"), accounts.staff("super_admin"), accounts.staff("super_admin")
    request = asked(user=person, role="admin", by=boss, reason="Takes over")
    jobs.run_due(kinds=["notifications.send"])
    assert [message.to for message in mail.outbox] == [[second.email]]
    assert request.reference in mail.outbox[0].subject
    requests.reject(request=request, by=second, reason="Not agreed")
    jobs.run_due(kinds=["notifications.send"])
    assert mail.outbox[1].to == [boss.email]
    assert "Not agreed" in mail.outbox[1].body
    assert fresh(person).role_codes == ("super_admin",)


def test_the_asker_hears_the_end_in_their_language_and_the_request_is_stored_in_english() -> None:
    boss, second = accounts.staff("super_admin"), accounts.staff("super_admin")
    User.objects.filter(pk=boss.pk).update(language="fr")
    with translation.override("ht"):
        request = asked(user=accounts.staff(), role="financial_admin", by=fresh(boss), reason="Aide")
        requests.reject(request=request, by=second, reason="Non")
    assert request.label.startswith("Financial Admin: U-")
    told = Notification.objects.get(user=boss, channel="in_app", event="approval.decided").data
    with translation.override("fr"):
        assert told["outcome"] == Status.REJECTED.label
        assert told["kind"] == str(kinds.KINDS["role"].label)


def test_other_roles_and_less_of_a_powerful_one_need_nobody_else() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    assert isinstance(roles.give(user=person, role="editor", by=boss, reason="x"), RoleGrant)
    roles.give(user=person, role="financial_admin", by=None, reason="x")
    sooner = roles.give(user=person, role="financial_admin", by=boss, reason="Leaves", until=clock.now() + DAY)
    assert isinstance(sooner, RoleGrant)
    narrower = roles.give(
        user=person, role="financial_admin", by=boss, reason="x", until=sooner.expires_at, languages=["fr"]
    )
    assert isinstance(narrower, RoleGrant)


@pytest.mark.parametrize(("days", "languages"), [(3, ["fr"]), (None, ["fr"]), (1, ["fr", "ht"]), (1, [])], ids=str)
def test_more_time_or_more_languages_of_a_powerful_role_need_a_second_person(
    days: int | None, languages: list[str]
) -> None:
    boss, person, now = accounts.staff("super_admin"), accounts.staff(), clock.now()
    roles.give(user=person, role="admin", by=None, reason="x", until=now + 2 * DAY, languages=["fr"])
    until = None if days is None else now + days * DAY
    asked(user=person, role="admin", by=boss, reason="More", until=until, languages=languages)
    assert RoleGrant.objects.get(user=person, ended_at=None).languages == ["fr"]


def test_the_same_role_is_asked_for_once_at_a_time() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    asked(user=person, role="admin", by=boss, reason="x")
    with pytest.raises(Conflict, match="asked for already"):
        roles.give(user=person, role="admin", by=boss, reason="x")
    asked(user=person, role="financial_admin", by=boss, reason="Another one")


def test_taking_away_and_deactivating_are_at_once_and_withdraw_what_waits() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    roles.give(user=person, role="admin", by=None, reason="x", until=clock.now() + DAY)
    longer = asked(user=person, role="admin", by=boss, reason="Longer")
    other = asked(user=person, role="financial_admin", by=boss, reason="Too")
    roles.take(user=person, role="admin", by=boss, reason="No")
    assert fresh(person).role_codes == ()
    assert [ApprovalRequest.objects.get(pk=wish.pk).status for wish in (longer, other)] == ["withdrawn", "pending"]
    staff.deactivate(user=person, by=boss, reason="Left")
    assert ApprovalRequest.objects.get(pk=other.pk).status == Status.WITHDRAWN


def test_nobody_gives_a_powerful_role_alone_by_opening_an_account_again() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff("editor", "financial_admin")
    staff.deactivate(user=person, by=boss, reason="Leaves")
    with pytest.raises(Conflict) as refusal:
        staff.reactivate(user=fresh(person), by=boss, reason="Comes back")
    assert refusal.value.code == "takes_two"
    assert "Financial Admin" in str(refusal.value)
    roles.take(user=fresh(person), role="financial_admin", by=boss, reason="Asked for again")
    staff.reactivate(user=fresh(person), by=boss, reason="Comes back")
    assert fresh(person).is_active
    assert fresh(person).role_codes == ("editor",)
    asked(user=fresh(person), role="financial_admin", by=boss, reason="Comes back")


def test_what_is_not_right_any_more_at_the_second_yes_gives_nothing() -> None:
    boss, second, person = accounts.staff("super_admin"), accounts.staff("super_admin"), accounts.staff()
    request = asked(user=person, role="admin", by=boss, reason="x")
    boss.groups.clear()
    with pytest.raises(Conflict, match="may not ask for it any more"):
        requests.approve(request=request, by=second)
    assert fresh(person).role_codes == ()
    requests.reject(request=request, by=second, reason="They moved on")
    soon = asked(user=person, role="admin", by=second, reason="x", until=clock.now() + DAY)
    third = accounts.staff("super_admin")
    requests.approve(request=soon, by=third, at=clock.now() + 2 * DAY)
    assert "future" in ApprovalRequest.objects.get(pk=soon.pk).failure
    assert fresh(person).role_codes == ()


def test_the_own_documents_role_for_hours_stays_a_matter_of_one() -> None:
    boss = accounts.staff("super_admin")
    until = clock.now() + timedelta(hours=2)
    given = roles.give(user=boss, role="verification_reviewer", by=boss, reason="Court order", until=until)
    assert isinstance(given, RoleGrant)


def test_a_role_taken_off_the_setting_needs_one_person_again() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    values.change(key="roles.two_people", value=["super_admin"], by=None, reason="Small team")
    assert isinstance(roles.give(user=person, role="admin", by=boss, reason="x"), RoleGrant)
    asked(user=person, role="super_admin", by=boss, reason="x")


def test_approvers_are_the_super_admins_besides_the_two() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff("super_admin")
    assert not roles.approvers(user=person, by=boss).exists()
    third = accounts.staff("super_admin")
    accounts.staff("super_admin", is_active=False)
    assert list(roles.approvers(user=person, by=boss)) == [third]


def test_the_database_refuses_a_grant_that_one_person_gave_and_approved() -> None:
    boss, person = accounts.staff("super_admin"), accounts.staff()
    for approver in (boss, person):
        with pytest.raises(IntegrityError, match="role_grant_two_people"), transaction.atomic():
            RoleGrant.objects.create(user=person, role="admin", granted_by=boss, approved_by=approver)
