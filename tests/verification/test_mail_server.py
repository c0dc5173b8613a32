"""Mail goes through a real SMTP server, in the person's language; a server that is down costs a delay only."""

from collections.abc import Callable, Iterator
from datetime import UTC
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from backoffice.core import clock, jobs
from backoffice.core.models import Job
from backoffice.notifications import services
from backoffice.notifications.models import Notification
from tests.factories.accounts import member
from tests.ports import ports

pytestmark = pytest.mark.django_db

FACTS = {"reference": "AP-7K2M9Q", "stage_name": "Ti Joslin", "steps": []}


class Box:
    """Keeps what is delivered; refuses recipients with a temporary error while ``busy``."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.busy = False

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.busy:
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        self.envelopes.append(envelope)
        return "250 OK"


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def serve(box: Box, settings: Any) -> Iterator[Callable[[], Controller]]:
    """Starts the server on the port that the platform sends to; until then nobody answers there."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, (settings.EMAIL_PORT,) = "127.0.0.1", ports(1)
    settings.DEFAULT_FROM_EMAIL = "Backlot <no-reply@backlot.example>"
    running: list[Controller] = []

    def start() -> Controller:
        controller = Controller(box, hostname="127.0.0.1", port=settings.EMAIL_PORT)
        controller.start()
        running.append(controller)
        return controller

    yield start
    for controller in running:
        controller.stop()


def tell(language: str) -> Notification:
    """Tells somebody of that language about their application; the mail's row."""
    user = member(language=language, display_name="Zoé Jean-Baptiste")
    services.notify(user=user, event="application.approved", data=FACTS)
    return Notification.objects.get(user=user, channel=Notification.Channel.EMAIL)


def send() -> Job:
    """Tries every due mail once; the mail's job."""
    assert jobs.run_due(kinds=[services.SEND]) == 1
    return Job.objects.get(kind=services.SEND)


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("en", "Your application AP-7K2M9Q is approved", "Hello Zoé Jean-Baptiste"),
        ("fr", "Votre candidature AP-7K2M9Q est acceptée", "désormais un créateur vérifié"),
        ("ht", "Nou aksepte demann ou an AP-7K2M9Q", "yon kreyatè verifye"),
    ],
)
def test_a_mail_arrives_in_the_persons_language_with_its_headers(
    box: Box, serve: Callable[[], Controller], language: str, subject: str, words: str
) -> None:
    serve()
    mail = tell(language)
    send()
    mail.refresh_from_db()
    (arrived,) = box.messages
    assert arrived["Subject"] == subject
    assert words in arrived.get_content()
    assert "&#x27;" not in arrived.get_content()
    assert arrived["From"] == "Backlot <no-reply@backlot.example>"
    assert arrived["To"] == mail.user.email
    assert box.envelopes[0].rcpt_tos == [mail.user.email]
    assert box.envelopes[0].mail_from == "no-reply@backlot.example"
    assert str(mail.id) in arrived["Message-ID"]
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_content_type() == "text/plain"
    sent = parsedate_to_datetime(arrived["Date"]).replace(tzinfo=UTC)
    assert abs((sent - clock.now()).total_seconds()) < 60
    assert mail.state == Notification.State.SENT


@pytest.mark.parametrize("fault", ["nobody answers", "the server is busy"])
def test_a_mail_waits_for_a_server_that_is_down_and_is_then_sent_once(
    box: Box, serve: Callable[[], Controller], fault: str
) -> None:
    if fault == "the server is busy":
        box.busy = True
        serve()
    mail = tell("fr")
    job = send()
    mail.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.DUE, 1)
    assert job.run_after > clock.now()
    assert mail.state == Notification.State.QUEUED
    assert mail.last_error
    assert box.messages == []

    if fault == "the server is busy":
        box.busy = False
    else:
        serve()
    Job.objects.update(run_after=clock.now())
    assert send().state == Job.State.DONE
    mail.refresh_from_db()
    assert (mail.state, mail.last_error) == (Notification.State.SENT, "")
    assert len(box.messages) == 1
    services.deliver(mail.id)
    assert len(box.messages) == 1
