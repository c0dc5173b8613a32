from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "backoffice.accounts"
    label = "accounts"

    def ready(self) -> None:
        from backoffice.accounts import checks  # noqa: F401  system checks register when imported
