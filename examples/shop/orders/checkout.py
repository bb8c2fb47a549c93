"""From a cart to a paid order.

Three steps, because a charge cannot be rolled back:
  place()   one transaction: cart, coupon, stock, order, lines, payment, history, event
  charge    the card network, outside of any transaction (the request waits for it)
  settle()  one transaction: the order becomes paid and stock leaves, or it fails and stock is released
"""
import logging
import uuid

from django.db import transaction
from django.db.models import F

from cart.models import Cart, Coupon
from catalogue.models import Product
from payments import network
from payments.models import Payment
from shop.utils import card_brand, luhn_ok, shipping_for

from .models import Order, OrderLine, StatusChange
from .signals import order_paid, order_placed, order_released

log = logging.getLogger(__name__)


class CheckoutError(Exception):
    """Something the customer can mend; `code` is for the API."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class AlreadyPlaced(Exception):
    """The same request came before."""

    def __init__(self, order):
        super().__init__(order)
        self.order = order


def check_card(card):
    """Number without blanks, or CheckoutError. The full number is never stored or logged."""
    number = ''.join(c for c in str(card.get('number', '')) if c not in ' -')
    if not number.isdigit() or not luhn_ok(number):
        raise CheckoutError('card_number', 'The card number is not valid.')
    return dict(card, number=number)


@transaction.atomic
def place(user, address, card=None, note='', request_key=None, request=None):
    """Without a card somebody else takes the money: see reservations.py."""
    cart = Cart.objects.select_for_update(no_key=True).filter(user=user).first()
    if request_key:
        earlier = Order.objects.filter(user=user, request_key=request_key).first()
        if earlier:
            raise AlreadyPlaced(earlier)
    items = list(cart.items.all()) if cart else []
    if not items:
        raise CheckoutError('cart_empty', 'Your cart is empty.')

    coupon = None
    if cart.coupon_id:
        coupon = Coupon.objects.select_for_update(no_key=True).get(pk=cart.coupon_id)
    ids = [item.product_id for item in items]
    products = {p.pk: p for p in Product.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by('pk')}
    subtotal = 0
    for item in items:
        product = products[item.product_id]
        if not product.active:
            raise CheckoutError('not_for_sale', '%s is no longer for sale.' % product.name)
        if product.available < item.quantity:
            raise CheckoutError('sold_out', 'Only %d of %s left.' % (product.available, product.name))
        subtotal += product.price_cents * item.quantity

    discount = 0
    if coupon:
        why_not = coupon.refusal(subtotal)
        if why_not:
            raise CheckoutError('coupon', why_not)
        discount = coupon.discount(subtotal)
        Coupon.objects.filter(pk=coupon.pk).update(used=F('used') + 1)
    shipping = shipping_for(subtotal - discount)

    order = Order.objects.create(
        user=user, address=address, coupon=coupon, note=note, request_key=request_key or None,
        subtotal_cents=subtotal, discount_cents=discount, shipping_cents=shipping,
        total_cents=subtotal - discount + shipping)
    order.number = 'PA-%07d' % order.pk
    order.payment = new_payment(order, card) if card else None
    order.save()
    for item in items:
        product = products[item.product_id]
        OrderLine.objects.create(order=order, product=product, name=product.name, quantity=item.quantity,
                                 unit_price_cents=product.price_cents)
        product.move('reserve', item.quantity, order)
    StatusChange.objects.create(order=order, new=Order.PLACED, by=user)
    cart.items.all().delete()
    cart.coupon = None
    cart.save()
    order_placed.send(sender=Order, order=order, request=request)
    return order


def new_payment(order, card):
    return Payment.objects.create(
        order=order, user=order.user, amount_cents=order.total_cents, currency=order.currency,
        card_brand=card_brand(card['number']), card_last4=card['number'][-4:], idempotency_key=uuid.uuid4().hex)


def settle(payment, result, by=None):
    """Writes down what the card network said. May be called again: a payment is settled once."""
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=payment.order_id)
        payment = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
        if payment.status != Payment.PENDING:
            return order
        payment.finish(result)
        if order.status != Order.PLACED or order.payment_id != payment.pk:
            give_back(payment)      # expired while the network thought about it
            return order
        if result.ok:
            order.go(Order.PAID, by)
            order_paid.send(sender=Order, order=order)
        else:
            release(order, Order.FAILED, by)
        return order


def give_back(payment):
    if payment.status == Payment.CAPTURED and payment.amount_cents:
        try:
            network.refund(payment, payment.amount_cents)
            payment.status = Payment.REFUNDED
            payment.save()
        except (network.NetworkDown, ValueError) as error:
            log.error('payment %s is captured for a dead order and not refunded: %s', payment.pk, error)


def release(order, new, by=None):
    """To failed or cancelled; stock and coupon become free. The caller holds the order's row."""
    held = order.status == Order.PLACED
    order.go(new, by)
    if held:
        if order.coupon_id:
            Coupon.objects.filter(pk=order.coupon_id, used__gt=0).update(used=F('used') - 1)
        order_released.send(sender=Order, order=order)


def checkout(user, address, card, note='', request_key=None, request=None):
    """The whole way; returns the order, paid or failed. CheckoutError when nothing was placed."""
    card = check_card(card)
    try:
        order = place(user, address, card, note, request_key, request)
    except AlreadyPlaced as earlier:
        return earlier.order
    result = network.charge(order.payment, card)
    return settle(order.payment, result, by=user)


def pay_again(order, card, user):
    """Another card for an order whose first one was declined."""
    card = check_card(card)
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if order.status != Order.FAILED:
            raise CheckoutError('state', 'This order is not waiting for a payment.')
        if order.coupon_id:
            coupon = Coupon.objects.select_for_update(no_key=True).get(pk=order.coupon_id)
            why_not = coupon.refusal(order.subtotal_cents)
            if why_not:
                raise CheckoutError('coupon', why_not)
            Coupon.objects.filter(pk=coupon.pk).update(used=F('used') + 1)
        wanted = {line.product_id: line.quantity for line in order.lines.all()}
        for product in Product.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by('pk'):
            if product.available < wanted[product.pk]:
                raise CheckoutError('sold_out', 'Only %d of %s left.' % (product.available, product.name))
            product.move('reserve', wanted[product.pk], order)
        order.payment = new_payment(order, card)
        order.go(Order.PLACED, user)
    result = network.charge(order.payment, card)
    return settle(order.payment, result, by=user)
