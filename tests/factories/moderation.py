"""Cases for tests."""

from datetime import datetime
from typing import Any

from backoffice.accounts.models import User
from backoffice.catalogue.services import titles
from backoffice.moderation.models import Case
from backoffice.moderation.services import cases
from backoffice.queues import queries as queues
from backoffice.queues.models import WorkItem
from tests.factories import catalogue


def case(*, at: datetime | None = None, **fields: Any) -> Case:
    """A waiting case about a new, submitted title."""
    title = catalogue.title(**fields)
    titles.submit(title, by=title.creator.user, at=at)
    opened = cases.open_for_title(title, at=at)
    assert opened is not None
    return opened


def item(case: Case) -> WorkItem:
    """The newest work item of a case."""
    found = queues.for_subject("moderation", case)
    assert found is not None
    return found


def decision_of(case: Case, by: User, **fields: Any) -> dict[str, Any]:
    """What approving this claimed case takes: the lease's token, the person and the title's revision."""
    return {"token": item(case).lease_token, "by": by, "revision": case.title.revision, **fields}
