"""Applicants, applications and creators for tests, each brought to its state by the services."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.creators.models import Creator, CreatorApplication, TaxProfile, VerificationDocument
from backoffice.creators.services import applications, creators, documents, offers, tax
from backoffice.creators.services.reviews import Findings
from backoffice.creators.states import PublicFigure
from backoffice.media.models import Asset
from backoffice.media.states import Processing
from backoffice.queues.models import WorkItem
from tests.factories.accounts import member, staff

_numbers = itertools.count(1)
# A one-page PDF as small as readers accept; tests look for the words in it.
SECRET_WORDS = b"CANARY-4711-PASSPORT"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n% " + SECRET_WORDS + b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
DAY = timedelta(days=1)
# A personal video as simple as they come.
OFFER = {"occasions": ["birthday"], "length_seconds": 60, "delivery_hours": 72, "price_minor": 50_00}


def reviewer(**fields: Any) -> User:
    """A verification reviewer."""
    return staff("verification_reviewer", **fields)


def sample(owner: User, **fields: Any) -> Asset:
    """A processed sample video of this person, without a file behind it."""
    number = next(_numbers)
    values = {
        "kind": Asset.Kind.SAMPLE,
        "filename": "sample.mp4",
        "storage_key": f"assets/test-{number}/original",
        "content_type": "video/mp4",
        "bytes": 1_000,
        "processing_status": Processing.READY,
        "processed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "duration_ms": 30_000,
        **fields,
    }
    return Asset.objects.create(owner_user=owner, **values)


def contents(owner: User, **fields: Any) -> dict[str, Any]:
    """Everything an application needs, as `applications.update` takes it."""
    return {
        "stage_name": "Ti Joslin",
        "legal_name": "Jocelyne Pierre",
        "bio": "I write and sing.",
        "country": "HT",
        "categories": ["music"],
        "languages": ["ht", "fr"],
        "sample": sample(owner),
        "terms_version": "2026-01",
        "social": [
            {
                "platform": "instagram",
                "handle": "@tijoslin",
                "url": "https://instagram.com/tijoslin",
                "follower_count": 12_000,
            }
        ],
        **fields,
    }


def started(user: User | None = None, *, at: datetime | None = None, **fields: Any) -> CreatorApplication:
    """A complete application with an ID, not yet submitted."""
    user = user or member()
    application = applications.start(user=user, by=user, fields=contents(user, **fields), at=at)
    documents.upload(application=application, document_type="government_id", content=PDF, by=user, at=at)
    return application


def submitted(user: User | None = None, *, at: datetime | None = None, **fields: Any) -> CreatorApplication:
    """An application in the queue."""
    application = started(user, at=at, **fields)
    return applications.submit(application=application, by=application.applicant, at=at)


def in_review(
    by: User, application: CreatorApplication | None = None, *, at: datetime | None = None
) -> tuple[CreatorApplication, WorkItem]:
    """An application that `by` has claimed, and its work item with the lease token."""
    return applications.claim(application=application or submitted(at=at), by=by, at=at)


def waiting(by: User, *, at: datetime | None = None, asked: tuple[str, ...] = ("note",)) -> CreatorApplication:
    """An application whose applicant was asked for something."""
    application, item = in_review(by, at=at)
    return applications.request_info(application=application, by=by, token=str(item.lease_token), asked=asked, at=at)


def good(application: CreatorApplication, **fields: Any) -> Findings:
    """Findings under which every guard of approval is met."""
    return Findings(
        **{
            "verified_documents": tuple(application.documents.values_list("pk", flat=True)),
            "checked_accounts": tuple(application.social_accounts.values_list("pk", flat=True)),
            "public_figure": PublicFigure.NO,
            "video_quality": 4,
            "audio_quality": 4,
            "content_rating": 5,
            "cultural_authenticity": 5,
            "appropriate": True,
            "languages_confirmed": tuple(application.languages),
            **fields,
        }
    )


def look_at_documents(application: CreatorApplication, by: User, *, at: datetime | None = None) -> None:
    """The reviewer opens every document."""
    for document in application.documents.all():
        documents.open_for_view(document=document, by=by, at=at)


def approved(
    by: User | None = None, user: User | None = None, *, at: datetime | None = None, **fields: Any
) -> CreatorApplication:
    """An approved application with its verified, inactive creator."""
    by = by or reviewer()
    application, item = in_review(by, submitted(user, at=at, **fields), at=at)
    look_at_documents(application, by, at=at)
    return applications.approve(
        application=application,
        by=by,
        token=str(item.lease_token),
        findings=good(application),
        undo_seconds=0,
        at=at,
    )


def new_id(application: CreatorApplication, by: User) -> VerificationDocument:
    """A passport that the applicant sends now and `by` opens and verifies."""
    document = documents.upload(
        application=application, document_type="passport", content=PDF, by=application.applicant
    )
    documents.open_for_view(document=document, by=by)
    documents.verify(document=document, by=by)
    return document


def second_id(application: CreatorApplication, **fields: Any) -> VerificationDocument:
    """A passport beside the ID of an application in review, as if it had come before."""
    CreatorApplication.objects.filter(pk=application.pk).update(status="pending_submission")
    found = documents.upload(
        application=application, document_type="passport", content=PDF, by=application.applicant, **fields
    )
    CreatorApplication.objects.filter(pk=application.pk).update(status="in_review")
    return found


def make_ready(creator: Creator) -> None:
    """Brings every fact that activation asks for."""
    TOTP.activate(creator.user, generate_totp_secret())
    creators.sign_agreement(creator=creator, by=creator.user, version="2026-01")
    creators.record_tax_form(creator=creator, status="submitted", by=None)
    creators.record_payout_account(creator=creator, ready=True, by=None)
    offers.replace_offerings(creator=creator, by=creator.user, offerings=[OFFER])


def activated(user: User | None = None, *, at: datetime | None = None, **fields: Any) -> CreatorApplication:
    """An application at the end of its way, with a live creator."""
    application = approved(user=user, at=at, **fields)
    assert application.creator is not None
    make_ready(application.creator)
    return applications.activate(application=application, by=None, at=at)


def creator(user: User | None = None, **fields: Any) -> Creator:
    """A live creator, taken over as imports do: quick, for tests that are not about verification."""
    number = next(_numbers)
    values = {"stage_name": f"Creator {number}", "country": "HT", "languages": ["ht"], **fields}
    return creators.create_imported(
        user=user or member(), by=None, verified=True, active=True, at=clock.now(), **values
    )


def tax_profile(of: Creator | None = None, *, at: datetime | None = None, **fields: Any) -> TaxProfile:
    """A tax form that a creator has just signed."""
    owner = of or creator()
    values = {"form": "w8ben", "country": "HT", "tax_id": "003-456-7891", "signed_name": "Jocelyne Pierre", **fields}
    return tax.submit(creator=owner, by=owner.user, at=at, **values)
