"""The ledger's tables. Their rules live in the database (migration 0002); see `services.ledger` for how to post.

A positive posting is a credit: it raises what Backlot owes or has earned. A negative one is a debit: it raises what
Backlot holds or is owed. Every entry sums to zero in each currency. Amounts are minor units.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from backoffice.core import clock
from backoffice.core.models import AppendOnly
from backoffice.creators.models import Creator


class AccountKind(models.TextChoices):
    """What an account counts."""

    PROVIDER_CLEARING = "provider_clearing", _("Money at a payment provider")
    PLATFORM_CASH = "platform_cash", _("Platform's bank account")
    CREATOR_PENDING = "creator_pending", _("Creator: in the refund window")
    CREATOR_AVAILABLE = "creator_available", _("Creator: available")
    CREATOR_IN_TRANSIT = "creator_in_transit", _("Creator: on its way")
    CREATOR_RECEIVABLE = "creator_receivable", _("Creator: owed to the platform")
    CUSTOMER_CREDIT = "customer_credit", _("Customer credit")
    ESCROW = "escrow", _("Escrow")
    PLATFORM_COMMISSION = "platform_commission", _("Platform commission")
    PROCESSING_FEES = "processing_fees", _("Processing fees")
    CONVERSION_FEES = "conversion_fees", _("Conversion fees")
    PAYOUT_FEES = "payout_fees", _("Payout fees")
    TAX_PAYABLE = "tax_payable", _("Tax payable")
    WITHHOLDING = "withholding", _("Withheld tax")
    CAMPAIGN_FUNDS = "campaign_funds", _("Campaign funds")
    FX_TRADING = "fx_trading", _("Currency exchange")
    WRITE_OFF = "write_off", _("Write-offs")


K = AccountKind
CREATOR_KINDS = (K.CREATOR_PENDING, K.CREATOR_AVAILABLE, K.CREATOR_IN_TRANSIT, K.CREATOR_RECEIVABLE)
CUSTOMER_KINDS = (K.CUSTOMER_CREDIT,)
# Only these have a running balance row, and with it a floor or ceiling that the database keeps.
BALANCED_KINDS = (*CREATOR_KINDS, *CUSTOMER_KINDS)
# Their balance is what Backlot holds or is owed, so it shows with the opposite sign.
DEBIT_KINDS = (K.PROVIDER_CLEARING, K.PLATFORM_CASH, K.CREATOR_RECEIVABLE, K.WRITE_OFF)


class EntryKind(models.TextChoices):
    """What an entry tells of."""

    SALE = "sale", _("Sale")
    PROVIDER_FEE = "provider_fee", _("Provider's own fee")
    REFUND = "refund", _("Refund")
    EARNING_RELEASE = "earning_release", _("Earning became available")
    PAYOUT_APPROVAL = "payout_approval", _("Payout approved")
    PAYOUT_VOID = "payout_void", _("Payout given back to the balance")
    PAYOUT_TRANSFER = "payout_transfer", _("Transfer to the creator's provider account")
    PAYOUT_PAID = "payout_paid", _("Payout arrived")
    PAYOUT_BOUNCE = "payout_bounce", _("Payout came back from the bank")
    ADJUSTMENT = "adjustment", _("Adjustment")
    REVERSAL = "reversal", _("Reversal")


class Account(AppendOnly):
    """One account: a kind, its owner (creator, customer, provider or the platform itself) and a currency."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=24, choices=AccountKind.choices)
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, blank=True, related_name="ledger_accounts")
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="ledger_accounts"
    )
    provider = models.CharField(_("provider"), max_length=30, blank=True, default="")
    currency = models.CharField(_("currency"), max_length=3)
    # Whose it is in one column that is never null, so that an account is found by one index.
    owner = models.GeneratedField(
        expression=Coalesce(
            Cast("creator_id", models.CharField(max_length=40)),
            Cast("customer_id", models.CharField(max_length=40)),
            "provider",
        ),
        output_field=models.CharField(max_length=40),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "owner", "currency"], name="account_one_per_owner"),
            # What the postings' composite foreign key points to.
            models.UniqueConstraint(fields=["id", "currency"], name="account_id_currency"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_code"),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="account_kind_known"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[str(k) for k in CREATOR_KINDS],
                    creator__isnull=False,
                    customer=None,
                    provider="",
                )
                | Q(
                    kind__in=[str(k) for k in CUSTOMER_KINDS],
                    creator=None,
                    customer__isnull=False,
                    provider="",
                )
                | (Q(kind="provider_clearing", creator=None, customer=None) & ~Q(provider=""))
                | (
                    ~Q(kind__in=[*(str(k) for k in BALANCED_KINDS), "provider_clearing"])
                    & Q(creator=None, customer=None, provider="")
                ),
                name="account_owner_fits_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.provider or self.pk} {self.currency}"

    def shown(self, amount: int) -> int:
        """A sum of postings with the sign that a reader of this account expects."""
        return -amount if self.kind in DEBIT_KINDS else amount


class Entry(AppendOnly):
    """One dated fact about money. Holds no amounts: those are its postings, closed by its seal."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(_("idempotency key"), max_length=200, unique=True)
    input_hash = models.CharField(max_length=64)
    kind = models.CharField(_("kind"), max_length=24, choices=EntryKind.choices)
    effective_date = models.DateField(_("effective date"))
    posted_at = models.DateTimeField(_("posted"), default=clock.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    source_type = models.CharField(_("source"), max_length=60)
    source_id = models.CharField(_("source id"), max_length=64)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", verbose_name=_("reverses")
    )
    memo = models.CharField(_("memo"), max_length=300, blank=True, default="")
    # Exchange rate, its source and time where currencies meet; the share of a refund; whatever explains the amounts.
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        indexes: ClassVar = [
            models.Index(fields=["source_type", "source_id"], name="entry_source"),
            models.Index(fields=["effective_date", "kind"], name="entry_effective"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="entry_kind_known"),
            models.CheckConstraint(condition=~Q(key=""), name="entry_key_present"),
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False) | ~Q(kind="reversal"),
                name="entry_reversal_names",
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class Posting(AppendOnly):
    """A signed amount on one account."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings")
    # The composite foreign key (account, currency) of migration 0002 stands in for the simple one.
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings", db_constraint=False)
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero")]

    def __str__(self) -> str:
        return f"posting {self.pk}"


class Seal(AppendOnly):
    """Closes an entry. Setting it checks the sum; no entry can be committed without one, no posting added after."""

    entry = models.OneToOneField(Entry, models.PROTECT, primary_key=True, related_name="seal")

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return f"seal {self.pk}"


class Balance(models.Model):
    """The running balance of a creator's or customer's account. Only the seal's trigger writes it.

    The database refuses an amount below ``floor`` or above ``ceiling``.
    """

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="balance")
    amount = models.BigIntegerField(_("amount"), default=0)
    floor = models.BigIntegerField(null=True, blank=True)
    ceiling = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(floor=None) | Q(amount__gte=models.F("floor")), name="balance_not_below_floor"
            ),
            models.CheckConstraint(
                condition=Q(ceiling=None) | Q(amount__lte=models.F("ceiling")),
                name="balance_not_above_ceiling",
            ),
        ]

    def __str__(self) -> str:
        return f"balance {self.pk}"


class AccountSnapshot(AppendOnly):
    """What the postings of a platform account came to, up to and including the posting ``through_id``."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="snapshots")
    through_id = models.BigIntegerField()
    amount = models.BigIntegerField()
    taken_on = models.DateField()

    class Meta:
        verbose_name = _("account snapshot")
        verbose_name_plural = _("account snapshots")
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "taken_on"], name="snapshot_one_per_day")]
        indexes: ClassVar = [models.Index(fields=["account", "-through_id"], name="snapshot_newest")]

    def __str__(self) -> str:
        return f"snapshot {self.pk}"
