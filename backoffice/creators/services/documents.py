"""Identity documents: taken in encrypted, opened under audit, judged, expired, destroyed (S-018 to S-021)."""

import datetime as dt
import io
import warnings
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from backoffice.accounts import permissions
from backoffice.audit import entries
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.core.states import advance
from backoffice.creators import policies, states
from backoffice.creators.models import CreatorApplication, VerificationDocument
from backoffice.creators.services import vault
from backoffice.notifications.services import notify

IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
MAX_PIXELS = 60_000_000
MAX_SIDE = 12_000


class TooLarge(Invalid):
    """The file is over `document.max_bytes`."""

    default_code = "file_too_large"


class WrongType(Invalid):
    """The content is not a PDF, JPEG, PNG or WebP, whatever its name says."""

    default_code = "unsupported_type"


def detect(content: bytes) -> str:
    """The media type by content. Raises TooLarge, WrongType, Invalid for empty or broken files."""
    limit = values.get("document.max_bytes")
    if len(content) > limit:
        raise TooLarge(_("The file is larger than %(size)s MB.") % {"size": limit // 1_000_000}, field="file")
    if not content:
        raise Invalid(_("The file is empty."), field="file", code="file_empty")
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-2048:]:
            raise Invalid(_("The PDF is incomplete."), field="file", code="file_broken")
        return "application/pdf"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(IMAGE_TYPES)) as image:
                kind, (width, height) = str(image.format), image.size
                if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                    raise TooLarge(_("The picture has too many pixels."), field="file")
                image.verify()
    except UnidentifiedImageError as error:
        raise WrongType(_("Send a PDF, JPEG, PNG or WebP file."), field="file") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(_("The picture has too many pixels."), field="file") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise Invalid(_("The picture cannot be read."), field="file", code="file_broken") from error
    return IMAGE_TYPES[kind]


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
    in the clear.
    """
    at = at or clock.now()
    if by is None or application.applicant_id != by.pk:
        raise Forbidden(_("Only the applicant may add documents."))
    if document_type not in states.DocumentType.values:
        raise Invalid(_("Choose the kind of document."), field="document_type")
    if expires_on is not None and expires_on <= at.date():
        raise Invalid(_("This document has expired."), field="document_expires_on", code="document_expired")
    content_type = detect(content)
    stored = ""
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
                created_at=at,
            )
            stored = vault.put(subject=current.applicant, name=str(document.pk), content=content)
            document.storage_key = stored
            document.save(force_insert=True)
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


def open_for_view(*, document: VerificationDocument, by: Any, at: dt.datetime | None = None) -> bytes:
    """The plaintext for one look, audited as `document.view` before it is handed out.

    Raises Forbidden without `documents.view`, Conflict when destroyed, `vault.Unreadable` when altered.
    """
    at = at or clock.now()
    permissions.require(by, "documents.view")
    if document.status == states.DocumentStatus.PURGED:
        raise Conflict(_("This document was destroyed."), code="document_purged")
    content = vault.get(subject=document.subject, name=str(document.pk), storage_key=document.storage_key)
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
    permissions.require(by, "documents.decide")
    if document.opened_by_id != by.pk:
        raise Conflict(_("Open the document before you verify it."), code="document_not_opened")
    expires_on = expires_on or document.document_expires_on
    if expires_on is not None and expires_on <= at.date():
        raise Invalid(_("This document has expired."), field="document_expires_on", code="document_expired")
    advance(
        document,
        "verify",
        by=by,
        at=at,
        changes={"reviewer": by, "reviewed_at": at, "document_expires_on": expires_on, "reason": ""},
    )


def reject(*, document: VerificationDocument, by: Any, reason: str, at: dt.datetime | None = None) -> None:
    """Refuses a document and tells the applicant which one and why (S-019); sets its purge date."""
    at = at or clock.now()
    permissions.require(by, "documents.decide")
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


def purge_due(*, at: dt.datetime | None = None, limit: int = 200) -> int:
    """Destroys files past their purge date without legal hold (S-021); the row keeps its facts. Daily."""
    at = at or clock.now()
    due = (
        VerificationDocument.objects.filter(purge_after__lte=at, legal_hold=False)
        .exclude(status=states.DocumentStatus.PURGED)
        .order_by("purge_after")[:limit]
    )
    done = 0
    for document in due:
        purge(document=document, by=None, at=at)
        done += 1
    return done


def purge(*, document: VerificationDocument, by: Any, at: dt.datetime | None = None) -> None:
    """Destroys one document's file. Raises Conflict under legal hold.

    The file goes before the commit: a crash in between leaves a row that is still due, and the next run ends
    it.
    """
    at = at or clock.now()
    with transaction.atomic():
        document = VerificationDocument.objects.select_for_update().get(pk=document.pk)
        if document.legal_hold:
            raise Conflict(_("A legal hold keeps this document."), code="legal_hold")
        key = document.storage_key
        advance(document, "purge", by=by, at=at, changes={"storage_key": "", "purged_at": at})
        vault.delete(storage_key=key)
