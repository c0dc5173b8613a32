"""Identity documents at rest: AES-256-GCM under a key per person, wrapped by a master key.

Stored form: one version byte, a 12-byte nonce, ciphertext with its tag. The name of the file is bound in,
so one person's ciphertext cannot be put in the place of another's.
"""

import base64
import binascii
import datetime as dt
import hashlib
import io
import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.core import clock
from backoffice.core.errors import Conflict, DomainError
from backoffice.creators import states
from backoffice.creators.models import DocumentKey, LegalHold
from backoffice.media import storage
from integrations.storage.types import Missing

VERSION = b"\x01"
NONCE_BYTES = 12
KEY_BYTES = 32
DIRECTORY = "documents"


class Unreadable(DomainError):
    """The ciphertext, its key or its master key is gone or was altered."""

    default_code = "document_unreadable"


def masters() -> dict[str, bytes]:
    """Master keys by fingerprint, the one that wraps new keys first.

    `settings.DOCUMENT_MASTER_KEYS` lists base64 of 32 bytes each; older keys stay for reading.
    """
    keys: dict[str, bytes] = {}
    for text in settings.DOCUMENT_MASTER_KEYS:
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured("DOCUMENT_MASTER_KEYS holds something that is not base64") from error
        if len(key) != KEY_BYTES:
            raise ImproperlyConfigured("DOCUMENT_MASTER_KEYS holds a key that is not 32 bytes long")
        keys[hashlib.sha256(key).hexdigest()[:16]] = key
    if not keys:
        raise ImproperlyConfigured("DOCUMENT_MASTER_KEYS is empty")
    return keys


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was encrypted, and the version of the person's key that opens it."""

    content: bytes
    key_version: int


class Held(Conflict):
    """A legal hold keeps what was to be destroyed."""

    default_code = "legal_hold"


def seal(*, subject: Any, name: str, content: bytes) -> Sealed:
    """Encrypts `content` under the subject's newest key, with `name` bound in.

    Runs in the caller's transaction and keeps the key's row locked to its end: the key is not dropped by a rotation
    before the row that needs it is committed.
    """
    row = _key_for(subject)
    version, key = _newest(row)
    return Sealed(_seal(key, content, name.encode()), version)


def unseal(*, subject: Any, name: str, sealed: bytes, key_version: int) -> bytes:
    """The plaintext of `seal`. Raises Unreadable when the key was destroyed, or key or content were altered."""
    row = DocumentKey.objects.filter(subject=subject).first()
    if row is None or row.wrapped is None:
        raise Unreadable(_("The documents of this person were destroyed."))
    return _open(_of_version(row, key_version), sealed, name.encode())


def place(name: str, key_version: int) -> str:
    """Where the content of that name lies when it is encrypted under that version of the key."""
    return f"{DIRECTORY}/{name}" if key_version == 1 else f"{DIRECTORY}/v{key_version}/{name}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a content was stored, and under which version of the person's key."""

    storage_key: str
    key_version: int


def put(*, subject: Any, name: str, content: bytes) -> Place:
    """Encrypts `content` under the subject's key and stores it. Runs in the caller's transaction, see `seal`."""
    sealed = seal(subject=subject, name=name, content=content)
    key = place(name, sealed.key_version)
    _store(key, sealed.content)
    return Place(key, sealed.key_version)


def get(*, subject: Any, name: str, storage_key: str, key_version: int) -> bytes:
    """The plaintext. Raises Unreadable when the key was destroyed, or file or key are gone or were altered."""
    return unseal(subject=subject, name=name, sealed=_load(storage_key), key_version=key_version)


def _store(key: str, sealed: bytes) -> None:
    storage.private().save(key, io.BytesIO(sealed), content_type="application/octet-stream")


def _load(key: str) -> bytes:
    if not key:
        raise Unreadable(_("The file of this document was destroyed."))
    try:
        return b"".join(storage.private().read(key))
    except Missing as error:
        raise Unreadable(_("The file of this document is gone.")) from error


def delete(*, storage_key: str) -> None:
    """Removes the file; a file that is gone already is fine, so that a purge may run twice."""
    storage.private().delete(storage_key)


def delete_all(*, name: str, key_version: int) -> None:
    """Removes the content of that name under every version of the key, one that a rotation has begun included."""
    for version in range(1, key_version + 2):
        delete(storage_key=place(name, version))


def destroy_key(*, subject: Any, because: str = states.KeyEnd.ERASED, at: dt.datetime | None = None) -> bool:
    """Destroys the person's key material: every document becomes unreadable, copies in backups included.

    True when there was a key. Raises Held while a legal hold keeps the person's data. After an erasure there is no
    new key; after the last purge a person who comes back gets one.
    """
    at = at or clock.now()
    with transaction.atomic():
        # A hold that is being placed waits for this lock, and this for it.
        row = DocumentKey.objects.select_for_update().filter(subject=subject).first()
        if LegalHold.objects.active(at).filter(person=subject).exists():
            raise Held(_("A legal hold keeps the documents of this person."))
        if row is None or row.wrapped is None:
            return False
        DocumentKey.objects.filter(pk=row.pk).update(
            wrapped=None, next_wrapped=None, destroyed_at=at, destroyed_because=because, updated_at=at
        )
    return True


def _key_for(subject: Any) -> DocumentKey:
    """The person's key row, locked to the end of the transaction; made when there is none."""
    row = DocumentKey.objects.select_for_update().filter(subject=subject).first()
    if row is None:
        row = _fresh(DocumentKey(subject=subject))
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:  # two uploads of one person at once: the first key stands
            row = DocumentKey.objects.select_for_update().get(subject=subject)
    if row.wrapped is None and row.destroyed_because == states.KeyEnd.PURGED:
        row.version, row.destroyed_at, row.destroyed_because = row.version + 1, None, ""
        _fresh(row).save()
    if row.wrapped is None:
        raise Unreadable(_("The documents of this person were destroyed."))
    return row


def _fresh(row: DocumentKey) -> DocumentKey:
    row.master, master = next(iter(masters().items()))
    row.wrapped = _seal(master, os.urandom(KEY_BYTES), binding(row))
    return row


def _newest(row: DocumentKey) -> tuple[int, bytes]:
    if row.next_wrapped is not None:
        return row.version + 1, unwrap(row, row.next_wrapped)
    return row.version, unwrap(row, row.wrapped)


def _of_version(row: DocumentKey, version: int) -> bytes:
    if version == row.version:
        return unwrap(row, row.wrapped)
    if version == row.version + 1 and row.next_wrapped is not None:
        return unwrap(row, row.next_wrapped)
    raise Unreadable(_("The key of this document was replaced."))


def unwrap(row: DocumentKey, wrapped: bytes | memoryview | None) -> bytes:
    """A data key in the clear. Raises Unreadable when its master key is not configured, or it was altered."""
    master = masters().get(row.master)
    if master is None:
        raise Unreadable(_("The master key of this document is not among the configured ones."))
    return _open(master, bytes(wrapped or b""), binding(row))


def wrap(master: bytes, key: bytes, row: DocumentKey) -> bytes:
    """A data key as it is stored: encrypted under a master key, bound to its person."""
    return _seal(master, key, binding(row))


def binding(row: DocumentKey) -> bytes:
    """What a wrapped key is bound to, so that it does not open in another person's row."""
    return f"document-key:{row.subject_id}".encode()


def _seal(key: bytes, plain: bytes, binding: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plain, binding)


def _open(key: bytes, sealed: bytes, binding: bytes) -> bytes:
    if sealed[:1] != VERSION:
        raise Unreadable(_("The file of this document was altered."))
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], binding)
    except InvalidTag as error:
        raise Unreadable(_("The file of this document was altered.")) from error
