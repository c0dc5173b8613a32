"""The desk's app: it has screens and no models."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    name = "backoffice.desk"
    label = "desk"
    verbose_name = _("Desk")

    def ready(self) -> None:
        # The generic lists register with the site when imported.
        from backoffice.desk import admin, checks  # noqa: F401
