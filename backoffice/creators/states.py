"""The states of an application, a creator's verification and an identity document, as tables."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine

DECIDE = "applications.decide"
SUPERVISE = "applications.supervise"
SUSPEND = "users.suspend"
DOCUMENTS = "documents.decide"
TAX = "payouts.decide"


class ApplicationStatus(models.TextChoices):
    """The seven states of an application to become a creator."""

    PENDING_SUBMISSION = "pending_submission", _("Being written")
    SUBMITTED = "submitted", _("Submitted")
    IN_REVIEW = "in_review", _("In review")
    ADDITIONAL_INFO_REQUIRED = "additional_info_required", _("Waiting on applicant")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    ACTIVATED = "activated", _("Activated")


A = ApplicationStatus
# A person has at most one application in these states (partial unique index).
OPEN = (A.PENDING_SUBMISSION, A.SUBMITTED, A.IN_REVIEW, A.ADDITIONAL_INFO_REQUIRED, A.APPROVED)
# The applicant may still change the contents.
EDITABLE = (A.PENDING_SUBMISSION, A.ADDITIONAL_INFO_REQUIRED)
DECIDED = (A.APPROVED, A.REJECTED, A.ACTIVATED)

APPLICATION = Machine(
    "application",
    field="status",
    record=entries.record_transition,
    rows=[
        (A.PENDING_SUBMISSION, "submit", A.SUBMITTED, ""),  # S-002
        (A.SUBMITTED, "claim", A.IN_REVIEW, DECIDE),  # S-003
        (A.IN_REVIEW, "release", A.SUBMITTED, DECIDE),  # S-004
        (A.IN_REVIEW, "request_info", A.ADDITIONAL_INFO_REQUIRED, DECIDE),  # S-005
        (A.ADDITIONAL_INFO_REQUIRED, "answer", A.SUBMITTED, ""),  # S-006
        (A.IN_REVIEW, "approve", A.APPROVED, DECIDE),  # S-007
        (A.IN_REVIEW, "reject", A.REJECTED, DECIDE),  # S-008
        (A.APPROVED, "activate", A.ACTIVATED, DECIDE),  # S-009
        (A.PENDING_SUBMISSION, "lapse", A.REJECTED, ""),  # S-011
        (A.ADDITIONAL_INFO_REQUIRED, "lapse", A.REJECTED, ""),  # S-011
        # Approved and never gone live: papers are not kept for ever (N-064).
        (A.APPROVED, "lapse", A.REJECTED, ""),  # S-011
        # Identity was asked for again before going live, and refused.
        (A.APPROVED, "refuse", A.REJECTED, DECIDE),  # S-013
    ],
)


class RejectReason(models.TextChoices):
    """Why an application was turned down; the applicant sees the label and the reviewer's text."""

    IDENTITY = "identity", _("Identity could not be confirmed")
    DOCUMENT = "document", _("Document unreadable, altered or out of date")
    IMPERSONATION = "impersonation", _("Impersonates another person")
    ELIGIBILITY = "eligibility", _("Not eligible (age or country)")
    QUALITY = "quality", _("Sample below the quality standard")
    CONTENT = "content", _("Content against the rules")
    BACKGROUND = "background", _("Background check not passed")
    OTHER = "other", _("Another reason")
    LAPSED = "lapsed", _("No activity for too long")


# What a reviewer may choose, in the order of the digit keys; "lapsed" belongs to the system.
STAFF_REJECT_REASONS = tuple(reason for reason in RejectReason if reason is not RejectReason.LAPSED)


class InfoItem(models.TextChoices):
    """A thing that a reviewer can ask the applicant for."""

    GOVERNMENT_ID = "government_id", _("A readable, valid government ID")
    SOCIAL = "social", _("A social account that is clearly yours")
    SAMPLE = "sample", _("Another sample video")
    PROFILE = "profile", _("Corrected profile details")
    BACKGROUND = "background", _("Papers for the background check")
    NOTE = "note", _("A written answer")


class PublicFigure(models.TextChoices):
    """Outcome of the check whether the applicant is, or poses as, a known person."""

    UNCHECKED = "unchecked", _("Not checked yet")
    NO = "no", _("Not a public figure")
    CONFIRMED = "confirmed", _("Public figure, identity confirmed")
    DOUBTFUL = "doubtful", _("Claims a public figure's identity")


class VerificationStatus(models.TextChoices):
    """Whether the platform vouches for the person behind a creator."""

    PENDING = "pending", _("Pending")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")
    SUSPENDED = "suspended", _("Suspended")


V = VerificationStatus
# With is_active, these are shown to the public: a re-verification keeps a creator live (S-017).
LIVE = (V.VERIFIED, V.PENDING)
# Verified now, or again as soon as the suspension ends: what proved it stays.
VOUCHED = (V.VERIFIED, V.SUSPENDED)

VERIFICATION = Machine(
    "creator",
    field="verification_status",
    record=entries.record_transition,
    rows=[
        (V.PENDING, "verify", V.VERIFIED, DECIDE),  # S-012
        (V.PENDING, "reject", V.REJECTED, DECIDE),  # S-013
        (V.VERIFIED, "suspend", V.SUSPENDED, SUSPEND),  # S-014
        # A creator stays live during a re-verification (S-017), so this has to be possible then too.
        (V.PENDING, "suspend", V.SUSPENDED, SUSPEND),
        (V.SUSPENDED, "restore", V.VERIFIED, SUSPEND),  # S-015
        (V.REJECTED, "reopen", V.PENDING, ""),  # S-016
        (V.VERIFIED, "reverify", V.PENDING, DECIDE),  # S-017
        # The approved application behind it was closed before the creator went live (S-011).
        (V.VERIFIED, "lapse", V.REJECTED, ""),
        (V.PENDING, "lapse", V.REJECTED, ""),
    ],
)


class Tier(models.TextChoices):
    STANDARD = "standard", _("Standard")
    VERIFIED = "verified", _("Verified")
    PREMIUM = "premium", _("Premium")


class TaxFormStatus(models.TextChoices):
    MISSING = "missing", _("Missing")
    SUBMITTED = "submitted", _("Submitted")
    VERIFIED = "verified", _("Verified")
    EXPIRED = "expired", _("Expired")


class TaxForm(models.TextChoices):
    """The papers that tell a tax office who is paid (E-021, X-033)."""

    W9 = "w9", "W-9"
    W8BEN = "w8ben", "W-8BEN"
    W8BENE = "w8bene", "W-8BEN-E"
    OTHER = "other", _("Another form")


class TaxProfileStatus(models.TextChoices):
    SUBMITTED = "submitted", _("Submitted")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")
    REPLACED = "replaced", _("Replaced by a newer one")
    PURGED = "purged", _("Destroyed")


T = TaxProfileStatus
# A creator has at most one of these; the others are history.
CURRENT_TAX = (T.SUBMITTED, T.VERIFIED, T.EXPIRED)

TAX_PROFILE = Machine(
    "tax_profile",
    field="status",
    record=entries.record_transition,
    rows=[
        (T.SUBMITTED, "verify", T.VERIFIED, TAX),  # E-021
        (T.SUBMITTED, "reject", T.REJECTED, TAX),  # E-021
        (T.VERIFIED, "expire", T.EXPIRED, ""),  # E-021
        (T.SUBMITTED, "replace", T.REPLACED, ""),  # E-021
        (T.VERIFIED, "replace", T.REPLACED, ""),  # E-021
        (T.EXPIRED, "replace", T.REPLACED, ""),  # E-021
        *((state, "purge", T.PURGED, "") for state in T if state != T.PURGED),  # N-063
    ],
)


class KeyEnd(models.TextChoices):
    """Why a person's key was destroyed."""

    PURGED = "purged", _("The last document was destroyed")
    ERASED = "erased", _("The person's data was erased")


class PayoutSchedule(models.TextChoices):
    WEEKLY = "weekly", _("Weekly")
    MONTHLY = "monthly", _("Monthly")
    ON_DEMAND = "on_demand", _("On demand")


class DocumentType(models.TextChoices):
    GOVERNMENT_ID = "government_id", _("Government ID")
    PASSPORT = "passport", _("Passport")
    PROOF_OF_ADDRESS = "proof_of_address", _("Proof of address")
    BUSINESS_REGISTRATION = "business_registration", _("Business registration")
    BANK_PROOF = "bank_proof", _("Bank proof")
    TAX_FORM = "tax_form", _("Tax form")
    OTHER = "other", _("Other")


# Either proves who the person is.
IDENTITY_TYPES = (DocumentType.GOVERNMENT_ID, DocumentType.PASSPORT)


class DocumentStatus(models.TextChoices):
    SCANNING = "scanning", _("Waits for the virus scan")
    QUARANTINED = "quarantined", _("Isolated")
    PENDING = "pending", _("Pending")
    VERIFIED = "verified", _("Verified")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")
    PURGED = "purged", _("Destroyed")


D = DocumentStatus
# Given and still to be judged, or judged well: the applicant has done their part.
GIVEN = (D.SCANNING, D.PENDING, D.VERIFIED)
# Nobody opens these: not known to be clean, known not to be, or gone.
CLOSED = (D.SCANNING, D.QUARANTINED, D.PURGED)

DOCUMENT = Machine(
    "document",
    field="status",
    record=entries.record_transition,
    rows=[
        (D.SCANNING, "clear", D.PENDING, ""),
        (D.SCANNING, "quarantine", D.QUARANTINED, ""),
        (D.PENDING, "verify", D.VERIFIED, DOCUMENTS),  # S-018
        (D.PENDING, "reject", D.REJECTED, DOCUMENTS),  # S-019
        # A verification that was a mistake: nothing was built on it yet, so the document is judged anew.
        (D.VERIFIED, "withdraw", D.PENDING, DOCUMENTS),
        (D.VERIFIED, "expire", D.EXPIRED, ""),  # S-020
        (D.SCANNING, "purge", D.PURGED, ""),  # S-021
        (D.QUARANTINED, "purge", D.PURGED, ""),  # S-021
        (D.PENDING, "purge", D.PURGED, ""),  # S-021
        (D.VERIFIED, "purge", D.PURGED, ""),  # S-021
        (D.REJECTED, "purge", D.PURGED, ""),  # S-021
        (D.EXPIRED, "purge", D.PURGED, ""),  # S-021
    ],
)


class Platform(models.TextChoices):
    INSTAGRAM = "instagram", _("Instagram")
    TIKTOK = "tiktok", _("TikTok")
    YOUTUBE = "youtube", _("YouTube")
    FACEBOOK = "facebook", _("Facebook")
    X = "x", _("X")
    OTHER = "other", _("Another site")


class TrainingStatus(models.TextChoices):
    """How far a creator is with one training module."""

    NOT_STARTED = "not_started", _("Not started")
    IN_PROGRESS = "in_progress", _("Begun")
    COMPLETED = "completed", _("Completed")


TRAINING = Machine(
    "training",
    field="status",
    record=entries.record_transition,
    rows=[  # S-128
        (TrainingStatus.NOT_STARTED, "start", TrainingStatus.IN_PROGRESS, ""),
        (TrainingStatus.IN_PROGRESS, "complete", TrainingStatus.COMPLETED, ""),
    ],
)


class OnboardingHelp(models.TextChoices):
    """What staff help a new creator with, in the order in which it is usually done (F-005)."""

    PROFILE = "profile", _("Profile set up together")
    PRICING = "pricing", _("Prices talked through")
    FIRST_VIDEO = "first_video", _("First video watched and discussed")
    MARKETING = "marketing", _("Marketing material handed over")
    LAUNCH = "launch", _("Launch announced")


class Badge(models.TextChoices):
    """Recognition beside a name; gives no rights (E-013, R-031, L-025)."""

    VERIFIED = "verified", _("Verified creator")
    LEADER = "community_leader", _("Community leader")
    EXPERT = "cultural_expert", _("Cultural expert")
    AMBASSADOR = "diaspora_ambassador", _("Diaspora ambassador")


# The system gives and takes it with the verification (S-012, S-014).
STAFF_BADGES = tuple(badge for badge in Badge if badge is not Badge.VERIFIED)


class Occasion(models.TextChoices):
    """What a personal video is for."""

    BIRTHDAY = "birthday", _("Birthday")
    WEDDING = "wedding", _("Wedding")
    ANNIVERSARY = "anniversary", _("Anniversary")
    GRADUATION = "graduation", _("Graduation")
    HOLIDAY = "holiday", _("Holiday")
    ENCOURAGEMENT = "encouragement", _("Encouragement")
    ANNOUNCEMENT = "announcement", _("Announcement")
    BUSINESS = "business", _("Business")
    OTHER = "other", _("Another occasion")


class OfferLength(models.IntegerChoices):
    """Length of a personal video in seconds."""

    SHORT = 30, _("30 seconds")
    MEDIUM = 60, _("1 minute")
    LONG = 180, _("3 minutes")


class DeliverySpeed(models.IntegerChoices):
    """Hours within which it is delivered."""

    DAY = 24, _("24 hours")
    THREE_DAYS = 72, _("3 days")
    WEEK = 168, _("7 days")


class SpecialRequest(models.TextChoices):
    """What a customer may ask for on top."""

    SONG = "song", _("A song")
    DANCE = "dance", _("A dance")


class AvailabilityMode(models.TextChoices):
    """When a creator takes orders (S-124)."""

    ALWAYS = "always", _("Always")
    SCHEDULE = "schedule", _("In open slots")
    LIMITED = "limited_capacity", _("Up to a number a day or week")
    VACATION = "vacation", _("On vacation")
    PREMIUM_ONLY = "premium_only", _("Premium orders only")


class BlockKind(models.TextChoices):
    """What a span of time in a creator's calendar means (E-020)."""

    SLOT = "slot", _("Open slot")
    BLACKOUT = "blackout", _("Not available")
    VACATION = "vacation", _("Vacation")
    PRIORITY = "priority", _("Priority slot")
