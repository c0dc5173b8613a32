"""What still stands in the way of a step, each fact named; nothing here changes anything."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.accounts import factor
from backoffice.configuration import values
from backoffice.core.errors import Conflict, Forbidden
from backoffice.creators import states
from backoffice.creators.models import (
    Creator,
    CreatorApplication,
    QualityAssessment,
    TrainingModule,
    VerificationDocument,
)
from backoffice.creators.states import InfoItem
from backoffice.media.states import FAILED


@dataclass(frozen=True, slots=True)
class Unmet:
    """One fact that is missing: a code for programs, a sentence for people."""

    code: str
    text: str | Promise


class NotReady(Conflict):
    """A step was asked for before its facts are there; `unmet` names each of them."""

    default_code = "not_ready"

    def __init__(self, message: str | Promise, *, unmet: Sequence[Unmet]) -> None:
        super().__init__(message)
        self.unmet = tuple(unmet)

    def __str__(self) -> str:
        return " ".join([str(self.message), *(str(item.text) for item in self.unmet)])


def missing_to_submit(application: CreatorApplication) -> list[Unmet]:
    """What the applicant still has to bring before submitting (S-002); empty when nothing is missing."""
    has_id = application.documents.filter(
        document_type__in=states.IDENTITY_TYPES,
        status__in=states.GIVEN,
    ).exists()
    terms = values.get("application.terms_version")
    # A sample that is still being processed may be submitted; one that failed may not.
    sample_usable = application.sample is not None and application.sample.processing_status not in FAILED
    facts = (
        ("stage_name", application.stage_name, _("Enter your stage name.")),
        ("legal_name", application.legal_name, _("Enter your legal name.")),
        ("bio", application.bio, _("Write a few words about yourself.")),
        ("country", application.country, _("Choose your country.")),
        ("categories", application.categories, _("Choose at least one category.")),
        ("languages", application.languages, _("Choose the languages you work in.")),
        ("social", application.social_accounts.exists(), _("Add at least one social account.")),
        ("sample", sample_usable, _("Upload a sample video that can be played.")),
        ("government_id", has_id, _("Upload a government ID or passport.")),
        (
            "terms",
            application.terms_accepted_at and application.terms_version == terms,
            _("Accept the terms in force, %(version)s.") % {"version": terms},
        ),
    )
    return [Unmet(code, text) for code, present, text in facts if not present]


def missing_to_answer(application: CreatorApplication, *, answer: str) -> list[Unmet]:
    """Which of the things that the reviewer asked for are not there yet (S-006).

    `answer` is the written answer that would be sent along. A thing counts when it came after the request.
    """
    asked_at = application.info_requested_at
    if asked_at is None:
        return []

    def newer(moment: dt.datetime | None) -> bool:
        return moment is not None and moment >= asked_at

    papers = application.documents.filter(created_at__gte=asked_at)
    present = {
        InfoItem.GOVERNMENT_ID: lambda: papers.filter(document_type__in=states.IDENTITY_TYPES).exists(),
        InfoItem.SOCIAL: lambda: application.social_accounts.filter(created_at__gte=asked_at).exists(),
        InfoItem.SAMPLE: lambda: newer(application.sample_set_at),
        InfoItem.PROFILE: lambda: newer(application.profile_set_at),
        InfoItem.BACKGROUND: lambda: papers.exists(),
        InfoItem.NOTE: lambda: bool(answer.strip()),
    }
    items = [InfoItem(code) for code in application.info_items]
    unmet = [Unmet(item.value, item.label) for item in items if not present[item]()]
    return unmet + missing_to_submit(application)


def missing_to_approve(application: CreatorApplication) -> list[Unmet]:
    """Which checks of a reviewer are open or failed (S-007); empty when the application may be approved."""
    unmet = []
    if application.identity_failed:
        unmet.append(Unmet("identity", _("The ID check failed.")))
    elif not application.documents.filter(
        document_type__in=states.IDENTITY_TYPES, status=states.DocumentStatus.VERIFIED
    ).exists():
        unmet.append(Unmet("identity", _("No ID document is verified.")))
    if not application.social_accounts.filter(verified=True, checked_at__isnull=False).exists():
        unmet.append(Unmet("social", _("No social account is checked.")))
    if application.public_figure == states.PublicFigure.UNCHECKED:
        unmet.append(Unmet("public_figure", _("The public-figure check is not done.")))
    elif application.public_figure == states.PublicFigure.DOUBTFUL:
        unmet.append(Unmet("public_figure", _("The public-figure check raised a doubt.")))
    if application.background_required and not application.background_passed:
        unmet.append(Unmet("background", _("The required background check is not passed.")))
    unmet += _missing_in_assessment(QualityAssessment.objects.filter(application=application).first())
    return unmet


PART_TEXTS = {
    "video": _("The assessment has no score for video."),
    "audio": _("The assessment has no score for audio."),
    "appropriateness": _("The assessment does not judge appropriateness."),
    "language": _("The assessment confirms no language."),
    "culture": _("The assessment has no score for cultural authenticity."),
}


def _missing_in_assessment(assessment: QualityAssessment | None) -> list[Unmet]:
    if assessment is None:
        return [Unmet("assessment", _("The quality assessment is missing."))]
    unmet = [Unmet(f"assessment_{part}", PART_TEXTS[part]) for part in assessment.missing_parts()]
    if assessment.appropriate is False:
        unmet.append(Unmet("assessment_appropriateness", _("The sample is marked as not appropriate.")))
    return unmet


def missing_to_activate(creator: Creator) -> list[Unmet]:
    """Which facts a creator lacks before going live (S-009); empty when activation may happen."""
    submitted = (states.TaxFormStatus.SUBMITTED, states.TaxFormStatus.VERIFIED)
    profile = creator.stage_name and creator.bio and creator.country
    agreement = values.get("creator.agreement_version")
    facts = (
        (
            "verified",
            creator.verification_status == states.VerificationStatus.VERIFIED,
            _("The creator is not verified."),
        ),
        ("mfa", factor.enrolled(creator.user), _("Two-step sign-in is not set up.")),
        ("tax_form", creator.tax_form_status in submitted, _("The tax form is not submitted.")),
        ("payout_account", creator.payout_account_ready, _("No payout account is ready.")),
        (
            "profile",
            profile and creator.categories and creator.languages,
            _("The public profile is not complete."),
        ),
        (
            "agreement",
            creator.agreement_version == agreement,
            _("The creator agreement in force, %(version)s, is not signed.") % {"version": agreement},
        ),
        (
            "training",
            not TrainingModule.objects.still_open(creator).exists(),
            _("The required training is not completed."),
        ),
        ("pricing", _priced(creator), _("No personal video is on offer.")),
    )
    return [Unmet(code, text) for code, present, text in facts if not present]


def _priced(creator: Creator) -> bool:
    """Whether prices are set, on platforms that sell personal videos."""
    if not values.get("onboarding.offers_required"):
        return True
    return creator.offerings.filter(active=True).exists()


def activation_ends_at(creator: Creator) -> dt.datetime | None:
    """When the approved application of a creator who is not live yet is closed (S-011); None without one."""
    approved = creator.applications.filter(status=states.ApplicationStatus.APPROVED).first()
    if approved is None or approved.decided_at is None:
        return None
    return approved.decided_at + dt.timedelta(days=values.get("application.activation_days"))


def check_may_start(user: Any, *, at: dt.datetime) -> CreatorApplication | None:
    """The earlier application to link to, or None for a first one (S-001, S-010, S-016).

    Raises Conflict when an application is open, the person is a creator already whose verification was not refused,
    or the waiting time (`application.reapply_days`) is not over.
    """
    latest = CreatorApplication.objects.filter(applicant=user).order_by("-created_at").first()
    creator = Creator.objects.filter(user=user).first()
    refused = creator is not None and creator.verification_status == states.VerificationStatus.REJECTED
    # An approval goes with the verification that was refused; `start` closes one that was left standing.
    overtaken = refused and latest is not None and latest.status == states.ApplicationStatus.APPROVED
    if latest is not None and latest.status in states.OPEN and not overtaken:
        raise Conflict(_("You have an open application already."), code="application_open")
    was_activated = latest is not None and latest.status == states.ApplicationStatus.ACTIVATED
    if not refused and (was_activated or (creator is not None and creator.is_active)):
        raise Conflict(_("You are a creator already."), code="already_creator")
    waits = [
        may_reapply_at(latest) if latest is not None else None,
        refused_may_apply_at(creator) if creator is not None else None,
    ]
    again = max((moment for moment in waits if moment is not None), default=None)
    if again is not None and at < again:
        raise Conflict(
            _("You can apply again from %(date)s.") % {"date": again.date().isoformat()},
            code="reapply_later",
        )
    return latest


def refused_at(creator: Creator) -> dt.datetime:
    """When a refused creator was refused; where that was not kept, the last change to them."""
    return creator.refused_at or creator.updated_at


def refused_may_apply_at(creator: Creator) -> dt.datetime | None:
    """From when a creator whose verification was refused may apply again (S-016); None when it is not refused."""
    if creator.verification_status != states.VerificationStatus.REJECTED:
        return None
    return refused_at(creator) + dt.timedelta(days=values.get("application.reapply_days"))


def is_reverifying(application: CreatorApplication) -> bool:
    """Whether the creator made from this application has been asked to prove identity again (S-017)."""
    creator = application.creator
    return (
        creator is not None
        and creator.verification_status == states.VerificationStatus.PENDING
        and creator.reverify_by is not None
    )


def missing_to_keep(creator: Creator, *, at: dt.datetime) -> list[Unmet]:
    """What a look at a verified creator lacks (S-017): a verified ID that is still valid."""
    return [] if _valid_ids(creator, at=at).exists() else [Unmet("identity", _("No valid ID document is verified."))]


def missing_to_confirm(creator: Creator, *, at: dt.datetime) -> list[Unmet]:
    """What a re-verification lacks (S-012 after S-017): a valid ID that was sent and verified after it was asked for.

    After a refusal nothing from before it counts either.
    """
    asked = creator.reverify_asked_at or creator.refused_at
    if asked is None:
        return missing_to_keep(creator, at=at)
    if _valid_ids(creator, at=at).filter(created_at__gte=asked, reviewed_at__gte=asked).exists():
        return []
    return [Unmet("identity", _("No valid ID that came after the request is verified."))]


def _valid_ids(creator: Creator, *, at: dt.datetime) -> QuerySet[VerificationDocument]:
    return VerificationDocument.objects.filter(
        Q(document_expires_on__isnull=True) | Q(document_expires_on__gte=at.date()),
        subject=creator.user_id,
        document_type__in=states.IDENTITY_TYPES,
        status=states.DocumentStatus.VERIFIED,
    )


def is_own(application: CreatorApplication, user: Any) -> bool:
    """Whether this person is the applicant: a member may have joined the staff since."""
    return bool(application.applicant_id == user.pk)


def check_reviewer(application: CreatorApplication, user: Any) -> None:
    """Raises Forbidden for the applicant's own review."""
    if is_own(application, user):
        raise Forbidden(_("This is your own application; somebody else has to review it."), code="own_application")


def check_not_oneself(person: Any, by: Any) -> None:
    """Raises Forbidden when `by` is the person, taken by key, whom a look or a decision is about."""
    if by is not None and person == by.pk:
        raise Forbidden(_("This is about you; somebody else has to do it."), code="own_verification")


def may_reapply_at(application: CreatorApplication) -> dt.datetime | None:
    """From when a rejected person may apply again; None when the application is not rejected."""
    if application.status != states.ApplicationStatus.REJECTED or application.decided_at is None:
        return None
    return application.decided_at + dt.timedelta(days=values.get("application.reapply_days"))
