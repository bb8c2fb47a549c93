from django.dispatch import receiver

from orders.signals import order_changed

from .mailer import SUBJECTS, notify

CHECKOUT_TELLS = ('paid', 'cancelled', 'refunded')      # whoever takes the money writes to the customer


@receiver(order_changed)
def tell_customer(sender, order, old, new, **kwargs):
    if 'order_' + new in SUBJECTS:
        notify(order.user, 'order_' + new, order, by_mail=not (new in CHECKOUT_TELLS and hasattr(order, 'reservation')))
