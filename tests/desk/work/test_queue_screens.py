"""The supervisors' figures, the live poll, the duty switch, my recent decisions."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import StaffProfile, User
from backoffice.audit.models import AuditEntry
from backoffice.core import clock
from backoffice.creators.services import applications, renewals
from backoffice.queues.models import Absence
from backoffice.queues.services import measuring
from tests.factories import creators as make
from tests.factories.accounts import sign_in, staff
from tests.statements import count

pytestmark = pytest.mark.django_db


def enter(role: str, **fields: Any) -> tuple[Client, User]:
    person = staff(role, **fields)
    return sign_in(Client(), person), person


class TestFigures:
    address = "/admin/work/queues/"

    @pytest.mark.parametrize(
        ("role", "status"),
        [
            ("super_admin", 200),
            ("admin", 200),
            ("ops_manager", 200),
            ("content_moderator", 403),
            ("verification_reviewer", 403),
            ("customer_support", 403),
            ("financial_admin", 403),
            ("editor", 403),
            ("analyst", 403),
        ],
    )
    def test_only_supervisors_see_them(self, role: str, status: int) -> None:
        client, _person = enter(role)
        assert client.get(self.address).status_code == status

    def test_they_take_the_same_statements_whatever_waits(self) -> None:
        client, _person = enter("ops_manager")
        address = f"{self.address}?queue=applications"
        client.get(address)
        empty = count(lambda: client.get(address))
        for _ in range(3):
            make.submitted()
        passed_on(staff("verification_reviewer"))
        make.approved()
        measuring.measure()
        assert count(lambda: client.get(address)) == empty

    def test_what_was_passed_on_stands_there_with_every_reason(self) -> None:
        reviewer = staff("verification_reviewer", display_name="Guerda")
        application = passed_on(reviewer)
        client, _person = enter("ops_manager")
        page = client.get(f"{self.address}?queue=applications").content.decode()
        assert "Passed on by Guerda: Known singer?" in page
        assert "New application" in page
        assert "+10" in page
        assert "Waits for" in page
        assert reverse("desk:application_detail", args=[application.pk]) in page

    def test_people_and_hours_of_today_are_told(self) -> None:
        person = staff("verification_reviewer", display_name="Mirlande")
        make.approved(person)
        measuring.measure()
        client, _person = enter("admin")
        page = client.get(f"{self.address}?queue=applications").content.decode()
        assert "Mirlande" in page
        assert '<meter class="bl-meter" min="0" max="1" value="1"' in page

    def test_an_unknown_queue_shows_the_first(self) -> None:
        client, _person = enter("admin")
        assert client.get(f"{self.address}?queue=payouts").context["desk"].code == "moderation"


def passed_on(reviewer: User) -> Any:
    application, item = make.in_review(reviewer)
    return applications.escalate(
        application=application, by=reviewer, token=item.lease_token or "", reason="Known singer?"
    )


class TestPulse:
    address = "/admin/work/pulse/"

    def test_it_tells_the_queues_this_person_sees_and_nothing_of_the_others(self) -> None:
        make.submitted()
        client, _person = enter("verification_reviewer")
        told = json.loads(client.get(self.address).content)
        assert list(told["queues"]) == ["applications", "reviews"]
        assert told["queues"]["applications"]["open"] == "1"
        assert told["badges"] == {"/admin/creators/applications/": "1", "/admin/creators/reviews/": "0"}
        client, _person = enter("editor")
        assert json.loads(client.get(self.address).content) == {"queues": {}, "badges": {}}

    def test_unchanged_is_answered_without_content_until_something_moves(self) -> None:
        application = make.submitted()
        client, person = enter("verification_reviewer")
        tag = client.get(self.address)["ETag"]
        again = client.get(self.address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        applications.claim(application=application, by=person)
        moved = client.get(self.address, headers={"If-None-Match": tag})
        assert moved.status_code == 200
        assert json.loads(moved.content)["queues"]["applications"]["claimed"] == "1"

    def test_it_is_one_statement_more_than_a_person_without_a_queue_costs(self) -> None:
        reviewer, _person = enter("verification_reviewer")
        editor, _person = enter("editor")
        for client in (reviewer, editor):
            client.get(self.address)
        assert count(lambda: reviewer.get(self.address)) == count(lambda: editor.get(self.address)) + 1

    @pytest.mark.parametrize(
        ("address", "region"),
        [
            ("/admin/creators/applications/", "queue-list"),
            ("/admin/moderation/cases/", "queue-list"),
            ("/admin/support/tickets/", "queue-list"),
            ("/admin/work/queues/", "queue-figures"),
        ],
    )
    def test_every_list_follows_and_offers_a_reload_without_scripts(self, address: str, region: str) -> None:
        client, _person = enter("ops_manager")
        page = client.get(address).content.decode()
        assert f'data-live-region="{region}"' in page
        assert f'id="{region}"' in page
        assert '<a href="" class="bl-link">Reload</a>' in page


class TestDuty:
    address = "/admin/work/duty/"

    def test_the_switch_is_on_record_and_shown_with_the_room_that_is_left(self) -> None:
        client, person = enter("verification_reviewer")
        StaffProfile.objects.create(user=person, max_open_items=7)
        applications.claim(application=make.submitted(), by=person)
        assert "You hold 1 of at most 7 items." in client.get("/admin/work/").content.decode()
        page = client.post(self.address, {"on": "0"}, follow=True).content.decode()
        assert "Nothing is handed to you, and nothing waits for you." in page
        assert not StaffProfile.objects.get(user=person).on_duty
        assert Absence.objects.filter(user=person).exists()
        entry = AuditEntry.objects.get(action="staff.duty")
        assert (entry.actor, entry.after) == (person, {"on_duty": False})
        client.post(self.address, {"on": "1"})
        assert StaffProfile.objects.get(user=person).on_duty
        assert not Absence.objects.filter(user=person).exists()

    def test_what_was_to_return_is_anybodys_as_soon_as_one_goes(self) -> None:
        client, person = enter("verification_reviewer")
        application = make.waiting(person)
        applications.answer(application=application, by=application.applicant, text="Here")
        colleague = staff("verification_reviewer")
        assert applications.claim_next(by=colleague) is None
        client.post(self.address, {"on": "0"})
        assert applications.claim_next(by=colleague)[0] == application  # type: ignore[index]

    def test_switching_twice_the_same_way_is_recorded_once(self) -> None:
        client, _person = enter("verification_reviewer")
        client.post(self.address, {"on": "0"})
        client.post(self.address, {"on": "0"})
        assert AuditEntry.objects.filter(action="staff.duty").count() == 1

    def test_it_takes_a_post(self) -> None:
        client, _person = enter("verification_reviewer")
        assert client.get(self.address).status_code == 405


class TestDecisions:
    address = "/admin/work/decisions/"

    def test_a_fresh_decision_can_be_taken_back_from_the_list_and_an_old_one_not(self) -> None:
        client, person = enter("verification_reviewer")
        application, item = make.in_review(person)
        old, old_item = make.in_review(person, at=clock.now() - timedelta(seconds=60))
        for one, token, at in (
            (application, item.lease_token, clock.now()),
            (old, old_item.lease_token, clock.now() - timedelta(seconds=30)),
        ):
            applications.reject(application=one, by=person, token=token or "", code="quality", at=at)
        page = client.get(self.address).content.decode()
        assert reverse("desk:application_undo", args=[application.pk]) in page
        assert reverse("desk:application_undo", args=[old.pk]) not in page
        assert "Rejected: Sample below the quality standard" in page
        client.post(reverse("desk:application_undo", args=[application.pk]))
        assert reverse("desk:application_undo", args=[application.pk]) not in client.get(self.address).content.decode()

    def test_only_ones_own_are_listed_in_the_same_statements(self) -> None:
        client, person = enter("verification_reviewer")
        client.get(self.address)
        empty = count(lambda: client.get(self.address))
        mine, theirs = make.approved(person), make.approved()
        page = client.get(self.address).content.decode()
        assert mine.reference in page
        assert theirs.reference not in page
        assert count(lambda: client.get(self.address)) == empty

    def test_an_empty_list_says_so(self) -> None:
        client, _person = enter("editor")
        assert b"You have decided nothing yet" in client.get(self.address).content


def test_capacity_from_the_profile_stops_the_hand_out_with_a_sentence() -> None:
    client, person = enter("verification_reviewer")
    StaffProfile.objects.create(user=person, max_open_items=1)
    make.submitted(), make.submitted()
    client.post("/admin/creators/applications/next/")
    answer = client.post("/admin/creators/applications/next/", follow=True)
    assert b"You hold 1 items and may hold 1." in answer.content


def test_what_was_decided_about_a_verification_stands_in_my_decisions_and_the_figures(client: Client) -> None:
    by, at = make.reviewer(), clock.now()
    creator = make.activated().creator
    assert creator is not None
    renewals.put_due(at=at + timedelta(days=366))
    renewals.keep(creator=creator, by=by)
    page = sign_in(client, by).get("/admin/work/decisions/").content.decode()
    assert creator.reference in page
    assert "Looked again: still right" in page
    assert f"/admin/creators/{creator.pk}/" in page
    figures = sign_in(client, staff("ops_manager")).get("/admin/work/queues/", {"queue": "reviews"})
    assert (figures.status_code, figures.context["figures"].decided) == (200, 1)
