"""Reference data of support: the table of due times and the first reply templates. Loading twice changes
nothing."""

from dataclasses import dataclass

from backoffice.support.models import IssueType, Priority, ResponseTemplate, SlaPolicy
from backoffice.support.policies import check_template

HOUR = 60


@dataclass(frozen=True, slots=True)
class Target:
    """One row of the table of due times; minutes, None for "no target"."""

    issue_type: str
    priority: str
    respond_within: int
    resolve_within: int | None
    escalate_after: int | None


TARGETS = (
    Target(IssueType.PAYMENT, Priority.CRITICAL, 1 * HOUR, 24 * HOUR, 0),  # N-017
    Target(IssueType.ACCOUNT, Priority.HIGH, 2 * HOUR, 24 * HOUR, 4 * HOUR),  # N-018
    Target(IssueType.CONTENT, Priority.MEDIUM, 4 * HOUR, 48 * HOUR, 24 * HOUR),  # N-019
    Target(IssueType.GENERAL, Priority.LOW, 24 * HOUR, 72 * HOUR, 48 * HOUR),  # N-020
    Target(IssueType.FEATURE, Priority.LOW, 48 * HOUR, None, None),  # N-021
)

# Per template its code, what it is about, and per language the subject and the body.
TEMPLATES: tuple[tuple[str, str, dict[str, tuple[str, str]]], ...] = (
    (
        "payment-checking",
        IssueType.PAYMENT,
        {
            "en": (
                "We are checking your payment",
                (
                    "Hello {customer_name},\n\nThank you for writing. I am checking your payment with our provider "
                    "and will answer under {reference} today.\n\nKind regards,\n{agent_name}"
                ),
            ),
            "fr": (
                "Nous vérifions votre paiement",
                (
                    "Bonjour {customer_name},\n\nMerci de votre message. Je vérifie votre paiement auprès de notre "
                    "prestataire et je vous réponds aujourd’hui sous la référence "
                    "{reference}.\n\nCordialement,\n{agent_name}"
                ),
            ),
            "ht": (
                "N ap verifye peman ou",
                (
                    "Bonjou {customer_name},\n\nMèsi paske ou ekri nou. M ap verifye peman ou ak founisè nou an epi "
                    "m ap reponn ou jodi a sou referans {reference}.\n\nMèsi,\n{agent_name}"
                ),
            ),
        },
    ),
    (
        "account-reset",
        IssueType.ACCOUNT,
        {
            "en": (
                "Getting back into your account",
                (
                    "Hello {customer_name},\n\nPlease use “Forgot your password?” on the sign-in page; the link "
                    "works for one hour. If you no longer have your second factor, answer this message and we will "
                    "verify you first.\n\nKind regards,\n{agent_name}"
                ),
            ),
            "fr": (
                "Retrouver l’accès à votre compte",
                (
                    "Bonjour {customer_name},\n\nUtilisez « Mot de passe oublié ? » sur la page de connexion ; le "
                    "lien est valable une heure. Si vous n’avez plus votre second facteur, répondez à ce message : "
                    "nous vérifierons d’abord votre identité.\n\nCordialement,\n{agent_name}"
                ),
            ),
            "ht": (
                "Jwenn aksè nan kont ou ankò",
                (
                    "Bonjou {customer_name},\n\nTanpri itilize « Ou bliye modpas ou? » sou paj koneksyon an; lyen an "
                    "bon pou inèdtan. Si ou pa gen dezyèm faktè a ankò, reponn mesaj sa a: n ap verifye ou "
                    "anvan.\n\nMèsi,\n{agent_name}"
                ),
            ),
        },
    ),
    (
        "playback-steps",
        IssueType.CONTENT,
        {
            "en": (
                "Playback problem",
                (
                    "Hello {customer_name},\n\nI am sorry that “{subject}” happened. Please reload the page and try "
                    "another browser or connection. If it still fails, tell me the time at which it stops and the "
                    "device you use.\n\nKind regards,\n{agent_name}"
                ),
            ),
            "fr": (
                "Problème de lecture",
                (
                    "Bonjour {customer_name},\n\nJe suis désolé pour ce problème (« {subject} »). Rechargez la page "
                    "et essayez un autre navigateur ou une autre connexion. Si cela persiste, indiquez-moi à quel "
                    "moment la vidéo s’arrête et l’appareil que vous utilisez.\n\nCordialement,\n{agent_name}"
                ),
            ),
            "ht": (
                "Pwoblèm pou gade videyo a",
                (
                    "Bonjou {customer_name},\n\nMwen regrèt pwoblèm sa a (« {subject} »). Tanpri rechaje paj la epi "
                    "eseye yon lòt navigatè oswa yon lòt koneksyon. Si sa kontinye, di m ki lè videyo a kanpe ak ki "
                    "aparèy w ap itilize.\n\nMèsi,\n{agent_name}"
                ),
            ),
        },
    ),
    (
        "feature-thanks",
        IssueType.FEATURE,
        {
            "en": (
                "Thank you for your suggestion",
                (
                    "Hello {customer_name},\n\nThank you, I have passed your suggestion on to the product team under "
                    "{reference}.\n\nKind regards,\n{agent_name}"
                ),
            ),
            "fr": (
                "Merci pour votre suggestion",
                (
                    "Bonjour {customer_name},\n\nMerci, j’ai transmis votre suggestion à l’équipe produit sous la "
                    "référence {reference}.\n\nCordialement,\n{agent_name}"
                ),
            ),
            "ht": (
                "Mèsi pou sijesyon ou",
                (
                    "Bonjou {customer_name},\n\nMèsi, mwen voye sijesyon ou bay ekip pwodwi a sou referans "
                    "{reference}.\n\nMèsi,\n{agent_name}"
                ),
            ),
        },
    ),
)


def load() -> int:
    """Adds the rows that are missing and leaves edited ones alone; returns how many were added."""
    added = 0
    for target in TARGETS:
        _row, new = SlaPolicy.objects.get_or_create(
            issue_type=target.issue_type,
            defaults={
                "priority": target.priority,
                "respond_within": target.respond_within,
                "resolve_within": target.resolve_within,
                "escalate_after": target.escalate_after,
            },
        )
        added += new
    for code, category, texts in TEMPLATES:
        for language, (subject, body) in texts.items():
            check_template(subject=subject, body=body)
            _template, new = ResponseTemplate.objects.get_or_create(
                code=code,
                language=language,
                defaults={"subject": subject, "body": body, "category": category},
            )
            added += new
    return added
