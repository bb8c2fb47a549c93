from django.dispatch import receiver

from orders.signals import order_changed

from .mailer import SUBJECTS, notify


@receiver(order_changed)
def tell_customer(sender, order, old, new, **kwargs):
    if 'order_' + new in SUBJECTS:
        notify(order.user, 'order_' + new, order)
