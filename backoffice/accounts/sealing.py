"""Second-factor secrets at rest: AES-256-GCM under keys that are not in the database (X-019).

Stored form: ``v1.<key's fingerprint>.<base64 of nonce and ciphertext>``. Text without it is refused, so nobody who can
only write to the database can put a secret of their own in somebody's place.
"""

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PREFIX = "v1."
NONCE_BYTES = 12
KEY_BYTES = 32
PURPOSE = b"backlot second-factor secrets"


class Unreadable(RuntimeError):
    """A stored secret cannot be read: it was altered, or its key is gone."""


def keys() -> dict[str, bytes]:
    """Keys by fingerprint, the one that encrypts first.

    Those of ``MFA_ENCRYPTION_KEYS``, then keys derived from ``DOCUMENT_MASTER_KEYS``.
    """
    found: dict[str, bytes] = {}
    for derived, texts in ((False, settings.MFA_ENCRYPTION_KEYS), (True, settings.DOCUMENT_MASTER_KEYS)):
        for text in texts:
            try:
                key = base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ImproperlyConfigured("a key for second-factor secrets is not base64") from error
            if len(key) != KEY_BYTES:
                raise ImproperlyConfigured("a key for second-factor secrets is not 32 bytes long")
            if derived:
                key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(key)
            found[hashlib.sha256(key).hexdigest()[:12]] = key
    if not found:
        raise ImproperlyConfigured("neither MFA_ENCRYPTION_KEYS nor DOCUMENT_MASTER_KEYS is set")
    return found


def is_sealed(text: str) -> bool:
    """Whether the text is in the stored form."""
    return text.startswith(PREFIX) and text.count(".") == 2


def seal(text: str) -> str:
    """Encrypts a secret under the first key."""
    name, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), PURPOSE)
    return f"{PREFIX}{name}.{base64.b64encode(sealed).decode()}"


def open_sealed(text: str) -> str:
    """The secret again. Raises Unreadable."""
    if not is_sealed(text):
        raise Unreadable("a second-factor secret is not encrypted")
    _version, name, body = text.split(".")
    key = keys().get(name)
    if key is None:
        raise Unreadable(f"the key {name} of a second-factor secret is not among the settings")
    try:
        raw = base64.b64decode(body, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], PURPOSE).decode()
    except (binascii.Error, InvalidTag) as error:
        raise Unreadable("a second-factor secret was altered") from error


def is_current(text: str) -> bool:
    """Whether the text is sealed under the key that encrypts now."""
    return is_sealed(text) and text.split(".")[1] == next(iter(keys()))
