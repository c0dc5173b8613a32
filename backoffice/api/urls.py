"""The public API: one module per noun, listed here."""

from importlib import import_module

from django.urls import URLPattern, URLResolver

from backoffice.api import schema  # noqa: F401  registers itself with the schema generator

MODULES: list[str] = [
    "backoffice.api.v1.description",
    "backoffice.api.v1.auth",
    "backoffice.api.v1.users",
    "backoffice.api.v1.applications",
    "backoffice.api.v1.creators",
    "backoffice.api.v1.onboarding",
    "backoffice.api.v1.tax",
    "backoffice.api.v1.uploads",
    "backoffice.api.v1.help",
    "backoffice.api.v1.titles",
    "backoffice.api.v1.creator_titles",
    "backoffice.api.v1.playback",
    "backoffice.api.v1.featured",
    "backoffice.api.v1.purchases",
    "backoffice.api.v1.payouts",
    "backoffice.api.v1.tickets",
    "backoffice.api.webhooks.stripe",
]

urlpatterns: list[URLPattern | URLResolver] = []
for module in MODULES:
    urlpatterns += import_module(module).urlpatterns
