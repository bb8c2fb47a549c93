from importlib import import_module

from django.apps import AppConfig


class CartConfig(AppConfig):
    name = 'cart'

    def ready(self):
        import_module('cart.signals')
