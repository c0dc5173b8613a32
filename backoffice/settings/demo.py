"""The demo: a local platform with demo data and one-click sign-in per role."""

from backoffice.settings.local import *  # noqa: F403
from backoffice.settings.local import INSTALLED_APPS

DEMO_MODE = True
DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "deploy.demo"]
