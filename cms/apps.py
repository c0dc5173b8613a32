from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmsConfig(AppConfig):
    name = "cms"
    label = "cms"
    default_auto_field = "django.db.models.BigAutoField"  # the key of Wagtail's own page table
    verbose_name = _("Pages")

    def ready(self) -> None:
        """Connects what listens to Wagtail, and the check of its doors."""
        from cms import doors, receivers  # noqa: F401  models cannot be imported before this moment
