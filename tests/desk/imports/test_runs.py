"""Importing through the screens, as the people who do it."""

import csv
import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.audit.models import ExportRecord
from backoffice.catalogue.models import Title
from backoffice.core import jobs
from backoffice.core.models import Job
from backoffice.journeys.models import ImportRun
from tests.desk.clients import seat
from tests.factories import accounts, catalogue
from tests.statements import count

pytestmark = pytest.mark.django_db

REASON = {"reason": "to repair the file"}
HEADER = ["external_id", "creator", "title", "price", "currency"]


def csv_file(rows, header=HEADER):
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def upload(client, content, resource="titles", name="titles.csv"):
    return client.post(
        reverse("desk:import_new", args=[resource]), {"file": SimpleUploadedFile(name, content)}, follow=True
    )


def run_page(client, run):
    return client.get(reverse("desk:import_run", args=[run.pk])).content.decode()


def test_five_thousand_titles_go_through_the_screen(desk):
    admin = desk("admin")
    creators = [catalogue.creator(slug=f"creator-x{n}") for n in range(20)]
    rows = [[f"m-{n}", creators[n % 20].slug, f"Istwa nimewo {n}", "4.99", "USD"] for n in range(5000)]
    answer = upload(admin, csv_file(rows))
    run = ImportRun.objects.get()
    assert "Waiting for a worker" in answer.content.decode()
    jobs.run_due()
    html = run_page(admin, run)
    assert "Import 5000 rows" in html
    digest = re.search(r'name="digest" value="(\w+)"', html).group(1)
    admin.post(reverse("desk:import_confirm", args=[run.pk]), {"digest": digest})
    jobs.run_due()
    assert "Imported" in run_page(admin, run)
    assert Title.objects.count() == 5000


def test_errors_are_shown_by_row_column_and_cause_and_can_be_downloaded(desk):
    admin = desk("admin")
    catalogue.creator(slug="nadege")
    rows = [["m-1", "nadege", "Fine", "4.99", "USD"], ["m-2", "nadege", "Bad", "=1+1", "ZZZ"]]
    upload(admin, csv_file(rows))
    jobs.run_due()
    run = ImportRun.objects.get()
    html = re.sub(r"\s+", " ", run_page(admin, run))
    assert "2 errors, nothing was written" in html
    assert "<code>price</code>" in html
    assert "Formulas are not accepted." in html
    assert "“ZZZ” is not a currency." in html
    download = admin.post(reverse("desk:import_errors", args=[run.pk]), REASON)
    lines = list(csv.reader(io.StringIO(b"".join(download.streaming_content).decode("utf-8-sig"))))
    assert lines[0] == ["row", "column", "value", "cause"]
    assert lines[1] == ["3", "price", "'=1+1", "Formulas are not accepted."]
    made = ExportRecord.objects.get()
    assert (made.user, made.subject_label, made.rows) == (admin.person, run.reference, 2)
    assert made.reason == REASON["reason"]
    assert not Title.objects.exists()


def test_the_errors_leave_with_a_reason_and_a_fresh_factor(desk):
    admin = desk("admin")
    upload(admin, csv_file([["m-1", "nobody", "Typed", "1", "USD"]]))
    jobs.run_due()
    run = ImportRun.objects.get()
    where = reverse("desk:import_errors", args=[run.pk])
    assert f'action="{where}"' in run_page(admin, run)
    assert 'name="reason"' in run_page(admin, run)
    assert admin.post(where).status_code == 400
    asked = desk("admin", factor_age=600).post(where, REASON)
    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, reverse("mfa_reauthenticate"))
    assert not ExportRecord.objects.exists()


def test_the_first_five_hundred_errors_are_shown_and_all_are_in_the_download(desk):
    admin = desk("admin")
    upload(admin, csv_file([[f"m-{n}", "nobody", f"T {n}", "1", "USD"] for n in range(700)]))
    jobs.run_due()
    run = ImportRun.objects.get()
    html = run_page(admin, run)
    assert html.count("No creator has the slug") == 500
    assert "and 200 more in the download" in html
    download = admin.post(reverse("desk:import_errors", args=[run.pk]), REASON)
    assert b"".join(download.streaming_content).count(b"No creator has the slug") == 700


def test_a_workbook_is_imported_like_a_table(desk):
    admin = desk("admin")
    catalogue.creator(slug="nadege")
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(["m-1", "nadege", "Lavi", 4.99, "USD"])
    kept = io.BytesIO()
    book.save(kept)
    upload(admin, kept.getvalue(), name="titles.xlsx")
    jobs.run_due()
    run = ImportRun.objects.get()
    assert "XLSX" in run_page(admin, run)
    admin.post(reverse("desk:import_confirm", args=[run.pk]), {"digest": run.digest})
    jobs.run_due()
    assert Title.objects.get().price_minor == 499


def test_refusals_at_the_door_stay_on_the_form(desk):
    admin = desk("admin")
    nothing = admin.post(reverse("desk:import_new", args=["titles"]))
    assert nothing.status_code == 400
    assert "Choose a file." in nothing.content.decode()
    large = upload(admin, b"x" * (16 << 20))
    assert large.status_code == 400
    assert "larger than 15 MB" in large.content.decode()
    catalogue.creator(slug="nadege")
    content = csv_file([["m-1", "nadege", "Lavi", "1", "USD"]])
    upload(admin, content)
    jobs.run_due()
    run = ImportRun.objects.get()
    admin.post(reverse("desk:import_confirm", args=[run.pk]), {"digest": run.digest})
    jobs.run_due()
    again = upload(admin, content)
    assert again.status_code == 409
    assert run.reference in again.content.decode()


def test_another_session_of_the_same_person_cannot_confirm(desk):
    admin = desk("admin")
    catalogue.creator(slug="nadege")
    upload(admin, csv_file([["m-1", "nadege", "Lavi", "1", "USD"]]))
    jobs.run_due()
    run = ImportRun.objects.get()
    elsewhere = seat("admin")
    accounts.sign_in(elsewhere, admin.person)
    assert "in the same session" in run_page(elsewhere, run)
    answer = elsewhere.post(reverse("desk:import_confirm", args=[run.pk]), {"digest": run.digest})
    assert answer.status_code == 409
    jobs.run_due()
    assert not Title.objects.exists()


def test_a_job_that_stopped_is_told_and_the_page_stops_asking(desk):
    admin = desk("admin")
    upload(admin, csv_file([["m-1", "nadege", "Lavi", "1", "USD"]]))
    run = ImportRun.objects.get()
    Job.objects.filter(pk=run.job_id).update(state=Job.State.DEAD, last_error="the worker was killed")
    html = run_page(admin, run)
    assert "The work on this file stopped." in html
    assert reverse("desk:import_progress", args=[run.pk]) not in html


def test_progress_is_a_piece_of_the_page_that_asks_again_until_the_work_is_done(desk):
    admin = desk("admin")
    upload(admin, csv_file([["m-1", "nadege", "Lavi", "1", "USD"]]))
    run = ImportRun.objects.get()
    Job.objects.filter(pk=run.job_id).update(progress_current=40, progress_total=100, progress_note="Checking")
    piece = admin.get(reverse("desk:import_progress", args=[run.pk]))
    assert "Checking: 40 / 100" in piece.content.decode()
    assert "HX-Refresh" not in piece
    jobs.run_due()
    assert admin.get(reverse("desk:import_progress", args=[run.pk]))["HX-Refresh"] == "true"


@pytest.mark.parametrize("role", ["ops_manager", "customer_support", "financial_admin", "editor", "analyst"])
def test_only_admins_get_in(desk, role):
    client = desk(role)
    assert client.get(reverse("desk:import_list")).status_code == 403
    assert client.get(reverse("desk:import_new", args=["titles"])).status_code == 403
    assert upload(client, b"x").status_code == 403
    assert not ImportRun.objects.exists()


def test_templates_can_be_downloaded(desk):
    admin = desk("admin")
    for resource in ("creators", "titles", "sales"):
        for kind in ("csv", "xlsx"):
            answer = admin.get(reverse("desk:import_template", args=[resource, kind]))
            assert answer.status_code == 200
            assert f"{resource}-template.{kind}" in answer["Content-Disposition"]
    assert admin.get(reverse("desk:import_template", args=["titles", "exe"])).status_code == 404


def test_the_list_sends_the_same_number_of_statements_whatever_it_holds(desk):
    admin = desk("admin")
    address = reverse("desk:import_list")
    upload(admin, csv_file([["m-0", "nadege", "Lavi", "1", "USD"]]))
    admin.get(address)
    few = count(lambda: admin.get(address))
    for number in range(1, 6):
        upload(admin, csv_file([[f"m-{number}", "nadege", "Lavi", "1", "USD"]]))
    assert count(lambda: admin.get(address)) == few
