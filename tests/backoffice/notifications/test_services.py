import re
from pathlib import Path

import pytest
from django.core import mail

from backoffice.core import jobs
from backoffice.notifications import services
from backoffice.notifications.models import Notification
from tests.factories.accounts import member

ROOT = Path(__file__).resolve().parents[3]
EVENTS = sorted(path.name for path in (ROOT / "templates" / "emails").iterdir() if path.is_dir())


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("language", ["en", "fr", "ht"])
def test_every_mail_exists_in_every_language_and_has_a_subject(event: str, language: str) -> None:
    text = (ROOT / "templates" / "emails" / event / f"{language}.txt").read_text()
    first = re.sub(r"{%.*?%}", "", text.splitlines()[0])
    assert first.startswith("Subject:"), "the first line is the subject"


@pytest.mark.django_db
def test_a_notice_is_a_row_in_the_product_and_a_mail_in_the_persons_language() -> None:
    person = member(language="fr", display_name="L'Ouverture & Fils")
    services.notify(user=person, event="application.received", data={"reference": "AP-TEST2345"})
    assert jobs.run_due(kinds=[services.SEND]) == 1
    assert len(mail.outbox) == 1
    assert mail.outbox[0].to == [person.email]
    assert "&amp;" not in mail.outbox[0].body
    assert "&#x27;" not in mail.outbox[0].body
    rows = Notification.objects.filter(user=person)
    assert set(rows.values_list("channel", "state")) == {("in_app", "sent"), ("email", "sent")}


@pytest.mark.django_db
def test_a_mail_is_sent_once_however_often_its_job_runs() -> None:
    services.notify(user=member(), event="application.received", data={"reference": "AP-TEST2345"})
    row = Notification.objects.get(channel="email")
    services.deliver(row.id)
    services.deliver(row.id)
    assert len(mail.outbox) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("blank", ["\r", "\x0b", "\u2028", "  "])
def test_a_name_with_odd_blanks_still_makes_a_subject_of_one_line(blank: str) -> None:
    services.notify(user=member(), event="creator.restored", data={"stage_name": f"Ti{blank}Joslin"})
    assert jobs.run_due(kinds=[services.SEND]) == 1
    assert "Ti Joslin" in mail.outbox[0].subject
