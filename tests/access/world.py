"""One world for the crawl: people, work and money in many states, and a canary in every sensitive field of it."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, models, transaction
from psycopg import sql
from psycopg.types.json import Jsonb

from backoffice.accounts.models import (
    AttemptCount,
    KnownDevice,
    RoleAccess,
    SecurityEvent,
    StaffProfile,
    Suspension,
    User,
)
from backoffice.accounts.services import factors, roles
from backoffice.audit import entries, exports
from backoffice.catalogue.models import FeaturedSection, Title
from backoffice.catalogue.services import featured, titles
from backoffice.commerce.models import Purchase
from backoffice.configuration.models import SettingVersion
from backoffice.core import clock
from backoffice.core.ids import uuid7
from backoffice.core.models import Job
from backoffice.creators.services import applications
from backoffice.creators.services import creators as creator_services
from backoffice.finance.models import PayoutItem
from backoffice.finance.services import payout_accounts, payouts
from backoffice.moderation.models import PolicyRule
from backoffice.moderation.services import cases
from backoffice.notifications.services import notify
from backoffice.support.services import tickets
from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.services import pages
from tests.access.canaries import AMOUNT, CONTENT, MAIL, PLACE, SENSITIVE, SHORT, VALUE, Secret, classed, our_models
from tests.databases import with_role
from tests.factories import accounts, catalogue, creators, finance, moderation, sales, support

# What a planted word, mail address and network address look like; pages are searched for these.
WORD = re.compile(r"zq\d{5}xk|2001:db8:[0-9a-f]{1,4}::7|canary-4711-passport", re.IGNORECASE)
# Numbers below, and round ones, are too common on a page to tell anything.
SMALLEST = 10_000
PRICE = 7_391_113
ROWS_EACH = 40


@dataclass(frozen=True, slots=True)
class Plant:
    """One canary: where it was put, and what opens it."""

    name: str
    secret: Secret
    row: Any
    what: str


@dataclass
class World:
    """The canaries by what is seen of them, and the keys of all objects by model."""

    words: dict[str, Plant] = field(default_factory=dict)
    values: dict[str, Plant] = field(default_factory=dict)
    amounts: dict[str, list[Plant]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[tuple[str, str], tuple[str, Secret | None]] = field(default_factory=dict)
    unplanted: list[str] = field(default_factory=list)


def build() -> World:
    """Makes everything, plants the canaries as the database's superuser, and remembers the keys."""
    _people_and_work()
    missing = _fill_gaps()
    world = World()
    with psycopg.connect(_superuser(), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        _plant(world, connection)
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            rows = model._base_manager.order_by("-pk").values_list("pk", flat=True)[:8]
            world.keys[model._meta.label] = [str(key) for key in rows]
    world.unplanted += missing
    return world


def _superuser() -> str:
    return with_role(os.environ["BACKLOT_TEST_SUPERUSER"], "postgres", os.environ["BACKLOT_TEST_DATABASE"])


# --- what happens in it --------------------------------------------------------------------------------------------


def _people_and_work() -> None:
    boss, colleague = accounts.staff("super_admin"), accounts.staff("super_admin", "verification_reviewer")
    reviewer, moderator = creators.reviewer(), accounts.staff("content_moderator")
    agent, treasurer = accounts.staff("customer_support"), finance.finance_person()
    buyer = accounts.member()
    _applications(reviewer)
    artist = creators.activated().creator
    assert artist is not None
    _money(artist, buyer, treasurer)
    _content(artist, moderator)
    _help(buyer, artist.user, agent)
    _staff(boss, colleague, buyer)
    _system(boss, buyer, artist)


def _applications(reviewer: User) -> None:
    creators.started()
    creators.submitted()
    creators.waiting(reviewer)
    application, _item = creators.in_review(reviewer)
    creators.look_at_documents(application, reviewer)
    refused, held = creators.in_review(reviewer)
    applications.reject(
        application=refused,
        by=reviewer,
        token=str(held.lease_token),
        code="other",
        text="Something else is missing here.",
        findings=creators.good(refused, verified_documents=()),
    )
    approved = creators.approved(reviewer)
    assert approved.creator is not None
    creator_services.suspend(creator=approved.creator, by=accounts.staff("ops_manager"), reason="Under suspicion")


def _money(artist: Any, buyer: User, treasurer: User) -> None:
    now = clock.now()
    old = now - timedelta(days=30)
    for number in range(3):
        title = sales.published(artist, price_minor=PRICE + 2_417 * number, published_at=old)
        payment = sales.sale(title, at=old, buyer=buyer)
        if number == 1:
            sales.refund(payment, 1_234_567, at=old + timedelta(days=2))
        # What was paid is no longer what the catalogue says.
        Title.objects.filter(pk=title.pk).update(price_minor=499)
    finance.earnings.release_due(at=now)
    payout_accounts.record(
        creator=artist, method=finance.method(), provider_account_id="acct_1", masked="BANK •••• 6789", by=None
    )
    creator_services.record_tax_form(creator=artist, status="submitted", by=None)
    finance.requested(artist, 2_311_327)
    other = finance.payable(6_613_171)
    held = finance.requested(other, 5_114_519)
    payouts.hold(item=PayoutItem.objects.get(run=held), by=treasurer, reason="Looks odd")
    third = finance.payable(4_812_377)
    finance.approved(third, 4_377_233, by=treasurer)
    fourth = finance.payable(3_917_719)
    payouts.reject(run=finance.requested(fourth, 3_417_031), by=treasurer, reason="Wrong account")
    creator_services.hold_payouts(creator=artist, by=treasurer, reason="Chargebacks")


def _content(artist: Any, moderator: User) -> None:
    waiting = moderation.case()
    decided = moderation.case()
    cases.claim(decided, by=moderator)
    cases.reject(
        decided,
        policy=PolicyRule.objects.filter(is_active=True).first() or PolicyRule.objects.get(),
        message="Please blur the plates.",
        reason="Number plates",
        timecodes=[12],
        **moderation.decision_of(decided, moderator),
    )
    cases.claim(waiting, by=moderator)
    section = FeaturedSection.objects.first()
    assert section is not None
    shown = Title.objects.filter(published_at__isnull=False).first()
    assert shown is not None
    slot = featured.place(section, title=shown, by=None)
    type(slot)._base_manager.filter(pk=slot.pk).update(
        kind="paid", fee_minor=8_123_457, fee_currency="USD", fee_paid_at=clock.now(), fee_reference="x"
    )
    titles.submit(sales_title(artist), by=artist.user)


def sales_title(artist: Any) -> Title:
    """A title of this creator that waits to be judged."""
    return catalogue.for_sale(owner=artist)


def _help(buyer: User, artist: User, agent: User) -> None:
    for requester, kind in ((buyer, "general"), (buyer, "payment"), (artist, "content"), (artist, "account")):
        ticket = support.ticket(requester=requester, issue_type=kind)
        held = tickets.claim(ticket, by=agent)
        tickets.note(ticket, by=agent, body="Not to be shown to the customer.")
        tickets.reply(
            ticket,
            by=agent,
            token=held.lease_token or "",
            body="We are looking into it.",
            then="" if kind == "payment" else "wait",
        )
        tickets.answer(ticket, by=requester, body="Any news?")


def _staff(boss: User, colleague: User, buyer: User) -> None:
    now = clock.now()
    for person in (boss, buyer):
        KnownDevice.objects.create(
            user=person, key=uuid4().hex, fingerprint="f", user_agent="Browser", last_ip="127.0.0.1", last_seen_at=now
        )
        SecurityEvent.objects.create(at=now, user=person, kind=SecurityEvent.Kind.values[0], data={"why": "test"})
        session = SessionStore()
        session["left"] = person.email
        session.create()
        UserSession.objects.create(user=person, session_key=session.session_key, ip="127.0.0.1", user_agent="Browser")
        Authenticator.objects.get_or_create(user=person, type="recovery_codes", data={"unused_codes": ["a1b2c3d4e5"]})
    Suspension.objects.create(
        user=buyer,
        kind=Suspension.Kind.SUSPENSION,
        reason="Insults",
        started_by=boss,
        ended_at=now,
        ended_by=boss,
        end_reason="Apologised",
    )
    factors.request(user=buyer, by=colleague, reason="Lost the telephone")
    roles.give(user=colleague, role="analyst", by=boss, reason="For a week", until=now + timedelta(days=7))
    StaffProfile.objects.update_or_create(user=colleague, defaults={"allowed_ips": ["127.0.0.1"]})
    RoleAccess.objects.create(role="analyst", allowed_ips=["127.0.0.1"])
    AttemptCount.objects.create(key=uuid4().hex, account="x", scope="login", count=1, until=now, next_at=now)


def _system(boss: User, buyer: User, artist: Any) -> None:
    now = clock.now()
    for state in (Job.State.DEAD, Job.State.RUNNING):
        Job.objects.create(
            kind="media.process_asset",
            payload={"asset_id": str(uuid7())},
            queue="media",
            state=state,
            attempts=3,
            max_attempts=3,
            run_after=now,
            last_error="It broke",
            lease_until=now + timedelta(hours=1) if state == Job.State.RUNNING else None,
            lease_token=uuid4() if state == Job.State.RUNNING else None,
            started_at=now,
            finished_at=now if state == Job.State.DEAD else None,
            progress_total=10,
            created_by=boss,
        )
    notify(user=buyer, event="application.approved", data={"reference": "AP-1", "stage_name": "x"})
    with transaction.atomic():
        for subject in (buyer, artist, Purchase.objects.first(), Title.objects.first(), PayoutItem.objects.first()):
            entries.record(
                action="user.edit",
                by=boss,
                subject=subject,
                reason="why",
                before={"a": 1},
                after={"a": 2},
                data={"b": 1},
            )
    exports.record(dataset="audit", by=boss, format="csv", reason="For the auditors", filters={"actor": "x"})
    SettingVersion.objects.create(key="payout.dual_approval_over", value=100_000, reason="Less risk", changed_by=boss)
    parent = HelpIndexPage.objects.get(locale__language_code="en")
    pages.publish(parent, HelpArticlePage(title="Payouts", body="<p>x</p>"), language="en", by=boss)


# --- rows of what nothing above has made ---------------------------------------------------------------------------


def _fill_gaps() -> list[str]:
    """A plain row for every sensitive model without one; answers the models that this did not do for."""
    missing = []
    for model in _in_order():
        if model._base_manager.exists():
            continue
        try:
            with transaction.atomic():
                model._base_manager.create(**_least(model))
        except (DatabaseError, ValueError) as error:
            missing.append(f"{model._meta.label}: {str(error).splitlines()[0]}")
    return missing


def _in_order() -> list[type[models.Model]]:
    """The sensitive models, those that others point to first."""
    left = [apps.get_model(label) for label in SENSITIVE]
    done: list[type[models.Model]] = []
    while left:
        free = [
            model
            for model in left
            if not any(
                isinstance(f, models.ForeignKey) and f.related_model in left and f.related_model is not model
                for f in model._meta.local_fields
            )
        ] or left[:1]
        done += free
        left = [model for model in left if model not in free]
    return done


def _least(model: type[models.Model]) -> dict[str, Any]:
    """Values for what a row cannot be without."""
    values: dict[str, Any] = {}
    for found in model._meta.local_fields:
        given = found.has_default() or found.null or isinstance(found, (models.AutoField, models.GeneratedField))
        if given or getattr(found, "auto_now", False) or getattr(found, "auto_now_add", False):
            continue
        if isinstance(found, models.ForeignKey):
            values[found.name] = found.related_model._base_manager.first()  # type: ignore[union-attr]
        elif found.choices:
            values[found.name] = next(code for code, _label in found.flatchoices)
        elif isinstance(found, (models.CharField, models.TextField)):
            codes = {2: "HT", 3: "USD", 4: "1234"}
            values[found.name] = "" if found.blank else codes.get(found.max_length or 0, f"x{uuid4().hex[:10]}")
        elif isinstance(found, models.JSONField):
            values[found.name] = {}
        elif isinstance(found, ArrayField):
            values[found.name] = []
        elif isinstance(found, models.BinaryField):
            values[found.name] = b"x"
        elif isinstance(found, models.DateTimeField):
            values[found.name] = clock.now()
        elif isinstance(found, models.DateField):
            values[found.name] = clock.now().date()
        elif isinstance(found, models.UUIDField):
            values[found.name] = uuid4()
        elif isinstance(found, models.BooleanField):
            values[found.name] = False
        else:
            values[found.name] = 1
    return values


# --- planting ------------------------------------------------------------------------------------------------------


def _plant(world: World, connection: psycopg.Connection) -> None:
    number = 0
    for model in (*our_models(), *(apps.get_model(label) for label in SENSITIVE)):
        for found in model._meta.local_fields:
            secret = SENSITIVE.get(model._meta.label, {}).get(found.name)
            if secret is not None or classed(found):
                world.columns[model._meta.db_table, found.column] = (f"{model._meta.label}.{found.name}", secret)
    for label, secrets in SENSITIVE.items():
        model = apps.get_model(label)
        rows = list(model._base_manager.order_by("-pk")[:ROWS_EACH])
        for name, secret in secrets.items():
            planted = 0
            for row in rows if secret.how != SHORT else ():
                if secret.how == CONTENT:
                    world.words.setdefault("canary-4711-passport", Plant(f"{label}.{name}", secret, row, "content"))
                    planted += 1
                    continue
                found = model._meta.get_field(name)
                assert isinstance(found, models.Field)
                if secret.how in (VALUE, AMOUNT):
                    planted += _note(world, f"{label}.{name}", secret, row, getattr(row, name))
                    continue
                number += 1
                plant = Plant(f"{label}.{name}", secret, row, "")
                word = _word(secret, number)
                value = _value(found, secret, word, getattr(row, name))
                if value is not None and _write(connection, found, row, value):
                    world.words[_seen(word)] = plant
                    planted += 1
            if not planted and secret.how not in (AMOUNT, VALUE, SHORT):
                world.unplanted.append(f"{label}.{name}")


def _note(world: World, name: str, secret: Secret, row: Any, value: Any) -> int:
    """Takes what is there for a canary, where it can be told from other things."""
    if secret.how == AMOUNT:
        if value is not None and abs(value) >= SMALLEST and value % 1000:
            world.amounts[str(abs(value))].append(Plant(name, secret, row, str(value)))
            return 1
        return 0
    texts = [text for text in _texts(value) if len(text) >= 8]
    for text in texts:
        world.values[text.lower()] = Plant(name, secret, row, text)
    return len(texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (bytes, memoryview)):
        yield bytes(value).hex()
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (str, UUID)):
        yield str(value)


def _word(secret: Secret, number: int) -> str:
    if secret.how == PLACE:
        return f"2001:db8:{number:x}::7"
    return f"zq{number:05d}xk@canary.example" if secret.how == MAIL else f"zq{number:05d}xk"


def _seen(word: str) -> str:
    return word.removesuffix("@canary.example")


def _value(found: models.Field[Any, Any], secret: Secret, word: str, present: Any) -> Any:
    """The field's value with the canary in it; None where it cannot be."""
    if isinstance(found, models.BinaryField):
        return word.encode()
    if isinstance(found, ArrayField):
        # What stands there stays: a network that is let in, for one.
        texts = isinstance(found.base_field, (models.CharField, models.TextField))
        return [*(present or []), word] if texts else None
    if isinstance(found, models.JSONField):
        if isinstance(present, list):
            # Lists of reasons are read item by item.
            item = {"code": "canary", "text": word, "score": 1}
            return Jsonb([*present, item] if not present or isinstance(present[0], dict) else [*present, word])
        return Jsonb({**(present or {}), "canary": word} if isinstance(present, (dict, type(None))) else present)
    length = getattr(found, "max_length", None)
    if length is not None and length < len(word):
        return None
    return word


def _write(connection: psycopg.Connection, found: models.Field[Any, Any], row: Any, value: Any) -> bool:
    """Whether the database takes it; a check that forbids words where there were none keeps its row as it was."""
    statement = sql.SQL("UPDATE {} SET {} = %s WHERE {} = %s").format(
        sql.Identifier(row._meta.db_table),
        sql.Identifier(found.column),
        sql.Identifier(row._meta.pk.column),
    )
    try:
        connection.execute(statement, [value, row.pk])
    except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation):
        return False
    return True
