"""The report that the Monday meeting looks at. Raw SQL, because the ORM gave up on it in 2019."""
from django.db import connection

# The same text runs on PostgreSQL and on the SQLite of the unit tests.
SALES_BY_CATEGORY = """
SELECT c.name AS category,
       COUNT(DISTINCT o.id) AS orders,
       SUM(l.quantity) AS pieces,
       SUM(l.quantity * l.unit_price_cents) AS revenue_cents,
       COUNT(DISTINCT o.user_id) AS customers,
       (SELECT AVG(r.stars) FROM catalogue_review r JOIN catalogue_product rp ON rp.id = r.product_id
         WHERE rp.category_id = c.id) AS stars
  FROM orders_order o
  JOIN orders_orderline l ON l.order_id = o.id
  JOIN catalogue_product p ON p.id = l.product_id
  JOIN catalogue_category c ON c.id = p.category_id
  JOIN payments_payment y ON y.id = o.payment_id AND y.status = 'captured'
 WHERE o.status IN ('paid', 'packed', 'shipped', 'delivered') AND o.created_at >= %s AND o.created_at < %s
 GROUP BY c.id, c.name
 ORDER BY revenue_cents DESC, c.name
"""

BEST_CUSTOMERS = """
SELECT u.username, COUNT(*) AS orders, SUM(o.total_cents) AS spent_cents, MAX(o.created_at) AS last_order,
       (SELECT COUNT(*) FROM notifications_notification n WHERE n.user_id = u.id) AS letters,
       (SELECT COUNT(*) FROM analytics_event e WHERE e.user_id = u.id AND e.kind = 'page_view') AS pages
  FROM auth_user u
  JOIN orders_order o ON o.user_id = u.id
 WHERE o.status IN ('paid', 'packed', 'shipped', 'delivered') AND o.created_at >= %s AND o.created_at < %s
 GROUP BY u.id, u.username
 ORDER BY spent_cents DESC, u.username
 LIMIT 20
"""

FUNNEL = """
SELECT kind, COUNT(*) AS events, COUNT(DISTINCT user_id) AS users
  FROM analytics_event
 WHERE created_at >= %s AND created_at < %s
 GROUP BY kind
 ORDER BY events DESC, kind
"""

DECLINES = """
SELECT y.card_brand AS brand, y.error_code AS reason, COUNT(*) AS payments, SUM(y.amount_cents) AS amount_cents
  FROM payments_payment y
  JOIN orders_order o ON o.id = y.order_id
 WHERE y.status IN ('declined', 'failed') AND o.created_at >= %s AND o.created_at < %s
 GROUP BY y.card_brand, y.error_code
 ORDER BY payments DESC, brand, reason
"""


def rows(sql, since, until):
    with connection.cursor() as cursor:
        cursor.execute(sql, [since, until])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def weekly_report(since, until):
    return {
        'categories': rows(SALES_BY_CATEGORY, since, until),
        'customers': rows(BEST_CUSTOMERS, since, until),
        'funnel': rows(FUNNEL, since, until),
        'declines': rows(DECLINES, since, until),
    }
