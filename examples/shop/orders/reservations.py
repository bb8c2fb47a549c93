"""Orders that another system takes the money for.

reserve, confirm and release are each done once for a key, however often they are asked for and in whatever order they arrive: a release that
overtakes its reserve is remembered, so that the goods are not kept for a checkout that is over.

What may be reserved is a cart, and who asks proves that it is theirs by a ticket that the shop signs for its owner (`hand_over`).
"""
import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction

from accounts.models import Address
from cart.models import Cart
from payments.models import Payment

from .checkout import CheckoutError, place, release as release_order
from .models import Order, Reservation
from .signals import order_paid, order_refunded

TICKET_SECONDS = 3600


class Refused(Exception):
    """No, and asking again does not help; `code` is for the other system."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def hand_over(user, address, note=''):
    """What a checkout elsewhere needs to know about the user's cart."""
    cart = Cart.objects.filter(user=user).first()
    total = cart.totals()['total_cents'] if cart and cart.count() else 0
    if not total:
        raise Refused('cart_empty', 'Your cart is empty.')
    ticket = signing.dumps({'user': user.pk, 'address': address.pk, 'note': note}, salt='reservation')
    return {'order': {'cart': ticket}, 'email': user.email, 'name': user.display_name, 'amount': total, 'currency': settings.CURRENCY}


def ticket_of(wanted):
    try:
        return signing.loads(str(wanted.get('cart', '')), salt='reservation', max_age=TICKET_SECONDS)
    except signing.SignatureExpired:
        raise Refused('ticket_expired', 'This cart was handed over too long ago.')
    except signing.BadSignature:
        raise Refused('ticket', 'This is no ticket of ours.')


def held(key):
    """The row of a key, held until the transaction ends; made if need be."""
    Reservation.objects.get_or_create(key=key)
    return Reservation.objects.select_for_update().get(key=key)


def about(order):
    return {'order': order.number, 'amount': order.total_cents, 'currency': order.currency, 'status': order.status}


@transaction.atomic
def reserve(key, wanted):
    ticket = ticket_of(wanted)
    reservation = held(key)
    if reservation.state == Reservation.RELEASED:
        raise Refused('released', 'This checkout is over.')
    if reservation.order is None:
        user = User.objects.get(pk=ticket['user'])
        address = Address.objects.get(pk=ticket['address'], user=user)
        try:
            reservation.order = place(user, address, note=str(ticket['note'])[:500])
        except CheckoutError as error:
            raise Refused(error.code, error.message)
        reservation.save()
    return about(reservation.order)


@transaction.atomic
def confirm(key, paid):
    reservation = held(key)
    if reservation.order is None or reservation.state == Reservation.RELEASED:
        raise Refused('released', 'There is no such order any more.')
    order = Order.objects.select_for_update(no_key=True, of=('self',)).get(pk=reservation.order_id)
    if reservation.state == Reservation.RESERVED:
        if (paid.get('amount'), str(paid.get('currency')).upper()) != (order.total_cents, order.currency):
            raise Refused('amount', 'This is not what order %s costs.' % order.number)
        order.payment = Payment.objects.create(
            order=order, user=order.user, amount_cents=order.total_cents, currency=order.currency, status=Payment.CAPTURED,
            idempotency_key=uuid.uuid4().hex, network_reference=str(paid.get('payment_intent', ''))[:40])
        order.go(Order.PAID)
        order_paid.send(sender=Order, order=order)
        reservation.state = Reservation.CONFIRMED
        reservation.save()
    return about(order)


@transaction.atomic
def release(key):
    """Also of what was never reserved, and of what was confirmed: then the money has been given back."""
    reservation = held(key)
    if reservation.order and reservation.state != Reservation.RELEASED:
        order = Order.objects.select_for_update(no_key=True, of=('self',)).get(pk=reservation.order_id)
        if reservation.state == Reservation.RESERVED:
            release_order(order, Order.CANCELLED)
            back_into_cart(order)
        elif Order.REFUNDED in order.next_states:
            Payment.objects.filter(pk=order.payment_id).update(status=Payment.REFUNDED)
            order.payment.refresh_from_db()
            order.go(Order.REFUNDED)
            order_refunded.send(sender=Order, order=order)
        else:
            raise Refused('shipped', 'Order %s is %s.' % (order.number, order.status))
    reservation.state = Reservation.RELEASED
    reservation.save()
    return {'released': True}


def back_into_cart(order):
    cart, _ = Cart.objects.get_or_create(user=order.user)
    for line in order.lines.select_related('product'):
        if line.product.active:
            cart.add(line.product, line.quantity)
