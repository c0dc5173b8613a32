"""Training of the demo in the platform's languages, and what its creators did with it."""

from datetime import datetime, timedelta
from typing import Any

from wagtail.models import Page

from backoffice.accounts.models import User
from backoffice.creators.models import Creator, TrainingModule
from backoffice.creators.services import badges, offers, onboarding, training
from backoffice.creators.states import OnboardingHelp
from cms.services import pages, reference
from cms.training.models import TrainingIndexPage, TrainingPage

# Code, minutes, required, then language -> title and text (F-005).
LESSONS: list[tuple[str, int, bool, dict[str, tuple[str, str]]]] = [
    (
        "walkthrough",
        6,
        True,
        {
            "en": (
                "A walk through your studio",
                "<p>Where you upload, where you see sales, and where you are paid.</p>",
            ),
            "fr": (
                "Visite de votre studio",
                "<p>Où téléverser, où suivre vos ventes, et comment vous êtes payé.</p>",
            ),
            "ht": ("Vizite estidyo w la", "<p>Ki kote pou w mete videyo, gade lavant ou yo, ak fason y ap peye w.</p>"),
        },
    ),
    (
        "making-videos",
        12,
        True,
        {
            "en": (
                "Making a video that people keep",
                "<p>Light from the front, a quiet room, the name said right.</p><ul><li>Film a test first.</li>"
                "<li>Keep the phone level.</li></ul>",
            ),
            "fr": (
                "Faire une vidéo que l’on garde",
                "<p>Lumière de face, pièce calme, prénom bien prononcé.</p><ul><li>Faites un essai.</li>"
                "<li>Tenez le téléphone droit.</li></ul>",
            ),
            "ht": (
                "Fè yon videyo moun ap kenbe",
                "<p>Limyè devan w, yon chanm ki pa gen bri, non an byen di.</p><ul><li>Fè yon esè anvan.</li>"
                "<li>Kenbe telefòn nan dwat.</li></ul>",
            ),
        },
    ),
    (
        "with-customers",
        8,
        True,
        {
            "en": ("Dealing with customers", "<p>Answer within a day, decline kindly, report what feels wrong.</p>"),
            "fr": (
                "La relation avec les clients",
                "<p>Répondez dans la journée, refusez avec tact, signalez ce qui vous gêne.</p>",
            ),
            "ht": ("Ak kliyan yo", "<p>Reponn nan yon jou, refize ak respè, rapòte sa ki pa dwat.</p>"),
        },
    ),
    (
        "culture",
        10,
        True,
        {
            "en": (
                "Speaking to a diaspora",
                "<p>Holidays, names and mourning differ from town to town. Ask when unsure.</p>",
            ),
            "fr": (
                "Parler à une diaspora",
                "<p>Fêtes, prénoms et deuils changent d’une ville à l’autre. Demandez en cas de doute.</p>",
            ),
            "ht": (
                "Pale ak dyaspora a",
                "<p>Fèt, non ak lanmò pa menm jan nan tout vil. Mande lè w pa sèten.</p>",
            ),
        },
    ),
    (
        "earning-more",
        7,
        False,
        {
            "en": ("Earning more", "<p>Prices that fit, a steady rhythm, and what the numbers on your page mean.</p>"),
            "fr": ("Gagner davantage", "<p>Des prix justes, un rythme régulier, et le sens de vos chiffres.</p>"),
            "ht": ("Touche plis", "<p>Pri ki bon, yon ritm ki regilye, ak sa chif sou paj ou a vle di.</p>"),
        },
    ),
]


def publish(*, by: User) -> int:
    """Publishes what is not there yet; returns how many pages there are in all languages together."""
    parents: dict[str, Page] = {
        page.locale.language_code: page for page in TrainingIndexPage.objects.select_related("locale")
    }
    count = 0
    for position, (code, minutes, required, texts) in enumerate(LESSONS, start=1):
        fields: dict[str, dict[str, Any]] = {
            language: {
                "title": title,
                "code": code,
                "position": position,
                "minutes": minutes,
                "required": required,
                "body": body,
            }
            for language, (title, body) in texts.items()
        }
        key = reference.key(f"demo-training-{code}")
        count += len(pages.publish_in_languages(parents, TrainingPage, fields, key=key, by=by))
    return count


def take(creator: Creator, *, at: datetime) -> None:
    """The creator goes through every required module."""
    for number, module in enumerate(TrainingModule.objects.filter(is_active=True, required=True)):
        begun = at + timedelta(minutes=20 * number)
        training.start(creator=creator, code=module.code, by=creator.user, at=begun)
        training.complete(creator=creator, code=module.code, by=creator.user, at=begun + timedelta(minutes=12))


def welcome(creator: Creator, *, by: User, at: datetime) -> None:
    """What staff help a new creator with, ticked off over the first days."""
    for number, code in enumerate(OnboardingHelp.values):
        onboarding.tick(creator=creator, code=code, done=True, by=by, at=at + timedelta(hours=number))


def offer(creator: Creator, *, index: int, at: datetime) -> None:
    """Three personal videos on offer, dearer with every maker."""
    rows = [
        {
            "occasions": ["birthday", "encouragement", "holiday"],
            "length_seconds": length,
            "delivery_hours": hours,
            "price_minor": price + 500 * (index % 5),
            "special_requests": ["song"] if length > 60 else [],
        }
        for length, hours, price in ((30, 72, 15_00), (60, 72, 25_00), (180, 168, 60_00))
    ]
    offers.replace_offerings(creator=creator, offerings=rows, by=creator.user, at=at)


def recognise(creator: Creator, *, by: User, badge: str, at: datetime) -> None:
    """A badge, once."""
    if not creator.badges.filter(badge=badge, revoked_at=None).exists():
        badges.grant(creator=creator, badge=badge, by=by, reason="Known in the community", at=at)
