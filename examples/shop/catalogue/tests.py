from django.core.files.uploadedfile import SimpleUploadedFile

from shop.test_case import ShopTestCase, make_product, make_user

from .models import Product, Review


class Stock(ShopTestCase):
    def test_movements_are_the_counters(self):
        for kind, quantity, on_hand, reserved in (('reserve', 4, 10, 4), ('sale', 3, 7, 1), ('release', 1, 7, 0), ('return', 2, 9, 0),
                                                  ('correction', -1, 8, 0)):
            self.product.move(kind, quantity)
            self.product.refresh_from_db()
            self.assertEqual((self.product.on_hand, self.product.reserved), (on_hand, reserved), kind)
        self.assertRaises(ValueError, self.product.move, 'theft', 1)
        self.assertEqual(self.product.movements.count(), 6)


class Pages(ShopTestCase):
    def test_search_and_sort(self):
        make_product('Ash bench', 900)
        page = self.client.get('/?q=bench')
        self.assertContains(page, 'Ash bench')
        self.assertNotContains(page, 'Oak stool')
        self.assertEqual([p.name for p in self.client.get('/?sort=-price').context['page']], ['Oak stool', 'Ash bench'])

    def test_the_list_asks_a_question_a_product(self):
        """The debt, in numbers: category and rating for each product."""
        with self.assertNumQueries(6):
            self.client.get('/')
        make_product('Ash bench')
        with self.assertNumQueries(8):
            self.client.get('/')

    def test_inactive_products_are_for_staff(self):
        Product.objects.update(active=False)
        self.assertEqual(self.client.get('/products/oak-stool/').status_code, 404)
        self.client.force_login(make_user('boss', is_staff=True))
        self.assertEqual(self.client.get('/products/oak-stool/').status_code, 200)

    def test_review_needs_an_order(self):
        self.client.force_login(self.user)
        self.client.post('/products/oak-stool/review/', {'stars': 5})
        self.assertFalse(Review.objects.exists())

    def test_staff_form(self):
        self.client.force_login(make_user('boss', is_staff=True))
        data = {'sku': 'N-1', 'name': 'New lamp', 'category': self.product.category_id, 'price': '12,50', 'delivered': 4, 'weight_grams': 1,
                'active': 'on', 'picture': SimpleUploadedFile('a.png', b'\x89PNG\r\n\x1a\n123')}
        self.assertRedirects(self.client.post('/staff/products/new/', data), '/products/new-lamp-n-1/')
        lamp = Product.objects.get(sku='N-1')
        self.assertEqual((lamp.price_cents, lamp.available), (1250, 4))
        self.assertEqual(b''.join(self.client.get(lamp.picture.url).streaming_content), b'\x89PNG\r\n\x1a\n123')
        bad = dict(data, sku='N-2', price='cheap', picture=SimpleUploadedFile('a.png', b'<svg>'))
        self.assertContains(self.client.post('/staff/products/new/', bad), 'Write a price like')
