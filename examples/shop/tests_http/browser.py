"""A browser of a few lines for the tests: one kept connection, cookies, forms. Nothing is retried, nothing is followed unasked."""
import atexit
import http.client
import json
import os
import ssl
import uuid
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

BASE = os.environ.get('SHOP_URL', 'http://127.0.0.1:8000').rstrip('/')
PASSWORD = os.environ.get('SHOP_PASSWORD', 'pine-and-anvil')
STAFF, ADMIN = 'staff', 'admin'
TIMEOUT_S = 60

GOOD, DECLINED, NO_MONEY, BROKEN, NO_CAPTURE, SLOW = (
    '4242424242424242', '4000000000000002', '4000000000009995', '4000000000000119', '4000000000000341', '4000000000003220')
PNG = b'\x89PNG\r\n\x1a\n'
ADDRESS = {'name': 'Tess Ter', 'street': 'Mill Lane 1', 'city': 'Berlin', 'postcode': '10115', 'country': 'DE'}


class Forms(HTMLParser):
    """The forms of a page with their fields, its text, its links and images."""

    def __init__(self, html):
        super().__init__()
        self.forms, self.flash, self.links, self.images, self.texts = [], [], [], [], []
        self.path, self.select = [], None
        self.feed(html)
        self.text = ' '.join(' '.join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == 'form':
            self.forms.append({'action': attrs.get('action', ''), 'method': attrs.get('method', 'get'), 'id': attrs.get('id'), 'fields': {}})
        elif tag in ('input', 'textarea', 'select') and self.forms and attrs.get('name'):
            if attrs.get('type') not in ('checkbox', 'file', 'submit') or 'checked' in attrs:
                self.forms[-1]['fields'][attrs['name']] = attrs.get('value', '')
            self.select = attrs['name'] if tag == 'select' else None
        elif tag == 'option' and self.select and 'selected' in attrs:
            self.forms[-1]['fields'][self.select] = attrs.get('value', '')
        elif tag == 'a':
            self.links.append(attrs.get('href', ''))
        elif tag == 'img':
            self.images.append(attrs.get('src', ''))
        elif tag == 'ul' and attrs.get('class') == 'flash':
            self.path.append('flash')
        elif tag == 'li' and self.path:
            self.flash.append('')

    def handle_endtag(self, tag):
        if tag == 'ul' and self.path:
            self.path.pop()

    def handle_data(self, data):
        self.texts.append(data)
        if self.path and self.flash:
            self.flash[-1] += data

    def form(self, action):
        for form in self.forms:
            if form['action'] == action or form['id'] == action:
                return dict(form['fields'])
        raise AssertionError('no form %r among %r' % (action, [form['action'] for form in self.forms]))


class Answer:
    def __init__(self, method, path, response, body):
        self.method, self.path = method, path
        self.status, self.headers, self.body, self.version = response.status, response.msg, body, response.version
        self._page = None

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def page(self):
        if self._page is None:
            self._page = Forms(self.text)
        return self._page

    @property
    def location(self):
        return self.headers['Location']

    @property
    def cookies(self):
        return self.headers.get_all('Set-Cookie') or []

    def __repr__(self):
        return '%s %s: %d %s' % (self.method, self.path, self.status, self.body[:300])


def connect():
    parts = urlsplit(BASE)
    if parts.scheme == 'https':
        context = ssl.create_default_context()
        if os.environ.get('SHOP_INSECURE'):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT_S, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)


class Browser:
    def __init__(self, token=None):
        self.cookies, self.token = {}, token
        self.username = self.user_id = None
        self.connection = connect()

    def close(self):
        self.connection.close()

    def send(self, method, path, body=None, headers=None):
        """The open response; read it or close."""
        all_headers = {'User-Agent': 'shop-tests/1'}
        if self.cookies:
            all_headers['Cookie'] = '; '.join('%s=%s' % pair for pair in self.cookies.items())
        if self.token:
            all_headers['Authorization'] = 'Token ' + self.token
        if BASE.startswith('https') and method not in ('GET', 'HEAD'):
            all_headers['Referer'] = BASE + '/'
        all_headers.update(headers or {})
        self.connection.request(method, path, body, all_headers)
        response = self.connection.getresponse()
        for line in response.msg.get_all('Set-Cookie') or []:
            for name, morsel in SimpleCookie(line).items():
                if morsel['max-age'] == '0' or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value
        return response

    def request(self, method, path, body=None, headers=None):
        response = self.send(method, path, body, headers)
        return Answer(method, path, response, response.read())

    def get(self, path, **headers):
        return self.request('GET', path, headers={name.replace('_', '-'): value for name, value in headers.items()})

    def follow(self, answer):
        """The page a redirect leads to."""
        assert answer.status in (301, 302), answer
        url = urlsplit(urljoin(BASE + answer.path, answer.location))
        return self.get(url.path + ('?' + url.query if url.query else ''))

    def post(self, path, fields, csrf=True):
        """A form, with the token of the cookie as a page would have put it in."""
        fields = dict(fields)
        if csrf:
            fields.setdefault('csrfmiddlewaretoken', self.csrf())
        return self.request('POST', path, urlencode(fields), {'Content-Type': 'application/x-www-form-urlencoded'})

    def csrf(self):
        if 'csrftoken' not in self.cookies:
            self.get('/login/')
        return self.cookies['csrftoken']

    def upload(self, path, fields, files, headers=None):
        """multipart/form-data; files are {field: (name, type, bytes)}."""
        edge = uuid.uuid4().hex
        parts = []
        for name, value in dict(fields, csrfmiddlewaretoken=self.csrf()).items():
            parts.append(('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (edge, name, value)).encode())
        for name, (filename, kind, data) in files.items():
            parts.append(('--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
                          % (edge, name, filename, kind)).encode() + data + b'\r\n')
        parts.append(('--%s--\r\n' % edge).encode())
        return self.request('POST', path, b''.join(parts), dict(headers or {}, **{'Content-Type': 'multipart/form-data; boundary=' + edge}))

    def api(self, method, path, body=None, **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        if not self.token and method != 'GET':
            headers.setdefault('X-CSRFToken', self.csrf())
        if body is not None:
            headers['Content-Type'] = 'application/json'
        return self.request(method, '/api/v1/' + path, json.dumps(body) if body is not None else None, headers)

    def login(self, username, password=PASSWORD, path='/login/'):
        page = self.get(path).page
        fields = page.form('login-form' if path.startswith('/admin') else '')
        return self.post(path, dict(fields, username=username, password=password))


def name():
    return 't' + uuid.uuid4().hex[:12]


def new_user():
    """Signs up through the page; the browser is logged in."""
    browser = Browser()
    browser.username = name()
    fields = browser.get('/signup/').page.form('')
    answer = browser.post('/signup/', dict(fields, username=browser.username, email=browser.username + '@tests.example',
                                           password1='Mend-it-4-ever', password2='Mend-it-4-ever'))
    assert answer.status == 302, answer
    browser.follow(answer)      # and the flash message is seen
    return browser


def token_for(username, password=PASSWORD):
    browser = Browser()
    answer = browser.api('POST', 'auth/token', {'username': username, 'password': password})
    assert answer.status == 201, answer
    browser.token, browser.username, browser.user_id = answer.json['token'], username, answer.json['user_id']
    browser.cookies.clear()
    return browser


_shared = {}


def staff():
    """Staff by token, shared: it keeps no state."""
    if 'staff' not in _shared:
        _shared['staff'] = token_for(STAFF)
        atexit.register(_shared['staff'].close)
    return _shared['staff']


def new_product(test, stock=50, price=1250, **more):
    """A product of this test alone; it leaves the catalogue afterwards."""
    sku = uuid.uuid4().hex[:12]
    answer = staff().api('POST', 'staff/products', dict({
        'sku': sku, 'name': 'Test kettle ' + sku, 'category': 'stoves', 'price_cents': price, 'weight_grams': 100, 'delivered': stock,
        'description': 'Made by a test, see you.'}, **more))
    assert answer.status == 201, answer
    product = answer.json
    add = getattr(test, 'addClassCleanup', None) if isinstance(test, type) else test.addCleanup
    add(staff().api, 'PATCH', 'staff/products/%d' % product['id'], {'active': False})
    return product


def buy(browser, product, quantity=1, card=GOOD, **headers):
    """Cart and checkout by the API; the answer of the checkout."""
    answer = browser.api('POST', 'cart/items', {'product_id': product['id'], 'quantity': quantity})
    assert answer.status == 201, answer
    return checkout(browser, card, **headers)


def checkout(browser, card=GOOD, **headers):
    return browser.api('POST', 'checkout', {'address': ADDRESS, 'card': {'number': card, 'expiry': '12/39', 'cvc': '123'}}, **headers)
