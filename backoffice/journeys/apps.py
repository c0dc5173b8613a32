from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "backoffice.journeys"
    label = "journeys"
