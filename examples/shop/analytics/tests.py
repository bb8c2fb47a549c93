import datetime

from django.utils import timezone

from orders.tests import place_order
from shop.test_case import ShopTestCase, make_user

from .models import Event
from .reports import weekly_report
from .views import feed


class PageViews(ShopTestCase):
    def test_pages_are_counted_and_the_rest_is_not(self):
        for path in ('/', '/products/oak-stool/', '/none', '/api/v1/products', '/healthz', '/p/%d' % self.product.pk):
            self.client.get(path)
        self.assertEqual(list(Event.objects.filter(kind='page_view').order_by('id').values_list('path', flat=True)), ['/', '/products/oak-stool/'])

    def test_addresses_that_are_none(self):
        self.client.get('/', REMOTE_ADDR='')
        self.assertIsNone(Event.objects.get(kind='page_view').ip)


class Reports(ShopTestCase):
    def test_report_and_csv(self):
        order = place_order(self, 2)
        order.payment.status = 'captured'
        order.payment.save()
        order.go('paid')
        now = timezone.now()
        report = weekly_report(now - datetime.timedelta(days=1), now + datetime.timedelta(days=1))
        self.assertEqual([(row['category'], row['pieces'], row['revenue_cents']) for row in report['categories']], [('Chairs', 2, 5000)])
        self.assertEqual(report['customers'][0]['username'], 'tess')
        self.client.force_login(make_user('boss', is_staff=True))
        page = self.client.get('/staff/report/')
        self.assertContains(page, 'Chairs')
        self.assertRegex(page['Server-Timing'], r'^queries;dur=\d+\.\d$')
        lines = b''.join(self.client.get('/staff/report.csv')).decode().splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn('tess,paid,2,50.00,0.00,0.00,50.00,visa', lines[1])


class Feed(ShopTestCase):
    def test_only_new_events_of_the_kind(self):
        old = Event.record('x')
        lines = feed(old.id, 0.5, ['x'])
        self.assertEqual(next(lines), 'retry: 1000\n\n')
        Event.record('y')
        new = Event.record('x', data={'n': 1})
        self.assertTrue(next(lines).startswith('id: %d\nevent: x\ndata: {' % new.id))
        self.assertEqual(list(lines), [])
