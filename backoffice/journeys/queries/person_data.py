"""One person's data as tables: what they gave and made, never payment or document data (Q-017)."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.catalogue.models import Title
from backoffice.commerce import queries as commerce
from backoffice.core.tables import Row, Table
from backoffice.creators.models import CreatorApplication, SocialAccount
from backoffice.creators.queries import for_user
from backoffice.support.models import Ticket, TicketMessage

CHUNK = 2000


def of(person: User) -> list[Table]:
    """Every table, rows read while they are written. No price, payment, payout, tax or document, no internal note."""
    return [
        Table(_("Account"), (_("field"), _("value")), _account(person)),
        Table(_("Creator"), (_("field"), _("value")), _creator(person)),
        Table(_("Social accounts"), (_("platform"), _("name"), _("address")), _social(person)),
        Table(_("Applications"), (_("reference"), _("status"), _("submitted"), _("decided")), _applications(person)),
        Table(_("Titles"), (_("title"), _("kind"), _("language"), _("added"), _("published")), _titles(person)),
        Table(_("Library"), (_("title"), _("bought")), _library(person)),
        Table(_("Tickets"), (_("reference"), _("opened"), _("about"), _("subject"), _("message")), _tickets(person)),
        Table(_("Messages"), (_("ticket"), _("time"), _("from"), _("message")), _messages(person)),
    ]


def _time(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _account(person: User) -> Iterator[Row]:
    yield (_("reference"), f"U-{str(person.pk)[-8:]}")
    yield (_("name"), person.display_name)
    yield (_("e-mail address"), person.email)
    yield (_("language"), person.get_language_display())
    yield (_("time zone"), person.timezone)
    yield (_("country"), person.country)
    yield (_("joined"), _time(person.date_joined))


def _creator(person: User) -> Iterator[Row]:
    creator = for_user(person)
    if creator is None:
        return
    yield (_("reference"), creator.reference)
    yield (_("stage name"), creator.stage_name)
    yield (_("about"), creator.bio)
    yield (_("languages"), ", ".join(creator.languages))
    yield (_("cultural affiliations"), ", ".join(creator.cultural_affiliations))
    yield (_("country"), creator.country)
    yield (_("live since"), _time(creator.activated_at))


def _social(person: User) -> Iterator[Row]:
    for account in SocialAccount.objects.filter(creator__user=person).iterator(chunk_size=CHUNK):
        yield (account.get_platform_display(), account.handle, account.url)


def _applications(person: User) -> Iterator[Row]:
    rows = CreatorApplication.objects.filter(applicant=person).order_by("id")
    for application in rows.iterator(chunk_size=CHUNK):
        yield (
            application.reference,
            application.get_status_display(),
            _time(application.submitted_at),
            _time(application.decided_at),
        )


def _titles(person: User) -> Iterator[Row]:
    for title in Title.objects.filter(creator__user=person).order_by("id").iterator(chunk_size=CHUNK):
        yield (
            title.title,
            title.get_kind_display(),
            title.language,
            _time(title.created_at),
            _time(title.published_at),
        )


def _library(person: User) -> Iterator[Row]:
    for purchase in commerce.library(person).select_related("title").iterator(chunk_size=CHUNK):
        yield (purchase.title.title, _time(purchase.purchased_at))


def _tickets(person: User) -> Iterator[Row]:
    for ticket in Ticket.objects.filter(requester=person).order_by("id").iterator(chunk_size=CHUNK):
        yield (
            ticket.reference,
            _time(ticket.created_at),
            ticket.get_issue_type_display(),
            ticket.subject,
            ticket.body,
        )


def _messages(person: User) -> Iterator[Row]:
    rows = TicketMessage.objects.filter(ticket__requester=person, visibility=TicketMessage.Visibility.PUBLIC)
    for message in rows.select_related("ticket").order_by("ticket_id", "at", "id").iterator(chunk_size=CHUNK):
        yield (message.ticket.reference, _time(message.at), message.get_side_display(), message.body)
