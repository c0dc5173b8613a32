"""Reads of the creators domain, shaped for the screens that need them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    Exists,
    ExpressionWrapper,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from backoffice.configuration import values
from backoffice.creators import states
from backoffice.creators.models import (
    AvailabilityBlock,
    BadgeGrant,
    Creator,
    CreatorApplication,
    LegalHold,
    Sanction,
    ServiceOffering,
    SocialAccount,
    TaxProfile,
    TrainingModule,
    VerificationDocument,
)
from backoffice.creators.states import ApplicationStatus, InfoItem
from backoffice.media.models import Asset
from backoffice.media.states import FAILED
from backoffice.queues import queries as queues
from backoffice.queues.models import WorkItem

QUEUE = "applications"
# Creators whose verification is looked at again.
REVIEWS = "reviews"
SUBJECT_TYPE = "creators.creatorapplication"
UNFINISHED = (WorkItem.State.OPEN, WorkItem.State.CLAIMED, WorkItem.State.PAUSED)


def for_user(user: Any) -> Creator | None:
    """The creator of a person, or None; a rejected or inactive one too."""
    return Creator.objects.select_related("user", "avatar").filter(user=user).first()


def public() -> QuerySet[Creator]:
    """Creators as the public may see them (U-021): activated, not suspended, not rejected."""
    return Creator.objects.live().select_related("avatar").order_by("stage_name", "id")


def public_matching(*, text: str = "", category: str = "", language: str = "", country: str = "") -> QuerySet[Creator]:
    """Public creators by part of the name, category slug, language code and country code; empty means any."""
    creators = public()
    if text:
        creators = creators.filter(stage_name__icontains=text)
    if category:
        creators = creators.filter(categories__contains=[category])
    if language:
        creators = creators.filter(languages__contains=[language])
    return creators.filter(country=country.upper()) if country else creators


def offering(
    creators: QuerySet[Creator], *, available: bool, currency: str, price_max_minor: int | None, at: dt.datetime
) -> QuerySet[Creator]:
    """Those of them who sell personal videos: for at most this price, and taking orders now (U-021)."""
    on_offer = ServiceOffering.objects.filter(creator=OuterRef("pk"), active=True)
    if price_max_minor is not None:
        on_offer = on_offer.filter(currency=currency, price_minor__lte=price_max_minor)
    creators = creators.filter(Exists(on_offer))
    if not available:
        return creators
    blocks = AvailabilityBlock.objects.filter(creator=OuterRef("pk"), starts_at__lte=at, ends_at__gt=at)
    closed = blocks.filter(kind__in=[states.BlockKind.BLACKOUT, states.BlockKind.VACATION])
    slots = blocks.filter(kind__in=[states.BlockKind.SLOT, states.BlockKind.PRIORITY])
    mode = states.AvailabilityMode
    return creators.filter(
        ~Q(availability_mode=mode.VACATION) | Q(vacation_until__lt=at.date()),
        ~Q(availability_mode=mode.SCHEDULE) | Exists(slots),
        ~Exists(closed),
    )


def application_of(user: Any) -> CreatorApplication | None:
    """The newest application of a person, or None."""
    return (
        CreatorApplication.objects.select_related("sample", "creator")
        .filter(applicant=user)
        .order_by("-created_at")
        .first()
    )


def inactive_since(before: dt.datetime, *, limit: int = 500) -> QuerySet[CreatorApplication]:
    """Applications that wait on their applicant without activity since `before` (S-011)."""
    return CreatorApplication.objects.filter(status__in=states.EDITABLE, last_activity_at__lt=before).order_by(
        "last_activity_at"
    )[:limit]


def approved_before(moment: dt.datetime, *, limit: int = 500) -> QuerySet[CreatorApplication]:
    """Applications approved before that moment whose creators never went live; not while they are suspended (S-011)."""
    return CreatorApplication.objects.filter(
        status=ApplicationStatus.APPROVED, decided_at__lt=moment, creator__verification_status__in=states.LIVE
    ).order_by("decided_at")[:limit]


def awaiting_activation() -> QuerySet[CreatorApplication]:
    """Approved applications whose creators have their papers in order, oldest decision first (S-009)."""
    return (
        CreatorApplication.objects.select_related("creator__user")
        .filter(
            status=ApplicationStatus.APPROVED,
            creator__payout_account_ready=True,
            creator__agreement_version=values.get("creator.agreement_version"),
        )
        .exclude(creator__tax_form_status=states.TaxFormStatus.MISSING)
        .order_by("decided_at")
    )


def without_valid_id(*, at: dt.datetime) -> QuerySet[Creator]:
    """Verified creators who had an ID that has expired, and no other that is valid (S-020)."""
    ids = VerificationDocument.objects.filter(subject=OuterRef("user"), document_type__in=states.IDENTITY_TYPES)
    valid = ids.filter(
        Q(document_expires_on__isnull=True) | Q(document_expires_on__gte=at.date()),
        status=states.DocumentStatus.VERIFIED,
    )
    return Creator.objects.select_related("user").filter(
        Exists(ids.filter(status=states.DocumentStatus.EXPIRED)),
        ~Exists(valid),
        verification_status=states.VerificationStatus.VERIFIED,
    )


def _held(at: dt.datetime) -> QuerySet[WorkItem]:
    return WorkItem.objects.filter(
        queue=QUEUE,
        subject_type=SUBJECT_TYPE,
        subject_id=Cast(OuterRef("pk"), CharField()),
        state=WorkItem.State.CLAIMED,
        lease_until__gte=at,
    )


def abandoned(*, at: dt.datetime) -> QuerySet[CreatorApplication]:
    """Applications in review that nobody holds under a running lease (S-004)."""
    undecided = CreatorApplication.objects.filter(status=ApplicationStatus.IN_REVIEW, effective_at=None)
    return undecided.exclude(Exists(_held(at)))


def unsettled(at: dt.datetime, *, limit: int = 500) -> QuerySet[CreatorApplication]:
    """Decided applications whose undo window is over and which still are in review, oldest first."""
    decided = CreatorApplication.objects.filter(status=ApplicationStatus.IN_REVIEW, effective_at__lte=at)
    return decided.order_by("effective_at")[:limit]


def undoable(user: Any, *, at: dt.datetime) -> CreatorApplication | None:
    """This reviewer's newest decision, while it can still be undone. One statement."""
    return (
        CreatorApplication.objects.filter(status=ApplicationStatus.IN_REVIEW, verdict_by=user, effective_at__gt=at)
        .order_by("-effective_at", "-id")
        .first()
    )


def is_abandoned(application: CreatorApplication, *, at: dt.datetime) -> bool:
    """Whether nobody holds this application under a running lease."""
    return abandoned(at=at).filter(pk=application.pk).exists()


TABS = ("unclaimed", "mine", "waiting", "overdue", "decided")


def in_tab(tab: str, *, user: Any, at: dt.datetime) -> QuerySet[CreatorApplication]:
    """The applications of one tab of the queue page, oldest first; decided ones newest first."""
    if tab == "decided":
        chosen = CreatorApplication.objects.filter(status__in=states.DECIDED)
        return _listed(chosen).order_by("-decided_at", "-id")
    work = WorkItem.objects.filter(
        queue=QUEUE,
        subject_type=SUBJECT_TYPE,
        subject_id=Cast(OuterRef("pk"), CharField()),
        state__in=UNFINISHED,
    )
    held = Q(state=WorkItem.State.CLAIMED, lease_until__gte=at)
    statuses: tuple[ApplicationStatus, ...] = (ApplicationStatus.SUBMITTED, ApplicationStatus.IN_REVIEW)
    if tab == "mine":
        work = work.filter(held & Q(holder=user) | Q(state=WorkItem.State.OPEN, return_to=user))
    elif tab == "waiting":
        statuses = (ApplicationStatus.ADDITIONAL_INFO_REQUIRED,)
    elif tab == "overdue":
        work = work.filter(due_at__lt=at).exclude(state=WorkItem.State.PAUSED)
    else:
        work = work.exclude(held).exclude(state=WorkItem.State.PAUSED)
    return _listed(CreatorApplication.objects.filter(Exists(work), status__in=statuses)).order_by("submitted_at", "id")


def matching(
    applications: QuerySet[CreatorApplication],
    *,
    text: str = "",
    country: str = "",
    language: str = "",
    category: str = "",
    reviewer: str = "",
    missing: str = "",
    submitted_before: dt.datetime | None = None,
    followers: int = 0,
) -> QuerySet[CreatorApplication]:
    """Narrows a tab by reference or part of the name, country, language, category, reviewer (a key, or "nobody"), what
    is missing (a code of `MISSING`, "any" or "nothing"), time of submission and least followers; empty means any.
    """
    if text:
        applications = applications.filter(Q(reference__iexact=text) | Q(stage_name__icontains=text))
    if country:
        applications = applications.filter(country=country.upper())
    if language:
        applications = applications.filter(languages__contains=[language])
    if category:
        applications = applications.filter(categories__contains=[category])
    if reviewer == "nobody":
        applications = applications.filter(reviewer=None)
    elif reviewer:
        applications = applications.filter(reviewer_id=UUID(reviewer))
    if missing in MISSING:
        applications = applications.filter(**{f"lacks_{missing}": True})
    elif missing == "any":
        applications = applications.filter(_lacks_any())
    elif missing == "nothing":
        applications = applications.exclude(_lacks_any())
    if submitted_before is not None:
        applications = applications.filter(submitted_at__lt=submitted_before)
    return applications.filter(Q(followers__gte=followers)) if followers else applications


# What an applicant may still owe, as a reviewer asks for it.
MISSING = tuple(item.value for item in InfoItem)


def missing(application: CreatorApplication) -> list[str]:
    """Which of `MISSING` a listed application lacks: what is not there or no longer counts, and what was asked for."""
    return [code for code in MISSING if getattr(application, f"lacks_{code}")]


def _lacks_any() -> Q:
    return Q(*((f"lacks_{code}", True) for code in MISSING), _connector=Q.OR)


def _lacking() -> dict[str, Combinable | Q]:
    ids = VerificationDocument.objects.filter(
        application=OuterRef("pk"), document_type__in=states.IDENTITY_TYPES, status__in=states.GIVEN
    )
    absent: dict[str, Combinable | Q] = {
        InfoItem.GOVERNMENT_ID: ~Exists(ids),
        InfoItem.SOCIAL: ~Exists(SocialAccount.objects.filter(application=OuterRef("pk"))),
        InfoItem.SAMPLE: Q(sample=None)
        | Exists(Asset.objects.filter(pk=OuterRef("sample"), processing_status__in=FAILED)),
    }
    asked = {
        code: Q(status=ApplicationStatus.ADDITIONAL_INFO_REQUIRED, info_items__contains=[code]) for code in MISSING
    }
    return {code: asked[code] | absent[code] if code in absent else asked[code] for code in MISSING}


def _listed(applications: QuerySet[CreatorApplication]) -> QuerySet[CreatorApplication]:
    """With `followers` and `lacks_…` for each of `MISSING`; computed for the rows of a page only."""
    accounts = SocialAccount.objects.filter(application=OuterRef("pk")).order_by().values("application")
    total = Subquery(accounts.annotate(total=Sum("follower_count")).values("total"))
    lacking = {f"lacks_{code}": ExpressionWrapper(lack, BooleanField()) for code, lack in _lacking().items()}
    return applications.select_related("reviewer").annotate(followers=Coalesce(total, 0), **lacking)


def tab_counts(*, user: Any, at: dt.datetime) -> dict[str, int]:
    """How many applications each tab of unfinished work holds, up to where counting stops; three statements."""
    counts = queues.counts([QUEUE], at=at)[QUEUE]
    items = WorkItem.objects.filter(queue=QUEUE, subject_type=SUBJECT_TYPE)
    lapsed = items.filter(state=WorkItem.State.CLAIMED, lease_until__lt=at).count()
    held = Q(state=WorkItem.State.CLAIMED, lease_until__gte=at, holder=user)
    return {
        "unclaimed": min(counts["open"] + lapsed, queues.AT_MOST),
        "mine": items.filter(held | Q(state=WorkItem.State.OPEN, return_to=user)).count(),
        "waiting": counts["paused"],
        "overdue": counts["overdue"],
    }


def work_items(applications: Iterable[CreatorApplication]) -> dict[UUID, WorkItem]:
    """The newest work item of each application; one statement."""
    found: dict[UUID, WorkItem] = {}
    rows = (
        WorkItem.objects.filter(
            queue=QUEUE, subject_type=SUBJECT_TYPE, subject_id__in=[str(a.pk) for a in applications]
        )
        .select_related("holder", "done_by", "escalated_by")
        .order_by("created_at")
    )
    for row in rows:
        found[UUID(row.subject_id)] = row
    return found


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything a reviewer looks at for one application."""

    application: CreatorApplication
    item: WorkItem | None
    documents: list[VerificationDocument]
    accounts: list[SocialAccount]
    previous: list[CreatorApplication]
    sanctions: list[Sanction]


def dossier(pk: UUID) -> Dossier | None:
    """One application with its documents, accounts, work item, earlier applications and sanctions; six statements."""
    application = (
        CreatorApplication.objects.select_related(
            "applicant", "reviewer", "sample", "creator", "assessment", "decided_by"
        )
        .filter(pk=pk)
        .first()
    )
    if application is None:
        return None
    return Dossier(
        application=application,
        item=work_items([application]).get(application.pk),
        documents=list(application.documents.select_related("reviewer", "opened_by")),
        accounts=list(application.social_accounts.select_related("checked_by")),
        previous=list(
            CreatorApplication.objects.filter(applicant=application.applicant_id)
            .exclude(pk=application.pk)
            .order_by("-created_at")
        ),
        sanctions=list(
            Sanction.objects.filter(creator__user=application.applicant_id).select_related("issued_by", "ended_by")
        ),
    )


def directory(*, text: str = "", status: str = "", held: bool = False) -> QuerySet[Creator]:
    """Creators for the staff directory: by part of the stage name or reference, state, payout hold."""
    creators = Creator.objects.select_related("user").order_by("stage_name", "id")
    if text:
        creators = creators.filter(Q(stage_name__icontains=text) | Q(reference__iexact=text) | Q(slug__icontains=text))
    if status == "active":
        creators = creators.filter(is_active=True, verification_status__in=states.LIVE)
    elif status in states.VerificationStatus.values:
        creators = creators.filter(verification_status=status)
    return creators.filter(payout_hold=True) if held else creators


# --- holds, keys, ends --------------------------------------------------------------------------------------


def holds_on(person: Any, *, at: dt.datetime) -> QuerySet[LegalHold]:
    """The legal holds that keep a person's data now, oldest first; takes the person or their key."""
    return LegalHold.objects.active(at).filter(person=person).order_by("placed_at")


def held_people(*, at: dt.datetime) -> QuerySet[LegalHold, Any]:
    """The keys of everybody whose data a legal hold keeps, for use inside another query."""
    return LegalHold.objects.active(at).values("person")


def hold_references(*, at: dt.datetime) -> dict[Any, list[str]]:
    """The references of the legal holds that keep somebody's data, by the person's key."""
    found: dict[Any, list[str]] = {}
    for person, name in LegalHold.objects.active(at).order_by("placed_at").values_list("person", "reference"):
        found.setdefault(person, []).append(name)
    return found


def tax_forms_waiting() -> int:
    """How many tax forms nobody has judged."""
    return TaxProfile.objects.filter(status=states.TaxProfileStatus.SUBMITTED).count()


def without_tax_form() -> QuerySet[Creator]:
    """Live creators who cannot be paid because no tax form of theirs is in force (N-034)."""
    lacking = (states.TaxFormStatus.MISSING, states.TaxFormStatus.EXPIRED)
    return Creator.objects.live().filter(tax_form_status__in=lacking)


def newest_tax_form(creator: Creator) -> TaxProfile | None:
    """The form in force, or the newest one that was refused; None when there is neither."""
    shown = (*states.CURRENT_TAX, states.TaxProfileStatus.REJECTED)
    return TaxProfile.objects.filter(creator=creator, status__in=shown).order_by("-signed_at", "-id").first()


def has_sealed(person: Any) -> bool:
    """Whether anything is still encrypted under this person's key."""
    documents = VerificationDocument.objects.filter(subject=person).exclude(status=states.DocumentStatus.PURGED)
    return documents.exists() or TaxProfile.objects.filter(creator__user=person, sealed_id__isnull=False).exists()


def expiring_documents(*, at: dt.datetime, days: int) -> QuerySet[VerificationDocument]:
    """Verified documents that end within so many days and whose owners have not been told."""
    return (
        VerificationDocument.objects.select_related("subject")
        .filter(
            status=states.DocumentStatus.VERIFIED,
            document_expires_on__gte=at.date(),
            document_expires_on__lte=at.date() + dt.timedelta(days=days),
            expiry_told_at__isnull=True,
        )
        .order_by("document_expires_on")
    )


# --- reviews of verified creators ---------------------------------------------------------------------------


def verified_before(moment: dt.datetime) -> QuerySet[Creator]:
    """Verified creators whom nobody has looked at since that moment, longest ago first."""
    return Creator.objects.filter(
        verification_status=states.VerificationStatus.VERIFIED, is_active=True, verified_at__lt=moment
    ).order_by("verified_at")


def id_ends_soon(*, at: dt.datetime, days: int) -> QuerySet[Creator]:
    """Verified creators with an ID that ends within so many days, and no other that lasts longer."""
    ids = VerificationDocument.objects.filter(
        subject=OuterRef("user"),
        document_type__in=states.IDENTITY_TYPES,
        status=states.DocumentStatus.VERIFIED,
    )
    ends = at.date() + dt.timedelta(days=days)
    return Creator.objects.filter(
        Exists(ids.filter(document_expires_on__lte=ends)),
        ~Exists(ids.filter(Q(document_expires_on__isnull=True) | Q(document_expires_on__gt=ends))),
        verification_status=states.VerificationStatus.VERIFIED,
        is_active=True,
    ).order_by("verified_at")


def answered_reverification() -> QuerySet[Creator]:
    """Creators who were asked for an ID and have given one since that nobody has judged."""
    given = VerificationDocument.objects.filter(
        subject=OuterRef("user"),
        created_at__gte=OuterRef("reverify_asked_at"),
        document_type__in=states.IDENTITY_TYPES,
        status=states.DocumentStatus.PENDING,
    )
    return Creator.objects.filter(
        Exists(given), verification_status=states.VerificationStatus.PENDING, reverify_by__isnull=False
    ).order_by("reverify_by")


def not_in_review(creators: QuerySet[Creator]) -> QuerySet[Creator]:
    """Those of them who are in no queue of reviews."""
    waiting = WorkItem.objects.filter(
        queue=REVIEWS,
        subject_type="creators.creator",
        subject_id=Cast(OuterRef("pk"), CharField()),
        state__in=UNFINISHED,
    )
    return creators.filter(~Exists(waiting))


def reviews_waiting() -> QuerySet[WorkItem]:
    """The queue of reviews, most urgent first."""
    return WorkItem.objects.filter(queue=REVIEWS, state__in=UNFINISHED).order_by("due_at", "id")


# --- training, badges, prices ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lesson:
    """One training module as one creator stands to it."""

    code: str
    title: str
    position: int
    required: bool
    status: str
    completed_at: dt.datetime | None


def training_of(creator: Creator) -> list[Lesson]:
    """Every published module in its order with the creator's progress; one statement."""
    own = FilteredRelation("progress", condition=Q(progress__creator=creator))
    modules = TrainingModule.objects.filter(is_active=True).annotate(own=own)
    return [
        Lesson(code, title, position, required, status or states.TrainingStatus.NOT_STARTED, completed_at)
        for code, title, position, required, status, completed_at in modules.order_by("position", "code").values_list(
            "code", "title", "position", "required", "own__status", "own__completed_at"
        )
    ]


def badges_of(creator: Creator) -> list[BadgeGrant]:
    """The badges that a creator has now, with who gave them."""
    return list(creator.badges.filter(revoked_at=None).select_related("granted_by"))


@dataclass(frozen=True, slots=True)
class Guidance:
    """What live creators ask for a personal video of one length: minor units, and how many offers that is from."""

    length_seconds: int
    low_minor: int
    median_minor: int
    high_minor: int
    offers: int


# Fewer offers say more about single people than about a market.
GUIDANCE_FROM = 5


def pricing_guidance(creator: Creator) -> list[Guidance]:
    """Prices of other live creators who share a category, per length, in the creator's currency: a quarter ask less
    than ``low``, a quarter more than ``high``. Nothing for a length with fewer than `GUIDANCE_FROM` offers.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.length_seconds,
                   percentile_disc(0.25) WITHIN GROUP (ORDER BY o.price_minor),
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY o.price_minor),
                   percentile_disc(0.75) WITHIN GROUP (ORDER BY o.price_minor),
                   count(*)
              FROM creators_serviceoffering o
              JOIN creators_creator c ON c.id = o.creator_id
             WHERE o.active AND NOT o.corporate AND o.currency = %(currency)s AND o.creator_id <> %(creator)s
               AND c.is_active AND c.verification_status = ANY(%(live)s) AND c.categories && %(categories)s::varchar[]
             GROUP BY o.length_seconds
            HAVING count(*) >= %(least)s
             ORDER BY o.length_seconds
            """,
            {
                "currency": creator.currency,
                "creator": creator.pk,
                "live": [str(status) for status in states.LIVE],
                "categories": creator.categories,
                "least": GUIDANCE_FROM,
            },
        )
        return [Guidance(*row) for row in cursor.fetchall()]


def in_review(creator: Creator) -> bool:
    """Whether this creator is in the queue of reviews."""
    return reviews_waiting().filter(subject_type="creators.creator", subject_id=str(creator.pk)).exists()
