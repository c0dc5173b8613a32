"""Changing the keys of identity documents and tax ids while they are in use.

`rewrap` wraps every person's key under the newest master key; the files stay. `reencrypt` gives every person a new key
and encrypts their contents under it, each read back before the row points to it; the old key goes last. Both go on
where a killed run stopped.
"""

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from backoffice.audit import entries
from backoffice.core import clock
from backoffice.creators import states
from backoffice.creators.models import DocumentKey, KeyRotation, TaxProfile, VerificationDocument
from backoffice.creators.services import documents, vault
from backoffice.creators.services.vault import Unreadable

# done, of how many
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Outcome:
    """How a run ended. `resumed`: it went on with one that had been cut off; `failed`: keys that did not open."""

    keys: int = 0
    contents: int = 0
    resumed: bool = False
    failed: dict[str, str] = field(default_factory=dict)


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def by_master() -> dict[str, int]:
    """How many persons' keys each master key (by fingerprint) wraps."""
    rows = DocumentKey.objects.filter(wrapped__isnull=False).values_list("master", flat=True)
    return dict(Counter(rows.iterator()))


def unknown_masters() -> dict[str, int]:
    """Master keys that wrap somebody's key and are not configured: fingerprint and number of keys."""
    known = vault.masters()
    return {master: count for master, count in by_master().items() if master not in known}


def unneeded_masters() -> list[str]:
    """Configured master keys that wrap nothing any more and do not wrap new keys: these can be taken away."""
    used = by_master()
    return [name for number, name in enumerate(vault.masters()) if number and name not in used]


def rewrap(*, on_progress: Progress = _silent) -> Outcome:
    """Wraps every person's key under the first master key. Safe beside reading, uploading and a second run."""
    first = next(iter(vault.masters()))
    run, resumed = _run(KeyRotation.Kind.REWRAP, first)
    return _each(
        run,
        DocumentKey.objects.filter(wrapped__isnull=False).exclude(master=first),
        _rewrap_one,
        Outcome(resumed=resumed),
        on_progress,
    )


def reencrypt(*, on_progress: Progress = _silent) -> Outcome:
    """Gives every person a new key and encrypts their documents and tax ids under it.

    A content is read back and compared before its row changes. Safe beside reading, uploading, purging and a second
    run.
    """
    first = next(iter(vault.masters()))
    run, resumed = _run(KeyRotation.Kind.REENCRYPT, first)
    due = DocumentKey.objects.filter(Q(renewed_at__isnull=True) | Q(renewed_at__lt=run.started_at)).filter(
        wrapped__isnull=False, created_at__lt=run.started_at
    )
    return _each(run, due, _reencrypt_one, Outcome(resumed=resumed), on_progress)


def check(*, on_progress: Progress = _silent) -> Outcome:
    """Opens every key and every content and changes nothing; looks at contents are not audited, nobody sees them."""
    outcome = Outcome()
    ids = list(DocumentKey.objects.filter(wrapped__isnull=False).order_by("pk").values_list("pk", flat=True))
    on_progress(0, len(ids))
    for number, pk in enumerate(ids, start=1):
        row = DocumentKey.objects.select_related("subject").get(pk=pk)
        try:
            vault.unwrap(row, row.wrapped)
            outcome.keys += 1
        except Unreadable as error:
            outcome.failed[str(pk)] = str(error)
            continue
        _check_contents(row.subject, outcome)
        on_progress(number, len(ids))
    return outcome


def _check_contents(subject: Any, outcome: Outcome) -> None:
    papers = VerificationDocument.objects.filter(subject=subject).exclude(status=states.DocumentStatus.PURGED)
    for paper in papers:
        _opens(str(paper.pk), outcome, partial(documents.read, document=paper))
    for profile in TaxProfile.objects.filter(creator__user=subject, sealed_id__isnull=False):
        opening = partial(
            vault.unseal,
            subject=subject,
            name=str(profile.pk),
            sealed=bytes(profile.sealed_id or b""),
            key_version=profile.key_version,
        )
        _opens(str(profile.pk), outcome, opening)


def _opens(name: str, outcome: Outcome, opening: Callable[[], bytes]) -> None:
    try:
        opening()
        outcome.contents += 1
    except Unreadable as error:
        outcome.failed[name] = str(error)


def _run(kind: str, master: str) -> tuple[KeyRotation, bool]:
    """The unfinished run of this kind, or a new one; True when it is gone on with."""
    found = KeyRotation.objects.filter(kind=kind, finished_at__isnull=True).first()
    if found is not None:
        return found, True
    at = clock.now()
    try:
        with transaction.atomic():
            run = KeyRotation.objects.create(kind=kind, master=master, started_at=at, created_at=at)
            entries.record(action="document_keys.begin", by=None, subject=run, data={"kind": kind}, at=at)
    except IntegrityError:  # a second run began at the same moment
        return KeyRotation.objects.get(kind=kind, finished_at__isnull=True), True
    return run, False


def _each(
    run: KeyRotation,
    due: QuerySet[DocumentKey],
    work: Callable[[UUID, dt.datetime], int],
    outcome: Outcome,
    on_progress: Progress,
) -> Outcome:
    ids = list(due.order_by("pk").values_list("pk", flat=True))
    on_progress(0, len(ids))
    for number, pk in enumerate(ids, start=1):
        try:
            outcome.contents += work(pk, run.started_at)
            outcome.keys += 1
        except Unreadable as error:  # one damaged key must not keep the others on the old one
            outcome.failed[str(pk)] = str(error)
        on_progress(number, len(ids))
    if outcome.failed:
        return outcome
    at = clock.now()
    with transaction.atomic():
        ended = KeyRotation.objects.filter(pk=run.pk, finished_at__isnull=True).update(
            finished_at=at, keys=outcome.keys, updated_at=at
        )
        if ended:  # of two runs side by side only one says so
            data = {"kind": run.kind, "keys": outcome.keys, "contents": outcome.contents}
            entries.record(action="document_keys.finish", by=None, subject=run, data=data, at=at)
    return outcome


def _rewrap_one(pk: UUID, _run_at: dt.datetime) -> int:
    with transaction.atomic():
        _rewrap(DocumentKey.objects.select_for_update().get(pk=pk))
    return 0


def _rewrap(row: DocumentKey) -> None:
    first, master = next(iter(vault.masters().items()))
    if row.wrapped is None or row.master == first:
        return
    wrapped = vault.wrap(master, vault.unwrap(row, row.wrapped), row)
    following = None
    if row.next_wrapped is not None:
        following = vault.wrap(master, vault.unwrap(row, row.next_wrapped), row)
    row.wrapped, row.next_wrapped, row.master = wrapped, following, first
    row.save(update_fields=["wrapped", "next_wrapped", "master", "updated_at"])


def _reencrypt_one(pk: UUID, run_at: dt.datetime) -> int:
    """One person, in steps that each commit; returns how many contents were moved."""
    with transaction.atomic():
        row = DocumentKey.objects.select_for_update().get(pk=pk)
        if row.wrapped is None or (row.renewed_at is not None and row.renewed_at >= run_at):
            return 0
        _rewrap(row)
        vault.unwrap(row, row.wrapped)
        if row.next_wrapped is None:
            master = vault.masters()[row.master]
            row.next_wrapped = vault.wrap(master, os.urandom(vault.KEY_BYTES), row)
            row.save(update_fields=["next_wrapped", "updated_at"])
        subject, old = row.subject, row.version
    moved = 0
    while not _drop_old(pk, old):
        for document_pk in _documents(subject, old):
            moved += _move_document(pk, document_pk, old)
        for profile_pk in _profiles(subject, old):
            moved += _move_tax_id(pk, profile_pk, old)
    return moved


def _documents(subject: Any, version: int) -> list[UUID]:
    """Documents of a person that are encrypted under this version."""
    held = VerificationDocument.objects.filter(subject=subject, key_version=version)
    return list(held.exclude(status=states.DocumentStatus.PURGED).values_list("pk", flat=True))


def _profiles(subject: Any, version: int) -> list[UUID]:
    sealed = TaxProfile.objects.filter(creator__user=subject, key_version=version, sealed_id__isnull=False)
    return list(sealed.values_list("pk", flat=True))


def _locked(pk: UUID, old: int) -> DocumentKey | None:
    """The key row under lock, while the change from `old` is under way; None when somebody else ended it."""
    row = DocumentKey.objects.select_for_update().get(pk=pk)
    return row if row.wrapped is not None and row.version == old and row.next_wrapped is not None else None


def _move_document(pk: UUID, document_pk: UUID, old: int) -> int:
    with transaction.atomic():
        row = _locked(pk, old)
        document = VerificationDocument.objects.select_for_update().get(pk=document_pk)
        if row is None or document.status == states.DocumentStatus.PURGED or document.key_version != old:
            return 0
        name = str(document.pk)
        content = vault.get(subject=row.subject, name=name, storage_key=document.storage_key, key_version=old)
        stored = vault.put(subject=row.subject, name=name, content=content)
        back = vault.get(subject=row.subject, name=name, storage_key=stored.storage_key, key_version=stored.key_version)
        if back != content:
            raise Unreadable(_("What was stored does not read back as it was."))
        VerificationDocument.objects.filter(pk=document.pk).update(
            storage_key=stored.storage_key, key_version=stored.key_version, updated_at=clock.now()
        )
    return 1


def _move_tax_id(pk: UUID, profile_pk: UUID, old: int) -> int:
    with transaction.atomic():
        row = _locked(pk, old)
        profile = TaxProfile.objects.select_for_update().get(pk=profile_pk)
        if row is None or profile.sealed_id is None or profile.key_version != old:
            return 0
        name = str(profile.pk)
        content = vault.unseal(
            subject=row.subject, name=name, sealed=bytes(profile.sealed_id), key_version=profile.key_version
        )
        sealed = vault.seal(subject=row.subject, name=name, content=content)
        TaxProfile.objects.filter(pk=profile.pk).update(
            sealed_id=sealed.content, key_version=sealed.key_version, updated_at=clock.now()
        )
    return 1


def _drop_old(pk: UUID, old: int) -> bool:
    """Removes the old files and the old key once nothing needs them. False while something still does."""
    with transaction.atomic():
        row = _locked(pk, old)
        if row is None:
            return True
        if _documents(row.subject, old) or _profiles(row.subject, old):
            return False
        # A run that was killed between the move of a row and here left the old file.
        moved = VerificationDocument.objects.filter(subject=row.subject, key_version=old + 1)
        for name in moved.values_list("pk", flat=True):
            vault.delete(storage_key=vault.place(str(name), old))
        row.version, row.wrapped, row.next_wrapped, row.renewed_at = old + 1, row.next_wrapped, None, clock.now()
        row.save(update_fields=["version", "wrapped", "next_wrapped", "renewed_at", "updated_at"])
    return True
