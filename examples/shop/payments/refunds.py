from django.db import transaction

from orders.models import Order
from orders.signals import order_refunded

from . import network
from .models import Payment, Refund


class RefundError(Exception):
    pass


def refund_order(order_id, by, reason=''):
    """The whole amount back. The network is asked with the row held: two clerks must not refund twice."""
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
        if Order.REFUNDED not in order.next_states:
            raise RefundError('Order %s is %s and cannot be refunded.' % (order.number, order.status))
        if hasattr(order, 'reservation'):
            raise RefundError('Order %s was paid elsewhere; its money is given back there.' % order.number)
        payment = Payment.objects.select_for_update(no_key=True).get(pk=order.payment_id)
        if payment.network_reference.startswith('seed-'):
            raise RefundError('Order %s is sample data; the card network does not know it.' % order.number)
        try:
            reference = network.refund(payment, payment.amount_cents) if payment.amount_cents else 'free'
        except (network.NetworkDown, ValueError) as error:
            raise RefundError(str(error))
        payment.status = Payment.REFUNDED
        payment.save()
        Refund.objects.create(payment=payment, amount_cents=payment.amount_cents, reason=reason, by=by, network_reference=reference)
        order.go(Order.REFUNDED, by)
        order_refunded.send(sender=Order, order=order)
    return order
