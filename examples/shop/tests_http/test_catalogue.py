"""Pages of the catalogue: lists, search, product, pictures, reviews, staff."""
import unittest
import uuid
from urllib.parse import quote, quote_plus

from browser import BASE, PNG, Browser, buy, new_product, new_user


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.product = new_product(cls)

    def test_home_has_pages(self):
        page = self.browser.get('/')
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers['Content-Type'], 'text/html; charset=utf-8')
        self.assertIn('?page=2', page.page.links)
        second = self.browser.get('/?page=2')
        self.assertIn('page 2 of', second.page.text)
        first, later = ({link for link in p.page.links if link.startswith('/products/')} for p in (page, second))
        self.assertEqual((len(first), len(first & later)), (24, 0))

    def test_search(self):
        page = self.browser.get('/?q=' + self.product['sku'])
        self.assertIn(self.product['name'], page.page.text)
        self.assertIn('1 products', page.page.text)
        odd = 'é&<b>"\'%+ü ' + uuid.uuid4().hex
        page = self.browser.get('/?q=' + quote_plus(odd))
        self.assertIn('Nothing found', page.page.text)
        self.assertIn(odd, page.page.text)
        self.assertNotIn('<b>"', page.text)

    def test_sort_by_price(self):
        prices = [one['price_cents'] for one in self.browser.api('GET', 'products?sort=-price&per_page=50').json['results']]
        self.assertEqual(prices, sorted(prices, reverse=True))

    def test_category(self):
        page = self.browser.get('/category/outdoor/?q=' + self.product['sku'])
        self.assertIn(self.product['name'], page.page.text)
        self.assertNotIn(self.product['name'], self.browser.get('/category/garden/?q=' + self.product['sku']).page.text)
        self.assertEqual(self.browser.get('/category/none/').status, 404)

    def test_product(self):
        page = self.browser.get(self.product['url'])
        self.assertEqual(page.status, 200)
        self.assertIn('12.50 €', page.page.text)
        self.assertIn('50 in stock', page.page.text)
        self.assertEqual(self.browser.get('/products/no-such-thing/').status, 404)

    def test_encoded_letters_in_the_path(self):
        path = self.product['url'].replace('-', quote('-').replace('-', '%2D'))
        self.assertEqual(self.browser.get(path).status, 200)

    def test_short_link_is_absolute(self):
        answer = self.browser.get('/p/%d' % self.product['id'])
        self.assertEqual((answer.status, answer.location), (301, BASE + self.product['url']))

    def test_staff_puts_a_picture_up(self):
        browser, sku = Browser(), uuid.uuid4().hex[:12]
        self.addCleanup(browser.close)
        browser.login('staff')
        fields = browser.get('/staff/products/new/').page.form('')
        category = browser.get('/staff/products/new/').text.split('>Stoves</option>')[0].rsplit('value="', 1)[1].split('"')[0]
        fields.update(sku=sku, name='Pictured pan ' + sku, category=category, price='9,95', delivered='3', weight_grams='10', active='on')
        picture = PNG + sku.encode() * 1000
        answer = browser.upload('/staff/products/new/', fields, {'picture': ('pan.png', 'image/png', picture)})
        self.assertEqual(answer.status, 302, answer)
        page = browser.follow(answer)
        self.assertIn('is in the catalogue', page.page.flash[0])
        self.assertIn('9.95 €', page.page.text)
        source = next(image for image in page.page.images if '/media/products/' in image)
        self.assertEqual(self.browser.get(source).body, picture)
        edit = next(link for link in page.page.links if link.startswith('/staff/products/'))
        form = browser.get(edit).page.form('')
        form.pop('active')
        self.assertEqual(browser.upload(edit, dict(form, price='1.00'), {}).status, 302)
        self.assertEqual(self.browser.get(answer.location).status, 404)

    def test_review_only_after_buying(self):
        product, browser = new_product(self), new_user()
        self.addCleanup(browser.close)
        review = product['url'] + 'review/'
        browser.post(review, {'stars': 5, 'text': 'never had it'})
        self.assertIn('Only who bought it', browser.get(product['url']).page.flash[0])
        self.assertEqual(buy(browser, product).status, 201)
        self.assertEqual(browser.post(review, {'stars': 4, 'text': 'Boils <fast>'}).status, 302)
        page = self.browser.get(product['url'])
        self.assertIn('Boils <fast>', page.page.text)
        self.assertEqual(self.browser.api('GET', 'products/%d' % product['id']).json['rating'], 4.0)
        browser.post(review, {'stars': 9})
        self.assertIn('one to five stars', ' '.join(browser.get(product['url']).page.flash))


if __name__ == '__main__':
    unittest.main()
