"""Taking out one person's data, for support tied to a ticket that it works on (Q-017, P-020, N-062)."""

from datetime import datetime

from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import exports
from backoffice.audit.models import ExportRecord
from backoffice.core.errors import Forbidden, Invalid
from backoffice.support import queries as support
from backoffice.support.models import Ticket

ANY, ONE = "users.export", "users.export_one"
DATASET = "person"


def start(
    *, person: User, by: User, format: str, reason: str, ticket: str = "", at: datetime | None = None
) -> ExportRecord:
    """Puts the export on record; `queries.person_data.of` has its tables.

    Forbidden without ``users.export`` or ``users.export_one``, and for the data of staff. Who holds only
    ``users.export_one`` names a ticket: unfinished, assigned to them, opened by this person. Invalid otherwise.
    """
    if not (by.may(ANY) or by.may(ONE)):
        raise Forbidden(_("Your roles do not include “%(permission)s”.") % {"permission": ONE})
    if person.is_staff:
        raise Forbidden(_("The data of staff is not taken out here."))
    if format not in exports.STREAMED:
        raise Invalid(_("This format is not offered."), field="format")
    found = _ticket(ticket.strip(), person=person, by=by)
    return exports.record(
        dataset=DATASET,
        by=by,
        format=format,
        reason=reason,
        subject=person,
        ticket=found.reference if found else "",
        at=at,
    )


def _ticket(reference: str, *, person: User, by: User) -> Ticket | None:
    if not reference:
        if by.may(ANY):
            return None
        raise Invalid(_("Name the ticket that this is for."), field="ticket")
    found = support.visible_to(by).filter(reference__iexact=reference, requester=person).first()
    if found is None:
        raise Invalid(_("This person has no ticket with this reference."), field="ticket")
    if by.may(ANY):
        return found
    if found.is_finished:
        raise Invalid(_("This ticket is finished. Data is taken out only while somebody is helped."), field="ticket")
    if found.assignee_id != by.pk:
        raise Invalid(_("Take the ticket first: it is not yours."), field="ticket")
    return found
