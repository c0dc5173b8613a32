"""Settings of the measured processes: the local ones, with the cache in memory and two addresses more."""

from backoffice.settings.local import *  # noqa: F403
from backoffice.settings.local import DATA_DIR, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks"]
STATIC_ROOT = DATA_DIR / "static"
ROOT_URLCONF = "benchmarks.urls"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
