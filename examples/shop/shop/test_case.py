"""What the unit tests share: a customer, a product, a cart, and a real card network on a port of its own."""
import threading

from django.contrib.auth.models import User
from django.test import TestCase, override_settings

from accounts.models import Address
from cardnet.server import make
from cart.models import Cart
from catalogue.models import Category, Product

CARD = {'number': '4242424242424242', 'expiry': '12/39', 'cvc': '123'}
DECLINED = dict(CARD, number='4000000000000002')


def make_product(name='Oak stool', price=2500, stock=10):
    category, _ = Category.objects.get_or_create(slug='chairs', defaults={'name': 'Chairs'})
    slug = name.lower().replace(' ', '-')
    product = Product.objects.create(sku=slug[:20], name=name, slug=slug, category=category, price_cents=price)
    product.move('delivery', stock)
    return product


def make_user(name='tess', **more):
    user = User.objects.create_user(name, name + '@tests.example', 'Mend-it-4-ever', **more)
    Address.objects.create(user=user, name='Tess', street='Mill Lane 1', city='Berlin', postcode='10115', is_default=True)
    return user


class ShopTestCase(TestCase):
    def setUp(self):
        self.user = make_user()
        self.address = self.user.addresses.get()
        self.product = make_product()

    def fill_cart(self, quantity=1, product=None):
        cart, _ = Cart.objects.get_or_create(user=self.user)
        cart.add(product or self.product, quantity)
        return cart


class PaidTestCase(ShopTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cards = make(delay_ms=0)
        cls.cards.RequestHandlerClass.log_message = lambda *args: None
        thread = threading.Thread(target=cls.cards.serve_forever, kwargs={'poll_interval': 0.02})
        thread.start()
        settings = override_settings(CARDS_URL='http://127.0.0.1:%d' % cls.cards.server_address[1])
        settings.enable()
        cls.addClassCleanup(settings.disable)
        cls.addClassCleanup(cls.cards.server_close)
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.cards.shutdown)
