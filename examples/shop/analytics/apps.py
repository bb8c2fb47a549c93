from importlib import import_module

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = 'analytics'

    def ready(self):
        import_module('analytics.signals')
