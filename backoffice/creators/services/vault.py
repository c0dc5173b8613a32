"""Identity documents at rest: AES-256-GCM under a key per person, wrapped by a master key.

Stored form: one version byte, a 12-byte nonce, ciphertext with its tag. The name of the file is bound in,
so one person's ciphertext cannot be put in the place of another's.
"""

import base64
import binascii
import hashlib
import io
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backoffice.core import clock
from backoffice.core.errors import DomainError
from backoffice.creators.models import DocumentKey
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


def put(*, subject: Any, name: str, content: bytes) -> str:
    """Encrypts `content` under the subject's key and stores it; returns the storage key."""
    sealed = _seal(_key_for(subject), content, name.encode())
    key = f"{DIRECTORY}/{name}"
    storage.private().save(key, io.BytesIO(sealed), content_type="application/octet-stream")
    return key


def get(*, subject: Any, name: str, storage_key: str) -> bytes:
    """The plaintext. Raises Unreadable when the key was destroyed, or file or key were altered."""
    row = DocumentKey.objects.filter(subject=subject).first()
    if row is None or row.wrapped is None:
        raise Unreadable(_("The documents of this person were destroyed."))
    try:
        sealed = b"".join(storage.private().read(storage_key))
    except Missing as error:
        raise Unreadable(_("The file of this document is gone.")) from error
    return _open(_unwrap(row), sealed, name.encode())


def delete(*, storage_key: str) -> None:
    """Removes the file; a file that is gone already is fine, so that a purge may run twice."""
    storage.private().delete(storage_key)


def destroy_key(*, subject: Any) -> bool:
    """Destroys the person's key material: every document becomes unreadable, copies in backups included.

    True when there was a key. For erasure.
    """
    return bool(
        DocumentKey.objects.filter(subject=subject, wrapped__isnull=False).update(
            wrapped=None, destroyed_at=clock.now(), updated_at=clock.now()
        )
    )


def rewrap_all() -> int:
    """Wraps every person's key with the first master key; returns how many were changed. The files stay."""
    keys = masters()
    first = next(iter(keys))
    changed = 0
    for pk in DocumentKey.objects.filter(wrapped__isnull=False).exclude(master=first).values_list("pk", flat=True):
        with transaction.atomic():
            row = DocumentKey.objects.select_for_update().get(pk=pk)
            if row.wrapped is None or row.master == first:
                continue
            row.wrapped, row.master = _seal(keys[first], _unwrap(row), _binding(row)), first
            row.save(update_fields=["wrapped", "master", "updated_at"])
            changed += 1
    return changed


def _key_for(subject: Any) -> bytes:
    row = DocumentKey.objects.filter(subject=subject).first()
    if row is None:
        first, master = next(iter(masters().items()))
        row = DocumentKey(subject=subject, master=first)
        row.wrapped = _seal(master, os.urandom(KEY_BYTES), _binding(row))
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:  # two uploads of one person at once: the first key stands
            row = DocumentKey.objects.get(subject=subject)
    if row.wrapped is None:
        raise Unreadable(_("The documents of this person were destroyed."))
    return _unwrap(row)


def _unwrap(row: DocumentKey) -> bytes:
    master = masters().get(row.master)
    if master is None:
        raise Unreadable(_("The master key of this document is not among the configured ones."))
    return _open(master, bytes(row.wrapped or b""), _binding(row))


def _binding(row: DocumentKey) -> bytes:
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
