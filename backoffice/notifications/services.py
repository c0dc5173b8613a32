"""Telling people: a row in the product and a mail, in the person's language."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation

from backoffice.audit.entries import plain
from backoffice.core import clock, jobs
from backoffice.notifications.models import Notification

SEND = "notifications.send"


def render(event: str, language: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of an event in a language, in English where the language has no template.

    A template is ``emails/<event>/<language>.txt``; its first line is ``Subject: …``.
    """
    try:
        template = get_template(f"emails/{event}/{language}.txt")
    except TemplateDoesNotExist:
        template = get_template(f"emails/{event}/en.txt")
    with translation.override(language):
        # Plain text: escaping would turn an apostrophe into an entity.
        text = template.template.render(Context(dict(context), autoescape=False))  # type: ignore[attr-defined]
    first, _separator, body = text.partition("\n")
    if not first.startswith("Subject:"):
        raise ValueError(f"emails/{event}: the first line has to be “Subject: …”")
    # A header is one line, whatever blanks a name brings along.
    return " ".join(first.removeprefix("Subject:").split()), body.strip() + "\n"


def notify(*, user: Any, event: str, data: Mapping[str, Any] | None = None, by: Any = None) -> Notification:
    """Writes the rows in the caller's transaction and asks for the mail on commit; returns the in-product row.

    Lazy texts in ``data`` are read in the person's language.
    """
    with translation.override(user.language):
        facts = plain(data or {})
    subject, body = render(event, user.language, {"user": user, **facts})
    shared = {
        "user": user,
        "event": event,
        "language": user.language,
        "data": facts,
        "subject": subject[:200],
        "body": body,
    }
    row = Notification.objects.create(
        channel=Notification.Channel.IN_APP, state=Notification.State.SENT, sent_at=clock.now(), **shared
    )
    mail = Notification.objects.create(channel=Notification.Channel.EMAIL, **shared)
    jobs.enqueue(SEND, {"notification_id": str(mail.id)}, by=by)
    return row


def deliver(notification_id: UUID | str) -> None:
    """Sends one mail. A row that is sent already is left alone; an error is kept on the row and raised."""
    row = Notification.objects.select_related("user").get(id=notification_id)
    if row.state == Notification.State.SENT:
        return
    message = EmailMessage(
        subject=row.subject,
        body=row.body,
        to=[row.user.email],
        headers={"Message-ID": f"<{row.id}@backlot.invalid>", "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except OSError as error:
        Notification.objects.filter(id=row.id).update(last_error=f"{type(error).__name__}: {error}")
        raise
    Notification.objects.filter(id=row.id).update(
        state=Notification.State.SENT, sent_at=clock.now(), last_error="", updated_at=clock.now()
    )


def mark_read(notification_id: UUID | str, *, by: Any) -> bool:
    """Notes that the person has read their notice; False when it is not theirs."""
    mine = Notification.objects.filter(id=notification_id, user=by, channel=Notification.Channel.IN_APP)
    mine.filter(read_at=None).update(read_at=clock.now(), updated_at=clock.now())
    return mine.exists()
