"""What a reviewer finds: documents, accounts, public figure, background, and the five-part assessment."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
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
from backoffice.creators.models import CreatorApplication, QualityAssessment, SocialAccount, VerificationDocument
from backoffice.creators.services import documents
from backoffice.creators.states import InfoItem, PublicFigure, RejectReason

SCORES = ("video_quality", "audio_quality", "content_rating", "cultural_authenticity")
SCORE_RANGE = range(1, 6)


@dataclass(frozen=True, slots=True)
class Findings:
    """One reviewer's findings; None in a score means "not judged"."""

    # False: the ID is not genuine, not valid or not the applicant's. No document counts as verified then.
    identity: bool = True
    verified_documents: tuple[UUID, ...] = ()
    document_expires_on: dt.date | None = None
    # The ID that the day is about; None: the one that `shown_id` names.
    dated_document: UUID | None = None
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


@dataclass(slots=True)
class Judged:
    """What findings did to the documents, so that it can be taken back."""

    verified: list[UUID] = field(default_factory=list)
    # Each with its day before and after.
    corrected: list[tuple[UUID, dt.date | None, dt.date | None]] = field(default_factory=list)
    # Each with who had verified it, and when.
    withdrawn: list[tuple[UUID, UUID | None, dt.datetime | None]] = field(default_factory=list)

    def as_note(self) -> dict[str, Any]:
        """The same as JSON keeps it; `from_note` reads it back."""
        return {
            "verified": [str(pk) for pk in self.verified],
            "corrected": [
                [str(pk), *(day.isoformat() if day else None for day in days)] for pk, *days in self.corrected
            ],
            "withdrawn": [
                [str(pk), str(who) if who else None, when.isoformat() if when else None]
                for pk, who, when in self.withdrawn
            ],
        }

    @classmethod
    def from_note(cls, note: Mapping[str, Any]) -> "Judged":
        """Reads a note; what it does not name did not happen."""

        def day(text: str | None) -> dt.date | None:
            return dt.date.fromisoformat(text) if text else None

        return cls(
            verified=[UUID(pk) for pk in note.get("verified", [])],
            corrected=[(UUID(pk), day(before), day(after)) for pk, before, after in note.get("corrected", [])],
            withdrawn=[
                (UUID(pk), UUID(who) if who else None, dt.datetime.fromisoformat(when) if when else None)
                for pk, who, when in note.get("withdrawn", [])
            ],
        )


def save(*, application: CreatorApplication, findings: Findings, by: Any, at: dt.datetime) -> Judged:
    """Writes findings onto the application, its accounts, documents and assessment; one audit row for all.

    Documents named in `verified_documents` must have been opened by this reviewer (S-018). A failed identity check
    takes back what was verified before; a date that differs from that of the verified ID corrects it. Returns what
    became of the documents. Raises Invalid for a score outside 1 to 5.
    """
    for name, score in findings.scores.items():
        if score is not None and score not in SCORE_RANGE:
            raise Invalid(_("A score lies between 1 and 5."), field=name)
    if findings.public_figure not in PublicFigure.values:
        raise Invalid(_("Choose an outcome of the public-figure check."), field="public_figure")
    with transaction.atomic():
        CreatorApplication.objects.filter(pk=application.pk).update(
            identity_failed=not findings.identity,
            public_figure=findings.public_figure,
            background_required=findings.background_required,
            background_passed=findings.background_passed if findings.background_required else None,
            updated_at=at,
        )
        application.refresh_from_db(
            fields=["identity_failed", "public_figure", "background_required", "background_passed"]
        )
        for ids, theirs in ((findings.checked_accounts, True), (findings.refused_accounts, False)):
            SocialAccount.objects.filter(application=application, pk__in=ids).update(
                verified=theirs, checked_by=by, checked_at=at, updated_at=at
            )
        judged = _judge_documents(application, findings, by=by, at=at)
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
                "identity": findings.identity,
                "public_figure": findings.public_figure,
                "background_required": findings.background_required,
                "background_passed": findings.background_passed,
                "accounts_checked": len(findings.checked_accounts),
                "documents_verified": len(judged.verified),
            },
            at=at,
        )
    return judged


def take_back(judged: Judged, *, by: Any, reason: str, at: dt.datetime) -> None:
    """Undoes what findings did to the documents, on record; what others did to one since stays."""
    verified = VerificationDocument.objects.filter(pk__in=judged.verified, status=states.DocumentStatus.VERIFIED)
    for document in verified:
        documents.withdraw(document=document, by=by, reason=reason, at=at)
    for pk, before, after in judged.corrected:
        documents.uncorrect(document_id=pk, before=before, after=after, by=by, reason=reason, at=at)
    for pk, who, when in judged.withdrawn:
        documents.reinstate(document_id=pk, reviewer_id=who, reviewed_at=when, by=by, reason=reason, at=at)


def shown_id(papers: Iterable[VerificationDocument]) -> VerificationDocument | None:
    """The ID that the findings and their date are about: one to be judged, else a verified one, else any."""
    ids = [paper for paper in papers if paper.document_type in states.IDENTITY_TYPES]
    order = (states.DocumentStatus.PENDING, states.DocumentStatus.VERIFIED)
    return next((paper for status in order for paper in ids if paper.status == status), next(iter(ids), None))


def judges_documents(papers: Iterable[VerificationDocument], findings: Findings, *, by: Any) -> bool:
    """Whether saving these findings verifies a document, corrects its date or takes its verification back."""
    papers = list(papers)
    if not findings.identity:
        return bool(_withdrawn(papers, by=by))
    return bool(_verified(papers, findings)) or _corrected(papers, findings) is not None


def _withdrawn(papers: Iterable[VerificationDocument], *, by: Any) -> list[VerificationDocument]:
    """The verified IDs that a failed identity check takes back.

    Whoever may not judge documents cannot: the failed check stops the approval alone.
    """
    if not by.may(states.DOCUMENTS):
        return []
    verified = states.DocumentStatus.VERIFIED
    return [p for p in papers if p.document_type in states.IDENTITY_TYPES and p.status == verified]


def _verified(papers: Iterable[VerificationDocument], findings: Findings) -> list[VerificationDocument]:
    """The documents that become verified."""
    pending = states.DocumentStatus.PENDING
    return [p for p in papers if p.pk in findings.verified_documents and p.status == pending]


def _dated(papers: Sequence[VerificationDocument], findings: Findings) -> VerificationDocument | None:
    """The document that the day is about."""
    if findings.dated_document is None:
        return shown_id(papers)
    return next((paper for paper in papers if paper.pk == findings.dated_document), None)


def _corrected(papers: Sequence[VerificationDocument], findings: Findings) -> VerificationDocument | None:
    """The verified ID that has another date than the findings say.

    None when there is none, when they name no date, or when they verify something: the date is that one's then.
    """
    paper = _dated(papers, findings)
    if paper is None or paper.status != states.DocumentStatus.VERIFIED or _verified(papers, findings):
        return None
    return paper if findings.document_expires_on not in (None, paper.document_expires_on) else None


def _days(papers: Sequence[VerificationDocument], findings: Findings) -> dict[UUID, dt.date | None]:
    """Until when each document that becomes verified is valid.

    The day is that of the document it is about, or, typed anew while that one is not verified, of the first that is;
    the others keep the date that they came with, and take the day only when they came without.
    """
    verified, day = _verified(papers, findings), findings.document_expires_on
    target = _dated(papers, findings)
    if target is not None and target not in verified:
        target = verified[0] if verified and day != target.document_expires_on else None
    return {
        p.pk: day if p == target else p.document_expires_on or (day if target is not None else None) for p in verified
    }


def _judge_documents(application: CreatorApplication, findings: Findings, *, by: Any, at: dt.datetime) -> Judged:
    """Verifies, corrects or takes back what the findings say of the documents."""
    judged, papers = Judged(), list(application.documents.all())
    if not findings.identity:
        for document in _withdrawn(papers, by=by):
            judged.withdrawn.append((document.pk, document.reviewer_id, document.reviewed_at))
            documents.withdraw(document=document, by=by, reason="identity check failed", at=at)
        return judged
    paper, day = _corrected(papers, findings), findings.document_expires_on
    if paper is not None:
        judged.corrected.append((paper.pk, paper.document_expires_on, day))
        documents.correct_expiry(document=paper, expires_on=day, by=by, at=at)
    days = _days(papers, findings)
    for document in _verified(papers, findings):
        documents.verify(document=document, by=by, expires_on=days[document.pk], at=at)
        judged.verified.append(document.pk)
    return judged


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
