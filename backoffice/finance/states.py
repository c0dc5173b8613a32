"""States and transition tables of payments, refund requests, payment events, earnings and payouts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine

DECIDE = "payouts.decide"
APPROVE = "payouts.approve"
# What a run is called among the requests for approval.
PAYOUT_APPROVAL = "payout"


class PaymentStatus(models.TextChoices):
    """Where a customer's payment stands (S-089 to S-093)."""

    CREATED = "created", _("Waiting for the customer")
    AUTHORIZED = "authorized", _("Authorised")
    PENDING_MANUAL = "pending_manual", _("Waiting for confirmation")
    CAPTURED = "captured", _("Captured")
    PARTIALLY_REFUNDED = "partially_refunded", _("Partly refunded")
    REFUNDED = "refunded", _("Refunded")
    DISPUTED = "disputed", _("Disputed")
    CHARGED_BACK = "charged_back", _("Charged back")
    FAILED = "failed", _("Failed")
    NEEDS_HUMAN = "needs_human", _("Needs a person")


P = PaymentStatus
# The customer can still pay; a purchase has at most one such payment (partial unique index).
OPEN_PAYMENTS = (P.CREATED, P.AUTHORIZED, P.PENDING_MANUAL)
# The sale stands in the ledger.
POSTED_PAYMENTS = (P.CAPTURED, P.PARTIALLY_REFUNDED, P.REFUNDED, P.DISPUTED, P.CHARGED_BACK)
REFUNDABLE_PAYMENTS = (P.CAPTURED, P.PARTIALLY_REFUNDED)

PAYMENT = Machine(
    "payment",
    field="status",
    record=entries.record_transition,
    rows=[
        (P.CREATED, "authorize", P.AUTHORIZED, ""),  # S-089
        (P.CREATED, "capture", P.CAPTURED, ""),
        (P.AUTHORIZED, "capture", P.CAPTURED, ""),
        (P.CREATED, "fail", P.FAILED, ""),  # S-090
        (P.AUTHORIZED, "fail", P.FAILED, ""),
        # The provider's word outranks ours: money that did arrive after all is booked.
        (P.FAILED, "capture", P.CAPTURED, ""),
        (P.CREATED, "await_confirmation", P.PENDING_MANUAL, "payments.edit"),  # S-093
        (P.PENDING_MANUAL, "capture", P.CAPTURED, "payments.decide"),
        (P.PENDING_MANUAL, "fail", P.FAILED, "payments.decide"),
        (P.CAPTURED, "refund_partly", P.PARTIALLY_REFUNDED, "payments.decide"),  # S-091
        (P.PARTIALLY_REFUNDED, "refund_partly", P.PARTIALLY_REFUNDED, "payments.decide"),
        (P.CAPTURED, "refund", P.REFUNDED, "payments.decide"),
        (P.PARTIALLY_REFUNDED, "refund", P.REFUNDED, "payments.decide"),
        # A refund came back from the customer's bank: the money is the platform's to keep or to give again.
        (P.REFUNDED, "take_back", P.CAPTURED, ""),
        (P.REFUNDED, "take_back_partly", P.PARTIALLY_REFUNDED, ""),
        (P.PARTIALLY_REFUNDED, "take_back", P.CAPTURED, ""),
        (P.PARTIALLY_REFUNDED, "take_back_partly", P.PARTIALLY_REFUNDED, ""),
        (P.CAPTURED, "dispute", P.DISPUTED, ""),  # S-092
        (P.DISPUTED, "win_dispute", P.CAPTURED, ""),
        (P.DISPUTED, "charge_back", P.CHARGED_BACK, ""),
        # What arrived is not what was asked for: nothing is booked until a person has looked.
        (P.CREATED, "escalate", P.NEEDS_HUMAN, ""),
        (P.AUTHORIZED, "escalate", P.NEEDS_HUMAN, ""),
        (P.FAILED, "escalate", P.NEEDS_HUMAN, ""),
        (P.PENDING_MANUAL, "escalate", P.NEEDS_HUMAN, ""),
        # A person has looked: the cause is gone and the money is booked, or it went back to the customer.
        (P.NEEDS_HUMAN, "capture", P.CAPTURED, "payments.decide"),
        (P.NEEDS_HUMAN, "fail", P.FAILED, "payments.decide"),
    ],
)


class RefundStatus(models.TextChoices):
    """Where a refund that staff asked for stands (S-094)."""

    REQUESTED = "requested", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    PROCESSING = "processing", _("With the provider")
    UNKNOWN = "unknown", _("Unknown: asking the provider")
    NEEDS_HUMAN = "needs_human", _("Needs a person")
    SUCCEEDED = "succeeded", _("Refunded")
    FAILED = "failed", _("Failed")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


F = RefundStatus
# Their amounts are spoken for: with what was refunded they never exceed what was paid.
LIVE_REFUNDS = (F.REQUESTED, F.APPROVED, F.PROCESSING, F.UNKNOWN, F.NEEDS_HUMAN)
# The provider may have been told already.
IN_FLIGHT_REFUNDS = (F.PROCESSING, F.UNKNOWN, F.NEEDS_HUMAN)

REFUND = Machine(
    "refund_request",
    field="status",
    record=entries.record_transition,
    rows=[
        (F.REQUESTED, "approve", F.APPROVED, "payments.approve"),
        (F.REQUESTED, "reject", F.REJECTED, "payments.approve"),
        # By whoever asked, or by time: nobody approved it.
        (F.REQUESTED, "withdraw", F.WITHDRAWN, ""),
        (F.APPROVED, "process", F.PROCESSING, ""),
        # Meanwhile the payment does not bear it any more: nothing was sent.
        (F.REQUESTED, "fail", F.FAILED, ""),
        (F.APPROVED, "fail", F.FAILED, ""),
        (F.PROCESSING, "lose", F.UNKNOWN, ""),
        (F.UNKNOWN, "resume", F.PROCESSING, ""),
        (F.PROCESSING, "escalate", F.NEEDS_HUMAN, ""),
        (F.NEEDS_HUMAN, "resume", F.PROCESSING, "payments.decide"),
        # A person has looked, the provider agrees: it was never done.
        (F.NEEDS_HUMAN, "give_up", F.FAILED, "payments.decide"),
        (F.PROCESSING, "succeed", F.SUCCEEDED, ""),
        (F.PROCESSING, "fail", F.FAILED, ""),
        # The customer's bank sent it back days later.
        (F.SUCCEEDED, "come_back", F.FAILED, ""),
    ],
)


class EventStatus(models.TextChoices):
    """What became of a provider's event (S-127). An event is stored only once its signature was verified."""

    VERIFIED = "verified", _("Waiting")
    APPLIED = "applied", _("Applied")
    IGNORED = "ignored", _("Ignored")
    FAILED = "failed", _("Failed")


EVENT = Machine(
    "payment_event",
    field="status",
    record=entries.record_transition,
    rows=[
        (EventStatus.VERIFIED, "apply", EventStatus.APPLIED, ""),
        (EventStatus.VERIFIED, "ignore", EventStatus.IGNORED, ""),
        (EventStatus.VERIFIED, "fail", EventStatus.FAILED, ""),
        (EventStatus.FAILED, "replay", EventStatus.VERIFIED, "payments.decide"),
    ],
)


class EarningStatus(models.TextChoices):
    """Whether a creator may take the money of a sale yet (F-026)."""

    PENDING = "pending", _("In the refund window")
    RELEASED = "released", _("Available")


class AccountStatus(models.TextChoices):
    """Whether money may be sent to a payout account (N-007)."""

    PENDING = "pending", _("Waiting for verification")
    VERIFIED = "verified", _("Verified")
    DISABLED = "disabled", _("Disabled")


ACCOUNT = Machine(
    "payout_account",
    field="status",
    record=entries.record_transition,
    rows=[
        (AccountStatus.PENDING, "verify", AccountStatus.VERIFIED, DECIDE),
        (AccountStatus.VERIFIED, "unverify", AccountStatus.PENDING, ""),
        (AccountStatus.PENDING, "disable", AccountStatus.DISABLED, DECIDE),
        (AccountStatus.VERIFIED, "disable", AccountStatus.DISABLED, DECIDE),
    ],
)


class RunStatus(models.TextChoices):
    """Where a payout run stands; one creator's own request is a run of one (S-077 to S-083)."""

    DRAFT = "draft", _("Draft")
    PREVIEWED = "previewed", _("Previewed")
    SUBMITTED = "submitted", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    EXECUTING = "executing", _("Being sent")
    SETTLED = "settled", _("Settled")
    PARTIALLY_FAILED = "partially_failed", _("Partly failed")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Cancelled")


R = RunStatus
# The items are still being put together; nothing was asked of an approver.
EDITABLE_RUNS = (R.DRAFT, R.PREVIEWED)
CANCELLABLE_RUNS = (R.DRAFT, R.PREVIEWED, R.SUBMITTED, R.APPROVED)
FINISHED_RUNS = (R.SETTLED, R.PARTIALLY_FAILED, R.REJECTED, R.CANCELLED)

RUN = Machine(
    "payout_run",
    field="status",
    record=entries.record_transition,
    rows=[
        (R.DRAFT, "preview", R.PREVIEWED, "payouts.edit"),
        (R.PREVIEWED, "preview", R.PREVIEWED, "payouts.edit"),
        (R.PREVIEWED, "submit", R.SUBMITTED, "payouts.edit"),
        (R.SUBMITTED, "approve", R.APPROVED, APPROVE),  # S-080
        (R.SUBMITTED, "reject", R.REJECTED, DECIDE),  # S-081
        # What was approved is not what would be sent any more: the approvals are void.
        (R.SUBMITTED, "void_approvals", R.SUBMITTED, ""),
        (R.APPROVED, "void_approvals", R.SUBMITTED, ""),
        (R.DRAFT, "cancel", R.CANCELLED, DECIDE),
        (R.PREVIEWED, "cancel", R.CANCELLED, DECIDE),
        (R.SUBMITTED, "cancel", R.CANCELLED, DECIDE),  # S-078
        (R.APPROVED, "cancel", R.CANCELLED, DECIDE),
        (R.APPROVED, "execute", R.EXECUTING, ""),  # S-082
        (R.EXECUTING, "settle", R.SETTLED, ""),  # S-083
        (R.EXECUTING, "fail_partly", R.PARTIALLY_FAILED, ""),  # S-084
        (R.SETTLED, "reopen", R.EXECUTING, ""),
        (R.PARTIALLY_FAILED, "reopen", R.EXECUTING, ""),
    ],
)


class ItemStatus(models.TextChoices):
    """Where one creator's money of a run stands (money.md, "Payouts")."""

    RESERVED = "reserved", _("Reserved")
    HELD = "held", _("On hold")
    SUBMITTING = "submitting", _("Being submitted")
    UNKNOWN = "unknown", _("Unknown: asking the provider")
    NEEDS_HUMAN = "needs_human", _("Needs a person")
    SENT = "sent", _("Sent")
    PAID = "paid", _("Paid")
    FAILED = "failed", _("Failed")
    RETURNED = "returned", _("Returned to the balance")
    CANCELLED = "cancelled", _("Cancelled")


I = ItemStatus  # noqa: E741 - read as a table below
# A creator has at most one such item per currency (partial unique index).
ACTIVE_ITEMS = (I.RESERVED, I.HELD, I.SUBMITTING, I.UNKNOWN, I.NEEDS_HUMAN, I.SENT)
# No other payout can be asked for beside these. A paid one can come back while the next is active, so the database
# allows a failed one beside it.
LIVE_ITEMS = (*ACTIVE_ITEMS, I.FAILED)
# The provider may have been told already.
IN_FLIGHT_ITEMS = (I.SUBMITTING, I.UNKNOWN, I.NEEDS_HUMAN)
# The next step is a person's.
TROUBLED_ITEMS = (I.HELD, I.UNKNOWN, I.NEEDS_HUMAN, I.FAILED)
# These paid nothing: they are not the creator's payout of the week or month.
CALLED_OFF = (I.FAILED, I.RETURNED, I.CANCELLED)
DONE_ITEMS = (I.PAID, I.RETURNED, I.CANCELLED)

ITEM = Machine(
    "payout_item",
    field="status",
    record=entries.record_transition,
    rows=[
        (I.RESERVED, "hold", I.HELD, DECIDE),  # S-087
        (I.HELD, "release", I.RESERVED, DECIDE),
        (I.RESERVED, "cancel", I.CANCELLED, DECIDE),
        (I.HELD, "cancel", I.CANCELLED, DECIDE),
        (I.RESERVED, "submit", I.SUBMITTING, ""),  # S-082
        (I.SUBMITTING, "lose", I.UNKNOWN, ""),
        (I.UNKNOWN, "resume", I.SUBMITTING, ""),
        (I.SUBMITTING, "escalate", I.NEEDS_HUMAN, ""),
        (I.NEEDS_HUMAN, "resume", I.SUBMITTING, DECIDE),
        (I.SUBMITTING, "send", I.SENT, ""),
        (I.SENT, "settle", I.PAID, ""),  # S-083
        # Bounced at the bank: the money lies on the creator's account with the provider (S-084).
        (I.SENT, "bounce", I.FAILED, ""),
        (I.PAID, "bounce", I.FAILED, ""),
        (I.SUBMITTING, "bounce", I.FAILED, ""),
        (I.FAILED, "retry", I.SUBMITTING, DECIDE),  # S-085
        # Refused before anything moved: the amount goes back to the balance (S-086).
        (I.SUBMITTING, "refuse", I.RETURNED, ""),
    ],
)


class AttemptStatus(models.TextChoices):
    """What is known of one call that moves money."""

    OPEN = "open", _("Unknown so far")
    DONE = "done", _("Done by the provider")
    REFUSED = "refused", _("Refused by the provider")
    UNDONE = "undone", _("Done, then given back by the provider")


class Operation(models.TextChoices):
    """The calls that go through the crash protocol."""

    CHECKOUT = "checkout", _("Checkout page")
    TRANSFER = "transfer", _("Transfer to the creator's account")
    PAYOUT = "payout", _("Payout to the bank")
    REFUND = "refund", _("Refund to the customer")
