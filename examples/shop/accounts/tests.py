from django.core import mail

from cart.models import Cart
from notifications.models import Notification
from orders.signals import order_paid
from orders.tests import place_order
from shop.test_case import ShopTestCase, make_user

from .models import ApiToken


class Accounts(ShopTestCase):
    def sign_up(self, **more):
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post('/signup/', dict({'username': 'new', 'email': 'new@tests.example', 'password1': 'Mend-it-4-ever',
                                                      'password2': 'Mend-it-4-ever'}, **more))

    def test_every_user_has_a_profile(self):
        self.assertEqual(make_user('other').profile.loyalty_points, 0)

    def test_sign_up_sends_a_letter(self):
        self.assertRedirects(self.sign_up(newsletter='on'), '/')
        self.assertEqual([letter.to for letter in mail.outbox], [['new@tests.example']])
        self.assertEqual(Notification.objects.get(kind='welcome').status, 'sent')

    def test_one_account_an_address(self):
        self.assertContains(self.sign_up(email='TESS@tests.example'), 'There is an account')

    def test_cart_goes_along(self):
        self.client.post('/cart/add/', {'product': self.product.pk, 'quantity': 2})
        self.fill_cart(1)
        self.client.post('/login/', {'username': 'tess', 'password': 'Mend-it-4-ever'})
        self.assertEqual(Cart.objects.get(user=self.user).count(), 3)
        self.assertFalse(Cart.objects.filter(user=None).exists())

    def test_points(self):
        order = place_order(self)
        order_paid.send(sender=None, order=self.paid(order))
        self.user.profile.refresh_from_db()
        self.assertEqual(self.user.profile.loyalty_points, order.total_cents // 100)

    def paid(self, order):
        order.paid_at = order.created_at
        return order

    def test_new_password_ends_tokens(self):
        ApiToken.objects.create(user=self.user)
        self.client.force_login(self.user)
        self.client.post('/profile/password/', {'old_password': 'Mend-it-4-ever', 'new_password1': 'Even-better-5', 'new_password2': 'Even-better-5'})
        self.assertFalse(ApiToken.objects.exists())
