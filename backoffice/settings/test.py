"""Tests: real PostgreSQL, quick hashing, an in-process broker that nobody listens to."""

import os

from backoffice.settings.local import *  # noqa: F403
from backoffice.settings.local import DATA_DIR

DEBUG = False
# Every test process has a database of its own, and so its own anchors.
AUDIT_ANCHOR_DIR = DATA_DIR / "audit-anchors" / str(os.getpid())
SECRET_KEY = "only-for-tests-and-long-enough-to-sign-with"  # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STRIPE_WEBHOOK_SECRET = "whsec_test"  # noqa: S105
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
