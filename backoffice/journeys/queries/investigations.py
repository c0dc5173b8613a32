"""Following a person through the platform and a payment through the money (W-031).

Everything is read from what was written once: audit rows, security events, provider calls, ledger entries. Every read
here has a fixed number of statements.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import SecurityEvent, User
from backoffice.audit.models import AuditEntry
from backoffice.catalogue.models import Title
from backoffice.commerce.models import Purchase
from backoffice.core import money, stored
from backoffice.creators.models import Creator, CreatorApplication, TaxProfile, VerificationDocument
from backoffice.finance.models import (
    Allocation,
    Attempt,
    CommissionLine,
    Earning,
    Entry,
    EventOutcome,
    Payment,
    PayoutAccount,
    PayoutItem,
    PayoutRun,
    Refund,
    RefundRequest,
)
from backoffice.finance.queries import ledger
from backoffice.media.models import Asset, Upload
from backoffice.moderation.models import Case
from backoffice.support.models import Ticket

FOUND_AT_MOST = 20
# Objects of one kind that a journey follows; whoever has more is told so.
FOLLOWED = 1000
PERSON_REFERENCE = re.compile(r"u-([0-9a-f]{8})", re.IGNORECASE)

# ---------------------------------------------------------------- search


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a search leads to: ``kind`` is person, payment or payout; ``why`` says what matched."""

    kind: str
    key: UUID
    label: str
    why: str | Promise


def search(text: str, *, people: bool) -> list[Found]:
    """What a reference, e-mail address, key or provider's id belongs to. Without ``people`` only money is found.

    Whole values only: nothing leaks by its beginning. A fixed number of statements, at most 20 results of a kind.
    """
    text = text.strip()[:255]
    if not text or "\x00" in text:
        return []
    try:
        key: UUID | None = UUID(text)
    except ValueError:
        key = None
    return [*(_people(text, key) if people else ()), *_payments(text, key), *_payouts(text, key)]


def _people(text: str, key: UUID | None) -> Iterator[Found]:
    who = Q(email__iexact=text)
    if reference := PERSON_REFERENCE.fullmatch(text):
        who = Q(id__iendswith=reference[1])
    if key:
        who |= Q(pk=key)
    for user in User.objects.filter(who)[:FOUND_AT_MOST]:
        yield Found("person", user.pk, str(user), _("account"))
    matches: list[tuple[QuerySet[Any], str, str | Promise]] = [
        (Creator.objects.filter(_named(text, key) | Q(slug=text.lower())), "user", _("creator")),
        (CreatorApplication.objects.filter(_named(text, key)), "applicant", _("application")),
        (Ticket.objects.filter(_named(text, key)), "requester", _("ticket")),
        (Purchase.objects.filter(_named(text, key)), "buyer", _("purchase")),
    ]
    for rows, owner, why in matches:
        for row in rows.select_related(owner)[:FOUND_AT_MOST]:
            person = getattr(row, owner)
            yield Found("person", person.pk, f"{person}, {row}", why)


def _payments(text: str, key: UUID | None) -> Iterator[Found]:
    found = Payment.objects.filter(
        _named(text, key)
        | Q(purchase__reference__iexact=text)
        | Q(provider_payment_id=text)
        | Q(provider_session_id=text)
    )
    for payment in found[:FOUND_AT_MOST]:
        yield Found("payment", payment.pk, payment.reference, payment.get_status_display())


def _payouts(text: str, key: UUID | None) -> Iterator[Found]:
    ids = Q(run__reference__iexact=text) | Q(transfer_id=text) | Q(payout_id=text) | Q(bank_reference=text)
    if key:
        ids |= Q(pk=key) | Q(run=key)
    for item in PayoutItem.objects.filter(ids).select_related("run", "creator")[:FOUND_AT_MOST]:
        yield Found("payout", item.pk, f"{item.run.reference}, {item.creator.reference}", item.get_status_display())


def _named(text: str, key: UUID | None) -> Q:
    return Q(reference__iexact=text) | Q(pk=key) if key else Q(reference__iexact=text)


# ---------------------------------------------------------------- a person's journey

SIGN_INS, ACCOUNT, APPLICATIONS, UPLOADS, PURCHASES, TICKETS, SANCTIONS, PAYOUTS, OTHER = (
    "sign_ins", "account", "applications", "uploads", "purchases", "tickets", "sanctions", "payouts", "other",
)  # fmt: skip
CHAPTERS: dict[str, str | Promise] = {
    SIGN_INS: _("Sign-ins"),
    ACCOUNT: _("Account"),
    APPLICATIONS: _("Applications"),
    UPLOADS: _("Uploads and titles"),
    PURCHASES: _("Purchases and payments"),
    TICKETS: _("Tickets"),
    SANCTIONS: _("Sanctions"),
    PAYOUTS: _("Payouts"),
    OTHER: _("Everything else"),
}
NOUNS = {
    "user": ACCOUNT, "role": ACCOUNT, "session": SIGN_INS, "device": SIGN_INS, "factor_reset": SIGN_INS,
    "staff": ACCOUNT,
    "application": APPLICATIONS, "document": APPLICATIONS,
    "upload": UPLOADS, "asset": UPLOADS, "title": UPLOADS, "case": UPLOADS, "proof": UPLOADS,
    "purchase": PURCHASES, "payment": PURCHASES, "payment_event": PURCHASES,
    "ticket": TICKETS,
    "payout_item": PAYOUTS, "payout_run": PAYOUTS, "payout_account": PAYOUTS, "creator": ACCOUNT,
}  # fmt: skip
# What weighs on a person, whatever noun it is about.
WEIGHTY = (
    "case.reject", "creator.hold_payouts", "creator.reject", "creator.release_payouts", "creator.restore",
    "creator.reverify", "creator.suspend", "payout_item.hold", "payout_item.release", "staff.deactivate",
    "staff.reactivate", "title.reject", "title.restore", "title.take_down", "user.deactivate", "user.reactivate",
    "user.restore", "user.suspend",
)  # fmt: skip


def chapter_of(action: str) -> str:
    """The chapter that an audit action belongs to."""
    return SANCTIONS if action in WEIGHTY else NOUNS.get(action.partition(".")[0], OTHER)


EVENT, ENTRY = 0, 1


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a journey. ``entry`` is its audit row; a sign-in has a security event instead."""

    at: datetime
    chapter: str
    entry: AuditEntry | None = None
    event: SecurityEvent | None = None

    @property
    def order(self) -> tuple[datetime, int, int]:
        """The place in the line of time: by time, then by kind and number."""
        return (self.at, ENTRY, self.entry.pk) if self.entry else (self.at, EVENT, self.event.pk if self.event else 0)


@dataclass(frozen=True, slots=True)
class Follow:
    """What belongs to a person: keys by kind of object. ``cut`` names the kinds of which there were too many."""

    user: User
    creator: Creator | None
    keys: dict[str, list[str]] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)

    def condition(self) -> Q:
        """Audit rows that the person wrote, or that are about something of theirs."""
        found = Q(actor=self.user)
        for kind, keys in self.keys.items():
            found |= Q(subject_type=kind, subject_id__in=keys)
        return found


def follow(user: User) -> Follow:
    """Collects what belongs to the person, the newest thousand of each kind; sixteen statements at most."""
    creator = Creator.objects.filter(user=user).first()
    followed = Follow(user, creator)
    mine: list[QuerySet[Any]] = [
        CreatorApplication.objects.filter(applicant=user),
        VerificationDocument.objects.filter(subject=user),
        Upload.objects.filter(by=user),
        Asset.objects.filter(owner_user=user, parent=None),
        Purchase.objects.filter(buyer=user),
        Payment.objects.filter(user=user),
        Ticket.objects.filter(requester=user),
        PayoutRun.objects.filter(requested_by=user),
    ]
    if creator is not None:
        mine += [
            Title.objects.filter(creator=creator),
            Case.objects.filter(title__creator=creator),
            PayoutItem.objects.filter(creator=creator),
            PayoutAccount.objects.filter(creator=creator),
            TaxProfile.objects.filter(creator=creator),
        ]
        followed.keys[creator._meta.label_lower] = [str(creator.pk)]
    followed.keys[user._meta.label_lower] = [str(user.pk)]
    for rows in mine:
        kind = rows.model._meta
        keys = [str(key) for key in rows.order_by("-pk").values_list("pk", flat=True)[: FOLLOWED + 1]]
        if len(keys) > FOLLOWED:
            followed.cut.append(str(kind.verbose_name_plural))
        if keys:
            followed.keys[kind.label_lower] = keys[:FOLLOWED]
    return followed


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a journey: chapters (none means all) and times, both ends included."""

    chapters: frozenset[str] = frozenset()
    first: datetime | None = None
    last: datetime | None = None

    def plain(self) -> dict[str, Any]:
        """For the record of an export."""
        return {"chapters": sorted(self.chapters), "from": self.first, "to": self.last}


def entries(followed: Follow, span: Span) -> QuerySet[AuditEntry]:
    """The audit rows of the journey, newest first, with their actors."""
    found = AuditEntry.objects.filter(followed.condition()).select_related("actor")
    if span.chapters:
        found = found.filter(_in_chapters(span.chapters))
    if span.first:
        found = found.filter(at__gte=span.first)
    if span.last:
        found = found.filter(at__lte=span.last)
    return found.order_by("-at", "-id")


def events(followed: Follow, span: Span) -> QuerySet[SecurityEvent]:
    """The sign-ins, refusals and factor changes of the journey, newest first."""
    found = SecurityEvent.objects.filter(user=followed.user).select_related("by")
    if span.chapters and SIGN_INS not in span.chapters:
        return found.none()
    if span.first:
        found = found.filter(at__gte=span.first)
    if span.last:
        found = found.filter(at__lte=span.last)
    return found.order_by("-at", "-id")


type Place = tuple[datetime, int, int]


def journey(followed: Follow, span: Span, *, most: int, after: Place | None = None) -> list[Moment]:
    """The newest ``most`` lines of the journey, or the newest after the `Moment.order` of a line; two statements."""
    rows, seen = entries(followed, span), events(followed, span)
    if after is not None:
        at, rank, key = after
        beyond = Q(at__lt=at) | Q(at=at, pk__lt=key)
        rows = rows.filter(beyond if rank == ENTRY else Q(at__lt=at))
        seen = seen.filter(beyond if rank == EVENT else Q(at__lte=at))
    told = (Moment(entry.at, chapter_of(entry.action), entry=entry) for entry in rows[:most])
    came = (Moment(event.at, SIGN_INS, event=event) for event in seen[:most])
    return list(islice(merge(told, came, key=lambda moment: moment.order, reverse=True), most))


def _in_chapters(chapters: Iterable[str]) -> Q:
    wanted = Q(pk=None)
    for chapter in chapters:
        nouns = [noun for noun, belongs in NOUNS.items() if belongs == chapter]
        if chapter == SANCTIONS:
            wanted |= Q(action__in=WEIGHTY)
        elif chapter == OTHER:
            elsewhere = Q(action__in=WEIGHTY)
            for noun in NOUNS:
                elsewhere |= Q(action__startswith=f"{noun}.")
            wanted |= ~elsewhere
        else:
            of_nouns = Q(pk=None)
            for noun in nouns:
                of_nouns |= Q(action__startswith=f"{noun}.")
            wanted |= of_nouns & ~Q(action__in=WEIGHTY)
    return wanted


# ---------------------------------------------------------------- the way of the money


@dataclass(frozen=True, slots=True)
class Step:
    """One step of money: when, what, whose reference, how much (minor units; None where no money moved)."""

    at: datetime
    what: str
    reference: str = ""
    amount_minor: int | None = None
    currency: str = ""
    detail: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class MoneyTrace:
    """Everything about one payment or one payout, and its steps in order of time."""

    payments: list[Payment]
    items: list[PayoutItem]
    earnings: list[Earning]
    allocations: list[Allocation]
    attempts: list[Attempt]
    outcomes: list[EventOutcome]
    fees: list[CommissionLine]
    refunds: list[Refund]
    asked_back: list[RefundRequest]
    entries: list[Entry]
    steps: list[Step]

    def subjects(self) -> dict[str, list[str]]:
        """The objects of the trace by kind, as audit rows name them."""
        kinds: dict[str, list[str]] = {}
        rows: Sequence[Model] = [
            *self.payments,
            *(payment.purchase for payment in self.payments),
            *self.items,
            *(item.run for item in self.items),
            *(item.account for item in self.items),
            *(outcome for outcome in self.outcomes),
        ]
        for row in rows:
            keys = kinds.setdefault(row._meta.label_lower, [])
            if str(row.pk) not in keys:
                keys.append(str(row.pk))
        return kinds


def of_payment(payment: Payment) -> MoneyTrace:
    """From the checkout page to the bank reference of every payout that pays a part of it, given-back ones too."""
    earnings = list(Earning.objects.filter(payment=payment))
    allocations = _allocations(Q(earning__in=earnings)) if earnings else []
    items = list({allocation.item_id: allocation.item for allocation in allocations}.values())
    return _trace([payment], items, earnings, allocations)


def of_payout(item: PayoutItem) -> MoneyTrace:
    """From the bank back to every payment whose earning this payout paid."""
    allocations = _allocations(Q(item=item))
    earnings = [allocation.earning for allocation in allocations]
    payments = list(
        Payment.objects.filter(earning__in=earnings).select_related("purchase__title", "creator").order_by("id")
        if earnings
        else []
    )
    return _trace(payments, [item], earnings, allocations)


def _allocations(condition: Q) -> list[Allocation]:
    return list(
        Allocation.objects.filter(condition)
        .select_related("item__run", "item__account__method", "earning__payment")
        .order_by("id")
    )


def _trace(
    payments: list[Payment], items: list[PayoutItem], earnings: list[Earning], allocations: list[Allocation]
) -> MoneyTrace:
    asked = list(RefundRequest.objects.filter(payment__in=payments).order_by("id")) if payments else []
    called = [row.pk for row in (*payments, *items, *asked)]
    trace = MoneyTrace(
        payments=payments,
        items=items,
        earnings=earnings,
        allocations=allocations,
        attempts=list(Attempt.objects.filter(subject_id__in=called).order_by("first_sent_at", "id")),
        outcomes=list(
            EventOutcome.objects.filter(payment__in=payments).select_related("event").order_by("event__received_at")
        ),
        fees=list(CommissionLine.objects.filter(payment__in=payments).order_by("created_at", "component")),
        refunds=list(
            Refund.objects.filter(payment__in=payments).select_related("reversal").order_by("refunded_at", "id")
        ),
        asked_back=asked,
        entries=list(ledger.of_sources([*payments, *earnings, *items])) if called else [],
        steps=[],
    )
    # Providers tell whole seconds: within one, the order of the money is the better one.
    trace.steps.extend(sorted(_steps(trace), key=lambda step: step.at.replace(microsecond=0)))
    return trace


def _steps(trace: MoneyTrace) -> Iterator[Step]:
    """Every step; made in the order of the money, so that steps of the same moment stay in it."""
    for payment in trace.payments:
        yield Step(payment.created_at, gettext("Checkout"), payment.reference, detail=payment.provider_session_id)
    for attempt in trace.attempts:
        yield Step(
            attempt.first_sent_at,
            gettext("Call to the provider: %(operation)s") % {"operation": attempt.get_operation_display()},
            attempt.provider_id or attempt.key,
            detail=f"{attempt.get_status_display()}{f': {attempt.error}' if attempt.error else ''}",
            tone="danger" if attempt.error else "",
        )
    for outcome in trace.outcomes:
        yield Step(
            outcome.event.received_at,
            gettext("Event of the provider: %(type)s") % {"type": outcome.event.type},
            outcome.event.event_id,
            detail=str(outcome.get_status_display()),
            tone="danger" if outcome.error else "",
        )
    for payment in trace.payments:
        if payment.captured_at:
            yield Step(
                payment.captured_at,
                gettext("The customer paid"),
                payment.provider_payment_id,
                payment.amount_minor,
                payment.currency,
                tone="ok",
            )
    for entry in trace.entries:
        sides = "; ".join(
            f"{posting.account.get_kind_display()} {money.display(posting.amount, posting.currency)}"
            for posting in entry.postings.all()
        )
        yield Step(
            entry.posted_at,
            gettext("Ledger: %(kind)s") % {"kind": entry.get_kind_display()},
            f"#{entry.pk}",
            detail=sides,
        )
    for earning in trace.earnings:
        yield Step(
            earning.created_at, gettext("The creator's part"), str(earning), earning.amount_minor, earning.currency
        )
        if earning.released_at:
            yield Step(
                earning.released_at,
                gettext("Available to the creator"),
                str(earning),
                earning.amount_minor,
                earning.currency,
                tone="ok",
            )
    for request in trace.asked_back:
        yield Step(
            request.created_at,
            gettext("Refund asked for"),
            request.reference,
            request.amount_minor,
            request.currency,
            detail=str(request.get_status_display()),
        )
    for refund in trace.refunds:
        yield Step(
            refund.refunded_at,
            gettext("Refunded"),
            f"#{refund.entry_id}",
            refund.amount_minor,
            refund.currency,
            tone="danger",
        )
        reversal = getattr(refund, "reversal", None)
        if reversal is not None:
            yield Step(
                reversal.reversed_at,
                gettext("Came back from the customer's bank, or counted anew"),
                f"#{reversal.entry_id}",
                refund.amount_minor,
                refund.currency,
                detail=reversal.reason,
                tone="danger",
            )
    for allocation in trace.allocations:
        yield Step(
            allocation.created_at,
            gettext("Put into a payout"),
            allocation.item.run.reference,
            amount_minor=allocation.amount_minor,
            currency=allocation.item.currency,
            detail="" if allocation.live else gettext("given back later"),
            tone="" if allocation.live else "danger",
        )
    for item in trace.items:
        if item.sent_at:
            ids = " → ".join(found for found in (item.transfer_id, item.payout_id) if found)
            yield Step(
                item.sent_at, gettext("Payout sent"), item.run.reference, item.net_minor, item.currency, detail=ids
            )
        if item.failure_code:
            moment = item.sent_at or item.updated_at
            yield Step(
                moment,
                gettext("Payout failed"),
                item.failure_code,
                detail=stored.shown(item.failure_message),
                tone="danger",
            )
        if item.paid_at:
            yield Step(
                item.paid_at,
                gettext("Arrived at the bank"),
                item.bank_reference,
                item.net_minor,
                item.currency,
                tone="ok",
            )
