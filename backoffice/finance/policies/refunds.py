"""May this be refunded, how many people have to agree, and what the provider is told (S-094, N-016)."""

from typing import Any

from django.utils.translation import gettext as _

from backoffice.core import money
from backoffice.core.errors import Conflict, Forbidden, Invalid
from backoffice.finance.models import Payment, RefundReason
from backoffice.finance.states import REFUNDABLE_PAYMENTS

KIND = "refund"
PROPOSE = "payments.propose_refund"
DECIDE = "payments.decide"
APPROVE = "payments.approve"
STRIPE = "stripe"

# The provider knows three reasons; what is none of them is told as none.
PROVIDER_REASONS: dict[str, str] = {
    RefundReason.REQUESTED: "requested_by_customer",
    RefundReason.NOT_AS_DESCRIBED: "requested_by_customer",
    RefundReason.NOT_PLAYABLE: "requested_by_customer",
    RefundReason.DUPLICATE: "duplicate",
    RefundReason.UNAUTHORISED: "fraudulent",
}
# Reasons that say nothing by themselves.
EXPLAINED = (RefundReason.GOODWILL, RefundReason.OTHER, RefundReason.UNAUTHORISED)


class MoreThanIsLeft(Invalid):
    """The amount is more than what can still be given back of the payment."""

    default_code = "more_than_is_left"


def check_may_ask(by: Any) -> None:
    """Support proposes, finance asks (P-018, P-023). Raises Forbidden."""
    if not (by.may(PROPOSE) or by.may(DECIDE)):
        raise Forbidden(_("Your role does not include asking for refunds."))


def why_not_refundable(payment: Payment) -> str:
    """Why nothing can be given back of this payment from here, as a sentence; empty when it can."""
    if payment.provider != STRIPE or not payment.provider_payment_id:
        return _("This payment was not taken by a provider that refunds can be sent to.")
    if payment.status not in REFUNDABLE_PAYMENTS:
        return _("This payment cannot be refunded: it is “%(state)s”.") % {"state": payment.get_status_display()}
    return ""


def check_refundable(payment: Payment) -> None:
    """Raises Conflict with the sentence of `why_not_refundable`."""
    problem = why_not_refundable(payment)
    if problem:
        raise Conflict(problem, code="not_refundable")


def check_amount(payment: Payment, amount_minor: int, *, left_minor: int) -> None:
    """``left_minor`` is what was paid less what went back and what is asked for. Raises Invalid or MoreThanIsLeft."""
    if amount_minor <= 0:
        raise Invalid(_("The amount must be more than zero."), field="amount", code="amount_not_positive")
    if amount_minor > left_minor:
        raise MoreThanIsLeft(
            _("At most %(left)s can still be refunded of this payment.")
            % {"left": money.display(max(0, left_minor), payment.currency)},
            field="amount",
        )


def check_reason(reason: str, note: str) -> None:
    """Raises Invalid for an unknown reason, or one that needs words and has none."""
    if reason not in RefundReason.values:
        raise Invalid(_("Choose a reason."), field="reason", code="unknown_reason")
    if reason in EXPLAINED and not note.strip():
        raise Invalid(_("Say in a sentence what happened."), field="note", code="note_missing")


def approvals_needed(
    *,
    payment: Payment,
    amount_minor: int,
    single_handed_minor: int,
    day_minor: int,
    by: Any,
    limit_usd_minor: int,
    day_limit_usd_minor: int,
) -> int:
    """How many other people have to agree: none for finance's own small refunds, otherwise one (N-016).

    One limit counts everything that one person alone gives back of this payment (``single_handed_minor`` so far), the
    other what this person alone has given back of any payment within a day (``day_minor``), so that many small refunds
    are no way around either. They are in US dollars: in another currency always one. What support
    proposes always needs one, and so does a refund of one's own purchase.
    """
    is_small = (
        payment.currency == "USD"
        and single_handed_minor + amount_minor <= limit_usd_minor
        and day_minor + amount_minor <= day_limit_usd_minor
    )
    return 0 if by.may(DECIDE) and is_small and payment.user_id != by.pk else 1


def check_approver(payment: Payment, by: Any) -> None:
    """Nobody approves a refund to themselves. Raises Forbidden."""
    if payment.user_id == by.pk:
        raise Forbidden(_("You bought this yourself: somebody else has to decide about the refund."), code="own_refund")
