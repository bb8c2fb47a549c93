"""What HTTP promises: kept connections, HEAD, conditional requests, redirects, errors, headers."""
import time
import unittest
from email.utils import parsedate_to_datetime

from browser import Browser, new_product


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.product = new_product(cls)
        cls.path = '/api/v1/products/%d' % cls.product['id']

    def test_connection_is_kept(self):
        browser = Browser()
        self.addCleanup(browser.close)
        ports = set()
        for _ in range(15):
            for path in ('/version', '/', '/static/none.css', '/orders/'):
                browser.get(path)
                ports.add(browser.connection.sock.getsockname()[1] if browser.connection.sock else None)
        self.assertEqual(len(ports), 1)

    def test_health_and_version(self):
        answer = self.browser.get('/healthz')
        self.assertEqual((answer.status, answer.json), (200, {'status': 'ok', 'database': 'ok'}))
        answer = self.browser.get('/version')
        self.assertEqual((answer.json['name'], sorted(answer.json)), ('shop', ['django', 'name', 'version']))

    def test_head(self):
        for path in (self.path, '/version', '/p/%d' % self.product['id'], '/nope'):
            with self.subTest(path=path):
                once = Browser()        # gunicorn sends the body after HEAD all the same: that connection is of no more use
                head, get = once.request('HEAD', path), self.browser.get(path)
                once.close()
                self.assertEqual((head.status, head.body), (get.status, b''))
                for name in ('Content-Type', 'Content-Length', 'Location'):
                    self.assertEqual(head.headers[name], get.headers[name], name)

    def test_etag(self):
        first = self.browser.get(self.path)
        etag = first.headers['ETag']
        self.assertRegex(etag, r'^"[0-9a-f]{32}"$')
        second = self.browser.get(self.path, If_None_Match=etag)
        self.assertEqual((second.status, second.body, second.headers['ETag']), (304, b'', etag))
        self.assertEqual(self.browser.get(self.path, If_None_Match='"other"').status, 200)
        self.assertEqual(self.browser.get(self.path, If_None_Match='"other", W/%s' % etag).status, 304)

    def test_last_modified(self):
        first = self.browser.get(self.path)
        when = first.headers['Last-Modified']
        self.assertLess(parsedate_to_datetime(when).timestamp(), time.time() + 5)
        self.assertEqual(self.browser.get(self.path, If_Modified_Since=when).status, 304)
        self.assertEqual(self.browser.get(self.path, If_Modified_Since='Mon, 01 Jan 2001 00:00:00 GMT').status, 200)

    def test_static_files(self):
        css = self.browser.get('/').text.split('href="/static/shop.', 1)[1].split('"', 1)[0]
        path = '/static/shop.' + css
        answer = self.browser.get(path)
        self.assertEqual((answer.status, answer.headers['Content-Type']), (200, 'text/css'))
        self.assertEqual(answer.headers['Cache-Control'], 'public, max-age=31536000, immutable')
        self.assertEqual(int(answer.headers['Content-Length']), len(answer.body))
        self.assertEqual(self.browser.get(path, If_Modified_Since=answer.headers['Last-Modified']).status, 304)
        for path in ('/static/../shop/settings.py', '/media/..%2f..%2fsecrets.json'):
            self.assertIn(self.browser.get(path).status, (400, 404))

    def test_redirects_are_relative(self):
        for path, status, location in (('/cart', 301, '/cart/'), ('/category/garden?page=1', 301, '/category/garden/?page=1'),
                                       ('/checkout/', 302, '/login/?next=/checkout/'), ('/admin/', 302, '/admin/login/?next=/admin/')):
            with self.subTest(path=path):
                answer = self.browser.get(path)
                self.assertEqual((answer.status, answer.location), (status, location))

    def test_not_found(self):
        answer = self.browser.get('/nope/at/all')
        self.assertEqual(answer.status, 404)
        self.assertIn('There is nothing here', answer.page.text)
        self.assertNotIn('Traceback', answer.text)

    def test_method_not_allowed(self):
        answer = self.browser.post('/healthz', {})
        self.assertEqual(answer.status, 405)
        self.assertEqual(answer.headers['Allow'], 'GET, HEAD')
        self.assertEqual(self.browser.get('/cart/add/').status, 405)

    def test_security_headers(self):
        answer = self.browser.get('/')
        self.assertEqual(answer.headers['X-Frame-Options'], 'DENY')
        self.assertEqual(answer.headers['X-Content-Type-Options'], 'nosniff')
        self.assertEqual(answer.headers['Referrer-Policy'], 'same-origin')
        self.assertIn('Cookie', answer.headers['Vary'])

    def test_expect_continue(self):
        answer = self.browser.request('POST', '/api/v1/events', '{"kind": "expect"}', {'Content-Type': 'application/json', 'Expect': '100-continue'})
        self.assertEqual(answer.status, 202)

    def test_a_visitor_who_only_looks_gets_no_cookie(self):
        browser = Browser()
        self.addCleanup(browser.close)
        self.assertEqual(browser.get('/').cookies, [])
        self.assertEqual(browser.get(self.path).cookies, [])
        self.assertEqual(len(browser.get(self.product['url']).cookies), 1)      # csrftoken, for the form

    def test_long_query_and_many_headers(self):
        answer = self.browser.get('/api/v1/products?q=' + 'x' * 3000, **{'X_Filler_%d' % n: 'y' * 50 for n in range(40)})
        self.assertEqual((answer.status, answer.json['count']), (200, 0))


if __name__ == '__main__':
    unittest.main()
