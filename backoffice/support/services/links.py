"""What a ticket may point to: things of its customer, kept as facts (kind, key, name at that time)."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.commerce.models import Purchase
from backoffice.core.errors import Forbidden, Invalid
from backoffice.finance.models import Payment, PayoutItem
from backoffice.support.models import TicketLink

Kind = TicketLink.Kind


@dataclass(frozen=True, slots=True)
class Link:
    """A checked link."""

    kind: str
    key: UUID
    label: str


def resolve(*, requester: User, kind: str, key: UUID) -> Link:
    """The named thing. Forbidden when it is not the customer's, or is not there: the answer does not tell
    which."""
    label: str | None = None
    if kind == Kind.PURCHASE:
        purchase = Purchase.objects.filter(pk=key, buyer=requester).select_related("title").first()
        label = f"{purchase.reference} · {purchase.title.title}" if purchase else None
    elif kind == Kind.TITLE:
        title = Title.objects.filter(pk=key).select_related("creator").first()
        if title is not None and (
            title.is_published(timezone.now())
            or (title.creator is not None and title.creator.user_id == requester.pk)
            or Purchase.objects.filter(title=title, buyer=requester).exists()
        ):
            label = title.title
    elif kind == Kind.PAYMENT:
        payment = Payment.objects.filter(pk=key, user=requester).first()
        label = payment.reference if payment else None
    elif kind == Kind.PAYOUT:
        payout = PayoutItem.objects.filter(pk=key, creator__user=requester).select_related("run").first()
        label = payout.run.reference if payout else None
    else:
        raise Invalid(
            _("A ticket cannot point to “%(kind)s”.") % {"kind": kind},
            field="links",
            code="unknown_link",
        )
    if label is None:
        raise Forbidden(_("A link of this ticket is not yours."), code="link_not_yours")
    return Link(kind=kind, key=key, label=label[:300])
