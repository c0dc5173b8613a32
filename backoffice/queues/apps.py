from django.apps import AppConfig


class QueuesConfig(AppConfig):
    name = "backoffice.queues"
    label = "queues"
