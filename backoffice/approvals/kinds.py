"""What can be asked for: one entry per kind, declared by the domain that carries it out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.utils.functional import Promise

from backoffice.approvals.models import ApprovalRequest


class Line(NamedTuple):
    """One line of what an approver reads: what it is, how it is now, how it will be. Empty is "nothing"."""

    label: str | Promise
    before: str
    after: str


class Step(Protocol):
    """Does something with a request at a moment; ``by`` is the person, None the system."""

    def __call__(self, request: ApprovalRequest, *, by: Any, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request.

    ``permission`` is what an approver needs. ``asker_permission`` is what whoever asked must still hold when it is
    approved, any one of these; where that depends on the request it is a function, and no permission at all means that
    it is asked for outside the staff (a creator's own payout). ``apply`` carries the request out in the transaction of
    the last yes; when it refuses (DomainError) the request ends as failed with that sentence, or, with
    ``may_fail=False``, the refusal goes to the approver and their yes is not recorded. ``later`` says that `apply` only
    starts the work: whoever ends it calls `requests.mark_applied` or `mark_failed`. ``check`` refuses an approver who
    has a part in it (Forbidden). ``closed`` is called after every end, whatever it is. ``lines`` puts the request into
    words for the screen.
    """

    code: str
    label: str | Promise
    permission: str
    asker_permission: tuple[str, ...] | Callable[[ApprovalRequest], tuple[str, ...]]
    apply: Step
    check: Callable[[ApprovalRequest, Any], None] | None = None
    closed: Step | None = None
    lines: Callable[[ApprovalRequest], list[Line]] | None = None
    later: bool = False
    may_fail: bool = True


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Declares a kind; a second one of the same code from elsewhere is a ValueError."""
    known = KINDS.get(kind.code)
    if known is not None and known.apply.__module__ != kind.apply.__module__:  # type: ignore[attr-defined]
        raise ValueError(f"two kinds called {kind.code}")
    KINDS[kind.code] = kind
    return kind


def of(request: ApprovalRequest) -> Kind:
    """The kind of a request. KeyError when nobody declares it."""
    return KINDS[request.kind]


def may_still_ask(request: ApprovalRequest) -> bool:
    """Whether whoever asked could ask for it now: the account is open and the right is still theirs."""
    asker = request.requested_by
    needs = of(request).asker_permission
    rights = needs(request) if callable(needs) else needs
    return bool(asker.is_active) and (not rights or any(asker.may(right) for right in rights))
