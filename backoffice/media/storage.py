"""The private file storage that the settings choose."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backoffice.core import clock
from integrations.storage.local import LocalStorage
from integrations.storage.s3 import S3Storage
from integrations.storage.tokens import Tokens
from integrations.storage.types import Storage

# Where `urls.py` is mounted.
BASE_URL = "/storage"


def tokens() -> Tokens:
    """Maker and reader of the tokens in links to our own views."""
    return Tokens(str(settings.SECRET_KEY))


def private() -> Storage:
    """The storage named by MEDIA_STORAGE_BACKEND. Raises ImproperlyConfigured for an unknown name."""
    if settings.MEDIA_STORAGE_BACKEND == "s3":
        return _s3(
            settings.AWS_STORAGE_BUCKET_NAME,
            settings.AWS_ACCESS_KEY_ID or "",
            settings.AWS_SECRET_ACCESS_KEY or "",
            settings.AWS_S3_REGION_NAME or "",
            settings.AWS_S3_ENDPOINT_URL or "",
        )
    return local()


def local() -> LocalStorage:
    """The directory storage. Raises ImproperlyConfigured when files are kept elsewhere."""
    if settings.MEDIA_STORAGE_BACKEND != "local":
        raise ImproperlyConfigured(f"MEDIA_STORAGE_BACKEND is {settings.MEDIA_STORAGE_BACKEND}, not local")
    root = Path(settings.STORAGE_DIR)
    return LocalStorage(root, tokens=tokens(), base_url=BASE_URL, clock=lambda: clock.now().timestamp())


def workspace(name: str) -> Path:
    """A directory for the working files of one job; it may hold what a killed run left behind."""
    return Path(settings.STORAGE_DIR) / "work" / name


@lru_cache(maxsize=4)
def _s3(bucket: str, access_key: str, secret_key: str, region: str, endpoint_url: str) -> S3Storage:
    if not bucket:
        raise ImproperlyConfigured("MEDIA_STORAGE_BACKEND is s3, but AWS_STORAGE_BUCKET_NAME is empty")
    return S3Storage(
        bucket=bucket, access_key=access_key, secret_key=secret_key, region=region, endpoint_url=endpoint_url
    )
