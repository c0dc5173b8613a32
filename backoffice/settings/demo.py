"""The demo: a local platform with demo data and one-click sign-in per role."""

from backoffice.settings.local import *  # noqa: F403

DEMO_MODE = True
DEBUG = False
