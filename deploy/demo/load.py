"""Fills an empty platform through the services, so that every rule of the house holds for it.

The same seed makes the same platform, shifted to today. Each step looks at what is there and goes on from it, so a
load that was stopped can be started again.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection, transaction

from backoffice.accounts import demo as demo_people
from backoffice.accounts.models import User
from backoffice.accounts.services import invitations, roles, users
from backoffice.catalogue.models import Category, FeaturedSection, FeaturedSlot, Title
from backoffice.catalogue.services import featured, titles
from backoffice.commerce.models import Purchase
from backoffice.commerce.services import purchases
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.creators.models import Creator, CreatorApplication
from backoffice.creators.services import applications, creators, documents, reviews, tax
from backoffice.creators.states import DocumentType, PublicFigure, TaxForm, TaxFormStatus
from backoffice.finance.models import PayoutRun, Refund
from backoffice.finance.services import earnings, payments, payout_accounts
from backoffice.media.models import Asset
from backoffice.media.services import assets
from backoffice.moderation.models import Case, PolicyRule
from backoffice.moderation.services import cases
from backoffice.queues import queries as work
from backoffice.support.models import Ticket
from backoffice.support.services import tickets
from deploy.demo import files, lessons, payouts, public_pages
from deploy.demo import refunds as refund_steps
from deploy.demo.content import (
    APPLICANTS,
    COLLEAGUES,
    FIRST_NAMES,
    INVITED,
    LAST_NAMES,
    STAFF,
    STOREFRONTS,
    TICKETS,
    Maker,
    Storefront,
)
from integrations.stripe.types import BankDetails

DAYS = 395
MEMBERS = 150
SALES = 1200
CATEGORY = {
    "films": "film",
    "catalogue": "learning",
    "lockers": "music",
    "personal-videos": "comedy",
    "brand-stories": "culture",
}
# Test bank accounts of Stripe's documentation: country, currency, number, routing number.
BANKS = {
    "USD": ("US", "USD", "000123456789", "110000000"),
    "CAD": ("CA", "CAD", "000123456789", "11000-000"),
    "EUR": ("FR", "EUR", "FR1420041010050500013M02606", ""),
}
BADGES = ("cultural_expert", "community_leader", "diaspora_ambassador")
TIMEZONES = {
    "HT": "America/Port-au-Prince",
    "US": "America/New_York",
    "CA": "America/Toronto",
    "FR": "Europe/Paris",
}


@dataclass
class Stage:
    """What the steps share."""

    now: datetime
    password: str
    say: Callable[[str], None]
    rng: random.Random

    def ago(self, days: float) -> datetime:
        """So many days before now."""
        return self.now - timedelta(days=days)

    def person(self, role: str) -> User:
        """The demo person of a role."""
        return User.objects.get(email=demo_people.address(role))


def load(*, password: str, say: Callable[[str], None]) -> None:
    """Runs every step; ``say`` gets a line per step."""
    stage = Stage(clock.now(), password, say, random.Random(20))
    for step in (
        staff,
        invited,
        curriculum,
        storefronts,
        members,
        sales,
        refunds,
        asked_refunds,
        waiting_payouts,
        waiting_titles,
        applicants,
        helpdesk,
        curation,
        texts,
    ):
        stage.rng.seed(step.__name__)
        step(stage)


def _enrol(user: User) -> None:
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(user, generate_totp_secret())


def staff(stage: Stage) -> None:
    """One person per role, and colleagues for what takes two."""
    people = [(demo_people.address(role), name, role, language, zone) for role, (name, language, zone) in STAFF.items()]
    for email, name, role, language, zone in [*people, *COLLEAGUES]:
        with transaction.atomic():
            user = User.objects.filter(email=email).first()
            if user is None:
                user = users.make_staff(
                    email=email,
                    display_name=name,
                    by=None,
                    password=stage.password,
                    language=language,
                    timezone=zone,
                )
                roles.give(user=user, role=role, by=None, reason="Demo")
            _enrol(user)
    stage.say(f"staff: {len(people) + len(COLLEAGUES)} people")


def invited(stage: Stage) -> None:
    """A colleague who has not come yet, with one role that waits for the second Super Admin."""
    email, name, wanted, language, zone = INVITED
    if User.objects.filter(email=email).exists():
        return
    invitations.invite(
        email=email,
        display_name=name,
        language=language,
        timezone=zone,
        wanted=wanted,
        reason="Month end and the editorial calendar",
        by=stage.person("super_admin"),
    )
    stage.say("staff: 1 invited")


def curriculum(stage: Stage) -> None:
    """Training for creators, before the first of them needs it."""
    count = lessons.publish(by=stage.person("editor"))
    stage.say(f"training pages: {count}")


def storefronts(stage: Stage) -> None:
    """Creators of five storefronts: applied, reviewed, verified, activated; their titles uploaded and moderated."""
    makers = [(storefront, maker) for storefront in STOREFRONTS for maker in storefront.makers]
    missing = [
        (index, storefront, maker)
        for index, (storefront, maker) in enumerate(makers)
        if not Creator.objects.filter(stage_name=maker.stage_name, is_active=True).exists()
    ]
    with ThreadPoolExecutor(2) as pool:
        clips = list(pool.map(files.clip, range(len(files.SCENES))))
    for index, _storefront, maker in missing:
        _upload(stage, index, maker, clips[index % len(clips)])
    _process()
    stage.say("storefronts: files processed")
    for index, _storefront, maker in missing:
        _join(stage, index, maker)
    for index, (storefront, maker) in enumerate(makers):
        _publish(stage, index, storefront, maker)
    stage.say(f"storefronts: {len(makers)} creators, {Title.objects.count()} titles")


def _account(stage: Stage, index: int, name: str, language: str, country: str, at: datetime) -> User:
    email = f"creator{index + 1}@people.backlot.example"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = users.register(
            email=email,
            password=stage.password,
            display_name=name[:100],
            language=language,
            country=country,
            verified=True,
            at=at,
        )
        users.update(user, by=user, timezone=TIMEZONES[country])
    return user


def _clip(user: User, content: bytes, kind: str, at: datetime) -> Asset:
    """The person's file of this kind; stored, and put in line for processing, when there is none."""
    return Asset.objects.filter(owner_user=user, kind=kind, parent=None).first() or assets.store(
        by=user,
        kind=kind,
        filename=f"{kind}.mp4",
        content=BytesIO(content),
        content_type="video/mp4",
        process=True,
        at=at,
    )


def _process() -> None:
    """Works off what waits to be processed, two files at a time: ffmpeg does the work, in processes of its own."""

    def work_off() -> None:
        try:
            jobs.run_due(kinds=["media.process_asset"], limit=1000)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work_off) for _ in range(2)]:
            done.result()


def _apply(
    stage: Stage,
    user: User,
    *,
    stage_name: str,
    bio: str,
    country: str,
    currency: str,
    language: str,
    at: datetime,
    sample: Asset,
    index: int,
) -> CreatorApplication:
    application = CreatorApplication.objects.filter(applicant=user).order_by("-created_at").first()
    if application is not None:
        return application
    handle = "".join(letter for letter in stage_name.lower() if letter.isalnum())
    with transaction.atomic():
        application = applications.start(
            user=user,
            by=user,
            fields={
                "stage_name": stage_name,
                "legal_name": user.display_name,
                "bio": bio,
                "country": country,
                "currency": currency,
                "categories": [stage.rng.choice(["film-makers", "musicians", "teachers", "comedians"])],
                "languages": sorted({language, "ht"}),
                "sample": sample,
                "terms_version": values.get("application.terms_version"),
                "social": [
                    {
                        "platform": "instagram",
                        "handle": handle[:40],
                        "url": f"https://instagram.com/{handle[:40]}",
                        "follower_count": stage.rng.randrange(800, 240_000),
                    }
                ],
            },
            at=at,
        )
        documents.upload(
            application=application,
            document_type=DocumentType.GOVERNMENT_ID if index % 3 else DocumentType.PASSPORT,
            content=files.paper(user.display_name, "IDENTITY CARD" if index % 3 else "PASSPORT"),
            by=user,
            at=at + timedelta(minutes=20),
        )
        return applications.submit(application=application, by=user, at=at + timedelta(hours=1))


def _upload(stage: Stage, index: int, maker: Maker, clip: bytes) -> User:
    """The creator's account and files, on their first day."""
    start = stage.ago(DAYS - index * 4)
    name = f"{FIRST_NAMES[index % len(FIRST_NAMES)]} {LAST_NAMES[(index * 7) % len(LAST_NAMES)]}"
    user = _account(stage, index, name, maker.language, maker.country, start)
    for kind in (Asset.Kind.SAMPLE, Asset.Kind.VIDEO):
        _clip(user, clip, kind, start)
    return user


def _join(stage: Stage, index: int, maker: Maker) -> Creator:
    """One creator's way from the first form to the first day."""
    start = stage.ago(DAYS - index * 4)
    user = User.objects.get(email=f"creator{index + 1}@people.backlot.example")
    sample = Asset.objects.get(owner_user=user, kind=Asset.Kind.SAMPLE, parent=None)
    application = _apply(
        stage,
        user,
        stage_name=maker.stage_name,
        bio=maker.bio,
        country=maker.country,
        currency=maker.currency,
        language=maker.language,
        at=start,
        sample=sample,
        index=index,
    )
    reviewer = stage.person("verification_reviewer")
    decided = start + timedelta(days=1, hours=index % 9)
    if application.status == "submitted":
        with transaction.atomic():
            application, item = applications.claim(application=application, by=reviewer, at=decided)
            papers = list(application.documents.all())
            for paper in papers:
                documents.open_for_view(document=paper, by=reviewer, at=decided)
            application = applications.approve(
                application=application,
                by=reviewer,
                token=item.lease_token,
                undo_seconds=0,
                findings=reviews.Findings(
                    verified_documents=tuple(paper.pk for paper in papers),
                    document_expires_on=(stage.now + timedelta(days=900)).date(),
                    checked_accounts=tuple(account.pk for account in application.social_accounts.all()),
                    public_figure=PublicFigure.NO,
                    video_quality=3 + index % 3,
                    audio_quality=3 + (index + 1) % 3,
                    content_rating=4,
                    cultural_authenticity=5,
                    appropriate=True,
                    languages_confirmed=(maker.language,),
                    notes="",
                ),
                at=decided + timedelta(seconds=90),
            )
    creator = Creator.objects.get(user=user)
    _enrol(user)
    if creator.agreement_version != values.get("creator.agreement_version"):
        creators.sign_agreement(
            creator=creator,
            by=user,
            version=values.get("creator.agreement_version"),
            at=decided + timedelta(days=1),
        )
    if creator.tax_form_status not in (TaxFormStatus.SUBMITTED, TaxFormStatus.VERIFIED):
        signed = tax.submit(
            creator=creator,
            by=user,
            form=TaxForm.W9 if maker.country == "US" else TaxForm.W8BEN,
            country=maker.country,
            tax_id=f"{900_000_000 + index * 7_919}",
            signed_name=user.display_name,
            at=decided + timedelta(days=1),
        )
        if index % 5:  # some wait for finance
            tax.verify(profile=signed, by=stage.person("financial_admin"), at=decided + timedelta(days=1, hours=2))
    lessons.take(creator, at=decided + timedelta(hours=4))
    creator.refresh_from_db()
    if not creator.payout_account_ready:
        country, currency, number, routing = BANKS[maker.currency]
        account = payout_accounts.connect(
            creator=creator,
            by=user,
            bank=BankDetails(country, currency, number, routing, user.display_name),
            at=decided + timedelta(days=1),
        )
        if account.status != "verified":
            payout_accounts.verify(account=account, by=stage.person("financial_admin"), at=decided + timedelta(days=2))
    if not creator.offerings.exists():
        lessons.offer(creator, index=index, at=decided + timedelta(days=1))
    application.refresh_from_db()
    if application.status == "approved":
        applications.activate(application=application, at=decided + timedelta(days=2))
    creator.refresh_from_db()
    if not creator.onboarding_steps.exists():
        lessons.welcome(creator, by=stage.person("ops_manager"), at=decided + timedelta(days=3))
    if index % 6 == 0:
        lessons.recognise(creator, by=stage.person("admin"), badge=BADGES[index // 6 % len(BADGES)], at=stage.ago(30))
    return creator


def _publish(stage: Stage, index: int, storefront: Storefront, maker: Maker) -> None:
    """A creator's titles, each uploaded, moderated and put on sale over their months on the platform."""
    creator = Creator.objects.select_related("user").get(stage_name=maker.stage_name)
    assert creator.activated_at is not None
    moderators = [
        stage.person("content_moderator"),
        User.objects.get(email="moderation.second@backlot.example"),
    ]
    category = Category.objects.get(slug=CATEGORY[storefront.slug])
    video = Asset.objects.get(owner_user=creator.user, kind=Asset.Kind.VIDEO, parent=None)
    for number, item in enumerate(maker.works):
        if Title.objects.filter(creator=creator, title=item.title).exists():
            continue
        room = (stage.ago(14) - creator.activated_at) / max(len(maker.works), 1)
        at = creator.activated_at + timedelta(days=1) + room * number
        poster = assets.store(
            by=creator.user,
            kind=Asset.Kind.IMAGE,
            filename="poster.jpg",
            content=BytesIO(files.poster(item.title, index * 7 + number)),
            content_type="image/jpeg",
            at=at,
        )
        proofs = []
        if item.price:
            proofs = [
                assets.store(
                    by=creator.user,
                    kind=Asset.Kind.PROOF,
                    filename="rights.jpg",
                    content=BytesIO(files.paper(creator.user.display_name, "RIGHTS DECLARATION")),
                    content_type="image/jpeg",
                    at=at,
                )
            ]
        with transaction.atomic():
            title = titles.offer(
                creator=creator,
                by=creator.user,
                files=titles.Files(video=video, poster=poster, proofs=proofs),
                title=item.title,
                description=item.description,
                kind=storefront.kind,
                language=item.language,
                category=category,
                access_model=Title.Access.PURCHASE if item.price else Title.Access.FREE,
                price_minor=item.price,
                currency=maker.currency,
                at=at,
            )
            titles.mark_processing(title, at=at)
            case = cases.open_for_title(title, at=at)
            if case is None:
                continue
            by = moderators[(index + number) % 2]
            case = cases.claim(case, by=by, at=at + timedelta(hours=2))
            found = work.for_subject(cases.QUEUE, case)
            assert found is not None
            decision = cases.approve(
                case,
                token=found.lease_token,
                by=by,
                revision=case.title.revision,
                undo_seconds=0,
                at=at + timedelta(hours=2, seconds=40),
            )
            cases.settle(decision, at=at + timedelta(hours=2, seconds=50))


def members(stage: Stage) -> None:
    """The people who buy."""
    have = User.objects.filter(email__endswith="@members.backlot.example").count()
    for number in range(have, MEMBERS):
        country = stage.rng.choices(["US", "HT", "CA", "FR"], [50, 25, 15, 10])[0]
        language = {"US": "en", "HT": "ht", "CA": "fr", "FR": "fr"}[country]
        first, last = stage.rng.choice(FIRST_NAMES), stage.rng.choice(LAST_NAMES)
        user = users.register(
            email=f"member{number + 1}@members.backlot.example",
            password=stage.password,
            display_name=f"{first} {last}",
            language=language,
            country=country,
            verified=True,
            at=stage.ago(DAYS * (1 - (number / MEMBERS) ** 0.7)),
        )
        users.update(user, by=user, timezone=TIMEZONES[country])
    stage.say(f"members: {MEMBERS}")


def sales(stage: Stage) -> None:
    """Thirteen months of purchases, more each month, with busy evenings and a peak in December."""
    have = Purchase.objects.count()
    if have:
        stage.say(f"sales: {have} there already")
        return
    people = list(User.objects.filter(email__endswith="@members.backlot.example").order_by("date_joined"))
    for_sale = [
        (title, stage.rng.paretovariate(2.2))
        for title in Title.objects.published(stage.now).filter(price_minor__gt=0).order_by("slug")
    ]
    finance = [stage.person("financial_admin"), User.objects.get(email="finance.second@backlot.example")]
    payouts.fill_provider()
    moments = sorted(stage.ago(DAYS * (1 - stage.rng.random() ** 0.62)) for _ in range(SALES))
    payday = stage.ago(DAYS - 60)
    bought: set[tuple[object, object]] = set()
    paid = 0
    for moment in moments:
        while payday < moment:
            earnings.release_due(at=payday)
            paid += payouts.month(stage.rng, payday, finance)
            payday += timedelta(days=30)
            stage.say(f"sales: {len(bought)}, payouts: {paid}")
        choice = [(title, weight) for title, weight in for_sale if title.published_at and title.published_at < moment]
        buyers = [person for person in people if person.date_joined < moment]
        if not choice or not buyers:
            continue
        for _attempt in range(8):
            title = stage.rng.choices([t for t, _ in choice], [w for _, w in choice])[0]
            buyer = stage.rng.choice(buyers)
            if (title.pk, buyer.pk) not in bought:
                break
        else:
            continue
        with transaction.atomic():
            purchase = purchases.start(title=title, by=buyer, country=buyer.country, at=moment)
            payments.record_sale(
                purchase=purchase,
                provider="stripe",
                provider_payment_id=f"pi_demo_{len(bought):06d}",
                by=None,
                at=moment + timedelta(seconds=40),
            )
        bought.add((title.pk, buyer.pk))
    earnings.release_due(at=stage.now)
    stage.say(f"sales: {len(bought)}, payouts: {paid}")


def waiting_payouts(stage: Stage) -> None:
    """Payouts that wait for a decision."""
    if PayoutRun.objects.filter(status="submitted").exists():
        return
    finance = [stage.person("financial_admin"), User.objects.get(email="finance.second@backlot.example")]
    stage.say(f"payouts that wait: {payouts.waiting(stage.now, finance)}")


def refunds(stage: Stage) -> None:
    """A few buyers who got their money back."""
    if Refund.objects.exists():
        return
    given_back = refund_steps.of_the_past(stage.rng, stage.now)
    refund_steps.tell_provider()
    stage.say(f"refunds: {given_back}")


def asked_refunds(stage: Stage) -> None:
    """Refunds that wait for people, and some that were decided."""
    people = {role: stage.person(role) for role in ("customer_support", "financial_admin")}
    second = User.objects.get(email="finance.second@backlot.example")
    stage.say(f"refunds asked for: {refund_steps.asked_for(stage.rng, stage.now, people, second)}")


def waiting_titles(stage: Stage) -> None:
    """Uploads of the last hours that nobody has looked at yet, and one that was refused."""
    fresh = [
        (
            "Lakou Cinéma",
            "Zetwal maten",
            699,
            "ht",
            "Yon gad sekirite ap tann solèy leve pou l al wè pitit li.",
        ),
        (
            "Marjorie Estimé",
            "What We Kept",
            999,
            "en",
            "After the funeral, two cousins divide the furniture and the grudges.",
        ),
        ("Kouto TV", "Mayi moulen ak aran", 299, "ht", "Manje maten ki kenbe w jouk aswè."),
        ("Éloïse Bazile", "Nocturne à Gorée", 599, "fr", "Une captation à la tombée du jour, sans public."),
        (
            "Jesifra",
            "Madanm mwen pa konnen",
            799,
            "ht",
            "Sketch sou yon mesye ki achte yon televizyon an kachèt.",
        ),
        (
            "Ayiti Adventures",
            "La Visite at Dawn — a very long title, to see what lists and cards do when somebody tells it all",
            899,
            "en",
            "Pine forest, fog and the bird that only lives here.",
        ),
        (
            "Runway Pétion-Ville",
            "Teindre à l'indigo",
            899,
            "fr",
            "Trois bains, un fil témoin et beaucoup de patience.",
        ),
    ]
    for number, (name, text, price, language, description) in enumerate(fresh):
        creator = Creator.objects.select_related("user").get(stage_name=name)
        if Title.objects.filter(creator=creator, title=text[:255]).exists():
            continue
        at = stage.ago(0.1 + number * 0.19)
        video = Asset.objects.filter(owner_user=creator.user, kind=Asset.Kind.VIDEO, parent=None).first()
        stored = {
            kind: assets.store(
                by=creator.user,
                kind=kind,
                filename=f"{kind}.jpg",
                content=BytesIO(content),
                content_type="image/jpeg",
                at=at,
            )
            for kind, content in (
                (Asset.Kind.IMAGE, files.poster(text, number + 3)),
                (Asset.Kind.PROOF, files.paper(creator.user.display_name, "RIGHTS DECLARATION")),
            )
        }
        with transaction.atomic():
            title = titles.offer(
                creator=creator,
                by=creator.user,
                files=titles.Files(video=video, poster=stored[Asset.Kind.IMAGE], proofs=[stored[Asset.Kind.PROOF]]),
                title=text,
                description=description,
                kind=Title.Kind.VIDEO,
                language=language,
                access_model=Title.Access.PURCHASE,
                price_minor=price,
                currency=creator.currency,
                at=at,
            )
            titles.mark_processing(title, at=at)
            cases.open_for_title(title, at=at)
    refused = Case.objects.filter(title__title="Teindre à l'indigo").first()
    if refused is not None and not refused.decisions.exists():
        by = User.objects.get(email="moderation.second@backlot.example")
        policy = PolicyRule.objects.order_by("digit").first()
        assert policy is not None
        case = cases.claim(refused, by=by, at=stage.ago(0.02))
        item = work.for_subject(cases.QUEUE, case)
        assert item is not None
        decision = cases.reject(
            case,
            token=item.lease_token,
            by=by,
            revision=case.title.revision,
            policy=policy,
            message="La bande-son contient un enregistrement sans preuve de droits. Merci de joindre l'accord.",
            undo_seconds=0,
            at=stage.ago(0.02) + timedelta(seconds=60),
        )
        cases.settle(decision, at=stage.ago(0.02) + timedelta(seconds=70))
    stage.say(f"moderation: {Case.objects.open().count()} titles wait")


def applicants(stage: Stage) -> None:
    """People who wait to become creators; one was asked for more."""
    clip = files.clip(4)
    for number, (stage_name, person, language, country, bio) in enumerate(APPLICANTS):
        at = stage.ago(0.2 + number * 0.6)
        user = _account(stage, 100 + number, person, language, country, at)
        sample = _clip(user, clip, Asset.Kind.SAMPLE, at)
        _apply(
            stage,
            user,
            stage_name=stage_name,
            bio=bio,
            country=country,
            currency={"CA": "CAD", "FR": "EUR"}.get(country, "USD"),
            language=language,
            at=at,
            sample=sample,
            index=number,
        )
    _process()
    waiting = CreatorApplication.objects.filter(status="submitted").order_by("submitted_at").first()
    if waiting is not None and not CreatorApplication.objects.filter(status="additional_info_required").exists():
        reviewer = stage.person("verification_reviewer")
        at = stage.ago(0.5)
        claimed, item = applications.claim(application=waiting, by=reviewer, at=at)
        applications.request_info(
            application=claimed,
            by=reviewer,
            token=item.lease_token,
            asked=["government_id"],
            text="The photo is blurred. Please send a sharp picture of the whole card.",
            at=at + timedelta(seconds=80),
        )
    stage.say(f"applications: {len(APPLICANTS)} people applied in the last days")


def helpdesk(stage: Stage) -> None:
    """Tickets of the last days: some answered, some due, one late."""
    if Ticket.objects.exists():
        return
    agents = [stage.person("customer_support"), User.objects.get(email="support.second@backlot.example")]
    people = list(User.objects.filter(email__endswith="@members.backlot.example").order_by("-date_joined")[:40])
    kinds = {value.split("_")[0]: value for value in _issue_types()}
    for number, (kind, language, subject, body, answer) in enumerate(TICKETS):
        requester = next(person for person in people[number:] if person.language == language)
        at = stage.ago(0.03 + number * 0.21)
        with transaction.atomic():
            ticket = tickets.open(
                requester=requester,
                subject=subject,
                body=body,
                by=requester,
                issue_type=kinds[kind],
                language=language,
                at=at,
            )
            if answer is not None:
                agent = agents[number % 2]
                item = tickets.claim(ticket, by=agent, at=at + timedelta(minutes=18))
                ticket.refresh_from_db()
                tickets.reply(
                    ticket,
                    by=agent,
                    token=item.lease_token,
                    body=answer,
                    then="wait" if ticket.status == "open" else "",
                    at=at + timedelta(minutes=19),
                )
    stage.say(f"tickets: {len(TICKETS)}")


def _issue_types() -> list[str]:
    return list(Ticket._meta.get_field("issue_type").choices and dict(Ticket._meta.get_field("issue_type").choices))


def curation(stage: Stage) -> None:
    """Featured sections with something in them, now and to come."""
    if FeaturedSlot.objects.exists():
        return
    editor = stage.person("editor")
    best = list(Title.objects.published(stage.now).filter(creator__isnull=False).order_by("-published_at"))
    sections = list(FeaturedSection.objects.order_by("position"))
    for number, section in enumerate(sections):
        chosen = best[number :: len(sections)][: min(section.max_items, 6)]
        for place, title in enumerate(chosen):
            starts = stage.now + timedelta(days=3) if place == len(chosen) - 1 else stage.ago(5)
            featured.place(
                section,
                title=title,
                by=editor,
                starts_at=starts,
                ends_at=starts + timedelta(days=21),
                at=min(starts, stage.now),
            )
    stage.say(f"featured: {FeaturedSlot.objects.count()} slots")


def texts(stage: Stage) -> None:
    """Help articles and policies in the platform's languages."""
    count = public_pages.publish(by=stage.person("editor"), today=stage.now.date())
    stage.say(f"public pages: {count}")
