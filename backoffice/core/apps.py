from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "backoffice.core"
    label = "core"

    def ready(self) -> None:
        # Whoever asks for work has to know every kind of it, in the web process as well as in a worker.
        autodiscover_modules("tasks")
