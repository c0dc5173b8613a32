"""Settings of the real processes that these tests start: the local ones, with the broker and data directory given."""

from backoffice.settings.local import *  # noqa: F403

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
