import http.client
import json
import os
import tempfile
import unittest

from cardnet.server import Network
from orders.checkout import checkout
from orders.models import Order
from shop.test_case import CARD, PaidTestCase, make_user

from .models import Payment, Refund
from .network import charge
from .refunds import RefundError, refund_order


class Refunds(PaidTestCase):
    def test_once(self):
        self.fill_cart(2)
        order = checkout(self.user, self.address, CARD)
        boss = make_user('boss', is_staff=True)
        order = refund_order(order.pk, boss, 'broken')
        self.product.refresh_from_db()
        self.assertEqual((order.status, Refund.objects.get().amount_cents, self.product.on_hand), (Order.REFUNDED, 5000, 10))
        with self.assertRaises(RefundError):
            refund_order(order.pk, boss)


class Cards(PaidTestCase):
    def charge(self, number):
        self.fill_cart()
        order = checkout(self.user, self.address, dict(CARD, number='4242424242424242'))
        payment = Payment.objects.create(order=order, user=self.user, amount_cents=100, card_brand='visa', card_last4=number[-4:],
                                         idempotency_key=number)
        return charge(payment, {'number': number})

    def test_every_special_card(self):
        for number, ok, declined, code in (('4000000000000002', False, True, 'card_declined'), ('4000000000009995', False, True, 'insufficient_funds'),
                                           ('4000000000000069', False, True, 'expired_card'), ('4000000000000119', False, False, 'processing_error'),
                                           ('4000000000000341', False, True, 'card_declined'), ('5555555555554444', True, False, '')):
            result = self.charge(number)
            self.assertEqual((result.ok, result.declined, result.code), (ok, declined, code), number)
        self.assertEqual({auth['status'] for auth in self.cards.net.auths.values() if auth['last4'] == '0341'}, {'voided'})

    def ask(self, path, body, key):
        connection = http.client.HTTPConnection(*self.cards.server_address)
        connection.request('POST', path, json.dumps(body), {'Authorization': 'Bearer cardnet-demo-key', 'Idempotency-Key': key})
        response = connection.getresponse()
        answer = response.status, json.loads(response.read()), response.getheader('Idempotent-Replayed')
        connection.close()
        return answer

    def test_idempotency(self):
        body = {'amount': 700, 'card': {'number': '4242424242424242'}}
        first = self.ask('/v1/authorizations', body, 'same')
        again = self.ask('/v1/authorizations', body, 'same')
        self.assertEqual((first[:2], again[2]), (again[:2], 'true'))
        self.assertEqual(self.ask('/v1/authorizations', dict(body, amount=800), 'same')[0], 422)


class Journal(unittest.TestCase):
    def test_a_restart_remembers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'journal')
            net = Network(path)
            auth, answer = net.authorize({'amount': 5, 'card': {'number': '4242424242424242'}, 'reference': 'r'})
            net.write(auth, 'k', 'asked', *answer)
            net.journal.close()
            with open(path, 'a') as torn:
                torn.write('{"auth": ')
            again = Network(path)
            self.addCleanup(again.journal.close)
            self.assertEqual(again.auths, net.auths)
            self.assertEqual(again.answers['k'][1], (201, answer[1]))
            self.assertEqual(again.new_id('auth'), 'auth_00000002')
