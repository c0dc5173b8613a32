"""Tables of commerce."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.catalogue.models import Title
from backoffice.commerce import states
from backoffice.core.ids import reference
from backoffice.core.models import Record
from backoffice.core.states import Machine


def new_reference() -> str:
    """A fresh public reference such as PU-7K2M9QBD."""
    return reference("PU")


class Purchase(Record):
    """One person's purchase of one title (E-032, S-095). The price is the title's price at that moment, minor units."""

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    title = models.ForeignKey(Title, models.PROTECT, related_name="purchases", verbose_name=_("title"))
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="purchases", verbose_name=_("buyer")
    )
    price_minor = models.BigIntegerField(_("price"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=states.PurchaseStatus.choices,
        default=states.PurchaseStatus.PENDING,
        editable=False,
    )
    purchased_at = models.DateTimeField(_("paid"), null=True, blank=True, editable=False)
    refunded_at = models.DateTimeField(_("refunded"), null=True, blank=True, editable=False)

    machine: ClassVar[Machine] = states.PURCHASE

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["buyer", "title"],
                condition=Q(status__in=["pending", "paid"]),
                name="purchase_one_active_per_title_and_buyer",
            ),
            models.CheckConstraint(condition=Q(price_minor__gt=0), name="purchase_price_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="purchase_currency_code"),
            models.CheckConstraint(condition=Q(status__in=states.PurchaseStatus.values), name="purchase_status_known"),
            models.CheckConstraint(
                condition=Q(status="pending") | Q(purchased_at__isnull=False), name="purchase_paid_has_time"
            ),
            models.CheckConstraint(
                condition=Q(status="refunded", refunded_at__isnull=False)
                | (~Q(status="refunded") & Q(refunded_at=None)),
                name="purchase_refunded_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["buyer", "-purchased_at"], condition=Q(status="paid"), name="purchase_library"),
            models.Index(fields=["title", "status"], name="purchase_title"),
        ]

    def __str__(self) -> str:
        return self.reference
