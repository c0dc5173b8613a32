"""Reply templates: kept, checked and filled in (E-067)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import clock
from backoffice.core.errors import Invalid
from backoffice.support import policies
from backoffice.support.models import IssueType, ResponseTemplate, Ticket

FIELDS = ("code", "language", "subject", "body", "category", "active")


def save(
    *,
    by: User,
    code: str,
    language: str,
    subject: str,
    body: str,
    category: str = "",
    active: bool = True,
    template: ResponseTemplate | None = None,
    at: datetime | None = None,
) -> ResponseTemplate:
    """Adds a template or changes ``template``. Invalid names the field: unknown placeholder, code taken,
    empty text."""
    permissions.require(by, "tickets.edit")
    at = at or clock.now()
    policies.check_template(subject=subject, body=body)
    before = {name: getattr(template, name) for name in FIELDS} if template is not None else None
    row = template or ResponseTemplate(created_at=at)
    row.code, row.language, row.subject, row.body = (
        code,
        language,
        subject.strip(),
        body.strip(),
    )
    row.category, row.active = category, active
    row.clean_fields()
    try:
        with transaction.atomic():
            row.save()
            entries.record(
                action="response_template.change" if before else "response_template.create",
                by=by,
                subject=row,
                at=at,
                before=before,
                after={name: getattr(row, name) for name in FIELDS},
            )
    except IntegrityError as error:
        raise Invalid(_("There is a template with this code in this language."), field="code") from error
    return row


def fill(template: ResponseTemplate, *, ticket: Ticket, by: User) -> str:
    """The template's text for this ticket and agent, in the template's language."""
    with translation.override(template.language):
        issue_type = str(IssueType(ticket.issue_type).label)
    return template.body.format(
        customer_name=ticket.requester.display_name,
        agent_name=by.display_name,
        reference=ticket.reference,
        subject=ticket.subject,
        issue_type=issue_type,
    )
