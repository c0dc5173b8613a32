"""All waiting cases of one creator, taken with one gesture and decided one after another."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import StaffProfile
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.moderation.models import Case, Decision
from backoffice.moderation.services import cases, upkeep
from backoffice.queues import queries as queues
from tests.factories import catalogue as make
from tests.factories import moderation as moderate
from tests.factories.accounts import sign_in, staff

pytestmark = pytest.mark.django_db


def many(count: int, **fields: Any) -> list[Case]:
    owner = make.creator()
    return [moderate.case(owner=owner, **fields) for _ in range(count)]


def test_they_are_decided_one_after_another_each_with_its_own_record_while_one_heartbeat_keeps_all() -> None:
    now, by = clock.now(), staff("content_moderator")
    ours = many(3, at=now)
    moderate.case(at=now)
    cases.claim(ours[0], by=by, at=now)
    taken = cases.claim_group(ours[0], by=by, at=now)
    assert {case.pk for case in taken} == {case.pk for case in ours[1:]}
    for step, case in enumerate(ours):
        at = now + timedelta(seconds=100 * (step + 1))
        cases.heartbeat(case, token=moderate.item(case).lease_token or "", by=by, at=at)
        cases.approve(case, **moderate.decision_of(case, by), undo_seconds=0, at=at)
    assert Decision.objects.filter(by=by, verdict="approve").count() == 3
    assert queues.held_by(by, at=now).count() == 0


def test_nobody_takes_more_than_they_may_hold() -> None:
    by = staff("content_moderator")
    StaffProfile.objects.create(user=by, max_open_items=2)
    ours = many(4)
    cases.claim(ours[0], by=by)
    assert len(cases.claim_group(ours[0], by=by)) == 1


def test_the_bench_offers_the_others_and_shows_them_after_the_decision() -> None:
    by = staff("content_moderator")
    client = sign_in(Client(), by)
    ours = many(3)
    bench = client.post(reverse("desk:moderation_next"), follow=True).content.decode()
    assert "Take the 2 others waiting of this creator" in bench
    first = next(case for case in ours if case.reference in bench)
    page = client.post(reverse("desk:case_claim_group", args=[first.pk]), follow=True).content.decode()
    assert "2 more cases of this creator are yours." in page
    assert first.reference in page
    assert "others waiting of this creator" not in page
    decided = {"token": moderate.item(first).lease_token, "revision": first.title.revision}
    page = client.post(reverse("desk:case_approve", args=[first.pk]), decided, follow=True).content.decode()
    assert any(case.reference in page for case in ours if case != first)
    again = client.post(reverse("desk:case_claim_group", args=[first.pk]), follow=True)
    assert b"No other case of this creator waits for you." in again.content


def test_a_case_that_nobody_takes_goes_to_the_supervisors_and_keeps_its_state() -> None:
    now = clock.now()
    case = moderate.case(at=now)
    assert upkeep.escalate_due(at=now + timedelta(hours=71)) == 0
    assert upkeep.escalate_due(at=now + timedelta(hours=72)) == 1
    case.refresh_from_db()
    assert case.status == "queued"
    assert cases.claim_next(by=staff("content_moderator"), at=now + timedelta(hours=72)) is None
    assert cases.claim_next(by=staff("admin"), at=now + timedelta(hours=72)) == case


def test_where_the_setting_asks_for_it_only_cultural_reviewers_are_given_cultural_cases() -> None:
    values.change(key="moderation.cultural_reviewers_only", value=True, by=staff("super_admin"), reason="Trial")
    case = moderate.case(language="ht")
    assert cases.claim_next(by=staff("content_moderator")) is None
    reviewer = staff("content_moderator")
    StaffProfile.objects.create(user=reviewer, cultural_reviewer=True)
    assert cases.claim_next(by=reviewer) == case


def test_a_decision_is_taken_back_by_its_case() -> None:
    by = staff("content_moderator")
    client = sign_in(Client(), by)
    case = moderate.case()
    cases.claim(case, by=by)
    cases.approve(case, **moderate.decision_of(case, by))
    assert reverse("desk:case_undo", args=[case.pk]) in client.get("/admin/work/decisions/").content.decode()
    client.post(reverse("desk:case_undo", args=[case.pk]))
    case.refresh_from_db()
    assert (case.status, moderate.item(case).holder) == ("in_review", by)
