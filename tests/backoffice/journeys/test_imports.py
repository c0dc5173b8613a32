"""Tables from outside: checked whole, written whole, never twice."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from backoffice.accounts.models import User
from backoffice.audit.models import AuditEntry
from backoffice.catalogue.models import Title
from backoffice.commerce import queries as commerce
from backoffice.commerce.models import Purchase
from backoffice.core import jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.creators.models import Creator
from backoffice.finance.models import AccountKind, Balance, Earning, Payment, Posting
from backoffice.finance.services import earnings, verification
from backoffice.journeys.models import ImportedRow, ImportFile, ImportRun
from backoffice.journeys.services.imports import forms, runs
from backoffice.journeys.services.imports.resources import TABLES
from backoffice.journeys.states import MACHINE, RunStatus
from tests.factories import accounts, catalogue

pytestmark = pytest.mark.django_db

TITLE = {
    "external_id": "m-1",
    "creator": "nadege",
    "title": "Lavi nan mòn yo",
    "price": "4.99",
    "currency": "USD",
}
SALE = {
    "external_id": "s-1",
    "title": "lavi",
    "buyer_email": "marie@example.com",
    "buyer_name": "Marie Joseph",
    "amount": "10.00",
    "currency": "USD",
    "sold_at": "2026-02-01",
    "paid_out": "no",
}
CREATOR = {
    "external_id": "a-1",
    "email": "nadege@example.com",
    "stage_name": "Nadège Baptiste",
    "country": "ht",
}


def table(*rows):
    """Rows as a CSV file with the columns of the first."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.fixture
def admin():
    return accounts.staff("admin")


def upload(admin, resource, content, session="s1"):
    run = runs.start(resource=resource, filename="file.csv", content=content, by=admin, session=session)
    jobs.run_due()
    run.refresh_from_db()
    return run


def confirmed(admin, run, session="s1"):
    runs.confirm(run=run, by=admin, session=session, digest=run.digest)
    jobs.run_due()
    run.refresh_from_db()
    return run


def errors(run):
    return [(error.row, error.column, error.cause) for error in run.errors.order_by("row", "column")]


def causes(run):
    return {(error.row, error.column) for error in run.errors.all()}


def test_the_dry_run_writes_nothing_and_the_confirmation_writes_everything(admin):
    nadege = catalogue.creator(slug="nadege")
    rows = [{**TITLE, "external_id": f"m-{n}", "title": f"Istwa {n}", "tags": "fanmi, Mòn"} for n in range(3)]
    run = upload(admin, "titles", table(*rows))
    assert (run.status, run.rows_total, run.rows_new, run.errors_total) == (RunStatus.READY, 3, 3, 0)
    assert not Title.objects.exists()
    run = confirmed(admin, run)
    assert (run.status, run.rows_new) == (RunStatus.APPLIED, 3)
    made = Title.objects.get(title="Istwa 1")
    assert (made.creator, made.price_minor, made.currency) == (nadege, 499, "USD")
    assert (made.access_model, made.moderation_status) == ("purchase", "pending")
    assert {tag.slug for tag in made.tags.all()} == {"fanmi", "mon"}
    assert ImportedRow.objects.get(external_id="m-1").subject_id == made.pk
    assert AuditEntry.objects.filter(action="title.import", actor=admin).count() == 3
    assert [entry.action for entry in AuditEntry.objects.filter(subject_id=str(run.pk)).order_by("id")] == [
        "import_run.upload",
        "import_run.pass",
        "import_run.confirm",
        "import_run.apply",
    ]
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize(
    ("cells", "column", "cause"),
    [
        ({"price": "four"}, "price", "“four” is not an amount."),
        ({"price": "4.999"}, "price", "more than the 2 decimals"),
        ({"price": "-1"}, "price", "price above zero"),
        ({"price": "1000000"}, "price", "highest price"),
        ({"currency": "XXQ"}, "currency", "“XXQ” is not a currency."),
        ({"creator": "nobody"}, "creator", "No creator has the slug “nobody”."),
        ({"creator": ""}, "creator", "must not be empty"),
        ({"title": "x" * 256}, "title", "longer than 255"),
        ({"kind": "opera"}, "kind", "“opera” is none of"),
        ({"category": "nothing"}, "category", "No category has the slug"),
        ({"language": "xx"}, "language", "none of"),
        ({"access_model": "free"}, "price", "Only a title for sale has a price."),
        ({"title": "=1+1"}, "title", "Formulas are not accepted."),
    ],
)
def test_one_wrong_cell_names_row_column_and_cause_and_stops_the_whole_file(admin, cells, column, cause):
    catalogue.creator(slug="nadege")
    extra = {"kind": "", "category": "", "language": "", "access_model": ""}
    good = {**TITLE, **extra}
    bad = {**good, "external_id": "m-2", "title": "Another", **cells}
    run = upload(admin, "titles", table(good, bad))
    assert run.status == RunStatus.REFUSED
    found = errors(run)
    assert (3, column) in {(row, name) for row, name, _cause in found}
    assert any(cause in text for _row, _name, text in found), found
    assert all(row == 3 for row, _name, _cause in found)
    with pytest.raises(Conflict):
        runs.confirm(run=run, by=admin, session="s1", digest=run.digest)
    assert not Title.objects.exists()


def test_duplicates_in_the_file_and_with_the_database_are_errors(admin):
    nadege = catalogue.creator(slug="nadege")
    catalogue.title(owner=nadege, title="Known Already")
    rows = [
        TITLE,
        {**TITLE, "title": "Other"},
        {**TITLE, "external_id": "m-3", "title": "LAVI NAN MÒN YO"},
        {**TITLE, "external_id": "m-4", "title": "known already"},
    ]
    run = upload(admin, "titles", table(*rows))
    assert errors(run) == [
        (3, "external_id", "The same as in row 2 of this file."),
        (4, "title", "The same as in row 2 of this file."),
        (5, "title", "This creator has a title of this name already."),
    ]


def test_a_row_that_was_imported_before_is_recognised_by_its_id(admin):
    catalogue.creator(slug="nadege")
    confirmed(admin, upload(admin, "titles", table(TITLE)))
    run = upload(admin, "titles", table({**TITLE, "title": "A new name"}))
    assert errors(run) == [(2, "external_id", "This id was imported before.")]


def test_the_same_file_twice_is_recognised_at_the_door(admin):
    catalogue.creator(slug="nadege")
    first = confirmed(admin, upload(admin, "titles", table(TITLE)))
    with pytest.raises(Conflict, match=first.reference):
        upload(admin, "titles", table(TITLE))
    assert Title.objects.count() == 1


def test_missing_and_unknown_columns_are_named_for_row_one(admin):
    run = upload(admin, "titles", b"external_id,titel\n1,A\n")
    assert {(1, "creator"), (1, "title"), (1, "titel")} == causes(run)


def test_an_unreadable_file_ends_as_an_error_and_not_as_a_crash(admin):
    run = upload(admin, "titles", b"PK\x03\x04 nothing")
    assert run.status == RunStatus.REFUSED
    assert errors(run) == [(0, "", "This workbook is damaged or is not an .xlsx file.")]
    assert jobs.counts()["dead"] == 0


def test_only_the_uploader_in_the_same_session_confirms_the_same_file(admin):
    catalogue.creator(slug="nadege")
    run = upload(admin, "titles", table(TITLE))
    for by, session in ((accounts.staff("admin"), "s1"), (admin, "s2")):
        with pytest.raises(Forbidden, match="same session"):
            runs.confirm(run=run, by=by, session=session, digest=run.digest)
    with pytest.raises(Conflict, match="not the file"):
        runs.confirm(run=run, by=admin, session="s1", digest="0" * 64)
    with pytest.raises(Forbidden):
        runs.start(resource="titles", filename="x", content=b"x", by=accounts.staff("editor"), session="s1")
    assert not Title.objects.exists()


def test_what_changed_between_check_and_confirmation_is_found_and_nothing_is_written(admin):
    nadege = catalogue.creator(slug="nadege")
    run = upload(admin, "titles", table(TITLE, {**TITLE, "external_id": "m-2", "title": "Second"}))
    catalogue.title(owner=nadege, title="Second")
    run = confirmed(admin, run)
    assert run.status == RunStatus.REFUSED
    assert errors(run) == [(3, "title", "This creator has a title of this name already.")]
    assert Title.objects.count() == 1


def test_a_failure_in_the_middle_of_writing_undoes_all_of_it_and_says_so(admin):
    catalogue.creator(slug="nadege")
    run = upload(admin, "titles", table(TITLE))
    runs.confirm(run=run, by=admin, session="s1", digest=run.digest)

    def somebody_else_is_faster(done, total, note):
        if note == "Writing":
            ImportedRow.objects.create(run=run, resource="titles", external_id="m-1", subject_id=run.pk)

    runs.apply(run=run, tell=somebody_else_is_faster)
    assert run.status == RunStatus.REFUSED
    assert "changed while the file was being written (imported_row_once)" in errors(run)[0][2]
    assert not Title.objects.exists()
    assert not AuditEntry.objects.filter(action="title.import").exists()


def test_a_worker_that_dies_while_writing_leaves_nothing_and_the_next_one_writes_it_all(admin):
    class Killed(BaseException):
        """What a dying process looks like from inside."""

    catalogue.creator(slug="nadege")
    run = upload(admin, "titles", table(TITLE))
    runs.confirm(run=run, by=admin, session="s1", digest=run.digest)

    def die(done, total, note):
        if note == "Writing":
            raise Killed

    with pytest.raises(Killed):
        runs.apply(run=run, tell=die)
    run.refresh_from_db()
    assert run.status == RunStatus.CONFIRMED
    assert not Title.objects.exists()
    jobs.run_due()
    run.refresh_from_db()
    assert run.status == RunStatus.APPLIED
    assert Title.objects.count() == 1


def test_running_a_job_again_after_a_crash_changes_nothing(admin):
    catalogue.creator(slug="nadege")
    run = confirmed(admin, upload(admin, "titles", table(TITLE)))
    runs.check(run=run, tell=lambda *_: None)
    runs.apply(run=run, tell=lambda *_: None)
    assert Title.objects.count() == 1


def test_a_file_that_is_too_large_is_refused_before_it_is_kept(admin):
    with pytest.raises(Invalid, match="larger than 15 MB"):
        runs.start(resource="titles", filename="x.csv", content=b"x" * (16 << 20), by=admin, session="s1")
    assert not ImportRun.objects.exists()


def test_creators_come_with_accounts_and_keep_the_other_systems_verification(admin):
    known = accounts.member(email="known@example.com")
    rows = [
        {**CREATOR, "languages": "ht; fr", "verified": "yes"},
        {**CREATOR, "external_id": "a-2", "email": "Known@Example.com", "languages": "", "verified": "no"},
    ]
    run = confirmed(admin, upload(admin, "creators", table(*rows)))
    assert run.status == RunStatus.APPLIED
    first = Creator.objects.get(user__email="nadege@example.com")
    assert (first.slug, first.country, first.languages) == ("nadege-baptiste", "HT", ["ht", "fr"])
    assert (first.verification_status, first.is_active) == ("verified", True)
    assert not first.user.has_usable_password()
    second = Creator.objects.get(user=known)
    assert (second.verification_status, second.is_active) == ("pending", False)
    assert second.slug.startswith("nadege-baptiste-")


def test_creators_that_exist_and_staff_are_refused(admin):
    catalogue.creator(user=accounts.member(email="star@example.com"), slug="star")
    rows = [
        {**CREATOR, "email": "star@example.com", "slug": ""},
        {**CREATOR, "external_id": "a-2", "email": admin.email, "slug": ""},
        {**CREATOR, "external_id": "a-3", "email": "new@example.com", "slug": "star"},
        {**CREATOR, "external_id": "a-4", "email": "no address", "slug": "Not A Slug"},
        {**CREATOR, "external_id": "a-5", "email": "fifth@example.com", "slug": "", "country": "Haiti"},
    ]
    run = upload(admin, "creators", table(*rows))
    assert causes(run) == {(2, "email"), (3, "email"), (4, "slug"), (5, "email"), (6, "country")}


@pytest.fixture
def lavi():
    return catalogue.published(
        owner=catalogue.creator(slug="nadege"), slug="lavi", access_model="purchase", price_minor=1000
    )


def test_past_sales_become_purchases_payments_and_balanced_entries(admin, lavi):
    run = confirmed(admin, upload(admin, "sales", table(SALE)))
    assert run.status == RunStatus.APPLIED, errors(run)
    buyer = User.objects.get(email="marie@example.com")
    payment = Payment.objects.get()
    assert (payment.user, payment.amount_minor, payment.provider) == (buyer, 1000, "legacy")
    assert (payment.status, payment.provider_payment_id) == ("captured", "s-1")
    assert payment.captured_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert commerce.owns(buyer, lavi)
    earning = Earning.objects.get()
    assert earning.status == "pending"
    assert Balance.objects.get(account__kind=AccountKind.CREATOR_PENDING).amount == earning.amount_minor > 0
    assert sum(Posting.objects.values_list("amount", flat=True)) == 0


def test_what_the_other_system_paid_out_is_never_payable_here(admin, lavi):
    confirmed(admin, upload(admin, "sales", table({**SALE, "paid_out": "yes"})))
    earning = Earning.objects.get()
    assert (earning.status, earning.allocated_minor) == ("released", earning.amount_minor)
    assert set(Balance.objects.values_list("amount", flat=True)) == {0}
    assert earnings.release_due() == 0
    assert set(Balance.objects.values_list("amount", flat=True)) == {0}


def test_the_ledger_verifier_finds_nothing_after_an_import_of_sales(admin, lavi):
    rows = [
        {
            **SALE,
            "external_id": f"s-{n}",
            "buyer_email": f"b{n}@example.com",
            "paid_out": "yes" if n % 2 else "no",
        }
        for n in range(20)
    ]
    run = confirmed(admin, upload(admin, "sales", table(*rows)))
    assert run.status == RunStatus.APPLIED, errors(run)
    earnings.release_due()
    assert [str(problem) for problem in verification.run()] == []


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"title": "nothing"}, "title"),
        ({"amount": "0"}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"currency": "ABC"}, "currency"),
        ({"sold_at": "2999-01-01"}, "sold_at"),
        ({"sold_at": "31/05/2024"}, "sold_at"),
        ({"sold_at": "9999-12-31T23:59:59-14:00"}, "sold_at"),
        ({"sold_at": "0001-01-01T00:00:00+14:00"}, "sold_at"),
        ({"buyer_email": "marie"}, "buyer_email"),
        ({"buyer_name": ""}, "buyer_name"),
        ({"paid_out": "maybe"}, "paid_out"),
        ({"paid_out": ""}, "paid_out"),
    ],
)
def test_wrong_cells_of_a_sale_are_named_and_no_money_moves(admin, lavi, cells, column):
    run = upload(admin, "sales", table(SALE, {**SALE, "external_id": "s-2", "buyer_email": "b@example.com", **cells}))
    assert (3, column) in causes(run)
    assert not Posting.objects.exists()
    assert not Purchase.objects.exists()


def test_a_sale_that_is_known_already_is_refused(admin, lavi):
    confirmed(admin, upload(admin, "sales", table(SALE)))
    other_id = upload(admin, "sales", table({**SALE, "external_id": "s-9"}))
    assert causes(other_id) == {(2, "buyer_email")}
    same_id = upload(admin, "sales", table({**SALE, "buyer_email": "other@example.com"}))
    assert causes(same_id) == {(2, "external_id")}
    assert Payment.objects.count() == 1


def test_sales_find_titles_by_the_id_of_the_other_system(admin):
    catalogue.creator(slug="nadege")
    confirmed(admin, upload(admin, "titles", table(TITLE)))
    run = confirmed(admin, upload(admin, "sales", table({**SALE, "title": "m-1"})))
    assert run.status == RunStatus.APPLIED
    assert Purchase.objects.get().title.title == TITLE["title"]


@pytest.mark.parametrize("resource", list(TABLES))
@pytest.mark.parametrize("make", [forms.csv_template, forms.xlsx_template])
def test_the_template_file_can_be_read_back_and_knows_every_column(admin, resource, make):
    run = upload(admin, resource, make(resource))
    assert run.rows_total == 1
    assert not [error for error in errors(run) if error[0] == 1]


def test_a_file_that_nobody_confirms_is_thrown_away_with_what_was_said_about_it(admin):
    catalogue.creator(slug="nadege")
    ready, refused = upload(admin, "titles", table(TITLE)), upload(admin, "titles", table({**TITLE, "price": "x"}))
    done = confirmed(admin, upload(admin, "titles", table({**TITLE, "external_id": "m-9", "title": "Other"})))
    assert runs.discard_due(at=ready.created_at + timedelta(days=6)) == 0
    assert runs.discard_due(at=refused.created_at + timedelta(days=7, seconds=1)) == 2
    assert set(ImportRun.objects.values_list("status", flat=True)) == {"discarded", "applied"}
    assert not ImportFile.objects.exists()
    assert not refused.errors.exists()
    done.refresh_from_db()
    assert done.status == RunStatus.APPLIED


def test_a_file_whose_check_died_is_thrown_away_too(admin):
    run = runs.start(resource="titles", filename="t.csv", content=table(TITLE), by=admin, session="s1")
    assert runs.discard_due(at=run.created_at + timedelta(days=7, seconds=1)) == 1
    run.refresh_from_db()
    assert run.status == RunStatus.DISCARDED
    assert not ImportFile.objects.exists()


def test_every_state_of_a_run_allows_what_the_table_says():
    assert MACHINE.verbs_from(RunStatus.APPLIED) == []
    assert MACHINE.verbs_from(RunStatus.DISCARDED) == []
    assert MACHINE.verbs_from(RunStatus.REFUSED) == ["discard"]
    assert "confirm" not in MACHINE.verbs_from(RunStatus.UPLOADED)
