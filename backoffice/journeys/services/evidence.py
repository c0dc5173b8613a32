"""The evidence bundle of an investigation: a signed archive of what is on record, made by a job (W-031, X-037).

Documents of applicants are never in it, nor anything else that is not on the investigation's own pages.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from backoffice.accounts import permissions
from backoffice.accounts.models import User
from backoffice.audit import anchors, chain, entries, exports
from backoffice.audit.models import AuditEntry, ExportRecord
from backoffice.configuration import values
from backoffice.core import clock, jobs
from backoffice.core.errors import Conflict, Forbidden, Invalid, NotFound
from backoffice.core.money import api_amount
from backoffice.core.tables import Row
from backoffice.finance.models import Payment, PayoutItem
from backoffice.journeys.queries import investigations
from backoffice.journeys.queries.investigations import MoneyTrace, Span
from backoffice.journeys.services.bundles import Bundle, TooLarge
from backoffice.media import storage
from backoffice.support.models import Ticket

MAKE = "journeys.make_evidence"
EXPORT = "audit.export"
DATASET = "evidence"
MIB = 1 << 20
CHUNK = 2000
LINK_SECONDS = 300

type Tell = Callable[[int, int, str], None]

KINDS: dict[str, QuerySet[Any]] = {
    "person": User.objects.all(),
    "payment": Payment.objects.select_related("purchase__title", "creator"),
    "payout": PayoutItem.objects.select_related("run", "account__method", "creator"),
}

README = """What this archive is

  manifest.json            what it is about, who asked for it and why, and every file with its SHA-256
  manifest.signature.json  an Ed25519 signature of manifest.json by this platform
  audit.jsonl              every audit row of the case, one per line, with its place in the chain
  anchors.jsonl            what was written outside the database about the head of the chain at the time

How to check a row of audit.jsonl

  SHA-256 of  previous_hash + line break + position + line break + content  is  hash.
  previous_hash is the hash of the row at the position before. An anchor is the hash at its position at its time;
  it is signed, and names the signature of the anchor before it. `manage.py verify_audit` checks all rows together.
"""


def ask(*, kind: str, key: UUID | str, span: Span, by: User, reason: str, at: datetime | None = None) -> ExportRecord:
    """Puts the bundle on record and asks for its making. ``kind`` is person, payment or payout.

    Forbidden without ``audit.export``, NotFound for an unknown key, Invalid without a reason.
    """
    permissions.require(by, EXPORT)
    at = at or clock.now()
    with transaction.atomic():
        made = exports.record(
            dataset=DATASET,
            by=by,
            format=ExportRecord.Format.ZIP,
            reason=reason,
            filters={"about": kind, **span.plain()},
            subject=_subject(kind, key),
            at=at,
        )
        job = jobs.enqueue(MAKE, {"export_id": str(made.pk)}, key=str(made.pk), by=by)
        ExportRecord.objects.filter(pk=made.pk).update(job=job)
        made.job = job
    return made


def make(*, made: ExportRecord, tell: Tell, at: datetime | None = None) -> None:
    """Writes the archive and keeps it for ``export.keep_hours``. Safe to run again. Raises TooLarge."""
    if made.finished_at is not None:
        return
    at = at or clock.now()
    chain.seal()
    anchors.write(at=at)
    subject = _subject(made.filters["about"], made.subject_id)
    key = f"exports/{made.pk}.zip"
    with tempfile.TemporaryFile(prefix="backlot-evidence-") as file, translation.override(made.user.language):
        with Bundle(file, at, values.get("export.max_mebibytes") * MIB) as bundle:
            with bundle.open("README.txt") as write:
                write(README)
            span = _span(made.filters)
            contents = _person if isinstance(subject, User) else _money
            rows = contents(bundle, subject, span, tell)
            bundle.close({**_about(made, at), "audit_rows": rows})
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        storage.private().save(key, file, content_type="application/zip")
    with transaction.atomic():
        ExportRecord.objects.filter(pk=made.pk, finished_at=None).update(
            rows=rows,
            bytes=size,
            digest=digest,
            storage_key=key,
            finished_at=at,
            expires_at=at + timedelta(hours=values.get("export.keep_hours")),
            updated_at=at,
        )
        entries.record(
            action="evidence.make",
            by=None,
            subject=made,
            data={"rows": rows, "bytes": size, "sha256": digest},
            at=at,
        )


def link(*, made: ExportRecord, by: User, at: datetime | None = None) -> str:
    """A link of five minutes to the archive, for the person who asked for it; every one is on record.

    Forbidden for anybody else, Conflict while the archive is not ready or when its time is over.
    """
    permissions.require(by, EXPORT)
    at = at or clock.now()
    if made.user_id != by.pk:
        raise Forbidden(_("Only the person who asked for this bundle may take it."))
    if not made.storage_key:
        raise Conflict(_("This bundle is not ready."))
    if made.purged_at is not None or made.expires_at is None or made.expires_at <= at:
        raise Conflict(_("This bundle was kept for a while and is destroyed. Ask for it again."))
    with transaction.atomic():
        entries.record(action="evidence.download", by=by, subject=made, data={"sha256": made.digest}, at=at)
    return storage.private().url(
        made.storage_key,
        seconds=LINK_SECONDS,
        filename=f"{made.reference}.zip",
        content_type="application/zip",
        inline=False,
    )


def purge_due(*, at: datetime | None = None) -> int:
    """Destroys the kept files whose time is over; returns how many."""
    at = at or clock.now()
    due = ExportRecord.objects.filter(expires_at__lte=at, purged_at=None).exclude(storage_key="")
    count = 0
    for made in due.order_by("expires_at")[:500]:
        storage.private().delete(made.storage_key)
        with transaction.atomic():
            if ExportRecord.objects.filter(pk=made.pk, purged_at=None).update(purged_at=at, updated_at=at):
                entries.record(action="evidence.purge", by=None, subject=made, at=at)
                count += 1
    return count


def _subject(kind: str, key: UUID | str) -> Model:
    if kind not in KINDS:
        raise Invalid(_("There is nothing of this kind to investigate."), field="kind")
    found: Model | None = KINDS[kind].filter(pk=key).first()
    if found is None:
        raise NotFound(_("There is nothing with this key."))
    return found


def _span(filters: Mapping[str, Any]) -> Span:
    first, last = filters.get("from"), filters.get("to")
    return Span(
        chapters=frozenset(filters.get("chapters", ())),
        first=parse_datetime(first) if first else None,
        last=parse_datetime(last) if last else None,
    )


def _about(made: ExportRecord, at: datetime) -> dict[str, Any]:
    return {
        "export": made.reference,
        "about": {"kind": made.subject_type, "key": made.subject_id, "label": made.subject_label},
        "filter": made.filters,
        "asked_by": str(made.user),
        "asked_at": made.created_at.isoformat(),
        "reason": made.reason,
        "made_at": at.isoformat(),
    }


def _person(bundle: Bundle, user: Any, span: Span, tell: Tell) -> int:
    followed = investigations.follow(user)
    creator = followed.creator
    bundle.json(
        "person.json",
        {
            "reference": str(user) if not user.is_staff else str(user.pk),
            "name": user.display_name,
            "email": user.email,
            "language": user.language,
            "country": user.country,
            "joined": user.date_joined.isoformat(),
            "active": user.is_active,
            "staff": user.is_staff,
            "objects": {kind: len(keys) for kind, keys in followed.keys.items()},
            "only_the_newest_of": followed.cut,
            "creator": {
                "reference": creator.reference,
                "stage_name": creator.stage_name,
                "verification": creator.verification_status,
                "active": creator.is_active,
                "payout_hold": creator.payout_hold_reason if creator.payout_hold else None,
            }
            if creator
            else None,
        },
    )
    bundle.csv(
        "sign-ins.csv",
        ("at", "what", "address", "country", "browser", "by"),
        (
            (event.at.isoformat(), event.kind, event.ip, event.country, event.user_agent, _who(event.by))
            for event in investigations.events(followed, span).iterator(chunk_size=CHUNK)
        ),
    )
    bundle.csv(
        "payments.csv",
        ("reference", "created", "captured", "status", "amount", "refunded", "currency", "provider's payment"),
        (
            (
                payment.reference,
                payment.created_at.isoformat(),
                payment.captured_at.isoformat() if payment.captured_at else "",
                payment.status,
                api_amount(payment.amount_minor, payment.currency),
                api_amount(payment.refunded_minor, payment.currency),
                payment.currency,
                payment.provider_payment_id,
            )
            for payment in Payment.objects.filter(user=user).order_by("id").iterator(chunk_size=CHUNK)
        ),
    )
    paid = PayoutItem.objects.filter(creator=creator) if creator else PayoutItem.objects.none()
    bundle.csv(
        "payouts.csv",
        ("run", "created", "status", "net", "currency", "transfer", "payout", "bank reference", "paid"),
        (
            (
                item.run.reference,
                item.created_at.isoformat(),
                item.status,
                api_amount(item.net_minor, item.currency),
                item.currency,
                item.transfer_id,
                item.payout_id,
                item.bank_reference,
                item.paid_at.isoformat() if item.paid_at else "",
            )
            for item in paid.select_related("run").order_by("id").iterator(chunk_size=CHUNK)
        ),
    )
    bundle.csv(
        "tickets.csv",
        ("reference", "opened", "about", "subject", "status"),
        (
            (ticket.reference, ticket.created_at.isoformat(), ticket.issue_type, ticket.subject, ticket.status)
            for ticket in Ticket.objects.filter(requester=user).order_by("id").iterator(chunk_size=CHUNK)
        ),
    )
    return _audit(bundle, investigations.entries(followed, span), tell)


def _money(bundle: Bundle, subject: Any, span: Span, tell: Tell) -> int:
    of = investigations.of_payment if isinstance(subject, Payment) else investigations.of_payout
    trace: MoneyTrace = of(subject)
    bundle.csv("steps.csv", ("at", "what", "reference", "amount", "currency", "detail"), _step_rows(trace))
    bundle.json(
        "trace.json",
        {
            "payments": [
                {
                    "reference": payment.reference,
                    "status": payment.status,
                    "amount": api_amount(payment.amount_minor, payment.currency),
                    "currency": payment.currency,
                    "provider": payment.provider,
                    "session": payment.provider_session_id,
                    "provider_payment": payment.provider_payment_id,
                    "purchase": payment.purchase.reference,
                    "title": payment.purchase.title.title,
                    "creator": payment.creator.reference if payment.creator else None,
                }
                for payment in trace.payments
            ],
            "payouts": [
                {
                    "run": item.run.reference,
                    "status": item.status,
                    "net": api_amount(item.net_minor, item.currency),
                    "currency": item.currency,
                    "account": item.account_snapshot,
                    "transfer": item.transfer_id,
                    "payout": item.payout_id,
                    "bank_reference": item.bank_reference,
                }
                for item in trace.items
            ],
            "fees": [
                {
                    "component": line.component,
                    "base": api_amount(line.base_minor, line.currency),
                    "amount": api_amount(line.amount_minor, line.currency),
                    "currency": line.currency,
                    "why": line.trace,
                }
                for line in trace.fees
            ],
        },
    )
    bundle.csv(
        "ledger.csv",
        ("entry", "posted", "effective", "kind", "account", "amount", "currency", "key"),
        (
            (
                entry.pk,
                entry.posted_at.isoformat(),
                entry.effective_date,
                entry.kind,
                str(posting.account),
                api_amount(posting.amount, posting.currency),
                posting.currency,
                entry.key,
            )
            for entry in trace.entries
            for posting in entry.postings.all()
        ),
    )
    about = Q(pk=None)
    for kind, keys in trace.subjects().items():
        about |= Q(subject_type=kind, subject_id__in=keys)
    found = AuditEntry.objects.filter(about).order_by("-at", "-id")
    if span.first:
        found = found.filter(at__gte=span.first)
    if span.last:
        found = found.filter(at__lte=span.last)
    return _audit(bundle, found, tell)


def _step_rows(trace: MoneyTrace) -> Iterator[Row]:
    for step in trace.steps:
        amount = api_amount(step.amount_minor, step.currency) if step.amount_minor is not None else ""
        yield (step.at.isoformat(), step.what, step.reference, amount, step.currency, step.detail)


def _audit(bundle: Bundle, found: QuerySet[AuditEntry], tell: Tell) -> int:
    """The audit rows for people (journey.csv) and with their proof (audit.jsonl, anchors.jsonl), oldest first."""
    total = found.count()
    most = values.get("export.max_rows")
    if total > most:
        raise TooLarge(
            _("These are %(total)d audit rows; a bundle holds %(most)d. Choose a shorter time or fewer chapters.")
            % {"total": total, "most": most}
        )
    rows = found.order_by("id").select_related("actor", "link")
    first, last = 0, 0
    with bundle.open("audit.jsonl") as write:
        for number, entry in enumerate(rows.iterator(chunk_size=CHUNK), start=1):
            sealed = getattr(entry, "link", None)
            proof: dict[str, Any] = {"position": None, "previous_hash": None, "hash": None}
            if sealed is not None:
                proof = {"position": sealed.position, "previous_hash": sealed.previous_hash, "hash": sealed.hash}
                first, last = min(first or sealed.position, sealed.position), max(last, sealed.position)
            write(json.dumps({**proof, "content": chain.content(entry)}, ensure_ascii=False) + "\n")
            if number % CHUNK == 0:
                tell(number, total, _("Audit rows"))
    bundle.csv(
        "journey.csv",
        ("at", "chapter", "action", "person", "kind", "object", "reason", "address"),
        _journey_rows(rows.iterator(chunk_size=CHUNK)),
    )
    with bundle.open("anchors.jsonl") as write:
        for anchor in anchors.covering(first, last) if last else ():
            write(anchor.line() + "\n")
    tell(total, total, _("Audit rows"))
    return total


def _journey_rows(rows: Iterable[AuditEntry]) -> Iterator[Row]:
    for entry in rows:
        yield (
            entry.at.isoformat(),
            investigations.chapter_of(entry.action),
            entry.action,
            _who(entry.actor),
            entry.subject_type,
            entry.subject_label or entry.subject_id,
            entry.reason,
            entry.ip,
        )


def _who(user: User | None) -> str:
    return str(user) if user is not None else ""
