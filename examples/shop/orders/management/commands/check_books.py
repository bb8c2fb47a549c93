"""Does everything add up? Stock, totals, payments, daily sums. Exit code 1 and a line for each thing that does not."""
import sys

from django.core.management.base import BaseCommand
from django.db import connection

CHECKS = {
    'products whose on_hand is not the sum of their movements': """
        SELECT p.id FROM catalogue_product p LEFT JOIN catalogue_stockmovement m ON m.product_id = p.id GROUP BY p.id, p.on_hand
        HAVING p.on_hand <> COALESCE(SUM(CASE WHEN m.kind IN ('delivery', 'return', 'correction') THEN m.quantity
                                              WHEN m.kind = 'sale' THEN -m.quantity ELSE 0 END), 0)""",
    'products whose reserved is not the sum of their movements': """
        SELECT p.id FROM catalogue_product p LEFT JOIN catalogue_stockmovement m ON m.product_id = p.id GROUP BY p.id, p.reserved
        HAVING p.reserved <> COALESCE(SUM(CASE WHEN m.kind = 'reserve' THEN m.quantity
                                               WHEN m.kind IN ('sale', 'release') THEN -m.quantity ELSE 0 END), 0)""",
    'products with less than nothing': 'SELECT id FROM catalogue_product WHERE on_hand < 0 OR reserved < 0 OR reserved > on_hand',
    'orders whose subtotal is not the sum of their lines': """
        SELECT o.id FROM orders_order o LEFT JOIN orders_orderline l ON l.order_id = o.id GROUP BY o.id, o.subtotal_cents
        HAVING o.subtotal_cents <> COALESCE(SUM(l.quantity * l.unit_price_cents), 0)""",
    'orders whose total is wrong': """
        SELECT id FROM orders_order WHERE total_cents <> subtotal_cents - discount_cents + shipping_cents""",
    'paid orders without a captured payment of the same amount': """
        SELECT o.id FROM orders_order o LEFT JOIN payments_payment y ON y.id = o.payment_id
         WHERE o.status IN ('paid', 'packed', 'shipped', 'delivered')
           AND (y.id IS NULL OR y.status <> 'captured' OR y.amount_cents <> o.total_cents)""",
    'captured payments of orders that are not paid': """
        SELECT o.id FROM orders_order o JOIN payments_payment y ON y.order_id = o.id
         WHERE y.status = 'captured' AND o.status NOT IN ('paid', 'packed', 'shipped', 'delivered')""",
    'orders whose version is not the number of their states': """
        SELECT o.id FROM orders_order o LEFT JOIN orders_statuschange c ON c.order_id = o.id GROUP BY o.id, o.version
        HAVING o.version <> COUNT(c.id)""",
    'coupons whose uses are not their orders': """
        SELECT c.id FROM cart_coupon c LEFT JOIN orders_order o ON o.coupon_id = c.id AND o.status NOT IN ('failed', 'cancelled')
         GROUP BY c.id, c.used HAVING c.used <> COUNT(o.id)""",
}
DAYS = """
    SELECT (SELECT COALESCE(SUM(revenue_cents), 0) FROM analytics_dailysales),
           (SELECT COALESCE(SUM(total_cents), 0) FROM orders_order WHERE status IN ('paid', 'packed', 'shipped', 'delivered', 'refunded')),
           (SELECT COALESCE(SUM(refunded_cents), 0) FROM analytics_dailysales),
           (SELECT COALESCE(SUM(total_cents), 0) FROM orders_order WHERE status = 'refunded')"""


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args, **options):
        wrong = 0
        with connection.cursor() as cursor:
            for what, sql in CHECKS.items():
                cursor.execute(sql)
                ids = [row[0] for row in cursor.fetchall()]
                if ids:
                    wrong += 1
                    self.stdout.write('%s: %d, first %s' % (what, len(ids), ids[:5]))
            cursor.execute(DAYS)
            revenue, sold, refunded, returned = cursor.fetchone()
        if (revenue, refunded) != (sold, returned):
            wrong += 1
            self.stdout.write('daily sums: revenue %s is %s in the orders, refunds %s are %s' % (revenue, sold, refunded, returned))
        self.stdout.write('%d checks, %d wrong' % (len(CHECKS) + 1, wrong))
        if wrong:
            sys.exit(1)
