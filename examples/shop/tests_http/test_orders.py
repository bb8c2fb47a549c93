"""Cart, coupon, checkout, cards, stock, history, long poll, staff's steps, refunds."""
import re
import threading
import time
import unittest
import uuid

from browser import (ADDRESS, BROKEN, DECLINED, GOOD, NO_CAPTURE, NO_MONEY, SLOW, Browser, buy, checkout, new_product, new_user, staff,
                     token_for)

CARD = {'card_number': '4242 4242 4242 4242', 'card_expiry': '12/39', 'card_cvc': '123'}


class Cart(unittest.TestCase):
    def setUp(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.product = new_product(self)

    def add(self, quantity=1):
        self.browser.get(self.product['url'])
        return self.browser.post('/cart/add/', {'product': self.product['id'], 'quantity': quantity, 'next': self.product['url']})

    def test_visitor_adds_changes_and_empties(self):
        answer = self.add(2)
        self.assertEqual((answer.status, answer.location), (302, self.product['url']))
        self.assertIn('is in your cart', self.browser.follow(answer).page.flash[0])
        page = self.browser.get('/cart/')
        self.assertIn('25.00 €', page.page.text)
        self.assertIn('29.90 €', page.page.text)        # with shipping
        fields = page.page.form('/cart/update/')
        item = next(field for field in fields if field.startswith('quantity-'))
        self.browser.post('/cart/update/', dict(fields, **{item: '4'}))
        self.assertEqual(self.browser.api('GET', 'cart').json['total_cents'], 5000)        # free shipping
        self.browser.post('/cart/update/', dict(fields, **{item: '0'}))
        self.assertIn('It is empty', self.browser.get('/cart/').page.text)

    def test_cart_goes_along_at_login(self):
        self.add(3)
        user = new_user()
        self.addCleanup(user.close)
        self.browser.login(user.username, 'Mend-it-4-ever')
        self.assertEqual(self.browser.api('GET', 'cart').json['items'][0]['quantity'], 3)
        self.assertEqual(user.api('GET', 'cart').json['items'][0]['product_id'], self.product['id'])

    def test_coupons(self):
        self.add(2)
        self.browser.post('/cart/coupon/', {'code': 'welcome10'})
        page = self.browser.get('/cart/')
        self.assertIn('Coupon WELCOME10 is applied.', page.page.flash)
        self.assertEqual(self.browser.api('GET', 'cart').json['discount_cents'], 250)
        for code, words in (('OLD2019', 'no longer valid'), ('NOPE', 'no such coupon'), ('BIGTIME', 'larger order')):
            self.browser.post('/cart/coupon/', {'code': code})
            self.assertIn(words, ' '.join(self.browser.get('/cart/').page.flash))
        self.browser.post('/cart/coupon/', {'code': ''})
        self.assertEqual(self.browser.api('GET', 'cart').json['discount_cents'], 0)

    def test_redirect_never_leaves_the_shop(self):
        self.browser.get(self.product['url'])
        answer = self.browser.post('/cart/add/', {'product': self.product['id'], 'next': '//evil.example/'})
        self.assertEqual(answer.location, '/cart/')

    def test_unknown_product(self):
        self.assertEqual(self.browser.post('/cart/add/', {'product': 0}).status, 404)


class Checkout(unittest.TestCase):
    def setUp(self):
        self.browser = new_user()
        self.addCleanup(self.browser.close)
        self.product = new_product(self, stock=10)

    def available(self):
        return staff().api('GET', 'products/%d' % self.product['id']).json['available']

    def test_the_page(self):
        self.assertEqual(self.browser.get('/checkout/').location, '/cart/')
        self.browser.api('POST', 'cart/items', {'product_id': self.product['id'], 'quantity': 2})
        fields = self.browser.get('/checkout/').page.form('checkout')
        self.assertIn('csrfmiddlewaretoken', fields)
        answer = self.browser.post('/checkout/', dict(fields, **CARD, **dict(ADDRESS, country='AT'), note='Ring twice'))
        self.assertEqual(answer.status, 302, answer)
        self.assertRegex(answer.location, r'^/orders/\d+/$')
        page = self.browser.follow(answer)
        self.assertRegex(page.page.flash[0], r'Thank you! Order PA-\d{7} is paid')
        for words in ('29.90 €', 'Ring twice', 'Mill Lane 1', 'visa ending in 4242', 'captured'):
            self.assertIn(words, page.page.text)
        self.assertEqual(self.available(), 8)
        self.assertIn('thank you', self.browser.get('/messages/').text)
        self.assertIn(re.search(r'PA-\d{7}', page.text).group(), self.browser.get('/orders/').page.text)

    def test_wrong_fields_stay_on_the_page(self):
        self.browser.api('POST', 'cart/items', {'product_id': self.product['id']})
        fields = self.browser.get('/checkout/').page.form('checkout')
        answer = self.browser.post('/checkout/', dict(fields, **dict(CARD, card_number='4242424242424241'), **ADDRESS))
        self.assertEqual(answer.status, 422)
        self.assertIn('The card number is not valid', answer.page.text)
        answer = self.browser.post('/checkout/', dict(fields, **CARD))
        self.assertIn('Needed for a new address', answer.page.text)
        self.assertEqual(self.available(), 10)

    def test_a_declined_card_and_another_one(self):
        self.browser.api('POST', 'cart/items', {'product_id': self.product['id']})
        fields = self.browser.get('/checkout/').page.form('checkout')
        answer = self.browser.post('/checkout/', dict(fields, **dict(CARD, card_number=DECLINED), **ADDRESS))
        page = self.browser.follow(answer)
        self.assertIn('The card was declined.', page.page.flash[0])
        self.assertIn('failed', page.page.text)
        self.assertEqual(self.available(), 10)
        self.browser.post(answer.location + 'pay/', dict(CARD, card_number=NO_MONEY))
        self.assertIn('not enough money', self.browser.get(answer.location).page.flash[0])
        self.browser.post(answer.location + 'pay/', CARD)
        page = self.browser.get(answer.location)
        self.assertIn('is paid', page.page.flash[0])
        self.assertEqual(self.available(), 9)
        self.browser.post(answer.location + 'cancel/', {})
        self.assertIn('cannot be cancelled', self.browser.get(answer.location).page.flash[0])

    def test_cancel_after_a_decline(self):
        order = buy(self.browser, self.product, card=DECLINED).json['error']['order']
        self.browser.post('/orders/%d/cancel/' % order['id'], {})
        page = self.browser.get('/orders/%d/' % order['id'])
        self.assertIn('is cancelled', page.page.flash[0])
        self.assertEqual(self.available(), 10)

    def test_cards(self):
        for card, code in ((DECLINED, 'card_declined'), (NO_MONEY, 'insufficient_funds'), (BROKEN, 'processing_error'), (NO_CAPTURE, 'card_declined')):
            with self.subTest(card=card):
                answer = buy(self.browser, self.product, card=card)
                self.assertEqual((answer.status, answer.json['error']['code']), (402, code))
                self.assertEqual(answer.json['error']['order']['status'], 'failed')
        self.assertEqual(self.available(), 10)

    def test_a_slow_card(self):
        started = time.monotonic()
        self.assertEqual(buy(self.browser, self.product, card=SLOW).status, 201)
        self.assertGreater(time.monotonic() - started, 1.9)

    def test_the_same_request_twice_is_one_order(self):
        key = uuid.uuid4().hex
        first = buy(self.browser, self.product, Idempotency_Key=key)
        second = buy(self.browser, self.product, Idempotency_Key=key)
        self.assertEqual((first.status, second.status), (201, 201))
        self.assertEqual(first.json['id'], second.json['id'])
        self.assertEqual(self.available(), 9)

    def test_coupon_and_shipping_in_the_total(self):
        self.browser.api('POST', 'cart/items', {'product_id': self.product['id'], 'quantity': 3})
        self.assertEqual(self.browser.api('POST', 'cart/coupon', {'code': 'WELCOME10'}).status, 200)
        order = checkout(self.browser).json
        self.assertEqual([order[key + '_cents'] for key in ('subtotal', 'discount', 'shipping', 'total')], [3750, 375, 490, 3865])
        self.assertEqual(order['payment']['amount_cents'], 3865)
        self.assertEqual([step['new'] for step in order['history']], ['placed', 'paid'])

    def test_sold_out(self):
        answer = buy(self.browser, self.product, quantity=11)
        self.assertEqual((answer.status, answer.json['error']['code']), (409, 'sold_out'))
        fields = self.browser.get('/checkout/').page.form('checkout')
        answer = self.browser.post('/checkout/', dict(fields, **CARD, **ADDRESS))
        self.assertEqual(answer.location, '/cart/')
        self.assertIn('Only 10 of', self.browser.get('/cart/').page.flash[0])

    def test_the_last_pieces_are_sold_once(self):
        product, codes = new_product(self, stock=3), []
        people = [new_user() for _ in range(6)]
        for one in people:
            self.addCleanup(one.close)
            one.api('POST', 'cart/items', {'product_id': product['id']})
        threads = [threading.Thread(target=lambda one=one: codes.append(checkout(one).status)) for one in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(codes), [201] * 3 + [409] * 3)
        self.assertEqual(staff().api('GET', 'products/%d' % product['id']).json['available'], 0)


class Orders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = new_user()
        cls.addClassCleanup(cls.browser.close)
        cls.mobile = token_for(cls.browser.username, 'Mend-it-4-ever')
        cls.addClassCleanup(cls.mobile.close)
        cls.product = new_product(cls)

    def setUp(self):
        answer = buy(self.mobile, self.product)
        self.assertEqual(answer.status, 201, answer)
        self.order = answer.json
        self.path = 'orders/%d' % self.order['id']

    def step(self, status):
        return staff().api('POST', self.path + '/status', {'status': status})

    def test_wait_answers_when_the_state_changes(self):
        timer = threading.Timer(0.7, self.step, ['packed'])
        self.addCleanup(timer.join)
        started = time.monotonic()
        timer.start()
        answer = self.mobile.api('GET', '%s/wait?since=%d&timeout=20' % (self.path, self.order['version']))
        took = time.monotonic() - started
        self.assertEqual((answer.status, answer.json['status'], answer.json['changed']), (200, 'packed', True))
        self.assertGreater(answer.json['version'], self.order['version'])
        self.assertTrue(0.6 < took < 15, took)

    def test_wait_ends_without_a_change(self):
        started = time.monotonic()
        answer = self.mobile.api('GET', self.path + '/wait?timeout=1')
        self.assertEqual((answer.status, answer.json['changed'], answer.json['status']), (200, False, 'paid'))
        self.assertGreater(time.monotonic() - started, 0.9)

    def test_wait_answers_at_once_for_an_old_version(self):
        answer = self.mobile.api('GET', self.path + '/wait?since=1&timeout=20')
        self.assertEqual(answer.json, {'id': self.order['id'], 'status': 'paid', 'version': 2, 'changed': True})

    def test_staff_steps_and_letters(self):
        self.assertEqual(self.step('delivered').status, 409)
        for state in ('packed', 'shipped', 'delivered'):
            self.assertEqual(self.step(state).json['status'], state)
        letters = [one['kind'] for one in self.mobile.api('GET', 'notifications?per_page=100').json['results'] if one['order_id'] == self.order['id']]
        self.assertEqual(letters, ['order_delivered', 'order_shipped', 'order_packed', 'order_paid'])

    def test_refund(self):
        before = self.mobile.api('GET', 'profile').json['loyalty_points']
        answer = staff().api('POST', self.path + '/refund', {'reason': 'broken'})
        self.assertEqual((answer.status, answer.json['status'], answer.json['payment']['status']), (200, 'refunded', 'refunded'))
        self.assertEqual(staff().api('POST', self.path + '/refund', {}).status, 409)
        self.assertEqual(self.mobile.api('GET', 'profile').json['loyalty_points'], before - self.order['total_cents'] // 100)

    def test_staff_pages(self):
        browser = Browser()
        self.addCleanup(browser.close)
        browser.login('staff')
        page = browser.get('/staff/orders/?status=paid')
        self.assertIn(self.order['number'], page.page.text)
        self.assertEqual(browser.post('/staff/%s/status/' % self.path, {'status': 'packed'}).location, '/%s/' % self.path)
        self.assertIn('is packed', browser.get('/%s/' % self.path).page.flash[0])
        browser.post('/staff/%s/status/' % self.path, {'status': 'paid'})
        self.assertIn('cannot become', browser.get('/%s/' % self.path).page.flash[0])
        browser.post('/staff/%s/refund/' % self.path, {'reason': 'test'})
        self.assertIn('is refunded', browser.get('/%s/' % self.path).page.flash[0])

    def test_orders_of_others_are_not_found(self):
        other = token_for('alice')
        self.addCleanup(other.close)
        self.assertEqual(other.api('GET', self.path).status, 404)
        self.assertEqual(other.api('GET', self.path + '/wait').status, 404)
        self.assertEqual(other.api('POST', self.path + '/status', {'status': 'packed'}).status, 403)

    def test_many_wait_and_the_shop_still_answers(self):
        waiting = [token_for(self.browser.username, 'Mend-it-4-ever') for _ in range(4)]
        answers = []
        threads = [threading.Thread(target=lambda one=one: answers.append(one.api('GET', self.path + '/wait?timeout=2').status)) for one in waiting]
        for thread in threads:
            thread.start()
        self.assertEqual(self.mobile.api('GET', self.path).status, 200)
        self.assertEqual(answers, [])
        for thread, one in zip(threads, waiting):
            thread.join()
            one.close()
        self.assertEqual(answers, [200] * 4)

    def test_pay_with_a_declined_card_is_recorded(self):
        answer = buy(self.mobile, self.product, card=DECLINED)
        failed = answer.json['error']['order']
        answer = self.mobile.api('POST', 'orders/%d/pay' % failed['id'], {'card': {'number': GOOD}})
        self.assertEqual((answer.status, answer.json['status']), (200, 'paid'))
        self.assertEqual([step['new'] for step in answer.json['history']], ['placed', 'failed', 'placed', 'paid'])


if __name__ == '__main__':
    unittest.main()
