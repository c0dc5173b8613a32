"""What a reviewer finds: documents, accounts, public figure, background, and the five-part assessment."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit import entries
from backoffice.core.errors import Invalid
from backoffice.creators import states
from backoffice.creators.models import CreatorApplication, QualityAssessment, SocialAccount
from backoffice.creators.services import documents
from backoffice.creators.states import InfoItem, PublicFigure, RejectReason

SCORES = ("video_quality", "audio_quality", "content_rating", "cultural_authenticity")
SCORE_RANGE = range(1, 6)


@dataclass(frozen=True, slots=True)
class Findings:
    """One reviewer's findings; None in a score means "not judged"."""

    verified_documents: tuple[UUID, ...] = ()
    document_expires_on: dt.date | None = None
    checked_accounts: tuple[UUID, ...] = ()
    refused_accounts: tuple[UUID, ...] = ()
    public_figure: str = PublicFigure.UNCHECKED
    background_required: bool = False
    background_passed: bool | None = None
    video_quality: int | None = None
    audio_quality: int | None = None
    content_rating: int | None = None
    cultural_authenticity: int | None = None
    appropriate: bool | None = None
    languages_confirmed: tuple[str, ...] = ()
    notes: str = ""
    scores: dict[str, int | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.scores.update({name: getattr(self, name) for name in SCORES})


def save(*, application: CreatorApplication, findings: Findings, by: Any, at: dt.datetime) -> None:
    """Writes findings onto the application, its accounts, documents and assessment; one audit row for all.

    Documents named in `verified_documents` must have been opened by this reviewer (S-018). Raises Invalid for
    a score outside 1 to 5.
    """
    for name, score in findings.scores.items():
        if score is not None and score not in SCORE_RANGE:
            raise Invalid(_("A score lies between 1 and 5."), field=name)
    if findings.public_figure not in PublicFigure.values:
        raise Invalid(_("Choose an outcome of the public-figure check."), field="public_figure")
    with transaction.atomic():
        CreatorApplication.objects.filter(pk=application.pk).update(
            public_figure=findings.public_figure,
            background_required=findings.background_required,
            background_passed=findings.background_passed if findings.background_required else None,
            updated_at=at,
        )
        application.refresh_from_db(fields=["public_figure", "background_required", "background_passed"])
        for ids, verified in ((findings.checked_accounts, True), (findings.refused_accounts, False)):
            SocialAccount.objects.filter(application=application, pk__in=ids).update(
                verified=verified, checked_by=by, checked_at=at, updated_at=at
            )
        pending = application.documents.filter(pk__in=findings.verified_documents, status=states.DocumentStatus.PENDING)
        for document in pending:
            documents.verify(document=document, by=by, expires_on=findings.document_expires_on, at=at)
        QualityAssessment.objects.update_or_create(
            application=application,
            defaults={
                **findings.scores,
                "appropriate": findings.appropriate,
                "languages_confirmed": list(findings.languages_confirmed),
                "notes": findings.notes,
                "assessor": by,
                "assessed_at": at,
            },
        )
        entries.record(
            action="application.assess",
            by=by,
            subject=application,
            data={
                **findings.scores,
                "appropriate": findings.appropriate,
                "public_figure": findings.public_figure,
                "background_required": findings.background_required,
                "background_passed": findings.background_passed,
                "accounts_checked": len(findings.checked_accounts),
                "documents_verified": len(findings.verified_documents),
            },
            at=at,
        )


REJECTION_TEXTS: dict[str, str | Promise] = {
    RejectReason.IDENTITY: gettext_lazy("We could not confirm your identity from the documents you sent."),
    RejectReason.DOCUMENT: gettext_lazy("Your document could not be read, was altered, or is out of date."),
    RejectReason.IMPERSONATION: gettext_lazy("The name or accounts you gave belong to somebody else."),
    RejectReason.ELIGIBILITY: gettext_lazy("You do not meet our conditions on age or country yet."),
    RejectReason.QUALITY: gettext_lazy("The picture or sound of your sample is below our standard."),
    RejectReason.CONTENT: gettext_lazy("Your sample contains something that our rules do not allow."),
    RejectReason.BACKGROUND: gettext_lazy("The background check was not passed."),
    RejectReason.OTHER: gettext_lazy("Your application cannot be accepted at present."),
    RejectReason.LAPSED: gettext_lazy("We closed your application because nothing happened for a long time."),
}


def rejection_text(code: str, *, language: str) -> str:
    """The sentence that an applicant reads for a reason code, in that language."""
    with translation.override(language):
        return str(REJECTION_TEXTS[code])


def request_text(items: list[str], *, language: str) -> str:
    """The request that names the asked-for things one per line, in that language (S-005)."""
    with translation.override(language):
        lines = [f"- {InfoItem(code).label}" for code in items]
        return "\n".join([_("To go on, we need from you:"), *lines])
