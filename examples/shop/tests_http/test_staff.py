"""Report, streamed CSV, live feed."""
import csv
import io
import json
import time
import unittest
import uuid

from browser import Browser, buy, new_product, new_user, staff


class Staff(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.browser.login('staff')

    def test_dashboard(self):
        page = self.browser.get('/staff/')
        self.assertEqual(page.status, 200)
        self.assertIn('Revenue', page.text)

    def test_report(self):
        page = self.browser.get('/staff/report/?from=2026-05-01&to=2026-06-30')
        self.assertEqual(page.status, 200)
        self.assertIn('1 May 2026 to 30 Jun 2026', page.page.text)
        for words in ('Chairs', 'Declined cards', 'order_placed'):
            self.assertIn(words, page.page.text)

    def test_csv_is_streamed(self):
        customer = new_user()
        self.addCleanup(customer.close)
        order = buy(customer, new_product(self)).json
        day = order['created_at'][:10]
        response = self.browser.send('GET', '/staff/report.csv?from=%s&to=%s' % (day, day))
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.getheader('Content-Length'))
        self.assertEqual(response.getheader('Transfer-Encoding'), 'chunked')
        self.assertIn('attachment; filename="orders-%s.csv"' % day, response.getheader('Content-Disposition'))
        rows = list(csv.DictReader(io.StringIO(response.read().decode())))
        mine = [row for row in rows if row['number'] == order['number']]
        self.assertEqual(len(mine), 1)
        self.assertEqual((mine[0]['customer'], mine[0]['items'], mine[0]['total'], mine[0]['card']), (customer.username, '1', '17.40', 'visa'))

    def test_csv_of_the_samples(self):
        answer = self.browser.get('/staff/report.csv?from=2026-06-01&to=2026-06-30')
        rows = list(csv.reader(io.StringIO(answer.text)))
        self.assertGreater(len(rows), 20)
        self.assertEqual({len(row) for row in rows}, {10})

    def test_csv_is_for_staff(self):
        visitor = Browser()
        self.addCleanup(visitor.close)
        self.assertEqual(visitor.get('/staff/report.csv').location, '/login/?next=/staff/report.csv')
        self.assertEqual(visitor.get('/events/stream').location, '/login/?next=/events/stream')

    def test_stats(self):
        self.assertGreater(staff().api('GET', 'stats').json['users'], 3)


class Feed(unittest.TestCase):
    """Server-sent events arrive while the answer is open, in order, and can be taken up again."""

    @classmethod
    def setUpClass(cls):
        browser = Browser()
        browser.login('staff')
        cls.cookies = browser.cookies
        browser.close()
        cls.sender = Browser()
        cls.addClassCleanup(cls.sender.close)

    def open(self, kind, seconds=20, **headers):
        browser = Browser()
        browser.cookies = dict(self.cookies)
        self.addCleanup(browser.close)
        response = browser.send('GET', '/events/stream?kinds=client_%s&seconds=%d' % (kind, seconds),
                                headers={name.replace('_', '-'): value for name, value in headers.items()})
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader('Content-Type'), 'text/event-stream; charset=utf-8')
        self.assertIsNone(response.getheader('Content-Length'))
        self.assertEqual(self.line(response), 'retry: 1000')
        self.assertEqual(self.line(response), '')
        return response

    def line(self, response):
        return response.readline().decode().rstrip('\n')

    def event(self, response):
        """The next event as (id, kind, data); comments are skipped."""
        fields = {}
        while True:
            line = self.line(response)
            if line == '' and fields:
                return int(fields['id']), fields['event'], json.loads(fields['data'])
            if ': ' in line and not line.startswith(':'):
                name, value = line.split(': ', 1)
                fields[name] = value

    def send(self, kind, number):
        answer = self.sender.api('POST', 'events', {'kind': kind, 'path': '/test', 'data': {'n': number}})
        self.assertEqual((answer.status, answer.json), (202, {'accepted': 1}))

    def test_events_arrive_while_the_answer_is_open(self):
        kind = uuid.uuid4().hex[:16]
        started = time.monotonic()
        response = self.open(kind)
        for number in range(3):
            self.send(kind, number)
            _, name, data = self.event(response)
            self.assertEqual((name, data['data']['n'], data['path']), ('client_' + kind, number, '/test'))
        self.assertLess(time.monotonic() - started, 15)

    def test_taken_up_again_after_the_last_id(self):
        kind = uuid.uuid4().hex[:16]
        response = self.open(kind)
        for number in range(3):
            self.send(kind, number)
        first = self.event(response)[0]
        again = self.open(kind, Last_Event_ID=str(first))
        self.assertEqual([self.event(again)[2]['data']['n'] for _ in range(2)], [1, 2])

    def test_the_feed_ends_by_itself(self):
        response = self.open(uuid.uuid4().hex[:16], seconds=1)
        self.assertEqual(response.read(), b'')

    def test_quiet_feeds_are_kept_alive(self):
        response = self.open(uuid.uuid4().hex[:16], seconds=7)
        self.assertEqual(self.line(response), ': still here')


if __name__ == '__main__':
    unittest.main()
