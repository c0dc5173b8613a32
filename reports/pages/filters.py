"""What a reader may narrow a report to. Apart from the pages: screens know it without loading pandas."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from backoffice.catalogue.models import Category
from backoffice.creators.models import Creator
from reports.queries import revenue as queries


@dataclass(frozen=True, slots=True)
class RevenueFilters:
    """What is asked of the revenue report; dates are whole days of the ledger, both included."""

    start: dt.date
    end: dt.date
    compare: Literal["none", "previous", "year"] = "previous"
    currency: str | None = None
    creator: Creator | None = None
    category: Category | None = None
    by: queries.By = "creator"
    # For people who see sums but nobody's name (PG-016, Analyst).
    anonymous: bool = False

    @property
    def scope(self) -> queries.Scope:
        """The same for the queries."""
        return queries.Scope(
            currency=self.currency,
            creator=self.creator.pk if self.creator else None,
            category=self.category.pk if self.category else None,
        )
