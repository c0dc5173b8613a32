"""May this be decided now and by this person; who has to look at a title, and how soon."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts import duty, scopes
from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.configuration import values
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.moderation.models import Case, Decision, PolicyRule
from backoffice.moderation.states import Status

# whatever the settings say, these are always seen by a person.
ALWAYS_HUMAN_KINDS = frozenset({Title.Kind.MOVIE, Title.Kind.LOCKER_ITEM})
# S-066: languages whose titles want a reviewer who knows the culture.
CULTURAL_LANGUAGES = frozenset({"ht", "fr"})
SOON = timedelta(hours=48)

# Why a case stands where it stands: code, score, sentence. Scores add up to the priority.
REASONS: dict[str, tuple[int, Any]] = {
    "adult": (25, gettext_lazy("Rated for adults")),
    "first_upload": (20, gettext_lazy("First upload of this creator")),
    "unlocks_soon": (20, gettext_lazy("To be unlocked within two days")),
    "strikes": (30, gettext_lazy("The creator has strikes")),
    "change": (15, gettext_lazy("Was online before its change")),
    "resubmission": (15, gettext_lazy("Resubmitted after a rejection")),
    "paid": (10, gettext_lazy("For sale")),
    "cultural": (10, gettext_lazy("Cultural review")),
    "changed_in_review": (20, gettext_lazy("Changed while it was being decided")),
}


def source_of(title: Title, *, first_upload: bool, rejected_before: bool) -> str:
    """Why a case is opened for this title."""
    if title.published_at is not None:
        return Case.Source.CHANGE
    if rejected_before:
        return Case.Source.RESUBMISSION
    return Case.Source.FIRST_UPLOAD if first_upload else Case.Source.UPLOAD


def flags_of(title: Title) -> list[str]:
    """What the title itself says that a reviewer should be warned of before looking."""
    return ["adult"] if title.age_rating in {"18", "R", "NC-17"} else []


def needs_cultural_review(title: Title) -> bool:
    """Whether the language asks for a cultural reviewer (S-066)."""
    return title.language[:2] in CULTURAL_LANGUAGES


def skills_of(case: Case) -> list[str]:
    """What a reviewer of this case must know: a cultural reviewer where the setting asks for one (S-066)."""
    asked = case.cultural_review and values.get("moderation.cultural_reviewers_only")
    return [duty.CULTURAL] if asked else []


def group_of(title: Title) -> str:
    """What one creator's cases have in common in the queue; empty without a creator."""
    return str(title.creator_id or "")


def reasons_of(title: Title, *, source: str, flags: Sequence[str], strikes: int, at: datetime) -> list[dict[str, Any]]:
    """The reasons ``{"code", "text", "score"}`` of a new case, the heaviest first."""
    codes = [source] if source in REASONS else []
    codes += [flag for flag in flags if flag in REASONS]
    if strikes:
        codes.append("strikes")
    if title.unlock_at is not None and at <= title.unlock_at <= at + SOON:
        codes.append("unlocks_soon")
    if title.access_model == Title.Access.PURCHASE:
        codes.append("paid")
    if needs_cultural_review(title):
        codes.append("cultural")
    return sorted((reason(code) for code in codes), key=lambda row: -row["score"])


def reason(code: str) -> dict[str, Any]:
    """One reason as the queue keeps it; screens translate it by its code."""
    score, text = REASONS[code]
    return {"code": code, "text": str(text), "score": score}


def reason_text(row: Mapping[str, Any]) -> str:
    """A kept reason in the active language."""
    known = REASONS.get(str(row.get("code")))
    return str(known[1]) if known else str(row.get("text", ""))


def may_auto_approve(title: Title, *, source: str, flags: Sequence[str], strikes: int) -> bool:
    """Whether settings let this title pass without a person (S-064, Q-013). The default is no."""
    if title.creator is None or title.kind in ALWAYS_HUMAN_KINDS or source != Case.Source.UPLOAD or flags or strikes:
        return False
    return title.kind in values.get("moderation.auto_approve_kinds") and title.creator.tier in values.get(
        "moderation.auto_approve_tiers"
    )


def is_own(case: Case, user: User) -> bool:
    """Whether the title under review is this person's own."""
    title = case.title
    return title.created_by_id == user.pk or (title.creator is not None and title.creator.user_id == user.pk)


def check_claim(case: Case, user: User, *, escalated_by: object) -> None:
    """Raises Forbidden for a reviewer's own title, for the person who escalated the case, and for a cultural reviewer
    of other languages (S-067, S-070, R-028).
    """
    if not scopes.covers(user, "cases.decide", case.title.language):
        raise Forbidden(_("Your role covers other languages than this title's."), code="other_language")
    if is_own(case, user):
        raise Forbidden(_("This is your own title; somebody else has to review it."), code="own_title")
    if case.status == Status.ESCALATED and escalated_by == user.pk:
        raise Forbidden(_("You escalated this case; somebody else has to look at it."), code="own_escalation")


def check_revision(title: Title, revision: int) -> None:
    """Raises Conflict when the title is not the one that the reviewer looked at."""
    if title.revision != revision:
        raise Conflict(
            _("The creator changed this title while you were looking at it. Look at it again."),
            code="title_changed",
        )


def check_rejection(policy: PolicyRule, message: str) -> None:
    """Raises Invalid unless a policy in force and a message to the creator are given (S-068)."""
    if not policy.is_active:
        raise Invalid(_("This policy is no longer in force."), field="policy")
    if not message.strip():
        raise Invalid(_("The creator has to be told why."), field="message")


def why_not_undo(decision: Decision, *, by: User, at: datetime) -> str:
    """Why this decision cannot be undone now, or an empty string."""
    if decision.by_id != by.pk:
        return _("Only the person who decided can undo it.")
    if decision.verdict == Decision.Verdict.ESCALATE:
        return _("An escalation cannot be undone.")
    if hasattr(decision, "enforcement") or at >= decision.effective_at:
        return _("The decision has taken effect.")
    return ""
