"""The demo's staff: one of each role, seconds for what takes two, and somebody who is still to come."""

import random

import pytest

from backoffice.accounts import demo
from backoffice.accounts.models import StaffInvitation, User
from backoffice.accounts.roles import ROLES
from backoffice.approvals.models import ApprovalRequest
from backoffice.core import clock
from deploy.demo import load

pytestmark = pytest.mark.django_db


def test_the_demo_can_try_what_takes_two_people_from_the_start() -> None:
    stage = load.Stage(clock.now(), "a-long-enough-password", lambda text: None, random.Random(1))
    for _turn in range(2):
        load.staff(stage)
        load.invited(stage)
    people = User.objects.filter(is_staff=True, is_active=True)
    assert people.count() == len(ROLES) + len(demo.SECONDS)
    assert len([person for person in people if "super_admin" in person.role_codes]) == 2
    invitation = StaffInvitation.objects.get()
    assert (invitation.is_open, invitation.user.is_active) == (True, False)
    request = ApprovalRequest.objects.get()
    assert (request.kind, request.status, request.payload["role"]) == ("role", "pending", "financial_admin")
    assert request.requested_by == stage.person("super_admin")
