"""How a purchase moves (S-095)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit import entries
from backoffice.core.states import Machine


class PurchaseStatus(models.TextChoices):
    """Where a purchase stands."""

    PENDING = "pending", _("Waiting for payment")
    PAID = "paid", _("Paid")
    REFUNDED = "refunded", _("Refunded")


# A buyer has at most one purchase of a title in these states (partial unique index).
ACTIVE = (PurchaseStatus.PENDING, PurchaseStatus.PAID)

PURCHASE = Machine(
    "purchase",
    field="status",
    record=entries.record_transition,
    rows=[
        (PurchaseStatus.PENDING, "pay", PurchaseStatus.PAID, ""),
        (PurchaseStatus.PAID, "refund", PurchaseStatus.REFUNDED, ""),
        # The refund came back from the customer's bank.
        (PurchaseStatus.REFUNDED, "restore", PurchaseStatus.PAID, ""),
    ],
)
