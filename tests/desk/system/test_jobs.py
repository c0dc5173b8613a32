"""The jobs screen: what runs, what is dead, retry and discard."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from backoffice.audit.models import AuditEntry
from backoffice.core import clock
from backoffice.core.models import Job
from tests.desk.clients import Desk
from tests.statements import count

LIST = "/admin/system/jobs/"


def dead(**fields: object) -> Job:
    return Job.objects.create(
        kind="audit.seal",
        state=Job.State.DEAD,
        attempts=5,
        last_error="ConnectionError: nobody answered",
        finished_at=clock.now(),
        **fields,
    )


def test_dead_letters_come_first_with_their_error(desk: Callable[..., Desk]) -> None:
    dead()
    page = desk("admin").get(LIST).content.decode()
    assert "ConnectionError: nobody answered" in page
    assert "Retry" in page


def test_who_may_only_look_is_offered_nothing_to_press(desk: Callable[..., Desk]) -> None:
    job = dead()
    client = desk("financial_admin")
    assert "Retry" not in client.get(LIST).content.decode()
    assert client.post(reverse("desk:job_retry", args=[job.pk])).status_code == 403
    job.refresh_from_db()
    assert job.state == Job.State.DEAD


def test_retry_puts_the_job_in_line_with_fresh_attempts_and_is_audited(desk: Callable[..., Desk]) -> None:
    job, client = dead(), desk("admin")
    client.post(reverse("desk:job_retry", args=[job.pk]))
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.DUE, 0)
    entry = AuditEntry.objects.get(action="job.retry")
    assert (entry.actor, entry.subject_id) == (client.person, str(job.pk))


def test_the_second_person_to_retry_is_told_and_leaves_no_audit_row(desk: Callable[..., Desk]) -> None:
    job = dead()
    address = reverse("desk:job_retry", args=[job.pk])
    desk("admin").post(address)
    answer = desk("super_admin").post(address, follow=True)
    assert "somebody was faster" in answer.content.decode()
    assert AuditEntry.objects.filter(action="job.retry").count() == 1


def test_discarding_asks_for_a_reason(desk: Callable[..., Desk]) -> None:
    job, client = dead(), desk("admin")
    address = reverse("desk:job_discard", args=[job.pk])
    assert "Say why" in client.post(address, {"reason": "  "}, follow=True).content.decode()
    job.refresh_from_db()
    assert job.state == Job.State.DEAD
    client.post(address, {"reason": "sent by hand"})
    job.refresh_from_db()
    assert job.state == Job.State.DISCARDED
    assert AuditEntry.objects.get(action="job.discard").reason == "sent by hand"


def test_progress_is_shown_and_the_refresh_brings_only_the_rows(desk: Callable[..., Desk]) -> None:
    Job.objects.create(
        kind="audit.seal",
        state=Job.State.RUNNING,
        progress_current=40,
        progress_total=100,
        progress_note="frames",
    )
    client = desk("ops_manager")
    rows = client.get(LIST, {"tab": "running"}, headers={"HX-Request": "true"}).content.decode()
    assert '<progress class="bl-progress" max="100" value="40">' in rows
    assert "<html" not in rows


def test_the_list_takes_the_same_statements_however_long(desk: Callable[..., Desk]) -> None:
    client = desk("admin")
    dead(created_by=client.person)
    short = count(lambda: client.get(LIST))
    for _ in range(30):
        dead(created_by=client.person)
    assert count(lambda: client.get(LIST)) == short


def test_pages_follow_each_other_without_gaps(desk: Callable[..., Desk]) -> None:
    for number in range(60):
        dead(queue=f"q{number}")
    client = desk("admin")
    first = client.get(LIST, {"tab": "dead", "kind": "audit"})
    page = first.context["page"]
    assert len(page.items) == 50
    assert "kind=audit" in page.next_query
    second = client.get(LIST + page.next_query).context["page"]
    assert len({job.pk for job in [*page.items, *second.items]}) == 60
    assert second.next_query is None


@pytest.mark.parametrize("after", ["%%%", "bm90LWpzb24", "W10", "WyJub3QtYS11dWlkIl0"])
def test_an_unreadable_place_shows_the_first_page(desk: Callable[..., Desk], after: str) -> None:
    dead()
    answer = desk("admin").get(LIST, {"tab": "dead", "after": after})
    assert answer.status_code == 200
    assert len(answer.context["page"].items) == 1
