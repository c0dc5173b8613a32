"""Reading purchases."""

from django.db.models import BooleanField, Exists, OuterRef, QuerySet, Value

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.commerce.models import Purchase
from backoffice.commerce.states import PurchaseStatus


def owns(user: User, title: Title) -> bool:
    """Whether this person has paid for the title and was not refunded."""
    return Purchase.objects.filter(buyer=user, title=title, status=PurchaseStatus.PAID).exists()


def library(user: User) -> QuerySet[Purchase]:
    """What this person has paid for, latest first, with titles and creators (U-031); one statement."""
    return (
        Purchase.objects.filter(buyer=user, status=PurchaseStatus.PAID)
        .select_related("title", "title__creator", "title__poster")
        .order_by("-purchased_at", "-id")
    )


def of_buyer(user: User) -> QuerySet[Purchase]:
    """Everything this person started to buy, latest first."""
    return Purchase.objects.filter(buyer=user).select_related("title").order_by("-id")


def with_ownership(titles: QuerySet[Title], user: User | None) -> QuerySet[Title]:
    """The same titles, each with `owned`: whether this person has paid for it; no further statement."""
    if user is None:
        return titles.annotate(owned=Value(False, output_field=BooleanField()))
    paid = Purchase.objects.filter(buyer=user, title=OuterRef("pk"), status=PurchaseStatus.PAID)
    return titles.annotate(owned=Exists(paid))


def sales_of(title: Title) -> int:
    """How often the title was bought and not refunded."""
    return Purchase.objects.filter(title=title, status=PurchaseStatus.PAID).count()
