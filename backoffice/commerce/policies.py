"""May this title be bought now, and if not, why."""

from datetime import datetime

from django.utils.translation import gettext as _

from backoffice.catalogue.models import Title
from backoffice.core.errors import Invalid


class NotForSale(Invalid):
    """The title cannot be bought (U-030)."""

    default_code = "not_for_sale"


def check_for_sale(title: Title, *, at: datetime, country: str | None = None) -> None:
    """Raises NotForSale unless the title is published and sold by the piece."""
    if title.access_model != Title.Access.PURCHASE or title.price_minor <= 0:
        raise NotForSale(_("This title is not sold by the piece."))
    if not title.is_published(at, country=country):
        raise NotForSale(_("This title is not for sale at the moment."))
