import datetime

from django.utils import timezone

from shop.test_case import ShopTestCase

from .models import Cart, Coupon


class Coupons(ShopTestCase):
    def test_refusals(self):
        yesterday = timezone.now() - datetime.timedelta(days=1)
        for fields, subtotal, ok in (({}, 1, True), ({'active': False}, 1, False), ({'valid_until': yesterday}, 1, False),
                                     ({'max_uses': 1, 'used': 1}, 1, False), ({'max_uses': 2, 'used': 1}, 1, True),
                                     ({'min_subtotal_cents': 100}, 99, False), ({'min_subtotal_cents': 100}, 100, True)):
            self.assertEqual(Coupon(code='X', **fields).refusal(subtotal) is None, ok, fields)

    def test_discount_is_never_more_than_the_goods(self):
        self.assertEqual(Coupon(cents_off=500).discount(300), 300)
        self.assertEqual(Coupon(percent_off=10, cents_off=5).discount(1000), 105)


class Totals(ShopTestCase):
    def test_cart(self):
        cart = self.fill_cart(1)
        self.assertEqual(cart.totals()['total_cents'], 2990)
        cart.coupon = Coupon.objects.create(code='TEN', percent_off=10)
        self.assertEqual(cart.totals(), {'subtotal_cents': 2500, 'discount_cents': 250, 'shipping_cents': 490, 'total_cents': 2740})
        cart.add(self.product, 98)
        self.assertEqual(cart.add(self.product, 98).quantity, 99)

    def test_a_visitor_only_has_a_cart_when_something_is_in_it(self):
        self.client.get('/')
        self.client.get('/cart/')
        self.assertFalse(Cart.objects.exists())
        self.client.post('/cart/add/', {'product': self.product.pk})
        self.assertEqual(Cart.objects.get().count(), 1)
