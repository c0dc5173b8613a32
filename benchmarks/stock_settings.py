"""The same process with Django's own admin templates in front of the theme's."""

from pathlib import Path

import django.contrib.admin

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import TEMPLATES

TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(django.contrib.admin.__file__).parent / "templates"]}]
ROOT_URLCONF = "benchmarks.stock_urls"
