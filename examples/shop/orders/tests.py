import datetime
import io

from django.core import mail
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from analytics.models import DailySales, Event
from cart.models import Coupon
from catalogue.models import Product
from payments.models import Payment
from shop.test_case import CARD, DECLINED, PaidTestCase, ShopTestCase

from . import reservations
from .checkout import CheckoutError, checkout, pay_again, place
from .models import Order, Reservation


def place_order(test, quantity=1):
    test.fill_cart(quantity)
    return place(test.user, test.address, CARD)


class Placing(ShopTestCase):
    def test_tables(self):
        order = place_order(self, 2)
        self.product.refresh_from_db()
        self.assertEqual((self.product.on_hand, self.product.reserved, self.product.available), (10, 2, 8))
        self.assertEqual((order.total_cents, order.payment.amount_cents, order.payment.status), (5000, 5000, Payment.PENDING))
        self.assertEqual(order.lines.get().unit_price_cents, 2500)
        self.assertEqual(order.movements.get().kind, 'reserve')
        self.assertEqual(self.user.cart.count(), 0)
        self.assertEqual(Event.objects.get(kind='order_placed').order, order)

    def test_all_or_nothing(self):
        self.fill_cart(11)
        with self.assertRaisesMessage(CheckoutError, 'Only 10 of Oak stool left'):
            place(self.user, self.address, CARD)
        self.assertEqual((Order.objects.count(), Payment.objects.count(), self.user.cart.count()), (0, 0, 11))

    def test_empty_and_gone(self):
        with self.assertRaisesMessage(CheckoutError, 'empty'):
            place(self.user, self.address, CARD)
        self.fill_cart()
        Product.objects.update(active=False)
        with self.assertRaisesMessage(CheckoutError, 'no longer for sale'):
            place(self.user, self.address, CARD)


class Paying(PaidTestCase):
    def buy(self, card=CARD, quantity=1, **more):
        self.fill_cart(quantity)
        with self.captureOnCommitCallbacks(execute=True):
            return checkout(self.user, self.address, card, **more)

    def books(self):
        out = io.StringIO()
        call_command('check_books', stdout=out)
        return out.getvalue()

    def test_paid(self):
        order = self.buy(quantity=2)
        self.product.refresh_from_db()
        self.assertEqual((order.status, self.product.on_hand, self.product.reserved), (Order.PAID, 8, 0))
        self.assertEqual([letter.subject for letter in mail.outbox], ['Order %s: thank you' % order.number])
        self.assertEqual((DailySales.objects.get().orders, DailySales.objects.get().revenue_cents), (1, 5000))
        self.assertIn('0 wrong', self.books())

    def test_declined_then_another_card(self):
        coupon = Coupon.objects.create(code='TEN', percent_off=10)
        cart = self.fill_cart()
        cart.coupon = coupon
        cart.save()
        order = checkout(self.user, self.address, DECLINED)
        coupon.refresh_from_db()
        self.assertEqual((order.status, order.payment.error_code, coupon.used), (Order.FAILED, 'card_declined', 0))
        self.assertIn('0 wrong', self.books())
        order = pay_again(order, CARD, self.user)
        coupon.refresh_from_db()
        self.assertEqual((order.status, order.payments.count(), coupon.used), (Order.PAID, 2, 1))
        self.assertIn('0 wrong', self.books())

    def test_low_stock_is_told_to_staff(self):
        with self.settings(MANAGERS=[('boss', 'boss@tests.example')]):
            self.buy(quantity=7)
        self.assertIn('Low stock: Oak stool', mail.outbox[0].subject + mail.outbox[1].subject)

    def test_same_key_same_order(self):
        first = self.buy(request_key='k')
        self.assertEqual(self.buy(request_key='k'), first)

    def test_network_down(self):
        with self.settings(CARDS_URL='http://127.0.0.1:1'), self.assertLogs('payments.network', 'WARNING'):
            order = self.buy()
        self.assertEqual((order.status, order.payment.error_code), (Order.FAILED, 'network_down'))
        self.assertIn('0 wrong', self.books())

    def test_expire(self):
        order = place_order(self)
        Order.objects.update(updated_at=timezone.now() - datetime.timedelta(hours=1))
        call_command('expire_orders', stdout=io.StringIO())
        order.refresh_from_db()
        self.assertEqual((order.status, order.payment.status), (Order.FAILED, Payment.FAILED))
        self.assertIn('0 wrong', self.books())

    def test_wait(self):
        order = self.buy()
        self.client.force_login(self.user)
        answer = self.client.get('/api/v1/orders/%d/wait?since=1' % order.pk).json()
        self.assertEqual((answer['changed'], answer['status'], answer['version']), (True, 'paid', 2))
        self.assertFalse(self.client.get('/api/v1/orders/%d/wait?timeout=0' % order.pk).json()['changed'])


class Reserving(ShopTestCase):
    KEY = 'co_1'

    def wanted(self, quantity=2):
        self.fill_cart(quantity)
        return reservations.hand_over(self.user, self.address)['order']

    def stock(self):
        self.product.refresh_from_db()
        return self.product.on_hand, self.product.reserved

    def paid(self, **other):
        return dict({'payment_intent': 'pi_1', 'amount': 5000, 'currency': 'eur'}, **other)

    def books(self):
        out = io.StringIO()
        call_command('check_books', stdout=out)
        return out.getvalue()

    def test_each_is_done_once(self):
        wanted = self.wanted()
        first = reservations.reserve(self.KEY, wanted)
        self.assertEqual(reservations.reserve(self.KEY, wanted), first)
        self.assertEqual((first['amount'], first['currency'], self.stock(), self.user.cart.count()), (5000, 'EUR', (10, 2), 0))
        with self.captureOnCommitCallbacks(execute=True):
            self.assertEqual(reservations.confirm(self.KEY, self.paid())['status'], Order.PAID)
            self.assertEqual(reservations.confirm(self.KEY, self.paid())['status'], Order.PAID)
        self.assertEqual((self.stock(), DailySales.objects.get().orders), ((8, 0), 1))
        self.assertEqual(mail.outbox, [])               # who takes the money tells the customer
        self.assertIn('0 wrong', self.books())

    def test_release_gives_everything_back(self):
        wanted = self.wanted()
        reservations.reserve(self.KEY, wanted)
        reservations.release(self.KEY)
        reservations.release(self.KEY)
        self.assertEqual((self.stock(), self.user.cart.count(), Order.objects.get().status), ((10, 0), 2, Order.CANCELLED))
        for act in (lambda: reservations.reserve(self.KEY, wanted), lambda: reservations.confirm(self.KEY, self.paid())):
            with self.assertRaises(reservations.Refused) as no:
                act()
            self.assertEqual(no.exception.code, 'released')
        self.assertIn('0 wrong', self.books())

    def test_a_release_that_comes_first_is_remembered(self):
        wanted = self.wanted()
        reservations.release(self.KEY)
        with self.assertRaises(reservations.Refused):
            reservations.reserve(self.KEY, wanted)
        self.assertEqual((self.stock(), Order.objects.count(), self.user.cart.count()), ((10, 0), 0, 2))

    def test_released_after_it_was_paid(self):
        reservations.reserve(self.KEY, self.wanted())
        reservations.confirm(self.KEY, self.paid())
        reservations.release(self.KEY)
        self.assertEqual((self.stock(), Order.objects.get().status), ((10, 0), Order.REFUNDED))
        self.assertIn('0 wrong', self.books())

    def test_refusals(self):
        wanted = self.wanted(10)
        cases = [('ticket', {'cart': wanted['cart'] + 'x'}), ('ticket', {}), ('cart_empty', None)]
        for code, order in cases:
            if order is None:
                order = self.wanted(1)
                self.user.cart.items.all().delete()
            with self.assertRaises(reservations.Refused) as no:
                reservations.reserve(self.KEY, order)
            self.assertEqual(no.exception.code, code)
        self.assertFalse(Reservation.objects.exists())  # a refusal leaves nothing behind
        reservations.reserve(self.KEY, self.wanted(2))
        for other in ({'amount': 4999}, {'currency': 'usd'}):
            with self.assertRaises(reservations.Refused) as no:
                reservations.confirm(self.KEY, self.paid(**other))
            self.assertEqual(no.exception.code, 'amount')

    def test_over_http(self):
        def post(verb, body, key='s3cret'):
            return self.client.post('/api/v1/reservations/co_2/' + verb, body, content_type='application/json', HTTP_AUTHORIZATION='Bearer ' + key)

        wanted = self.wanted(1)
        self.assertEqual(post('reserve', {'order': wanted}).status_code, 401)       # nobody may, unless a key is set
        with override_settings(RESERVATIONS_KEY='s3cret'):
            self.assertEqual(post('reserve', {'order': wanted}, 'guess').status_code, 401)
            answer = post('reserve', {'order': wanted})
            self.assertEqual((answer.status_code, answer.json()['amount']), (200, Order.objects.get().total_cents))
            answer = post('confirm', self.paid(amount=1))
            self.assertEqual((answer.status_code, answer.json()['error']['code']), (409, 'amount'))
            self.assertEqual(post('release', {}).json(), {'released': True})
