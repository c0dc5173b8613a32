"""Verifications and documents that grow old: who is told, what comes into the queue of reviews (S-017, S-020)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from backoffice.audit import queries as audit
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden
from backoffice.creators import queries
from backoffice.creators.models import Creator, VerificationDocument
from backoffice.creators.policies import NotReady
from backoffice.creators.services import creators, documents, renewals
from backoffice.notifications.models import Notification
from backoffice.queues import queries as work
from tests.factories import creators as make
from tests.factories.accounts import staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_files(settings: LazySettings, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path / "storage"


def live(**fields: Any) -> Creator:
    """A live creator whose verified ID has these fields."""
    creator = make.activated().creator
    assert creator is not None
    VerificationDocument.objects.filter(subject=creator.user).update(**fields)
    creator.refresh_from_db()
    return creator


def codes() -> list[tuple[str, str]]:
    return [(item.label, item.reasons[0]["code"]) for item in queries.reviews_waiting()]


def test_a_year_after_the_last_look_a_creator_comes_up_once() -> None:
    creator, at = live(), clock.now()
    assert renewals.put_due(at=at + 364 * DAY) == 0
    assert renewals.put_due(at=at + 366 * DAY) == 1
    assert renewals.put_due(at=at + 367 * DAY) == 0
    assert codes() == [(creator.reference, "yearly")]
    assert queries.reviews_waiting().get().due_at == at + 366 * DAY + 14 * DAY


def test_looking_and_keeping_puts_the_next_look_a_year_off() -> None:
    creator, at, by = live(), clock.now(), make.reviewer()
    renewals.put_due(at=at + 366 * DAY)
    renewals.keep(creator=creator, by=by, note="Same person.", at=at + 370 * DAY)
    creator.refresh_from_db()
    assert creator.verified_at == at + 370 * DAY
    assert codes() == []
    assert renewals.put_due(at=at + 400 * DAY) == 0
    entry = audit.for_subject(creator).get(action="creator.review")
    assert (entry.actor, entry.reason) == (by, "Same person.")


def test_keeping_needs_a_right_a_valid_id_a_verified_creator_and_somebody_else() -> None:
    creator = live()
    with pytest.raises(Forbidden):
        renewals.keep(creator=creator, by=staff("financial_admin"))
    own = make.reviewer()
    mine = make.creator(own)
    with pytest.raises(Forbidden):
        renewals.keep(creator=mine, by=own)
    with pytest.raises(NotReady):
        renewals.keep(creator=make.creator(), by=make.reviewer())
    creators.reverify(creator=creator, by=make.reviewer(), reason="x")
    with pytest.raises(Conflict):
        renewals.keep(creator=creator, by=make.reviewer())


def test_an_id_that_ends_soon_tells_its_owner_once_and_comes_up() -> None:
    at = clock.now()
    creator = live(document_expires_on=(at + 20 * DAY).date())
    assert documents.tell_expiring(at=at) == 1
    assert documents.tell_expiring(at=at) == 0
    notice = Notification.objects.get(user=creator.user, event="document.expiring", channel="in_app")
    assert (at + 20 * DAY).date().isoformat() in notice.body
    assert renewals.put_due(at=at) == 1
    assert codes() == [(creator.reference, "document_expiring")]


def test_an_id_that_lasts_or_another_one_that_does_brings_nothing_up() -> None:
    at = clock.now()
    live(document_expires_on=(at + 200 * DAY).date())
    live(document_expires_on=None)
    assert documents.tell_expiring(at=at) == 0
    assert renewals.put_due(at=at) == 0


def test_asking_for_an_id_closes_the_item_and_the_id_that_comes_opens_a_new_one() -> None:
    at, by = clock.now(), make.reviewer()
    creator = live(document_expires_on=(at + 20 * DAY).date())
    renewals.put_due(at=at)
    creators.reverify(creator=creator, by=by, reason="Your ID ends soon.", at=at)
    assert codes() == []
    assert renewals.put_due(at=at) == 0
    application = creator.applications.get()
    given = documents.upload(application=application, document_type="passport", content=make.PDF, by=creator.user)
    assert renewals.put_due(at=at) == 1
    assert codes() == [(creator.reference, "document_given")]
    documents.open_for_view(document=given, by=by)
    documents.verify(document=given, by=by, expires_on=(at + 900 * DAY).date())
    creators.confirm_verification(creator=creator, by=by, at=at + DAY)
    creator.refresh_from_db()
    assert (codes(), creator.verified_at) == ([], at + DAY)


def test_what_was_decided_about_a_verification_stands_among_the_recent_decisions_and_in_the_figures() -> None:
    at, by = clock.now() + 366 * DAY, make.reviewer()
    creator, other = live(), live()
    renewals.put_due(at=at)
    renewals.keep(creator=creator, by=by, at=at + DAY)
    creators.reverify(creator=other, by=by, reason="x", at=at + DAY)
    item = work.for_subject("reviews", creator)
    assert item is not None
    assert (item.state, item.done_by, item.outcome, item.claimed_at) == ("done", by, "kept", at + DAY)
    assert [row.outcome for row in work.recent_decisions(by).order_by("outcome")] == ["asked", "kept"]
    figures = work.metrics("reviews", today=at, at=at + DAY + timedelta(seconds=1))
    assert (figures.decided, figures.waiting.p50, figures.deciding.p50) == (2, DAY, timedelta())
    assert [(person.name, person.decided) for person in figures.people] == [(by.display_name, 2)]


def test_who_refuses_or_confirms_has_decided_and_the_system_has_not() -> None:
    at, by = clock.now(), make.reviewer()
    creator = live(document_expires_on=(at + 20 * DAY).date())
    renewals.put_due(at=at)
    creators.expire_documents(at=at + 21 * DAY)
    item = work.for_subject("reviews", creator)
    assert item is not None
    assert (item.state, item.done_by) == ("cancelled", None)
    make_id = documents.upload(
        application=creator.applications.get(), document_type="passport", content=make.PDF, by=creator.user
    )
    VerificationDocument.objects.filter(pk=make_id.pk).update(created_at=at + 22 * DAY)
    renewals.put_due(at=at + 22 * DAY)
    creator.refresh_from_db()
    creators.reject_verification(creator=creator, by=by, reason="Another person.", at=at + 23 * DAY)
    assert [row.outcome for row in work.recent_decisions(by)] == ["refused"]


def test_an_old_id_nobody_judged_is_no_answer() -> None:
    at, by = clock.now(), make.reviewer()
    creator = live(document_expires_on=(at + 20 * DAY).date())
    creators.reverify(creator=creator, by=by, reason="x", at=at)
    given = documents.upload(
        application=creator.applications.get(), document_type="passport", content=make.PDF, by=creator.user
    )
    VerificationDocument.objects.filter(pk=given.pk).update(created_at=at - DAY)
    assert renewals.put_due(at=at) == 0
