"""What a paid, cancelled or refunded order does to the warehouse."""
from django.conf import settings
from django.dispatch import receiver

from notifications.mailer import warn_staff
from orders.signals import order_paid, order_refunded, order_released

from .models import Product


def locked_products(order):
    """(product, quantity) of each line; rows are taken in the order of their keys, so that two orders never wait for each other."""
    wanted = {}
    for line in order.lines.all():
        wanted[line.product_id] = wanted.get(line.product_id, 0) + line.quantity
    for product in Product.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by('pk'):
        yield product, wanted[product.pk]


@receiver(order_paid)
def ship_stock(sender, order, **kwargs):
    for product, quantity in locked_products(order):
        before = product.on_hand
        product.move('sale', quantity, order)
        if product.on_hand < settings.LOW_STOCK <= before:
            warn_staff('Low stock: %s' % product.name, '%s (%s): %d left.' % (product.name, product.sku, product.on_hand))


@receiver(order_released)
def release_stock(sender, order, **kwargs):
    for product, quantity in locked_products(order):
        product.move('release', quantity, order)


@receiver(order_refunded)
def return_stock(sender, order, **kwargs):
    for product, quantity in locked_products(order):
        product.move('return', quantity, order)
