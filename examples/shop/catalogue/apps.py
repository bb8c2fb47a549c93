from importlib import import_module

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = 'catalogue'

    def ready(self):
        import_module('catalogue.signals')
