from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ApprovalsConfig(AppConfig):
    name = "backoffice.approvals"
    label = "approvals"

    def ready(self) -> None:
        # A request is applied by whoever gives the last yes: every process knows every kind.
        autodiscover_modules("approvals")
