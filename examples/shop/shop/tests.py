import io

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, TestCase, override_settings

from catalogue.models import Product
from orders.models import Order
from shop.utils import card_brand, format_price, image_kind, luhn_ok, parse_price, percent_of, shipping_for


class Money(SimpleTestCase):
    def test_prices(self):
        for cents, text in ((0, '0.00 EUR'), (5, '0.05 EUR'), (1234, '12.34 EUR'), (-250, '-2.50 EUR')):
            self.assertEqual(format_price(cents), text)
        for text, cents in (('12', 1200), ('12.3', 1230), ('12,34', 1234), (' 0.05 ', 5)):
            self.assertEqual(parse_price(text), cents)
        for text in ('', '-1', '1.234', 'abc', '1 000'):
            self.assertRaises(ValueError, parse_price, text)

    def test_percent_is_rounded_half_up(self):
        self.assertEqual([percent_of(cents, 10) for cents in (0, 4, 5, 15, 99)], [0, 0, 1, 2, 10])

    def test_shipping(self):
        self.assertEqual([shipping_for(cents) for cents in (0, 1, 4999, 5000)], [0, 490, 490, 0])


class Cards(SimpleTestCase):
    def test_luhn(self):
        for number, ok in (('4242424242424242', True), ('4242424242424241', False), ('', False), ('0' * 11, False), ('378282246310005', True)):
            self.assertEqual(luhn_ok(number), ok, number)

    def test_brand(self):
        self.assertEqual([card_brand(n) for n in ('42', '55', '37', '60')], ['visa', 'mastercard', 'amex', 'card'])


class Pictures(SimpleTestCase):
    def test_kind_is_in_the_bytes(self):
        for data, kind in ((b'\x89PNG\r\n\x1a\n', 'png'), (b'\xff\xd8\xff\xe0', 'jpg'), (b'RIFF....WEBP', 'webp'), (b'<svg>', None), (b'', None)):
            self.assertEqual(image_kind(SimpleUploadedFile('x.png', data)), kind)


class Pages(TestCase):
    def test_health(self):
        self.assertEqual(self.client.get('/healthz').json(), {'status': 'ok', 'database': 'ok'})

    def test_errors_by_place(self):
        self.assertEqual(self.client.get('/api/v1/none').json()['error']['code'], 'not_found')
        self.assertContains(self.client.get('/none'), 'There is nothing here', status_code=404)

    @override_settings(USE_X_FORWARDED_HOST=True, SECURE_PROXY_SSL_HEADER=('HTTP_X_FORWARDED_PROTO', 'https'))
    def test_behind_a_proxy_links_are_the_proxys(self):
        call_command('seed', users=4, orders=0, products=4, stdout=io.StringIO())
        answer = self.client.get('/api/v1/products?per_page=1', HTTP_X_FORWARDED_HOST='shop.example', HTTP_X_FORWARDED_PROTO='https')
        self.assertTrue(answer.json()['next'].startswith('https://shop.example/api/v1/products?'))


class Seed(TestCase):
    def seed(self, **options):
        out = io.StringIO()
        call_command('seed', users=20, orders=60, products=12, stdout=out, **options)
        return out.getvalue()

    def test_rows_and_books(self):
        self.assertIn('seeded 20 users, 12 products, 60 orders', self.seed())
        self.assertEqual((User.objects.count(), Order.objects.count()), (20, 60))
        out = io.StringIO()
        call_command('check_books', stdout=out)
        self.assertIn('0 wrong', out.getvalue())

    def test_the_same_numbers_give_the_same_rows(self):
        self.seed()
        first = list(Order.objects.values_list()), list(Product.objects.values_list())
        Order.objects.all().update(payment=None)
        with self.assertRaisesMessage(CommandError, '--flush'):
            self.seed()
        self.seed(flush=True)
        self.assertEqual(first, (list(Order.objects.values_list()), list(Product.objects.values_list())))

    def test_everybody_has_the_demo_password(self):
        self.seed()
        with self.settings(PASSWORD_HASHERS=['django.contrib.auth.hashers.PBKDF2PasswordHasher']):
            self.assertTrue(self.client.login(username='alice', password='pine-and-anvil'))

    def test_books_that_are_wrong_are_told(self):
        self.seed()
        Product.objects.filter(pk=1).update(on_hand=1)
        out = io.StringIO()
        with self.assertRaises(SystemExit):
            call_command('check_books', stdout=out)
        self.assertIn('products whose on_hand is not the sum of their movements: 1, first [1]', out.getvalue())
