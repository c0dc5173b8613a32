from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "backoffice.api"
    label = "api"

    def ready(self) -> None:
        from backoffice.api.webhooks import checks  # noqa: F401  registers itself
