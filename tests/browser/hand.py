"""Works inside the running platform, in a process of its own, on orders from stdin: one JSON line each.

It does what is no staff member's and no client's business: the first staff, settings for a quick test, the age of a
session's second factor, and work that waits. Nothing that the journey claims to show is done here.
"""

import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection

from backoffice.accounts.models import User
from backoffice.accounts.services import roles, suspensions, users
from backoffice.catalogue.models import FeaturedSection, Title
from backoffice.catalogue.services import featured, titles
from backoffice.configuration import values
from backoffice.core import clock
from backoffice.creators.models import Creator, CreatorApplication, TaxProfile, VerificationDocument
from backoffice.creators.services import applications, documents, holds, renewals
from backoffice.creators.states import Tier
from backoffice.finance.models import Payment, PayoutItem
from backoffice.finance.services import fee_replay
from backoffice.journeys.services import members
from backoffice.media.models import Asset
from backoffice.media.services import assets
from backoffice.moderation.models import Case
from backoffice.moderation.services import cases
from backoffice.queues.models import WorkItem
from backoffice.settings import embedded
from deploy.demo import files, load
from deploy.demo import payouts as demo_payouts
from tests import media_files
from tests.factories import accounts as make_accounts
from tests.factories import creators as make_creators
from tests.factories import finance as make_finance
from tests.factories import media as make_media
from tests.factories import sales as make_sales
from tests.factories import support as make_support

# Waiting times that a test cannot sit out. Everything else is as delivered.
QUICK = {"earnings.hold_days": 0, "moderation.undo_seconds": 1, "application.undo_seconds": 1}


def stage(password: str = "") -> load.Stage:
    """Where the demo's own loading steps work."""
    return load.Stage(clock.now(), password, lambda text: None, random.Random(1))


def curriculum() -> None:
    """The demo's training for creators, published."""
    load.curriculum(stage())


def prepare(password: str) -> None:
    """The cache table, the staff of the demo with this password, and the settings of `QUICK`."""
    connection.settings_dict.update(USER=embedded.OWNER)
    call_command("createcachetable", verbosity=0)
    connection.close()
    connection.settings_dict.update(USER=embedded.APPLICATION)
    load.staff(stage(password))
    for key, value in QUICK.items():
        change(key, value)
    speak("en")


def speak(language: str) -> None:
    """All staff read this language; the demo's people read different ones."""
    for person in User.objects.filter(is_staff=True):
        users.update(person, by=person, language=language)


def change(key: str, value: Any) -> None:
    """Sets one setting of the platform."""
    values.change(key=key, value=value, by=None, reason="test")


def age_factor(email: str, seconds: int) -> int:
    """Lets the second factor of all sessions of this person be so much older; how many sessions."""
    key = str(User.objects.get(email=email).pk)
    count = 0
    for row in Session.objects.all():
        data = row.get_decoded()
        if data.get("_auth_user_id") != key:
            continue
        for record in data.get("account_authentication_methods", []):
            if record.get("method") == "mfa":
                record["at"] -= seconds
        store = Session.get_session_store_class()(row.session_key)
        row.session_data = store.encode(data)
        row.save(update_fields=["session_data"])
        count += 1
    return count


def end_sessions(email: str) -> int:
    """Ends every session of this person, as a restart of the store or their supervisor would; how many."""
    key = str(User.objects.get(email=email).pk)
    mine = [row.pk for row in Session.objects.all() if row.get_decoded().get("_auth_user_id") == key]
    return Session.objects.filter(pk__in=mine).delete()[0]


def end_lease(subject: str) -> None:
    """Lets the claim on this application, case or ticket have run out a minute ago."""
    held = WorkItem.objects.filter(subject_id=subject, state=WorkItem.State.CLAIMED)
    assert held.update(lease_until=clock.now() - timedelta(minutes=1)) == 1


def end_keeping(application: str) -> None:
    """Lets the time for which this application's documents are kept have ended an hour ago."""
    VerificationDocument.objects.filter(application=application).update(purge_after=clock.now() - timedelta(hours=1))


def verdict(application: str) -> list[str]:
    """Where an application stands and what was decided on it."""
    found = CreatorApplication.objects.get(pk=application)
    return [str(found.status), str(found.verdict)]


def newcomer(email: str, password: str, role: str) -> None:
    """A new staff person who has a password and no second factor yet."""
    person = users.make_staff(email=email, display_name="Newcomer", by=None, password=password)
    roles.give(user=person, role=role, by=None, reason="test")


def secret(email: str) -> str:
    """The secret in the person's authenticator app."""
    found = Authenticator.objects.get(user__email=email, type=Authenticator.Type.TOTP)
    return str(decrypt(found.data["secret"]))


def _film(person: User, **fields: Any) -> Asset:
    """A small real video of this person, prepared; the worker and we may both take it up."""
    asset = make_media.processed(media_files.video(seconds=3), by=person, **fields)
    while not asset.is_ready:
        assert asset.processing_status in ("uploading", "processing"), asset.error_detail
        time.sleep(0.1)
        asset.refresh_from_db()
    return asset


def waiting_titles(*names: str) -> list[str]:
    """Films with a real video that wait for review, the first one longest; the ids of their cases."""
    creator = make_finance.payable()
    video = _film(creator.user)
    ids = []
    for name in names:
        proof = assets.store(
            by=creator.user,
            kind=Asset.Kind.PROOF,
            filename="rights.jpg",
            content=BytesIO(files.paper(creator.user.display_name, "RIGHTS")),
            content_type="image/jpeg",
        )
        title = titles.offer(
            creator=creator,
            by=creator.user,
            files=titles.Files(video=video, proofs=[proof]),
            title=name,
            description="Fifteen minutes in a kitchen.",
            kind="video",
            language="ht",
            access_model="purchase",
            price_minor=9_99,
            currency="USD",
        )
        titles.mark_processing(title)
        cases.open_for_title(title)  # unless the worker has been quicker
        ids.append(str(Case.objects.get(title=title).pk))
    return ids


def waiting_applications(*names: str) -> list[str]:
    """Complete applications with a real sample and a readable ID, the first one longest; their ids."""
    ids = []
    for number, name in enumerate(names):
        at = clock.now() - timedelta(hours=len(names) - number)
        person = make_accounts.member(display_name=name)
        sample = _film(person, purpose="sample")
        fields = make_creators.contents(person, stage_name=name, legal_name=name, sample=sample)
        application = applications.start(user=person, by=person, fields=fields, at=at)
        paper = files.paper(name, "PASSPORT")
        documents.upload(application=application, document_type="passport", content=paper, by=person, at=at)
        applications.submit(application=application, by=person, at=at)
        ids.append(str(application.pk))
    return ids


def waiting_with_papers(name: str, *kinds: str) -> str:
    """A complete application with a readable picture of each of these kinds of document; its id."""
    at = clock.now()
    person = make_accounts.member(display_name=name)
    sample = _film(person, purpose="sample")
    fields = make_creators.contents(person, stage_name=name, legal_name=name, sample=sample)
    application = applications.start(user=person, by=person, fields=fields, at=at)
    for kind in kinds:
        paper = files.paper(name, kind.upper())
        documents.upload(application=application, document_type=kind, content=paper, by=person, at=at)
    applications.submit(application=application, by=person, at=at)
    return str(application.pk)


def make_creator(email: str) -> str:
    """A live creator of somebody who has registered; its id."""
    return str(make_creators.creator(User.objects.get(email=email)).pk)


def tax_form(creator: str) -> str:
    """The id of a creator's newest tax form."""
    return str(TaxProfile.objects.filter(creator=creator).latest("signed_at").pk)


def waiting_payout(minor: int) -> dict[str, str]:
    """A payout that its creator has asked for: id, reference."""
    demo_payouts.lever("topup", amount=minor)
    run = make_finance.requested(make_finance.payable(minor, connected=True), minor)
    return {"id": str(run.pk), "reference": run.reference}


def state_of_payout(run: str) -> str:
    """Where the only payout of a run stands."""
    return str(PayoutItem.objects.get(run=run).status)


def waiting_tickets(*subjects: str) -> list[str]:
    """Tickets that nobody has taken, the first one longest; their ids."""
    first = clock.now() - timedelta(hours=len(subjects))
    return [
        str(make_support.ticket(subject=subject, at=first + timedelta(hours=number)).pk)
        for number, subject in enumerate(subjects)
    ]


def published_title(name: str) -> str:
    """A film that is on sale and was sold once; its id."""
    title = make_sales.published(title=name)
    make_sales.sale(title, at=clock.now())
    return str(title.pk)


def sold_last_month(name: str, *prices: int) -> str:
    """A premium creator of this name with sales in the middle of the last full month; the reference."""
    creator = make_creators.creator(stage_name=name)
    Creator.objects.filter(pk=creator.pk).update(tier=Tier.PREMIUM)
    creator.refresh_from_db()
    at = fee_replay.Month.last_full(clock.now()).start + timedelta(days=14)
    for price in prices:
        make_sales.sale(make_sales.published(creator, price_minor=price), at=at)
    return creator.reference


def furnish() -> dict[str, str]:
    """Something of everything, so that no list is empty; the addresses of pages about one thing."""
    (case,) = waiting_titles("Zetwal maten: a film with a name that is longer than any list expects it to be")
    (application,) = waiting_applications("Marie-Thérèse Jean-Baptiste Desrosiers de la Grande-Rivière-du-Nord")
    (ticket,) = waiting_tickets("I paid twice and the film still asks me to pay")
    payout = waiting_payout(61_00)["id"]
    title = published_title("Nocturne")
    film = Title.objects.get(pk=title)
    featured.place(FeaturedSection.objects.order_by("position").first(), title=film, by=None, starts_at=clock.now())
    payment = Payment.objects.get(purchase__title=film)
    found = Case.objects.get(pk=case)
    signed = make_creators.tax_profile(film.creator)
    admin = User.objects.get(email="admin@backlot.example")
    hold = holds.place(person=film.creator.user, by=admin, reason="Inquiry of the court of first instance " * 6)
    members.close(user=payment.user, kind="suspension", by=admin, reason="Insults in the reviews of a creator " * 6)
    suspensions.end(user=payment.user, by=admin, reason="Apologised to the creator")
    make_creators.activated()
    renewals.put_due(at=clock.now() + timedelta(days=366))
    return {
        "account": f"/admin/system/people/{payment.user_id}/account/",
        "sign-in help": f"/admin/system/people/{payment.user_id}/sign-in/",
        "tax form": f"/admin/creators/tax/{signed.pk}/",
        "hold": f"/admin/system/holds/{hold.pk}/",
        "place a hold": f"/admin/system/people/{film.creator.user_id}/hold/",
        "case": f"/admin/moderation/cases/{case}/",
        "application": f"/admin/creators/applications/{application}/",
        "creator": f"/admin/creators/{film.creator_id}/",
        "title": f"/admin/catalogue/titles/{found.title_id}/",
        "ticket": f"/admin/support/tickets/{ticket}/",
        "payout": f"/admin/finance/payouts/{payout}/",
        "payment": f"/admin/finance/payments/{payment.pk}/",
    }


WORK: dict[str, Callable[..., Any]] = {
    work.__name__: work
    for work in (
        prepare,
        change,
        curriculum,
        speak,
        age_factor,
        end_sessions,
        end_lease,
        end_keeping,
        verdict,
        newcomer,
        secret,
        waiting_titles,
        make_creator,
        tax_form,
        waiting_applications,
        waiting_with_papers,
        waiting_payout,
        state_of_payout,
        waiting_tickets,
        published_title,
        sold_last_month,
        furnish,
    )
}


def main() -> None:
    """Works until stdin ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is not an answer
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"result": WORK[order["name"]](*order["given"], **order["arguments"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
