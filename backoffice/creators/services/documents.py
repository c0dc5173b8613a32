"""Identity documents: taken in encrypted, opened under audit, judged, expired, destroyed (S-018 to S-021)."""

import datetime as dt
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators import policies, queries, states
from backoffice.creators.models import Creator, CreatorApplication, DocumentKey, VerificationDocument
from backoffice.creators.services import contents, vault
from backoffice.creators.services.contents import TooLarge, WrongType
from backoffice.notifications.services import notify
from integrations.antivirus.client import ClamAV

__all__ = ["TooLarge", "WrongType"]

log = structlog.get_logger(__name__)
SCAN = "creators.scan_document"
# How often an opening follows a file that a key rotation has just moved.
FOLLOW = 3


def upload(
    *,
    application: CreatorApplication,
    document_type: str,
    content: bytes,
    by: Any,
    expires_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> VerificationDocument:
    """Stores a document of the applicant, encrypted (U-018).

    Raises Forbidden for anybody but the applicant, Conflict when the application takes no changes or holds
    too many files, Invalid for a bad type or an expired document. The content never touches disk or database
    in the clear. Where a virus scanner is configured the document waits for it and opens to nobody meanwhile.
    """
    at = at or clock.now()
    if by is None or application.applicant_id != by.pk:
        raise Forbidden(_("Only the applicant may add documents."))
    if document_type not in states.DocumentType.values:
        raise Invalid(_("Choose the kind of document."), field="document_type")
    _check_valid(expires_on, at=at)
    content_type = contents.detect(content)
    stored = ""
    scanned = not settings.CLAMAV_SOCKET
    try:
        with transaction.atomic():
            current = CreatorApplication.objects.select_for_update().get(pk=application.pk)
            if not (current.is_editable or policies.is_reverifying(current)):
                raise Conflict(_("This application takes no changes now."), code="not_editable")
            if current.documents.exclude(status=states.DocumentStatus.PURGED).count() >= values.get(
                "document.max_per_application"
            ):
                raise Conflict(_("There are too many documents already."), code="too_many_documents")
            document = VerificationDocument(
                application=current,
                subject_id=current.applicant_id,
                document_type=document_type,
                content_type=content_type,
                bytes=len(content),
                document_expires_on=expires_on,
                status=states.DocumentStatus.PENDING if scanned else states.DocumentStatus.SCANNING,
                created_at=at,
            )
            place = vault.put(subject=current.applicant, name=str(document.pk), content=content)
            stored = place.storage_key
            document.storage_key, document.key_version = place.storage_key, place.key_version
            document.save(force_insert=True)
            if not scanned:
                jobs.enqueue(SCAN, {"document_id": str(document.pk)}, key=str(document.pk), by=by)
            CreatorApplication.objects.filter(pk=current.pk).update(last_activity_at=at, updated_at=at)
            entries.record(
                action="document.upload",
                by=by,
                subject=document,
                data={"type": document_type, "bytes": len(content)},
                at=at,
            )
    except BaseException:
        if stored:  # a row that was never written must not leave its ciphertext behind
            vault.delete(storage_key=stored)
        raise
    return document


def scan(*, document_id: UUID | str, at: dt.datetime | None = None) -> bool:
    """Hands a waiting document to the virus scanner (X-054): clean ones go to review, infected ones are isolated.

    False when it does not wait any more. Raises ScannerUnavailable when there is no verdict; why is kept on the row
    for whoever looks, and the document stays closed.
    """
    at = at or clock.now()
    document = VerificationDocument.objects.select_related("subject", "application").get(pk=document_id)
    if document.status != states.DocumentStatus.SCANNING:
        return False
    try:
        found = contents.scan(scanner(), read(document=document))
    except Exception as error:
        VerificationDocument.objects.filter(pk=document.pk).update(scan_detail=str(error)[:300], updated_at=at)
        raise
    changes = {"scanned_at": at, "scan_detail": found[:300]}
    if not found:
        advance(document, "clear", by=None, at=at, changes=changes)
        return True
    with transaction.atomic():
        changes["purge_after"] = at + dt.timedelta(days=values.get("document.quarantine_days"))
        advance(document, "quarantine", by=None, at=at, reason=found, changes=changes)
        notify(
            user=document.subject,
            event="document.quarantined",
            data={"reference": document.application.reference, "document_type": document.document_type},
        )
    return True


def scanner() -> ClamAV | None:
    """The scanner at CLAMAV_SOCKET; None when there is none any more."""
    if not settings.CLAMAV_SOCKET:
        return None
    return ClamAV(settings.CLAMAV_SOCKET, timeout=values.get("document.scan_seconds"))


def scan_waiting(*, limit: int = 200) -> int:
    """Asks again for the scan of every document that still waits for one; returns how many. Every five minutes."""
    waiting = VerificationDocument.objects.filter(status=states.DocumentStatus.SCANNING).order_by("created_at")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    for pk in ids:
        with transaction.atomic():
            jobs.enqueue(SCAN, {"document_id": str(pk)}, key=str(pk))
    return len(ids)


def read(*, document: VerificationDocument) -> bytes:
    """The plaintext for the system itself, unaudited; people go by `open_for_view`.

    Follows a file that a key rotation moves at this moment. Raises `vault.Unreadable`.
    """
    for _attempt in range(FOLLOW):
        try:
            return vault.get(
                subject=document.subject,
                name=str(document.pk),
                storage_key=document.storage_key,
                key_version=document.key_version,
            )
        except vault.Unreadable:
            before = document.storage_key
            document.refresh_from_db(fields=["storage_key", "key_version", "status"])
            if document.storage_key in ("", before):
                raise
    raise vault.Unreadable(_("This document is being moved; open it again."))


def check_open(document: VerificationDocument, *, by: Any) -> None:
    """Raises Conflict, saying why, for a document that nobody may open now, Forbidden for one's own."""
    policies.check_not_oneself(document.subject_id, by)
    if document.status == states.DocumentStatus.PURGED:
        raise Conflict(_("This document was destroyed."), code="document_purged")
    if document.status == states.DocumentStatus.QUARANTINED:
        raise Conflict(
            _("The virus scanner found %(found)s in this file. It is isolated and opens to nobody.")
            % {"found": document.scan_detail},
            code="document_quarantined",
        )
    if document.status == states.DocumentStatus.SCANNING:
        raise Conflict(_("This document waits for the virus scan."), code="document_scanning")


def open_for_view(*, document: VerificationDocument, by: Any, at: dt.datetime | None = None) -> bytes:
    """The plaintext for one look, audited as `document.view` before it is handed out.

    Raises Forbidden without `documents.view` and for one's own, Conflict when destroyed, isolated or not scanned
    yet, `vault.Unreadable` when altered.
    """
    at = at or clock.now()
    permissions.require(by, "documents.view")
    check_open(document, by=by)
    content = read(document=document)
    with transaction.atomic():
        entries.record(action="document.view", by=by, subject=document, at=at)
        VerificationDocument.objects.filter(pk=document.pk).update(opened_by=by, opened_at=at)
    document.opened_by, document.opened_at = by, at
    return content


def verify(
    *,
    document: VerificationDocument,
    by: Any,
    expires_on: dt.date | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Accepts a document that this reviewer has opened (S-018). `expires_on` is read from the document."""
    at = at or clock.now()
    _check_judge(document, by)
    if document.opened_by_id != by.pk:
        raise Conflict(_("Open the document before you verify it."), code="document_not_opened")
    expires_on = expires_on or document.document_expires_on
    _check_valid(expires_on, at=at)
    advance(
        document,
        "verify",
        by=by,
        at=at,
        changes={"reviewer": by, "reviewed_at": at, "document_expires_on": expires_on, "reason": ""},
        note={"expires_on": expires_on},
    )


def withdraw(*, document: VerificationDocument, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Takes back a verification that was a mistake: the document is pending again, to be judged anew.

    Conflict once a creator is verified by it, or was when suspended, for a restoration makes them verified again; then
    a new ID is asked for (`creators.reverify`).
    """
    at = at or clock.now()
    _check_judge(document, by)
    with transaction.atomic():
        # The application before its papers, as where it is decided: an approval cannot take effect meanwhile.
        application = CreatorApplication.objects.select_for_update().get(pk=document.application_id)
        creator = Creator.objects.select_for_update(of=("self",)).filter(user=document.subject_id).first()
        relied_on = application.status in (states.ApplicationStatus.APPROVED, states.ApplicationStatus.ACTIVATED)
        if relied_on and creator is not None and creator.verification_status in states.VOUCHED:
            raise Conflict(_("A creator is verified by this document; ask for a new one."), code="relied_on")
        advance(document, "withdraw", by=by, at=at, reason=reason, changes={"reviewer": None, "reviewed_at": None})


def correct_expiry(
    *, document: VerificationDocument, expires_on: dt.date | None, by: Any, at: dt.datetime | None = None
) -> None:
    """Corrects the day until which a verified document is valid; None is an ID that does not end.

    Raises Conflict for a document that is not verified or that this reviewer has not opened, Invalid for a day that
    has passed.
    """
    at = at or clock.now()
    _check_judge(document, by)
    _check_valid(expires_on, at=at)
    with transaction.atomic():
        current = VerificationDocument.objects.select_for_update().get(pk=document.pk)
        if current.status != states.DocumentStatus.VERIFIED:
            raise Conflict(_("Only a verified document has a date to correct."), code="not_verified")
        if current.opened_by_id != by.pk:
            raise Conflict(_("Open the document before you correct its date."), code="document_not_opened")
        before = current.document_expires_on
        if before != expires_on:
            # Whoever was told of the wrong day is told of the right one in its time.
            VerificationDocument.objects.filter(pk=document.pk).update(
                document_expires_on=expires_on, expiry_told_at=None, updated_at=at
            )
            entries.record(
                action="document.correct",
                by=by,
                subject=document,
                before={"document_expires_on": before},
                after={"document_expires_on": expires_on},
                at=at,
            )
    document.document_expires_on, document.expiry_told_at = expires_on, None


def uncorrect(
    *, document_id: UUID, before: dt.date | None, after: dt.date | None, by: Any, reason: str, at: dt.datetime
) -> None:
    """Gives a verified document back the day that was corrected from `before` to `after`.

    Nothing happens when it is not verified any more or has another day by now.
    """
    with transaction.atomic():
        document = VerificationDocument.objects.select_for_update().get(pk=document_id)
        _check_judge(document, by)
        if document.status != states.DocumentStatus.VERIFIED or document.document_expires_on != after:
            return
        VerificationDocument.objects.filter(pk=document.pk).update(
            document_expires_on=before, expiry_told_at=None, updated_at=at
        )
        entries.record(
            action="document.correct",
            by=by,
            subject=document,
            reason=reason,
            before={"document_expires_on": after},
            after={"document_expires_on": before},
            at=at,
        )


def reinstate(
    *,
    document_id: UUID,
    reviewer_id: UUID | None,
    reviewed_at: dt.datetime | None,
    by: Any,
    reason: str,
    at: dt.datetime,
) -> None:
    """Gives a document back the verification that was withdrawn, as its reviewer made it.

    Nothing happens when somebody has judged it since.
    """
    with transaction.atomic():
        document = VerificationDocument.objects.select_for_update().get(pk=document_id)
        _check_judge(document, by)
        if document.status == states.DocumentStatus.PENDING:
            changes = {"reviewer_id": reviewer_id, "reviewed_at": reviewed_at}
            advance(document, "verify", by=by, at=at, reason=reason, changes=changes)


def _check_judge(document: VerificationDocument, by: Any) -> None:
    """Raises Forbidden without the right to judge documents, and for one's own."""
    permissions.require(by, "documents.decide")
    policies.check_not_oneself(document.subject_id, by)


def _check_valid(expires_on: dt.date | None, *, at: dt.datetime) -> None:
    if expires_on is not None and expires_on <= at.date():
        raise Invalid(_("This document has expired."), field="document_expires_on", code="document_expired")


def reject(*, document: VerificationDocument, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Refuses a document and tells the applicant which one and why (S-019); sets its purge date."""
    at = at or clock.now()
    _check_judge(document, by)
    if document.opened_by_id != by.pk:
        raise Conflict(_("Open the document before you refuse it."), code="document_not_opened")
    if not reason.strip():
        raise Invalid(_("Say why the document is refused."), field="reason")
    with transaction.atomic():
        advance(
            document,
            "reject",
            by=by,
            at=at,
            reason=reason,
            changes={
                "reviewer": by,
                "reviewed_at": at,
                "reason": reason.strip(),
                "purge_after": purge_date(at),
            },
        )
        notify(
            user=document.subject,
            event="document.rejected",
            data={
                "reference": document.application.reference,
                "document_type": document.document_type,
                "reason": reason.strip(),
            },
            by=by,
        )


def purge_date(at: dt.datetime) -> dt.datetime:
    """When a document whose verification ended at `at` is destroyed: `document.purge_days` later (N-064)."""
    return at + dt.timedelta(days=values.get("document.purge_days"))


def schedule_purge(*, subject: Any, at: dt.datetime) -> int:
    """Sets the purge date of every document of a person whose verification ended; returns how many."""
    return (
        VerificationDocument.objects.filter(subject=subject, purge_after__isnull=True)
        .exclude(status=states.DocumentStatus.PURGED)
        .update(purge_after=purge_date(at), updated_at=at)
    )


def expire_due(*, at: dt.datetime | None = None, limit: int = 500) -> int:
    """Expires verified documents whose date has passed (S-020); returns how many. Runs daily."""
    at = at or clock.now()
    due = VerificationDocument.objects.filter(
        status=states.DocumentStatus.VERIFIED, document_expires_on__lt=at.date()
    ).order_by("document_expires_on")[:limit]
    done = 0
    for document in due:
        advance(document, "expire", by=None, at=at, changes={"purge_after": purge_date(at)})
        done += 1
    return done


def tell_expiring(*, at: dt.datetime | None = None, limit: int = 500) -> int:
    """Tells owners of verified documents that end within `document.expiring_days`, each once; returns how many."""
    at = at or clock.now()
    done = 0
    for document in queries.expiring_documents(at=at, days=values.get("document.expiring_days"))[:limit]:
        with transaction.atomic():
            if not VerificationDocument.objects.filter(pk=document.pk, expiry_told_at__isnull=True).update(
                expiry_told_at=at, updated_at=at
            ):
                continue
            assert document.document_expires_on is not None
            notify(
                user=document.subject,
                event="document.expiring",
                data={
                    "document_type": document.document_type,
                    "day": document.document_expires_on.isoformat(),
                },
            )
            done += 1
    return done


def due_for_purge(*, at: dt.datetime) -> QuerySet[VerificationDocument]:
    """Documents past their purge date, oldest first, held ones too."""
    return (
        VerificationDocument.objects.filter(purge_after__lte=at)
        .exclude(status=states.DocumentStatus.PURGED)
        .order_by("purge_after", "pk")
    )


def purge_due(*, at: dt.datetime | None = None, limit: int = 200) -> int:
    """Destroys files past their purge date without legal hold (S-021); the row keeps its facts. Daily.

    One that cannot be destroyed does not keep the others; the first error is raised at the end.
    """
    at = at or clock.now()
    problem: Exception | None = None
    done = 0
    for document in due_for_purge(at=at).exclude(subject__in=queries.held_people(at=at))[:limit]:
        try:
            purge(document=document, by=None, at=at)
            done += 1
        except vault.Held:
            log.info("purge refused under legal hold", document=str(document.pk))
        except Exception as error:
            log.exception("purge failed", document=str(document.pk))
            problem = problem or error
    if problem is not None:
        raise problem
    return done


def purge(*, document: VerificationDocument, by: Any, at: dt.datetime | None = None) -> None:
    """Destroys one document's file, and the person's key with their last one. Raises `vault.Held` under legal hold.

    The file goes before the commit: a crash in between leaves a row that is still due, and the next run ends
    it.
    """
    at = at or clock.now()
    with transaction.atomic():
        # The order of locks everywhere: the person's key, then the document.
        DocumentKey.objects.select_for_update().filter(subject=document.subject_id).first()
        document = VerificationDocument.objects.select_for_update().get(pk=document.pk)
        held = queries.holds_on(document.subject_id, at=at).first()
        if held is not None:
            raise vault.Held(_("The legal hold %(hold)s keeps this document.") % {"hold": held.reference})
        advance(document, "purge", by=by, at=at, changes={"storage_key": "", "purged_at": at})
        vault.delete_all(name=str(document.pk), key_version=document.key_version)
        if not queries.has_sealed(document.subject_id):
            vault.destroy_key(subject=document.subject_id, because=states.KeyEnd.PURGED, at=at)
