import json

from django.test import Client

from accounts.models import ApiToken
from shop.test_case import ShopTestCase


class Frame(ShopTestCase):
    def test_token_or_session(self):
        self.assertEqual(self.client.get('/api/v1/profile').status_code, 401)
        token = ApiToken.objects.create(user=self.user)
        headers = {'HTTP_AUTHORIZATION': 'Token ' + token.key}
        self.assertEqual(self.client.get('/api/v1/profile', **headers).json()['username'], 'tess')
        self.client.force_login(self.user)
        self.assertEqual(self.client.get('/api/v1/profile').json()['username'], 'tess')

    def test_an_inactive_user_has_no_token(self):
        token = ApiToken.objects.create(user=self.user)
        self.user.is_active = False
        self.user.save()
        self.assertEqual(self.client.get('/api/v1/profile', HTTP_AUTHORIZATION='Token ' + token.key).status_code, 401)

    def test_csrf_with_a_session_but_not_with_a_token(self):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.user)
        body = json.dumps({'product_id': self.product.pk})
        self.assertEqual(strict.post('/api/v1/cart/items', body, 'application/json').json()['error']['code'], 'csrf')
        token = ApiToken.objects.create(user=self.user)
        answer = strict.post('/api/v1/cart/items', body, 'application/json', HTTP_AUTHORIZATION='Token ' + token.key)
        self.assertEqual(answer.status_code, 201)

    def test_bodies(self):
        for body, status in (('{', 400), ('[]', 400), ('"x"', 400), ('{}', 404)):
            self.assertIn(self.client.post('/api/v1/cart/items', body, 'application/json').status_code, (status, 400), body)

    def test_numbers_out_of_range(self):
        for path in ('products?page=0', 'products?per_page=1000', 'products?per_page=-1'):
            self.assertEqual(self.client.get('/api/v1/' + path).status_code, 200)
        self.assertEqual(self.client.get('/api/v1/products?page=2').json()['error']['code'], 'no_such_page')
