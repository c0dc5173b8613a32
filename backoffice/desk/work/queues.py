"""The queues that people work from, as the desk shows them."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import User
from backoffice.creators.states import RejectReason


@dataclass(frozen=True, slots=True)
class Desk:
    """One queue: who sees it, who works it, where it is listed, where the next item is handed out, how one
    opens.
    """

    code: str
    label: str | Promise
    icon: str
    see: tuple[str, ...]
    work: tuple[str, ...]
    list_url: str
    next_url: str
    open_url: str
    key: str
    # Who sees its figures and is given what was escalated; where a decision is taken back.
    supervise: str = ""
    undo_url: str = ""

    def link(self, subject_id: str) -> str:
        """The screen of one subject."""
        return reverse(self.open_url, args=[subject_id])


DESKS = (
    Desk(
        "moderation",
        _("Moderation"),
        "gavel",
        ("cases.view",),
        ("cases.decide",),
        "desk:case_list",
        "desk:moderation_next",
        "desk:case",
        "m",
        "cases.supervise",
        "desk:case_undo",
    ),
    Desk(
        "applications",
        _("Creator applications"),
        "how_to_reg",
        ("applications.view",),
        ("applications.decide",),
        "desk:application_list",
        "desk:application_next",
        "desk:application_detail",
        "v",
        "applications.supervise",
        "desk:application_undo",
    ),
    # Decided on the page of the creator; nothing is handed out.
    Desk(
        "reviews",
        _("Verifications to renew"),
        "event_repeat",
        ("applications.view",),
        (),
        "desk:review_list",
        "",
        "desk:creator_detail",
        "",
        "applications.supervise",
    ),
    Desk(
        "tickets",
        _("Tickets"),
        "support_agent",
        ("tickets.view", "tickets.view_finance", "tickets.view_own"),
        ("tickets.decide",),
        "desk:ticket_list",
        "desk:ticket_next",
        "desk:ticket",
        "t",
        "tickets.supervise",
    ),
    Desk(
        "payouts",
        _("Payouts"),
        "payments",
        ("payouts.view",),
        (),
        "desk:payout_list",
        "",
        "desk:payout",
        "p",
    ),
)
BY_CODE = {desk.code: desk for desk in DESKS}

# What a finished item keeps of its decision, in words.
OUTCOMES: dict[str, str | Promise] = {
    "approve": _("Approved"),
    "approved": _("Approved"),
    "reject": _("Rejected"),
    "rejected": _("Rejected"),
    "escalate": _("Escalated"),
    "kept": _("Looked again: still right"),
    "asked": _("Asked for an ID again"),
    "confirmed": _("Identity confirmed"),
    "refused": _("Verification refused"),
}


def outcome_in_words(outcome: str) -> str:
    """A kept outcome for people, with its reason: "rejected: identity"; its code when there are no words for it."""
    verdict, _colon, code = outcome.partition(": ")
    words = str(OUTCOMES.get(verdict, verdict))
    if not code:
        return words
    reason = RejectReason(code).label if code in RejectReason.values else code
    return f"{words}: {reason}"


def seen_by(user: User) -> list[Desk]:
    """The queues that this person may look at."""
    return [desk for desk in DESKS if any(user.may(permission) for permission in desk.see)]


def worked_by(user: User) -> set[str]:
    """The codes of the queues from which this person may take the next item."""
    return {desk.code for desk in DESKS if desk.next_url and any(user.may(permission) for permission in desk.work)}


SUPERVISORS = tuple(dict.fromkeys(desk.supervise for desk in DESKS if desk.supervise))


def supervised_by(user: User) -> list[Desk]:
    """The queues whose figures this person sees and whose escalated items they are given."""
    return [desk for desk in DESKS if desk.supervise and user.may(desk.supervise)]
