"""Tickets for tests, opened the way customers open them."""

from typing import Any

from backoffice.accounts.models import User
from backoffice.support.models import Ticket
from backoffice.support.services import tickets
from tests.factories import accounts


def ticket(*, requester: User | None = None, **fields: Any) -> Ticket:
    """A new ticket about a general question, unless the fields say otherwise."""
    requester = requester or accounts.member()
    given = {
        "issue_type": "general",
        "subject": "How do I change my picture?",
        "body": "I cannot find the button.",
        "by": requester,
        **fields,
    }
    return tickets.open(requester=requester, **given)
