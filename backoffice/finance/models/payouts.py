"""Paying creators: methods, accounts, runs and their items (E-051 to E-053)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backoffice.core.ids import reference
from backoffice.core.models import Record
from backoffice.core.states import Machine
from backoffice.creators.models import Creator
from backoffice.finance import states
from backoffice.finance.models.payments import Earning


def new_reference() -> str:
    """A fresh public reference such as PO-7K2M9QBD."""
    return reference("PO")


class PayoutMethod(Record):
    """A way to pay creators in one currency, its fee and its minimum (N-006 to N-011).

    The fee is ``fee_bp`` basis points of the gross plus ``fee_fixed_minor``. ``transport`` says who moves the money:
    a provider's API, or finance by hand.
    """

    class Transport(models.TextChoices):
        STRIPE = "stripe", _("Stripe Connect")
        MANUAL = "manual", _("By hand")

    code = models.CharField(_("code"), max_length=30)
    name = models.CharField(_("name"), max_length=100)
    currency = models.CharField(_("currency"), max_length=3)
    transport = models.CharField(_("sent by"), max_length=10, choices=Transport.choices)
    fee_bp = models.PositiveIntegerField(_("fee (basis points)"), default=0)
    fee_fixed_minor = models.BigIntegerField(_("fixed fee"), default=0)
    # Where finance enters the fee per payout: between these two.
    fee_min_minor = models.BigIntegerField(_("fee at least"), null=True, blank=True)
    fee_max_minor = models.BigIntegerField(_("fee at most"), null=True, blank=True)
    minimum_minor = models.BigIntegerField(_("minimum"), null=True, blank=True)
    countries = models.JSONField(_("countries"), default=list, blank=True)
    hours_min = models.PositiveIntegerField(_("takes at least (hours)"), null=True, blank=True)
    hours_max = models.PositiveIntegerField(_("takes at most (hours)"), null=True, blank=True)
    enabled = models.BooleanField(_("enabled"), default=False)

    class Meta:
        verbose_name = _("payout method")
        verbose_name_plural = _("payout methods")
        ordering: ClassVar = ["code", "currency"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "currency"], name="payout_method_once_per_currency"),
            models.CheckConstraint(condition=Q(fee_bp__lte=10_000, fee_fixed_minor__gte=0), name="payout_fee_bounds"),
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(minimum_minor__gt=0), name="payout_method_enabled_has_minimum"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.currency}"


class PayoutAccount(Record):
    """Where a creator is paid. Holds the provider's id and a masked hint, never an account number.

    ``version`` rises with every change of where the money goes; an approval names the version it was given for.
    """

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="payout_accounts")
    method = models.ForeignKey(PayoutMethod, models.PROTECT, related_name="accounts")
    provider_account_id = models.CharField(_("provider's account"), max_length=255)
    masked = models.CharField(_("account"), max_length=100)
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=states.AccountStatus.choices,
        default=states.AccountStatus.PENDING,
        editable=False,
    )
    missing = models.JSONField(_("still missing"), default=list, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    disabled_reason = models.CharField(_("why disabled"), max_length=300, blank=True, default="")

    machine: ClassVar[Machine] = states.ACCOUNT

    class Meta:
        verbose_name = _("payout account")
        verbose_name_plural = _("payout accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["creator", "method"],
                condition=~Q(status="disabled"),
                name="payout_account_one_per_method",
            ),
            models.UniqueConstraint(fields=["method", "provider_account_id"], name="payout_account_provider_id_once"),
        ]

    def __str__(self) -> str:
        return f"payout account {str(self.pk)[-8:]}"


class PayoutRun(Record):
    """Payouts that are decided together (E-052). ``revision`` rises when approvals become void.

    From its submission it has an `ApprovalRequest` of the same revision, whose fingerprint is ``snapshot_hash``.
    """

    class Origin(models.TextChoices):
        REQUEST = "request", _("Creator's request")
        BATCH = "batch", _("Run by finance")

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin.choices)
    method = models.ForeignKey(PayoutMethod, models.PROTECT, related_name="runs")
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=states.RunStatus.choices,
        default=states.RunStatus.DRAFT,
        editable=False,
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="payout_runs", verbose_name=_("requested by")
    )
    key = models.CharField(_("idempotency key"), max_length=200, null=True, blank=True, unique=True)
    input_hash = models.CharField(max_length=64, blank=True, default="")
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    snapshot_hash = models.CharField(_("preview"), max_length=64, blank=True, default="")
    preview = models.JSONField(_("preview"), default=dict)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    executed_at = models.DateTimeField(_("sent off"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    stopped_reason = models.TextField(_("why it was stopped"), blank=True, default="")
    rejected_reason = models.TextField(_("why it was rejected"), blank=True, default="")

    machine: ClassVar[Machine] = states.RUN

    class Meta:
        verbose_name = _("payout run")
        verbose_name_plural = _("payout runs")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(rejected_reason=""),
                name="payout_run_rejection_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"]) | ~Q(snapshot_hash=""),
                name="payout_run_has_preview",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "-id"], name="payout_run_status")]

    def __str__(self) -> str:
        return self.reference


class PayoutItem(Record):
    """One creator's money in a run. Pins method, account, amounts and fee; minor units of ``currency``.

    ``in_transit_minor`` is what the ledger holds in transit for it: 0 until approved and again when it is over.
    """

    run = models.ForeignKey(PayoutRun, models.PROTECT, related_name="items")
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="payout_items")
    account = models.ForeignKey(PayoutAccount, models.PROTECT, related_name="items")
    account_version = models.PositiveIntegerField()
    # Where the money goes as it was when the amounts were fixed.
    account_snapshot = models.JSONField(_("account"))
    gross_minor = models.BigIntegerField(_("gross"))
    fee_minor = models.BigIntegerField(_("fee"), default=0)
    withholding_minor = models.BigIntegerField(_("withheld"), default=0)
    net_minor = models.BigIntegerField(_("net"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=states.ItemStatus.choices,
        default=states.ItemStatus.RESERVED,
        editable=False,
    )
    in_transit_minor = models.BigIntegerField(default=0, editable=False)
    hold_reason = models.TextField(_("why on hold"), blank=True, default="")
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("held by"),
    )
    transfer_id = models.CharField(_("transfer"), max_length=255, blank=True, default="")
    payout_id = models.CharField(_("payout"), max_length=255, blank=True, default="")
    bank_reference = models.CharField(_("bank reference"), max_length=255, blank=True, default="")
    failure_code = models.CharField(_("failure code"), max_length=100, blank=True, default="")
    failure_message = models.TextField(_("failure"), blank=True, default="")
    bounces = models.PositiveIntegerField(_("times bounced"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)

    machine: ClassVar[Machine] = states.ITEM

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["creator", "currency"],
                condition=Q(status__in=[str(s) for s in states.ACTIVE_ITEMS]),
                name="payout_item_one_active_per_creator",
            ),
            models.UniqueConstraint(fields=["run", "creator"], name="payout_item_once_per_run"),
            models.CheckConstraint(
                condition=Q(gross_minor__gt=0, fee_minor__gte=0, withholding_minor__gte=0, net_minor__gt=0)
                & Q(gross_minor=F("fee_minor") + F("withholding_minor") + F("net_minor")),
                name="payout_item_amounts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(in_transit_minor=0) | Q(in_transit_minor=F("gross_minor")),
                name="payout_item_in_transit",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["paid", "returned", "cancelled"]) | Q(in_transit_minor=0),
                name="payout_item_over_is_not_in_transit",
            ),
            models.CheckConstraint(condition=~Q(status="held") | ~Q(hold_reason=""), name="payout_item_hold_reason"),
            models.UniqueConstraint(
                fields=["transfer_id"], condition=~Q(transfer_id=""), name="payout_item_transfer_once"
            ),
            models.UniqueConstraint(fields=["payout_id"], condition=~Q(payout_id=""), name="payout_item_payout_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "-id"], name="payout_item_status"),
            models.Index(fields=["creator", "-id"], name="payout_item_creator"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id and str(self.run_id)[-8:]}/{str(self.pk)[-8:]}"


class Allocation(Record):
    """How much of which earning a payout pays, so that a cent can be followed to the bank."""

    item = models.ForeignKey(PayoutItem, models.PROTECT, related_name="allocations")
    earning = models.ForeignKey(Earning, models.PROTECT, related_name="allocations")
    amount_minor = models.BigIntegerField(_("amount"))
    # False once the payout was given back; the row stays as history.
    live = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("earning in a payout")
        verbose_name_plural = _("earnings in payouts")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="allocation_positive"),
            models.UniqueConstraint(
                fields=["item", "earning"], condition=Q(live=True), name="allocation_once_per_item"
            ),
        ]

    def __str__(self) -> str:
        return f"allocation {str(self.pk)[-8:]}"
