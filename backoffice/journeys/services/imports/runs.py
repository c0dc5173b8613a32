"""An import from upload to the written rows. Checked whole before anything is written, written in one
transaction."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.accounts.services import imports as accounts
from backoffice.audit import entries
from backoffice.catalogue.services import imports as catalogue
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, DomainError, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators.services import imports as creators
from backoffice.finance.services import imports as finance
from backoffice.journeys.models import ImportedRow, ImportFile, ImportProblem, ImportRun
from backoffice.journeys.services.imports import sheets
from backoffice.journeys.services.imports.resources import TABLES, SaleTable, TableResource
from backoffice.journeys.services.imports.sheets import Trouble
from backoffice.journeys.states import EDIT, RunStatus

CHECK = "journeys.check_import"
APPLY = "journeys.apply_import"
MIB = 1 << 20
MAX_TROUBLES = 20_000
TELL_EVERY = 200

type Tell = Callable[[int, int, str], None]


def start(
    *, resource: str, filename: str, content: bytes, by: User, session: str, at: datetime | None = None
) -> ImportRun:
    """Keeps a file and asks for its check. ``session`` is the uploader's session key: only it may confirm.

    Raises Invalid for an unknown table or a file that is too large, Conflict when this very file was
    imported before.
    """
    permissions.require(by, EDIT)
    at = at or clock.now()
    if resource not in TABLES:
        raise Invalid(_("Choose what the file holds."), field="resource")
    limit = values.get("import.max_mebibytes")
    if len(content) > limit * MIB:
        raise Invalid(_("The file is larger than %(size)d MB.") % {"size": limit}, field="file", code="too_large")
    digest = hashlib.sha256(content).hexdigest()
    _refuse_repeat(resource, digest)
    with transaction.atomic():
        run = ImportRun.objects.create(
            resource=resource,
            filename=PurePosixPath(filename.replace("\\", "/")).name[:200] or "file",
            digest=digest,
            bytes=len(content),
            created_by=by,
            session_digest=session_digest(session),
            created_at=at,
        )
        ImportFile.objects.create(run=run, content=content)
        run.job = jobs.enqueue(CHECK, {"run_id": str(run.pk)}, key=str(run.pk), by=by)
        run.save(update_fields=["job", "updated_at"])
        entries.record(
            action="import_run.upload",
            by=by,
            subject=run,
            after={"resource": resource, "digest": digest, "bytes": len(content)},
            at=at,
        )
    return run


def check(*, run: ImportRun, tell: Tell, at: datetime | None = None) -> None:
    """The dry run: reads the file, checks every row, keeps every error. Writes nothing else. Safe to run
    again."""
    at = at or clock.now()
    if run.status != RunStatus.UPLOADED:
        return
    with translation.override(run.created_by.language):
        table, troubles, total = _read(run, tell=tell, at=at)
    failed = len({trouble.row for trouble in troubles})
    with transaction.atomic():
        _keep_troubles(run, troubles)
        advance(
            run,
            "refuse" if troubles else "pass",
            by=None,
            at=at,
            changes={
                "format": run.format,
                "rows_total": total,
                "rows_new": len(table.drafts),
                "rows_failed": failed,
                "errors_total": len(troubles),
                "checked_at": at,
            },
            note={"rows": total, "errors": len(troubles)},
        )


def confirm(*, run: ImportRun, by: User, session: str, digest: str, at: datetime | None = None) -> ImportRun:
    """Asks for the writing. Only the uploader, in the session of the upload, with the digest that was shown.

    Raises Forbidden for anybody else, Conflict when the run has errors, is over, or the file was imported
    meanwhile.
    """
    permissions.require(by, EDIT)
    at = at or clock.now()
    if run.created_by_id != by.pk or run.session_digest != session_digest(session):
        raise Forbidden(
            _("Only the person who uploaded the file can confirm it, in the same session. Upload it again."),
            code="other_session",
        )
    if digest != run.digest:
        raise Conflict(_("This is not the file that was checked."), code="other_file")
    _refuse_repeat(run.resource, run.digest, but=run)
    try:
        with transaction.atomic():
            advance(run, "confirm", by=by, at=at, changes={"confirmed_at": at}, note={"digest": digest})
            run.job = jobs.enqueue(APPLY, {"run_id": str(run.pk)}, key=str(run.pk), by=by)
            run.save(update_fields=["job", "updated_at"])
    except IntegrityError as error:
        raise Conflict(_("This file is being imported already."), code="repeated_file") from error
    return run


def apply(*, run: ImportRun, tell: Tell, at: datetime | None = None) -> None:
    """Writes every row or none: checks again under a lock, then writes, all in one transaction. Safe to run
    again."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            run.refresh_from_db(from_queryset=ImportRun.objects.select_for_update())
            if run.status != RunStatus.CONFIRMED:
                return
            _one_at_a_time(run.resource)
            with translation.override(run.created_by.language):
                table, troubles, _total = _read(run, tell=tell, at=at)
            if troubles:
                _refuse(run, troubles, at=at)
                return
            made = _write(run, table, tell=tell, at=at)
            _finish(run, table, made, at=at)
    except (IntegrityError, DomainError) as error:
        # The transaction is undone: nothing of the file is written. The reason goes where the other errors
        # go.
        with transaction.atomic():
            run.refresh_from_db(from_queryset=ImportRun.objects.select_for_update())
            if run.status != RunStatus.CONFIRMED:
                return
            _refuse(run, [Trouble(0, "", _why(error))], at=at)


def discard(*, run: ImportRun, by: User, at: datetime | None = None) -> ImportRun:
    """Throws the file away; nothing of it was written."""
    permissions.require(by, EDIT)
    at = at or clock.now()
    with transaction.atomic():
        advance(run, "discard", by=by, at=at)
        ImportFile.objects.filter(run=run).delete()
    return run


def discard_due(*, at: datetime | None = None, limit: int = 100) -> int:
    """Throws away what nobody confirmed for `import.keep_days`, with what was said about its cells; how many."""
    at = at or clock.now()
    before = at - timedelta(days=values.get("import.keep_days"))
    # An upload that still waits for its check after days has lost its job.
    over = [RunStatus.UPLOADED, RunStatus.READY, RunStatus.REFUSED]
    waiting = ImportRun.objects.filter(status__in=over, created_at__lt=before)
    done = 0
    for run in waiting.order_by("created_at")[:limit]:
        with transaction.atomic():
            advance(run, "discard", by=None, at=at)
            ImportFile.objects.filter(run=run).delete()
            run.errors.all().delete()
        done += 1
    return done


def session_digest(session: str) -> str:
    """What is kept of a session key: enough to know it again, nothing to sign in with."""
    return hashlib.sha256(f"import:{session}".encode()).hexdigest()


def _refuse_repeat(resource: str, digest: str, *, but: ImportRun | None = None) -> None:
    """Conflict when this very file was imported, or is being imported now."""
    earlier = ImportRun.objects.filter(
        resource=resource, digest=digest, status__in=[RunStatus.CONFIRMED, RunStatus.APPLIED]
    )
    found = earlier.exclude(pk=but.pk).first() if but is not None else earlier.first()
    if found is not None:
        raise Conflict(
            _("This file was imported before, as %(reference)s.") % {"reference": found.reference},
            code="repeated_file",
        )


def _read(run: ImportRun, *, tell: Tell, at: datetime) -> tuple[TableResource, list[Trouble], int]:
    """The table's drafts, everything that is wrong, and how many rows there are."""
    table = TABLES[run.resource](by=run.created_by, at=at)
    limit = values.get("import.max_mebibytes")
    bounds = sheets.Bounds(
        unpacked=10 * limit * MIB, cells=values.get("import.max_cells"), rows=values.get("import.max_rows")
    )
    tell(0, 0, _("Reading the file"))
    try:
        sheet = sheets.read(bytes(run.file.content), bounds=bounds)
    except sheets.Unreadable as error:
        return table, [Trouble(0, "", str(error))], 0
    run.format = sheet.format
    troubles = [*table.check_headers(sheet), *sheet.troubles]
    total = len(sheet.rows)
    if any(trouble.row == 1 for trouble in troubles):
        return table, sorted(troubles, key=lambda trouble: trouble.row), total
    table.prepare(sheet.rows)
    for done, (number, row) in enumerate(sheet.rows, start=1):
        troubles += table.check_row(number, row)
        if done % TELL_EVERY == 0 or done == total:
            tell(done, total, _("Checking"))
        if len(troubles) >= MAX_TROUBLES:
            cause = _("Checking stopped here: more than %(count)d errors.") % {"count": MAX_TROUBLES}
            troubles.append(Trouble(number, "", cause))
            break
    return table, sorted(troubles, key=lambda trouble: trouble.row), total


def _keep_troubles(run: ImportRun, troubles: list[Trouble]) -> None:
    run.errors.all().delete()
    ImportProblem.objects.bulk_create(
        [
            ImportProblem(
                run=run,
                row=trouble.row,
                column=trouble.column[:100],
                value=trouble.value[:200],
                cause=trouble.cause[:500],
            )
            for trouble in troubles
        ],
        batch_size=2000,
    )


def _refuse(run: ImportRun, troubles: list[Trouble], *, at: datetime) -> None:
    _keep_troubles(run, troubles)
    advance(
        run,
        "refuse",
        by=None,
        at=at,
        changes={"errors_total": len(troubles), "rows_failed": len({trouble.row for trouble in troubles})},
        note={"errors": len(troubles)},
    )


def _one_at_a_time(resource: str) -> None:
    """Two imports of one kind wait for each other, so that each sees what the other wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"import:{resource}"])


def _write(run: ImportRun, table: TableResource, *, tell: Tell, at: datetime) -> list[models.Model]:
    """Hands the drafts to their domain; the rows made, in the drafts' order."""
    by, total = run.created_by, len(table.drafts)
    tell(0, total, _("Writing"))
    drafts: list[Any] = [draft for _external_id, draft in table.drafts]
    if run.resource == ImportRun.Resource.CREATORS:
        people = [person for person, _creator in drafts if isinstance(person, accounts.NewMember)]
        users = accounts.register_batch(people=people, by=by, at=at)
        pairs = [
            (users[person.email] if isinstance(person, accounts.NewMember) else person, creator)
            for person, creator in drafts
        ]
        return list(creators.import_batch(rows=pairs, by=by, at=at))
    if run.resource == ImportRun.Resource.TITLES:
        return list(catalogue.import_batch(rows=drafts, by=by, at=at))
    assert isinstance(table, SaleTable)
    users = accounts.register_batch(people=table.new_buyers, by=by, at=at)
    sales = [table.sale(users[buyer] if isinstance(buyer, str) else buyer, cells) for buyer, cells in drafts]

    def told(done: int) -> None:
        if done % TELL_EVERY == 0 or done == total:
            tell(done, total, _("Writing"))

    return list(finance.import_past(rows=sales, by=by, tell=told))


def _finish(run: ImportRun, table: TableResource, made: list[models.Model], *, at: datetime) -> None:
    ImportedRow.objects.bulk_create(
        [
            ImportedRow(run=run, resource=run.resource, external_id=external_id, subject_id=row.pk)
            for (external_id, _draft), row in zip(table.drafts, made, strict=True)
        ],
        batch_size=2000,
    )
    advance(
        run,
        "apply",
        by=None,
        at=at,
        changes={"applied_at": at, "rows_new": len(made), "rows_failed": 0},
        note={"rows": len(made)},
    )
    ImportFile.objects.filter(run=run).delete()


def _why(error: IntegrityError | DomainError) -> str:
    """The cause of an undone import in words; a constraint of the database is named."""
    if isinstance(error, DomainError):
        return str(error)
    diagnostics = getattr(error.__cause__, "diag", None)
    return _("The data changed while the file was being written (%(rule)s). Upload it again to see what.") % {
        "rule": getattr(diagnostics, "constraint_name", None) or _("unknown rule")
    }
