"""/api/v1/ by session and by token."""
import json
import unittest
import uuid

from browser import ADDRESS, BASE, PASSWORD, PNG, Browser, buy, checkout, new_product, new_user, staff, token_for


class Tokens(unittest.TestCase):
    def test_login_use_and_revoke(self):
        user = token_for('bob')
        self.addCleanup(user.close)
        self.assertRegex(user.token, r'^[0-9a-f]{40}$')
        answer = user.api('GET', 'profile')
        self.assertEqual((answer.json['username'], answer.json['id']), ('bob', user.user_id))
        self.assertIn('no-store', answer.headers['Cache-Control'])
        self.assertEqual(answer.cookies, [])
        self.assertEqual(user.api('POST', 'auth/token/revoke').json, {'revoked': 1})
        answer = user.api('GET', 'profile')
        self.assertEqual((answer.status, answer.json['error']['code'], answer.headers['WWW-Authenticate']), (401, 'bad_token', 'Token'))

    def test_wrong_credentials(self):
        browser = Browser()
        self.addCleanup(browser.close)
        answer = browser.api('POST', 'auth/token', {'username': 'bob', 'password': 'no'})
        self.assertEqual((answer.status, answer.json['error']['code']), (401, 'bad_credentials'))

    def test_nothing_without_login(self):
        browser = Browser()
        self.addCleanup(browser.close)
        for path in ('profile', 'orders', 'orders/1', 'addresses', 'notifications', 'stats'):
            with self.subTest(path=path):
                answer = browser.api('GET', path)
                self.assertEqual((answer.status, answer.json['error']['code']), (401, 'login_required'))


class Session(unittest.TestCase):
    """The pages' scripts use the API with the session and the CSRF token."""

    @classmethod
    def setUpClass(cls):
        cls.browser = new_user()
        cls.addClassCleanup(cls.browser.close)

    def test_csrf_is_asked_for(self):
        answer = self.browser.api('POST', 'cart/items', {'product_id': 1}, X_CSRFToken='wrong')
        self.assertEqual((answer.status, answer.json['error']['code']), (403, 'csrf'))
        self.assertEqual(self.browser.api('POST', 'cart/items', {'product_id': 1}).status, 201)

    def test_profile(self):
        answer = self.browser.api('PATCH', 'profile', {'first_name': 'Ünal', 'phone': '1', 'newsletter': True})
        self.assertEqual([answer.json[key] for key in ('first_name', 'phone', 'newsletter')], ['Ünal', '1', True])
        self.assertEqual(self.browser.api('PATCH', 'profile', {'email': 'none'}).status, 400)
        self.assertEqual(self.browser.api('PATCH', 'profile', {'email': 'alice@customers.example'}).json['error']['code'], 'email_taken')

    def test_avatar(self):
        answer = self.browser.upload('/api/v1/profile/avatar', {}, {'avatar': ('a.png', 'image/png', PNG + b'x' * 1000)},
                                     {'X-CSRFToken': self.browser.csrf()})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.browser.get(answer.json['avatar']).body, PNG + b'x' * 1000)

    def test_staff_is_not_for_customers(self):
        answer = self.browser.api('POST', 'staff/products', {})
        self.assertEqual((answer.status, answer.json['error']['code']), (403, 'staff_only'))
        self.assertEqual(self.browser.api('GET', 'stats').status, 403)


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.product = new_product(cls)

    def test_pages_link_absolutely(self):
        page = self.browser.api('GET', 'products?per_page=5&page=2&sort=price').json
        self.assertEqual((len(page['results']), page['page']), (5, 2))
        self.assertEqual(page['next'], BASE + '/api/v1/products?per_page=5&page=3&sort=price')
        self.assertEqual(page['previous'], BASE + '/api/v1/products?per_page=5&page=1&sort=price')
        following = self.browser.get(page['next'][len(BASE):]).json
        self.assertFalse({one['id'] for one in page['results']} & {one['id'] for one in following['results']})

    def test_bad_pages(self):
        self.assertEqual(self.browser.api('GET', 'products?page=x').json['error']['code'], 'bad_page')
        self.assertEqual(self.browser.api('GET', 'products?page=99999').json['error']['code'], 'no_such_page')

    def test_product(self):
        answer = self.browser.api('GET', 'products/%d' % self.product['id'])
        self.assertEqual(answer.headers['Content-Type'], 'application/json')
        self.assertEqual((answer.json['sku'], answer.json['available'], answer.json['price_cents']), (self.product['sku'], 50, 1250))
        self.assertEqual(answer.headers['Cache-Control'], 'public, max-age=30')
        self.assertNotIn('Cookie', answer.headers.get('Vary', ''))
        self.assertEqual(self.browser.api('GET', 'products/0').json['error']['code'], 'not_found')

    def test_search_and_categories(self):
        found = self.browser.api('GET', 'products?category=outdoor&q=' + self.product['sku']).json
        self.assertEqual([one['id'] for one in found['results']], [self.product['id']])
        categories = {one['slug']: one for one in self.browser.api('GET', 'categories').json['results']}
        self.assertEqual((len(categories), categories['stoves']['parent']), (18, 'outdoor'))

    def test_staff_changes(self):
        product = new_product(self, stock=1, name='Näme "quoted" ' + uuid.uuid4().hex)
        answer = staff().api('PATCH', 'staff/products/%d' % product['id'], {'price_cents': 777, 'delivered': 4})
        self.assertEqual((answer.json['price_cents'], answer.json['available'], answer.json['name']), (777, 5, product['name']))
        answer = staff().api('PATCH', 'staff/products/%d' % product['id'], {'price_cents': -1})
        self.assertEqual((answer.status, list(answer.json['error']['fields'])), (400, ['price_cents']))
        self.assertEqual(staff().api('POST', 'staff/products', {'category': 'stoves'}).json['error']['code'], 'invalid')

    def test_reviews(self):
        user = new_user()
        self.addCleanup(user.close)
        path = 'products/%d/reviews' % self.product['id']
        self.assertEqual(self.browser.api('POST', path, {'stars': 3}).status, 401)
        self.assertEqual(user.api('POST', path, {'stars': 3}).json['error']['code'], 'not_bought')
        buy(user, self.product)
        self.assertEqual(user.api('POST', path, {'stars': 7}).status, 400)
        self.assertEqual(user.api('POST', path, {'stars': 3, 'text': 'fine'}).status, 201)
        self.assertIn(user.username, [one['author'] for one in self.browser.api('GET', path).json['results']])


class CartAndOrders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        browser = new_user()
        browser.close()
        cls.user = token_for(browser.username, 'Mend-it-4-ever')
        cls.addClassCleanup(cls.user.close)
        cls.product = new_product(cls)

    def setUp(self):
        for item in self.user.api('GET', 'cart').json['items']:
            self.user.api('DELETE', 'cart/items/%d' % item['id'])

    def test_cart(self):
        answer = self.user.api('POST', 'cart/items', {'product_id': self.product['id'], 'quantity': 2})
        self.assertEqual((answer.status, answer.json['count']), (201, 2))
        item = answer.json['items'][0]['id']
        self.assertEqual(self.user.api('POST', 'cart/items', {'product_id': self.product['id'], 'quantity': 3}).json['count'], 5)
        self.assertEqual(self.user.api('PATCH', 'cart/items/%d' % item, {'quantity': 1}).json['subtotal_cents'], 1250)
        for bad in (0, -1, 100, '2', None, True):
            self.assertEqual(self.user.api('POST', 'cart/items', {'product_id': self.product['id'], 'quantity': bad}).status, 400, bad)
        self.assertEqual(self.user.api('DELETE', 'cart/items/%d' % item).json['items'], [])
        self.assertEqual(self.user.api('DELETE', 'cart/items/%d' % item).status, 404)

    def test_order(self):
        order = buy(self.user, self.product, quantity=2).json
        self.assertEqual(order['lines'], [{'product_id': self.product['id'], 'name': self.product['name'], 'quantity': 2,
                                           'unit_price_cents': 1250, 'total_cents': 2500}])
        self.assertEqual(order['address']['city'], 'Berlin')
        self.assertEqual(self.user.api('GET', 'orders/%d' % order['id']).json, order)
        listed = self.user.api('GET', 'orders?status=paid').json
        self.assertIn(order['id'], [one['id'] for one in listed['results']])

    def test_known_address(self):
        address = self.user.api('POST', 'addresses', dict(ADDRESS, city='Gent', country='BE'))
        self.assertEqual(address.status, 201)
        self.user.api('POST', 'cart/items', {'product_id': self.product['id']})
        answer = self.user.api('POST', 'checkout', {'address_id': address.json['id'], 'card': {'number': '5555555555554444'}})
        self.assertEqual((answer.json['address']['city'], answer.json['payment']['card_brand']), ('Gent', 'mastercard'))
        self.assertIn(address.json, self.user.api('GET', 'addresses').json['results'])
        answer = self.user.api('POST', 'checkout', {'address_id': 1, 'card': {'number': '5555555555554444'}})
        self.assertEqual(answer.status, 404)

    def test_checkout_errors(self):
        self.assertEqual(checkout(self.user).json['error']['code'], 'cart_empty')
        self.assertEqual(checkout(self.user, '1234').json['error']['code'], 'card_number')
        answer = self.user.api('POST', 'checkout', {'address': ADDRESS})
        self.assertEqual(answer.json['error']['code'], 'no_card')
        answer = self.user.api('POST', 'checkout', {'address': dict(ADDRESS, street=''), 'card': {}})
        self.assertEqual((answer.status, list(answer.json['error']['fields'])), (400, ['street']))

    def test_notifications(self):
        order = buy(self.user, self.product).json
        note = next(one for one in self.user.api('GET', 'notifications').json['results'] if one['order_id'] == order['id'])
        self.assertEqual((note['kind'], note['read']), ('order_paid', False))
        self.assertTrue(self.user.api('POST', 'notifications/%d/read' % note['id']).json['read'])


class Events(unittest.TestCase):
    def setUp(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def post(self, body):
        return self.browser.request('POST', '/api/v1/events', body if isinstance(body, str) else json.dumps(body), {'Content-Type': 'application/json'})

    def test_one_and_many(self):
        self.assertEqual(self.post({'kind': 'click', 'path': '/x'}).json, {'accepted': 1})
        self.assertEqual(self.post([{'kind': 'click', 'data': {'n': n}} for n in range(100)]).json, {'accepted': 100})

    def test_refusals(self):
        for body, code in (([], 'bad_batch'), ([{'kind': 'x'}] * 101, 'bad_batch'), ({}, 'bad_event'), ({'kind': 'y' * 31}, 'bad_event'),
                           ('{', 'bad_json'), ('3', 'bad_json')):
            answer = self.post(body)
            self.assertEqual((answer.status, answer.json['error']['code']), (400, code))

    def test_too_large(self):
        answer = self.post('"%s"' % ('x' * 1024 * 1024))
        self.assertEqual((answer.status, answer.json['error']['code']), (413, 'too_large'))


class Errors(unittest.TestCase):
    def setUp(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def test_not_found_is_json(self):
        for method in ('GET', 'POST', 'DELETE'):
            answer = self.browser.request(method, '/api/v1/nothing/here')
            self.assertEqual((answer.status, answer.json['error']['code']), (404, 'not_found'))

    def test_method_not_allowed(self):
        answer = self.browser.request('DELETE', '/api/v1/products')
        self.assertEqual((answer.status, answer.json['error']['code']), (405, 'method_not_allowed'))
        self.assertEqual(answer.headers['Allow'], 'GET, HEAD, OPTIONS')
        self.assertEqual(self.browser.request('OPTIONS', '/api/v1/cart/items/1').headers['Allow'], 'DELETE, PATCH, OPTIONS')

    def test_password_is_never_in_an_answer(self):
        user = token_for('alice', PASSWORD)
        self.addCleanup(user.close)
        self.assertNotIn('pbkdf2', user.api('GET', 'profile').text)


if __name__ == '__main__':
    unittest.main()
