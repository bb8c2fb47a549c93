"""Sign-up, login, logout, flash messages, CSRF, profile, avatar, password, addresses."""
import hashlib
import random
import unittest

from browser import ADDRESS, ADMIN, PASSWORD, PNG, STAFF, Browser, name, new_user, token_for


class Signup(unittest.TestCase):
    def setUp(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.fields = self.browser.get('/signup/').page.form('')

    def fill(self, **more):
        user = name()
        return dict(self.fields, **dict({'username': user, 'email': user + '@tests.example', 'password1': 'Mend-it-4-ever',
                                         'password2': 'Mend-it-4-ever'}, **more))

    def test_makes_an_account_and_logs_in(self):
        answer = self.browser.post('/signup/', self.fill(username='x' + name()[:8]))
        self.assertEqual((answer.status, answer.location), (302, '/'))
        home = self.browser.get('/')
        self.assertIn('Your account is ready', home.page.flash[0])
        self.assertIn('Log out', home.text)

    def test_says_welcome_in_the_inbox(self):
        self.browser.post('/signup/', self.fill())
        inbox = self.browser.get('/messages/')
        self.assertIn('WELCOME10', inbox.text)

    def test_wrong_fields_come_back_with_errors(self):
        page = self.browser.post('/signup/', self.fill(password2='other'))
        self.assertEqual(page.status, 200)
        self.assertIn('match', page.page.text)
        page = self.browser.post('/signup/', self.fill(username=STAFF))
        self.assertIn('already exists', page.page.text)
        page = self.browser.post('/signup/', self.fill(password1='12345', password2='12345'))
        self.assertIn('too short', page.page.text)

    def test_an_address_signs_up_once(self):
        fields = self.fill()
        self.assertEqual(self.browser.post('/signup/', fields).status, 302)
        other = Browser()
        self.addCleanup(other.close)
        other.get('/signup/')
        page = other.post('/signup/', dict(self.fill(email=fields['email']), csrfmiddlewaretoken=other.csrf()))
        self.assertIn('There is an account with this e-mail address', page.page.text)


class Login(unittest.TestCase):
    def setUp(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def test_flash_is_shown_once_and_next_is_kept(self):
        answer = self.browser.get('/orders/?page=1')
        self.assertEqual((answer.status, answer.location), (302, '/login/?next=/orders/%3Fpage%3D1'))
        answer = self.browser.login('alice', path=answer.location)
        self.assertEqual((answer.status, answer.location), (302, '/orders/?page=1'))
        page = self.browser.follow(answer)
        self.assertEqual(len(page.page.flash), 1)
        self.assertIn('Hello again', page.page.flash[0])
        self.assertEqual(self.browser.get('/orders/').page.flash, [])

    def test_wrong_password(self):
        answer = self.browser.login('alice', 'wrong')
        self.assertEqual(answer.status, 200)
        self.assertIn('correct username and password', answer.page.text)
        self.assertNotIn('sessionid', self.browser.cookies)

    def test_session_cookie_and_rotation(self):
        answer = self.browser.login('bob')
        session = next(line for line in answer.cookies if line.startswith('sessionid='))
        self.assertIn('HttpOnly', session)
        self.assertIn('SameSite=Lax', session)
        self.assertIn('Path=/', session)
        first = self.browser.cookies['sessionid']
        self.assertEqual(len(answer.cookies), 3, 'sessionid, csrftoken and messages are three lines: %r' % answer.cookies)
        answer = self.browser.post('/logout/', {})
        self.assertEqual((answer.status, answer.location), (302, '/'))
        self.assertIn('You are logged out.', self.browser.get('/').page.flash)
        self.assertNotEqual(self.browser.cookies.get('sessionid'), first)
        self.browser.cookies['sessionid'] = first
        self.assertEqual(self.browser.get('/orders/').status, 302)

    def test_csrf(self):
        self.assertEqual(self.browser.post('/login/', {'username': 'alice', 'password': PASSWORD}, csrf=False).status, 403)
        self.browser.get('/login/')
        bad = dict(username='alice', password=PASSWORD, csrfmiddlewaretoken='x' * 64)
        self.assertEqual(self.browser.post('/login/', bad).status, 403)

    def test_next_never_leaves_the_shop(self):
        answer = self.browser.login('alice', path='/login/?next=https://evil.example/')
        self.assertEqual(answer.location, '/')


class Profile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = new_user()
        cls.addClassCleanup(cls.browser.close)

    def test_change(self):
        fields = self.browser.get('/profile/').page.forms
        form = next(f['fields'] for f in fields if 'first_name' in f['fields'])
        answer = self.browser.post('/profile/', dict(form, first_name='Jöran', last_name="O'Neil & <Co>", phone='+49 30 1', newsletter='on'))
        self.assertEqual((answer.status, answer.location), (302, '/profile/'))
        page = self.browser.get('/profile/')
        self.assertIn('Your profile is saved.', page.page.flash)
        self.assertIn("Jöran O'Neil & <Co>", page.page.text)
        self.assertNotIn('<Co>', page.text)

    def test_avatar_of_five_megabytes_comes_back_unchanged(self):
        picture = PNG + random.Random(5).randbytes(5 * 1024 * 1024)
        answer = self.browser.upload('/profile/avatar/', {}, {'avatar': ('me.png', 'image/png', picture)})
        self.assertEqual((answer.status, answer.location), (302, '/profile/'))
        source = next(image for image in self.browser.get('/profile/').page.images if '/avatars/' in image)
        media = self.browser.get(source)
        self.assertEqual((media.status, media.headers['Content-Type'], len(media.body)), (200, 'image/png', len(picture)))
        self.assertEqual(hashlib.sha256(media.body).digest(), hashlib.sha256(picture).digest())

    def test_avatar_refusals(self):
        for data, words in ((b'GIF89b not a picture', 'Only PNG'), (PNG + bytes(9 * 1024 * 1024), 'larger than 8 MB')):
            self.browser.upload('/profile/avatar/', {}, {'avatar': ('me.png', 'image/png', data)})
            self.assertIn(words, ' '.join(self.browser.get('/profile/').page.flash))
        self.browser.post('/profile/avatar/', {})
        self.assertIn('Choose a picture first.', self.browser.get('/profile/').page.flash)

    def test_addresses(self):
        self.assertEqual(self.browser.post('/profile/addresses/', dict(ADDRESS, street='Far Away 7')).status, 302)
        page = self.browser.get('/profile/')
        self.assertIn('Far Away 7', page.page.text)
        gone = next(f['action'] for f in page.page.forms if f['action'].endswith('/delete/'))
        self.assertEqual(self.browser.post(gone, {}).location, '/profile/')
        self.assertNotIn('Far Away 7', self.browser.get('/profile/').page.text)
        self.browser.post('/profile/addresses/', dict(ADDRESS, street=''))
        self.assertIn('street', ' '.join(self.browser.get('/profile/').page.flash))

    def test_an_address_of_somebody_else_is_not_found(self):
        self.assertEqual(self.browser.post('/profile/addresses/1/delete/', {}).status, 404)


class Password(unittest.TestCase):
    def test_change_keeps_the_session_and_ends_tokens(self):
        browser = new_user()
        self.addCleanup(browser.close)
        mobile = token_for(browser.username, 'Mend-it-4-ever')
        self.addCleanup(mobile.close)
        self.assertEqual(mobile.api('GET', 'profile').status, 200)
        fields = browser.get('/profile/password/').page.form('')
        answer = browser.post('/profile/password/', dict(fields, old_password='Mend-it-4-ever', new_password1='Even-better-5', new_password2='Even-better-5'))
        self.assertEqual((answer.status, answer.location), (302, '/profile/'))
        self.assertIn('Your password is changed.', browser.get('/profile/').page.flash)
        self.assertEqual(mobile.api('GET', 'profile').status, 401)
        again = Browser()
        self.addCleanup(again.close)
        self.assertEqual(again.login(browser.username, 'Mend-it-4-ever').status, 200)
        self.assertEqual(again.login(browser.username, 'Even-better-5').status, 302)


class Admin(unittest.TestCase):
    """Django's admin, every model of the shop in it."""

    MODELS = ['accounts/profile', 'accounts/address', 'accounts/apitoken', 'catalogue/category', 'catalogue/product', 'catalogue/stockmovement',
              'catalogue/review', 'cart/cart', 'cart/cartitem', 'cart/coupon', 'orders/order', 'orders/orderline', 'orders/statuschange',
              'payments/payment', 'payments/refund', 'notifications/notification', 'analytics/event', 'analytics/dailysales', 'auth/user']

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        answer = cls.browser.login(ADMIN, path='/admin/login/?next=/admin/')
        assert (answer.status, answer.location) == (302, '/admin/'), answer

    def test_lists(self):
        for model in self.MODELS:
            with self.subTest(model=model):
                self.assertEqual(self.browser.get('/admin/%s/' % model).status, 200)

    def test_an_order_and_a_search(self):
        page = self.browser.get('/admin/orders/order/1/change/')
        self.assertEqual(page.status, 200)
        self.assertIn('PA-0000001', page.text)
        self.assertIn('user000', self.browser.get('/admin/auth/user/?q=user0000').text)

    def test_static_files_of_the_admin(self):
        page = self.browser.get('/admin/')
        css = page.text.split('href="/static/admin/css/base', 1)[1].split('"', 1)[0]
        self.assertEqual(self.browser.get('/static/admin/css/base' + css).headers['Content-Type'], 'text/css')

    def test_add_and_delete_a_coupon(self):
        code = name().upper()
        fields = self.browser.get('/admin/cart/coupon/add/').page.form('coupon_form')
        answer = self.browser.post('/admin/cart/coupon/add/', dict(fields, code=code, percent_off=5))
        self.assertEqual((answer.status, answer.location), (302, '/admin/cart/coupon/'))
        page = self.browser.get('/admin/cart/coupon/?q=')
        row = page.text.split('>%s</a>' % code)[0].rsplit('href="', 1)[1].split('"')[0]
        row = row.replace('/change/', '/delete/').split('?')[0]
        self.assertEqual(self.browser.post(row, {'post': 'yes'}).status, 302)
        self.assertNotIn(code, self.browser.get('/admin/cart/coupon/').text.split('class="results"')[-1])

    def test_customers_are_kept_out(self):
        browser = Browser()
        self.addCleanup(browser.close)
        browser.login('alice')
        self.assertEqual(browser.get('/admin/').location, '/admin/login/?next=/admin/')
        self.assertEqual(browser.get('/staff/').location, '/login/?next=/staff/')


if __name__ == '__main__':
    unittest.main()
