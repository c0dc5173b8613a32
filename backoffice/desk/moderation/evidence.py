"""What stands beside a decision: links to the video and its frames, reasons, policies, in the form of the screen."""

from typing import Any
from uuid import UUID

from backoffice.catalogue.services import titles
from backoffice.media.models import Asset
from backoffice.media.services import links
from backoffice.moderation import policies
from backoffice.moderation.models import PolicyRule
from backoffice.moderation.queries import Dossier

TONES = {
    "queued": "info",
    "in_review": "info",
    "settling": "warn",
    "escalated": "warn",
    "approved": "ok",
    "auto_approved": "ok",
    "rejected": "danger",
}


def link(asset: Asset | None) -> str:
    """A link to a file for the next minutes, or an empty string."""
    return links.signed_url(asset) if asset is not None and asset.is_ready else ""


def of(dossier: Dossier) -> dict[str, Any]:
    """The dossier as both case screens show it. No further statements."""
    case, made = dossier.case, dossier.renditions
    video = case.title.video
    owner = titles.owner_of(case.title)
    preview = made["preview"] or (video if video is not None and not case.flags else None)
    return {
        "dossier": dossier,
        "case": case,
        "film": case.title,
        "owner": owner,
        "reasons": [{"text": policies.reason_text(row), "score": row["score"]} for row in case.reasons],
        "player": {
            "src": link(preview),
            "poster": link(made["thumbnail"]),
            "frames": link(made["frame_grid"]),
            "grid": made["frame_grid"].details if made["frame_grid"] is not None else {},
            "guarded": bool(case.flags),
        },
        "tones": TONES,
    }


def kept(case: UUID) -> str:
    """By what names the page keeps what is typed about this case."""
    return f"case:{case}:reject case:{case}:escalate"


def choices(rules: list[PolicyRule], language: str) -> list[dict[str, str]]:
    """The policies of a rejection with their keys and what a creator who reads `language` is told."""
    return [
        {"id": str(rule.id), "key": str(rule.digit), "name": rule.name, "message": rule.message_in(language)}
        for rule in sorted(rules, key=lambda rule: rule.digit or 10)
    ]
