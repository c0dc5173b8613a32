"""Customers' payments, what providers tell about them, and what creators earn from them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.commerce.models import Purchase
from backoffice.core import clock
from backoffice.core.ids import reference
from backoffice.core.models import AppendOnly, Record
from backoffice.core.states import Machine
from backoffice.creators.models import Creator
from backoffice.finance import states
from backoffice.finance.models.ledger import Entry


def new_reference() -> str:
    """A fresh public reference such as PY-7K2M9QBD."""
    return reference("PY")


class Payment(Record):
    """One payment of a customer (E-042). Amounts in minor units of ``currency``."""

    class Purpose(models.TextChoices):
        PURCHASE = "purchase", _("Purchase of a title")

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="payments", verbose_name=_("customer")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose.choices, default=Purpose.PURCHASE)
    purchase = models.ForeignKey(Purchase, models.PROTECT, related_name="payments", verbose_name=_("purchase"))
    # Whose money it is and under which fees, as at the capture.
    creator = models.ForeignKey(
        Creator, models.PROTECT, null=True, blank=True, related_name="payments", verbose_name=_("creator")
    )
    provider = models.CharField(_("provider"), max_length=30)
    provider_session_id = models.CharField(_("checkout session"), max_length=255, blank=True, default="")
    provider_payment_id = models.CharField(_("provider's payment"), max_length=255, blank=True, default="")
    checkout_url = models.TextField(_("checkout page"), blank=True, default="")
    key = models.CharField(_("idempotency key"), max_length=200, null=True, blank=True, unique=True)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    refunded_minor = models.BigIntegerField(_("refunded"), default=0)
    # How often the provider's refunds were read and applied: an answer that another reading has overtaken is read anew.
    refund_readings = models.PositiveIntegerField(default=0, editable=False)
    promotion_code = models.CharField(_("promotion code"), max_length=40, blank=True, default="")
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=states.PaymentStatus.choices,
        default=states.PaymentStatus.CREATED,
        editable=False,
    )
    problem = models.CharField(_("problem"), max_length=300, blank=True, default="")
    captured_at = models.DateTimeField(_("captured"), null=True, blank=True)
    sale_entry = models.OneToOneField(
        Entry, models.PROTECT, null=True, blank=True, related_name="sale_of", verbose_name=_("ledger entry")
    )

    machine: ClassVar[Machine] = states.PAYMENT

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="payment_currency_code"),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("amount_minor")),
                name="payment_refund_within_amount",
            ),
            models.CheckConstraint(condition=Q(status__in=states.PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[str(s) for s in states.POSTED_PAYMENTS],
                    captured_at__isnull=False,
                    sale_entry__isnull=False,
                )
                | (~Q(status__in=[str(s) for s in states.POSTED_PAYMENTS]) & Q(sale_entry=None)),
                name="payment_captured_is_posted",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_payment_id"],
                condition=~Q(provider_payment_id=""),
                name="payment_provider_id_once",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_session_id"],
                condition=~Q(provider_session_id=""),
                name="payment_session_once",
            ),
            models.UniqueConstraint(
                fields=["purchase"],
                condition=Q(status__in=[str(s) for s in states.OPEN_PAYMENTS]),
                name="payment_one_open_per_purchase",
            ),
            models.UniqueConstraint(
                fields=["purchase"],
                condition=Q(status__in=[str(s) for s in states.POSTED_PAYMENTS]),
                name="payment_one_posted_per_purchase",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="payment_user"),
            models.Index(fields=["creator", "-captured_at"], name="payment_creator"),
            models.Index(fields=["-captured_at"], name="payment_captured"),
            models.Index(fields=["status", "-id"], name="payment_status"),
        ]

    def __str__(self) -> str:
        return self.reference


class Earning(Record):
    """What a creator earned from one sale: pending in the refund window, then available (F-026, Q-023).

    ``amount_minor`` is the creator's net of the sale, ``refunded_minor`` what refunds took back of it,
    ``allocated_minor`` what payouts have taken of it. Minor units of ``currency``, the creator's.
    """

    payment = models.OneToOneField(Payment, models.PROTECT, related_name="earning")
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="earnings")
    amount_minor = models.BigIntegerField(_("amount"))
    refunded_minor = models.BigIntegerField(_("taken back by refunds"), default=0)
    allocated_minor = models.BigIntegerField(_("in payouts"), default=0)
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=states.EarningStatus.choices,
        default=states.EarningStatus.PENDING,
        editable=False,
    )
    available_at = models.DateTimeField(_("available from"))
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    class Meta:
        verbose_name = _("earning")
        verbose_name_plural = _("earnings")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, refunded_minor__gte=0, refunded_minor__lte=F("amount_minor")),
                name="earning_refund_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(allocated_minor__gte=0, allocated_minor__lte=F("amount_minor")),
                name="earning_paid_once",
            ),
            models.CheckConstraint(
                condition=Q(status="pending", released_at=None, allocated_minor=0)
                | Q(status="released", released_at__isnull=False),
                name="earning_released_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["available_at"], condition=Q(status="pending"), name="earning_due"),
            models.Index(
                fields=["creator", "currency", "released_at", "id"],
                condition=Q(status="released", allocated_minor__lt=F("amount_minor") - F("refunded_minor")),
                name="earning_unpaid",
            ),
            models.Index(fields=["creator", "-id"], name="earning_creator"),
        ]

    def __str__(self) -> str:
        return f"earning {str(self.pk)[-8:]}"


class Refund(Record, AppendOnly):
    """Money that went back to a customer, as the provider counts it (E-045).

    ``amount_minor`` is what this step added, ``cumulative_minor`` the payment's total after it. ``generation`` is how
    many steps had come back from the customer's bank before it (`RefundReversal`): the same total can be reached anew.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField(_("amount"))
    cumulative_minor = models.BigIntegerField(_("refunded in all"))
    generation = models.PositiveIntegerField(default=0)
    currency = models.CharField(_("currency"), max_length=3)
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="refund_of")
    refunded_at = models.DateTimeField(_("refunded"))

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
            models.UniqueConstraint(fields=["payment", "generation", "cumulative_minor"], name="refund_step_once"),
        ]

    def __str__(self) -> str:
        return f"refund {str(self.pk)[-8:]}"


class RefundReversal(Record, AppendOnly):
    """A step of refunding that did not last: the money came back, the step's entry is reversed."""

    refund = models.OneToOneField(Refund, models.PROTECT, related_name="reversal")
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="refund_reversal_of")
    reason = models.CharField(_("reason"), max_length=300)
    reversed_at = models.DateTimeField(_("came back"))

    class Meta:
        verbose_name = _("refund that came back")
        verbose_name_plural = _("refunds that came back")

    def __str__(self) -> str:
        return f"refund reversal {str(self.pk)[-8:]}"


class PaymentEvent(Record, AppendOnly):
    """What a provider told us, as it was told (E-043). Its fate stands beside it in `EventOutcome`."""

    provider = models.CharField(_("provider"), max_length=30)
    event_id = models.CharField(_("event"), max_length=255)
    type = models.CharField(_("type"), max_length=100)
    account = models.CharField(_("account"), max_length=255, blank=True, default="")
    payload = models.JSONField(_("payload"))
    received_at = models.DateTimeField(_("received"), default=clock.now)

    class Meta:
        verbose_name = _("provider event")
        verbose_name_plural = _("provider events")
        constraints: ClassVar = [models.UniqueConstraint(fields=["provider", "event_id"], name="payment_event_once")]
        indexes: ClassVar = [models.Index(fields=["-received_at"], name="payment_event_received")]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class EventOutcome(Record):
    """What became of a provider's event (S-127)."""

    event = models.OneToOneField(PaymentEvent, models.PROTECT, related_name="outcome")
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=states.EventStatus.choices,
        default=states.EventStatus.VERIFIED,
        editable=False,
    )
    tries = models.PositiveIntegerField(_("tries"), default=0)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    error = models.TextField(_("error"), blank=True, default="")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="events")
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)

    machine: ClassVar[Machine] = states.EVENT

    class Meta:
        verbose_name = _("outcome of a provider event")
        verbose_name_plural = _("outcomes of provider events")
        indexes: ClassVar = [
            models.Index(fields=["-processed_at"], condition=Q(status="failed"), name="event_failed"),
            models.Index(fields=["created_at"], condition=Q(status="verified"), name="event_waiting"),
        ]

    def __str__(self) -> str:
        return f"outcome {str(self.pk)[-8:]}"
