"""The next release answers as this one does; and each fault is what its word says."""
import json
import os
import random
import subprocess
import sys
import tempfile
from unittest import mock

from django.conf import settings
from django.test import SimpleTestCase, override_settings

from catalogue.models import Review
from shop import NEXT_VERSION, VERSION, faults
from shop.middleware import is_hit, one_too_high
from shop.test_case import ShopTestCase, make_product, make_user

LIST = '/api/v1/products?sort=price'


class NextRelease(ShopTestCase):
    def setUp(self):
        super().setUp()
        self.other = make_product('Pine bench', 9900)
        for name, stars in (('ann', 4), ('ben', 5), ('cem', 4)):
            Review.objects.create(product=self.other, user=make_user(name), stars=stars)

    def test_lists_are_the_same(self):
        now = self.client.get(LIST)
        with self.settings(NEXT=True):
            then = self.client.get(LIST)
        self.assertEqual(now.content, then.content)
        self.assertEqual([row['rating'] for row in now.json()['results']], [None, 4.3])

    def test_with_less_work(self):
        with self.assertNumQueries(6):
            self.client.get(LIST)
        with self.settings(NEXT=True), self.assertNumQueries(3):
            self.client.get(LIST)

    def test_the_answer_says_which(self):
        self.assertEqual(self.client.get('/version')['X-Shop-Release'], VERSION)
        with self.settings(RELEASE=NEXT_VERSION):
            answer = self.client.get('/none')
        self.assertEqual((answer.status_code, answer['X-Shop-Release']), (404, NEXT_VERSION))


class Words(SimpleTestCase):
    def test_what_they_mean(self):
        for words, value in (
                ('errors=1%', {'errors': 0.01}), ('hang=100 crash=0.5%', {'hang': 1.0, 'crash': 0.005}),
                ('delay=2%:300', {'delay': [0.02, 300.0]}), ('wrong=1%:price_cents who=cookie:sid', {'wrong': [0.01, 'price_cents'], 'who': 'cookie:sid'}),
                ('leak=64:0.5 only=/api/', {'leak': [64.0, 0.5], 'only': '/api/'}), ('refuse', {'refuse': True}), ('errors=1% none', {})):
            self.assertEqual(faults.parse(words.split()), value)

    def test_what_they_do_not(self):
        for word in ('errors', 'errors=101%', 'errors=x', 'errors=-1', 'delay=1%', 'delay=1%:x', 'wrong=1%:', 'leak=:1', 'only=', 'who=sid', 'sloth=1%'):
            self.assertRaises(faults.FaultError, faults.parse, [word])

    def test_one_number_of_a_name(self):
        self.assertEqual(one_too_high({'a': [{'price': 5, 'x': 5}], 'price': True, 'b': {'price': 1.5}}, 'price'),
                         {'a': [{'price': 6, 'x': 5}], 'price': True, 'b': {'price': 2.5}})

    def test_one_user_in_a_hundred(self):
        hit = [number for number in range(20000) if is_hit('account %d' % number, 0.01)]
        self.assertTrue(140 < len(hit) < 260, len(hit))
        self.assertTrue(all(is_hit('account %d' % number, 0.02) for number in hit))


class AFile:
    """A shop that obeys a file, as `run --faults FILE` starts it."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix='shop-faults-')
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'faults.json')
        changed = override_settings(FAULTS_FILE=self.path)
        changed.enable()
        self.addCleanup(changed.disable)
        self.client = self.client_class()          # its middleware is made anew
        self.client.raise_request_exception = False

    def plant(self, *words):
        faults.write(self.path, faults.parse(words))


class Planted(AFile, ShopTestCase):
    def test_no_file_and_a_broken_file_are_no_fault(self):
        self.assertEqual(self.client.get(LIST).status_code, 200)
        with open(self.path, 'w') as file:
            file.write('{"errors": 1')
        self.assertEqual(self.client.get(LIST).status_code, 200)

    def test_errors_come_and_go(self):
        self.plant('errors=100%')
        self.assertEqual((self.client.get(LIST).status_code, self.client.get('/').status_code), (500, 500))
        self.assertEqual(self.client.get('/healthz').status_code, 200)
        self.plant('errors=100%', 'only=/api/')
        self.assertEqual((self.client.get(LIST).status_code, self.client.get('/').status_code), (500, 200))
        self.plant()
        self.assertEqual(self.client.get(LIST).status_code, 200)

    def test_a_share_of_errors(self):
        self.plant('errors=30%')
        with mock.patch('shop.middleware.random', random.Random(7)):
            statuses = [self.client.get('/version').status_code for _ in range(200)]
        self.assertTrue(40 < statuses.count(500) < 80, statuses.count(500))

    def test_a_wrong_field_is_for_the_same_users(self):
        self.plant('wrong=50%:price_cents', 'who=cookie:visitor')
        seen = {}
        for who in 'abcdefgh' * 2:
            self.client.cookies['visitor'] = who
            answer = self.client.get(LIST)
            seen.setdefault(who, set()).add(answer.json()['results'][0]['price_cents'])
            self.assertEqual(int(answer['Content-Length']), len(answer.content))
        self.assertEqual({who: len(prices) for who, prices in seen.items()}, dict.fromkeys('abcdefgh', 1))
        self.assertEqual(set.union(*seen.values()), {2500, 2501})

    def test_users_told_by_a_header_and_by_their_account(self):
        self.plant('wrong=50%:price_cents', 'who=header:X-Device')
        self.client.force_login(self.user)
        for sent, prices in (({}, 1), ({'HTTP_X_DEVICE': '%s'}, 2)):
            answers = [self.client.get(LIST, **{name: value % who for name, value in sent.items()}) for who in 'abcdefgh']
            self.assertEqual(len({answer.json()['results'][0]['price_cents'] for answer in answers}), prices)

    def test_slow_ones_wait_so_long(self):
        with mock.patch('shop.middleware.time.sleep') as sleep:
            self.plant('delay=100%:250')
            self.client.get(LIST)
            self.assertEqual(sleep.call_args_list, [mock.call(0.25)])
            sleep.reset_mock()
            self.plant('leak=1:10')
            for _ in range(3):
                self.client.get(LIST)
            self.assertEqual([call[0][0] for call in sleep.call_args_list], [0.01, 0.02, 0.03])
            self.plant()
            self.client.get(LIST)
            self.plant('leak=1:10')
            sleep.reset_mock()
            self.client.get(LIST)
            self.assertEqual(sleep.call_args_list, [mock.call(0.01)])

    def test_a_hang_ends_with_its_fault(self):
        self.plant('hang=100%')
        with mock.patch('shop.middleware.time.sleep') as sleep:
            sleep.side_effect = lambda _: self.plant() if sleep.call_count == 3 else None
            self.assertEqual(self.client.get(LIST).status_code, 200)
        self.assertEqual(sleep.call_count, 3)

    def test_a_crash_ends_the_process(self):
        self.plant('crash=100%')
        with mock.patch('shop.middleware.os._exit', side_effect=SystemExit(70)) as ended:
            self.assertRaises(SystemExit, self.client.get, LIST)
        ended.assert_called_once_with(70)


class Command(SimpleTestCase):
    def run_fault(self, *words):
        done = subprocess.run([sys.executable, str(settings.BASE_DIR / 'fault'), *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_it_writes_what_the_shop_reads(self):
        with tempfile.TemporaryDirectory(prefix='shop-faults-') as folder:
            path = os.path.join(folder, 'f.json')
            self.assertEqual(self.run_fault(path, 'errors=1%', 'only=/api/')[0], 0)
            self.assertEqual(faults.Faults(path).now(), {'errors': 0.01, 'only': '/api/'})
            self.assertEqual(json.loads(self.run_fault(path)[1]), {'errors': 0.01, 'only': '/api/'})
            self.assertEqual(self.run_fault(path, 'none'), (0, '{}\n'))
            code, text = self.run_fault(path, 'errors=200%')
            self.assertEqual((code, text), (2, 'fault: errors=200%: a share is 0% to 100%\n'))
            self.assertEqual(self.run_fault(os.path.join(folder, 'none', 'f'), 'refuse')[0], 1)
