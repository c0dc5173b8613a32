"""Imports at the same moment, on real connections."""

import threading

import pytest
from django.db import connection, transaction

from backoffice.catalogue.models import Title
from backoffice.core import jobs
from backoffice.core.errors import DomainError
from backoffice.core.models import Job
from backoffice.journeys.models import ImportRun
from backoffice.journeys.services.imports import runs
from tests.factories import accounts, catalogue

CONTENT = b"external_id,creator,title,price,currency\nm-1,nadege,Lavi,4.99,USD\n"


def start(admin, content=CONTENT):
    return runs.start(resource="titles", filename="t.csv", content=content, by=admin, session="s")


@pytest.mark.django_db(transaction=True)
def test_the_same_file_confirmed_twice_at_once_is_written_once():
    admin = accounts.staff("admin")
    catalogue.creator(slug="nadege")
    first, second = start(admin), start(admin)
    jobs.run_due(kinds=[runs.CHECK])
    gate = threading.Barrier(2)
    outcomes = []

    def confirm(run_id):
        try:
            run = ImportRun.objects.get(pk=run_id)
            gate.wait(timeout=60)
            runs.confirm(run=run, by=admin, session="s", digest=run.digest)
            outcomes.append("confirmed")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=(run.pk,), name=f"race-{run.pk}") for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["confirmed", "repeated_file"]
    jobs.run_due(kinds=[runs.APPLY])
    assert Title.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_rows_written_at_once_leave_one_set_of_rows():
    admin = accounts.staff("admin")
    catalogue.creator(slug="nadege")
    made = [start(admin), start(admin, CONTENT + b"\n")]
    jobs.run_due(kinds=[runs.CHECK])
    for run in made:
        run.refresh_from_db()
        runs.confirm(run=run, by=admin, session="s", digest=run.digest)
    gate = threading.Barrier(2)

    def work(job_id):
        gate.wait(timeout=60)
        jobs.run(job_id)
        connection.close()

    threads = [threading.Thread(target=work, args=(run.job_id,), name=f"race-{run.pk}") for run in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ImportRun.objects.values_list("status", flat=True)) == ["applied", "refused"]
    assert Title.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_progress_told_inside_a_long_transaction_is_seen_outside_before_it_ends():
    admin = accounts.staff("admin")
    job = start(admin).job
    job = jobs.claim(job.pk)
    seen = []

    def look():
        seen.append(Job.objects.get(pk=job.pk).progress_current)
        connection.close()

    with transaction.atomic(), jobs.JobContext(job).aside() as tell:
        tell(40, 100, "Writing")
        outside = threading.Thread(target=look, name="race-look")
        outside.start()
        outside.join(timeout=60)
    assert seen == [40]
