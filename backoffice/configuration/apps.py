from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "backoffice.configuration"
    label = "configuration"
