"""manage.py seed: sample users, products and orders. The same numbers give the same rows, on every machine."""
import csv
import datetime
import io
import json
import random
import time

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils.text import slugify

from accounts.models import Address, Profile
from analytics.models import DailySales, Event
from cart.models import Coupon
from catalogue.models import Category, Product, Review, StockMovement
from notifications.models import Notification
from orders.models import Order, OrderLine, StatusChange
from payments.models import Payment
from shop.utils import percent_of, shipping_for

DEMO_PASSWORD = 'pine-and-anvil'        # of every sample user
SALT = 'seedseedseedseedseedse'         # a fixed salt, so that one hash does for all: never do this outside of a demo

CATEGORIES = {
    'Kitchen': ['Pans', 'Knives'],
    'Workshop': ['Hand tools', 'Fixings'],
    'Garden': ['Beds and pots', 'Watering'],
    'Office': ['Desks', 'Paper'],
    'Living': ['Chairs', 'Lamps'],
    'Outdoor': ['Tents', 'Stoves'],
}
NOUNS = {
    'Pans': ['Frying pan', 'Saucepan', 'Casserole', 'Wok'], 'Knives': ['Chef\'s knife', 'Bread knife', 'Paring knife', 'Cleaver'],
    'Hand tools': ['Hammer', 'Hand saw', 'Plane', 'Chisel'], 'Fixings': ['Wood screws', 'Hooks', 'Hinges', 'Brackets'],
    'Beds and pots': ['Planter', 'Clay pot', 'Raised bed', 'Trellis'], 'Watering': ['Watering can', 'Hose', 'Rain barrel', 'Sprinkler'],
    'Desks': ['Writing desk', 'Standing desk', 'Drawer unit', 'Shelf'], 'Paper': ['Notebook', 'Sketch pad', 'Envelopes', 'Calendar'],
    'Chairs': ['Armchair', 'Stool', 'Rocking chair', 'Bench'], 'Lamps': ['Floor lamp', 'Reading lamp', 'Lantern', 'Pendant'],
    'Tents': ['Tent', 'Tarp', 'Hammock', 'Sleeping mat'], 'Stoves': ['Gas stove', 'Fire bowl', 'Kettle', 'Mess tin'],
}
LOOKS = ['Oak', 'Pine', 'Steel', 'Copper', 'Linen', 'Ash', 'Iron', 'Walnut', 'Brass', 'Birch', 'Enamel', 'Cork']
SIZES = ['small', 'medium', 'large', 'travel', 'family', 'classic']
FIRST = ['Ada', 'Ben', 'Cleo', 'Dan', 'Ella', 'Finn', 'Greta', 'Hugo', 'Ida', 'Jan', 'Kaya', 'Leo', 'Mira', 'Noah', 'Olga', 'Paul']
LAST = ['Adler', 'Berg', 'Claes', 'Dorn', 'Ek', 'Frank', 'Gold', 'Holm', 'Iversen', 'Jung', 'Kern', 'Lind', 'Meyer', 'Nord', 'Otto']
STREETS = ['Birch Road', 'Mill Lane', 'Harbour Street', 'Castle Hill', 'Station Square', 'Orchard Way']
CITIES = [('Berlin', '10115', 'DE'), ('Wien', '1010', 'AT'), ('Utrecht', '3511', 'NL'), ('Gent', '9000', 'BE'), ('Lyon', '69001', 'FR')]
PRAISE = ['Does what it should.', 'A present for my father, he likes it.', 'Smaller than I thought.', 'Would buy it again.', '']
REFUSALS = [('card_declined', 'The card was declined.'), ('insufficient_funds', 'The card has not enough money.'),
            ('expired_card', 'The card has expired.')]
STATES = [Order.DELIVERED] * 78 + [Order.SHIPPED] * 6 + [Order.PACKED] * 3 + [Order.PAID] * 4 + [Order.FAILED] * 4 + \
    [Order.CANCELLED] * 2 + [Order.REFUNDED] * 3
WAY = [Order.PAID, Order.PACKED, Order.SHIPPED, Order.DELIVERED]

COLUMNS = {
    User: 'id username first_name last_name email password is_staff is_superuser is_active date_joined',
    Profile: 'id user_id phone avatar newsletter loyalty_points created_at',
    Address: 'id user_id name street city postcode country is_default deleted',
    Category: 'id name slug parent_id',
    Product: 'id sku name slug description category_id price_cents on_hand reserved weight_grams picture active created_at updated_at',
    StockMovement: 'product_id order_id kind quantity created_at',
    Review: 'product_id user_id stars text created_at',
    Coupon: 'id code percent_off cents_off min_subtotal_cents valid_until max_uses used active',
    Order: 'id number user_id status version address_id payment_id coupon_id subtotal_cents discount_cents shipping_cents '
           'total_cents currency note request_key created_at updated_at paid_at',
    OrderLine: 'order_id product_id name quantity unit_price_cents',
    StatusChange: 'order_id old new by_id created_at',
    Payment: 'id order_id user_id status amount_cents currency card_brand card_last4 idempotency_key network_reference '
             'error_code error_message created_at captured_at',
    Notification: 'user_id order_id kind subject body status error created_at sent_at read_at',
    Event: 'kind user_id product_id order_id path referrer user_agent ip data created_at',
    DailySales: 'day orders items revenue_cents refunded_cents',
}


class Sink:
    """Rows by table: COPY on PostgreSQL, INSERT elsewhere. Foreign keys are checked at the commit."""

    def __init__(self):
        self.copy = connection.vendor == 'postgresql'
        self.rows = {model: [] for model in COLUMNS}
        self.held = 0
        self.total = 0

    def add(self, model, *row):
        self.rows[model].append(row)
        self.held += 1
        self.total += 1
        if self.held >= 200000:
            self.flush()

    def flush(self):
        for model, rows in self.rows.items():
            if rows:
                self.write(model, rows)
                rows.clear()
        self.held = 0

    def write(self, model, rows):
        table, columns = model._meta.db_table, COLUMNS[model].split()
        quoted = ', '.join('"%s"' % column for column in columns)
        with connection.cursor() as cursor:
            if self.copy:
                text = io.StringIO()
                csv.writer(text).writerows(rows)
                text.seek(0)
                solid = ['"%s"' % field.column for field in model._meta.concrete_fields if not field.null and field.column in columns]
                cursor.cursor.copy_expert('COPY "%s" (%s) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (%s))' % (
                    table, quoted, ', '.join(solid)), text)
            else:
                marks = ', '.join(['%s'] * len(columns))
                cursor.executemany('INSERT INTO "%s" (%s) VALUES (%s)' % (table, quoted, marks), rows)


class Loose:
    """Foreign keys and plain indexes are taken off for the load and put back as they were: checked at once, not row by row."""

    FOREIGN_KEYS = """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
                        FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s) ORDER BY oid"""
    INDEXES = """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
                   FROM pg_index i WHERE i.indrelid::regclass::text = ANY(%s)
                    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY i.indexrelid"""

    def __init__(self, tables):
        self.again = []
        if connection.vendor != 'postgresql':
            return
        with connection.cursor() as cursor:
            cursor.execute(self.FOREIGN_KEYS, [tables])
            keys = cursor.fetchall()
            for table, name, definition in keys:
                cursor.execute('ALTER TABLE %s DROP CONSTRAINT %s' % (table, name))
            cursor.execute(self.INDEXES, [tables])
            for name, definition in cursor.fetchall():
                cursor.execute('DROP INDEX %s' % name)
                self.again.append(definition)
        self.again += ['ALTER TABLE %s ADD CONSTRAINT %s %s' % key for key in keys]

    def tighten(self):
        with connection.cursor() as cursor:
            for statement in self.again:
                cursor.execute(statement)


class Command(BaseCommand):
    help = 'Fills an empty database with sample data. All sample users have the password "%s".' % DEMO_PASSWORD

    def add_arguments(self, parser):
        parser.add_argument('--users', type=int, default=1000)
        parser.add_argument('--orders', type=int, default=5000)
        parser.add_argument('--products', type=int, default=240)
        parser.add_argument('--until', default='2026-06-30', help='the last day of the sample orders (two years back from there)')
        parser.add_argument('--flush', action='store_true', help='throw away what is there first')

    def handle(self, *args, users, orders, products, until, flush, **options):
        started = time.monotonic()
        if min(users, products) < 4 or orders < 0:
            raise CommandError('at least 4 users, 4 products and 0 orders, please')
        try:
            day = datetime.date.fromisoformat(until)
        except ValueError:
            raise CommandError('--until: write the day like 2026-06-30')
        if flush:
            call_command('flush', interactive=False, verbosity=0)
        elif User.objects.exists():
            raise CommandError('the database has %d users and %d orders already; with --flush they are thrown away first'
                               % (User.objects.count(), Order.objects.count()))
        self.random = random.Random('pine and anvil %d %d %d' % (users, orders, products))
        self.until = datetime.datetime.combine(day, datetime.time(23, 59), tzinfo=datetime.timezone.utc)
        self.since = self.until - datetime.timedelta(days=730)
        self.sink = Sink()
        with transaction.atomic():
            loose = Loose([model._meta.db_table for model in COLUMNS])
            self.make_users(users)
            self.make_products(products)
            self.make_coupons()
            self.make_orders(orders)
            self.finish()
            loose.tighten()
            with connection.cursor() as cursor:
                for statement in connection.ops.sequence_reset_sql(no_style(), list(COLUMNS)):
                    cursor.execute(statement)
        if connection.vendor == 'postgresql':
            with connection.cursor() as cursor:
                cursor.execute('ANALYZE')
        self.stdout.write('seeded %d users, %d products, %d orders (%d rows) in %.1f s' % (
            users, products, orders, self.sink.total, time.monotonic() - started))

    def make_users(self, count):
        rnd, password = self.random, make_password(DEMO_PASSWORD, SALT, 'pbkdf2_sha256')
        named = ['admin', 'staff', 'alice', 'bob']
        self.people = []
        for pk in range(1, count + 1):
            name = named[pk - 1] if pk <= len(named) else 'user%06d' % pk
            first, last = rnd.choice(FIRST), rnd.choice(LAST)
            self.sink.add(User, pk, name, first, last, '%s@customers.example' % name, password, name in ('admin', 'staff'),
                          name == 'admin', True, self.since - datetime.timedelta(minutes=count - pk))
            city, postcode, country = rnd.choice(CITIES)
            self.sink.add(Address, pk, pk, '%s %s' % (first, last), '%s %d' % (rnd.choice(STREETS), rnd.randint(1, 120)),
                          city, postcode, country, True, False)
            self.people.append([name, rnd.random() < 0.3, 0, '%s %s' % (first, last)])      # points come with the orders

    def make_products(self, count):
        rnd, pk, leaves = self.random, 0, []
        for parent, children in CATEGORIES.items():
            pk += 1
            top = pk
            self.sink.add(Category, pk, parent, slugify(parent), None)
            for child in children:
                pk += 1
                leaves.append((pk, child))
                self.sink.add(Category, pk, child, slugify(child), top)
        self.products = []
        for pk in range(1, count + 1):
            category, leaf = leaves[pk % len(leaves)]
            look, noun, size = rnd.choice(LOOKS), rnd.choice(NOUNS[leaf]), rnd.choice(SIZES)
            sku = 'PA-%05d' % (10000 + pk)
            name = '%s %s, %s' % (look, noun[0].lower() + noun[1:], size)
            price = rnd.randint(3, 40) * 100 + rnd.choice([0, 50, 90, 95, 99]) if leaf in ('Paper', 'Fixings') \
                else rnd.randint(15, 400) * 100 + rnd.choice([0, 50, 90, 95, 99])
            text = ('Our %s in %s, size %s. Made to last, and to be mended: every part can be had again.'
                    % (noun.lower(), look.lower(), size))
            self.products.append({'pk': pk, 'sku': sku, 'name': name, 'slug': slugify('%s-%s' % (name, sku)), 'text': text,
                                  'category': category, 'price': price, 'weight': rnd.randint(1, 200) * 50,
                                  'left': 100000 if pk <= 20 else rnd.randint(300, 3000), 'sold': 0, 'delivered': 0})

    def make_coupons(self):
        old = self.since - datetime.timedelta(days=300)
        self.coupons = [[1, 'WELCOME10', 10, 0, 0, None, None, 0, True], [2, 'SPRING5', 0, 500, 3000, None, None, 0, True],
                        [3, 'OLD2019', 20, 0, 0, old, None, 0, True], [4, 'BIGTIME', 15, 0, 30000, None, None, 0, True]]

    def make_orders(self, count):
        rnd, add = self.random, self.sink.add
        span = (self.until - self.since).total_seconds()
        self.days, reviewed = {}, set()
        users = len(self.people)
        for pk in range(1, count + 1):
            at = self.since + datetime.timedelta(seconds=int(span * (pk - 1) / count) + rnd.random() * span / count)
            user = 1 + int(users * rnd.random() ** 1.5)
            state = rnd.choice(STATES) if (self.until - at).days > 7 else rnd.choice(WAY)
            number, lines, subtotal = 'PA-%07d' % pk, [], 0
            for product in rnd.sample(self.products, min(len(self.products), rnd.choice((1, 1, 1, 2, 2, 3, 4)))):
                quantity = rnd.choice((1, 1, 1, 1, 2, 2, 3))
                lines.append((product, quantity))
                subtotal += quantity * product['price']
            coupon, discount = None, 0
            if rnd.random() < 0.1:
                coupon = self.coupons[0] if subtotal < 3000 or rnd.random() < 0.6 else self.coupons[1]
                discount = min(subtotal, percent_of(subtotal, coupon[2]) + coupon[3])
                coupon[7] += state not in (Order.FAILED, Order.CANCELLED)
            shipping = shipping_for(subtotal - discount)
            total = subtotal - discount + shipping

            paid = state not in (Order.FAILED, Order.CANCELLED)
            steps = [Order.PLACED] + (WAY[:WAY.index(state) + 1] if state in WAY else
                                      WAY + [Order.REFUNDED] if state == Order.REFUNDED else
                                      [Order.FAILED] if state == Order.FAILED else [Order.FAILED, Order.CANCELLED])
            times = [at, at + datetime.timedelta(seconds=1)] + [at + datetime.timedelta(hours=20 * n) for n in range(1, len(steps))]
            for n, step in enumerate(steps):
                add(StatusChange, pk, steps[n - 1] if n else '', step, 2 if n > 1 and step != Order.CANCELLED else user, times[n])
            for product, quantity in lines:
                add(OrderLine, pk, product['pk'], product['name'], quantity, product['price'])
                add(StockMovement, product['pk'], pk, 'reserve', quantity, at)
                add(StockMovement, product['pk'], pk, 'sale' if paid else 'release', quantity, times[1])
                if paid:
                    product['sold'] += quantity
                if state == Order.REFUNDED:
                    add(StockMovement, product['pk'], pk, 'return', quantity, times[len(steps) - 1])
                    product['sold'] -= quantity

            code, message = ('', '') if paid else rnd.choice(REFUSALS)
            add(Payment, pk, pk, user, 'refunded' if state == Order.REFUNDED else 'captured' if paid else 'declined', total, 'EUR',
                rnd.choice(('visa', 'visa', 'mastercard', 'amex')), '%04d' % rnd.randint(0, 9999), 'seed%036d' % pk,
                'seed-%d' % pk if paid else '', code, message, at, times[1] if paid else None)
            add(Order, pk, number, user, state, len(steps), user, pk, coupon and coupon[0], subtotal, discount, shipping, total, 'EUR',
                '', None, at, times[len(steps) - 1], times[1] if paid else None)
            kind = 'paid' if paid else 'failed'
            add(Notification, user, pk, 'order_' + kind,
                'Order %s: %s' % (number, 'thank you' if paid else 'the payment did not work'),
                'Dear %s,\n\nyour order %s is %s.\n\nPine & Anvil\n' % (self.people[user - 1][3], number, kind),
                'sent', '', times[1], times[1], times[1] if rnd.random() < 0.9 else None)
            add(Event, 'page_view', user, None, None, '/products/%s/' % lines[0][0]['slug'], '', 'Mozilla/5.0', '198.51.100.7',
                '{}', at - datetime.timedelta(seconds=90))
            add(Event, 'cart_add', user, lines[0][0]['pk'], None, '/api/v1/cart/items', '', 'Mozilla/5.0', '198.51.100.7',
                json.dumps({'quantity': lines[0][1]}), at - datetime.timedelta(seconds=60))
            add(Event, 'order_placed', user, None, pk, '/checkout/', '', 'Mozilla/5.0', '198.51.100.7',
                json.dumps({'total_cents': total}), at)
            add(Event, 'order_' + kind, user, None, pk, '', '', '', None,
                json.dumps({'number': number, 'old': 'placed', 'total_cents': total}), times[1])

            if paid:
                day = self.days.setdefault(times[1].date(), [0, 0, 0, 0])
                day[0] += 1
                day[1] += sum(quantity for _, quantity in lines)
                day[2] += total
                if state == Order.REFUNDED:
                    day[3] += total
                else:
                    self.people[user - 1][2] += total // 100
                product = lines[0][0]
                if rnd.random() < 0.15 and (product['pk'], user) not in reviewed:
                    reviewed.add((product['pk'], user))
                    add(Review, product['pk'], user, rnd.choice((3, 4, 4, 5, 5, 5, 2, 1)), rnd.choice(PRAISE), times[1])

    def finish(self):
        """What only the orders decide: points, stock, uses of coupons, daily sums."""
        add = self.sink.add
        for pk, (name, newsletter, points, _) in enumerate(self.people, 1):
            add(Profile, pk, pk, '', '', newsletter, points, self.since - datetime.timedelta(minutes=len(self.people) - pk))
        for product in self.products:
            add(Product, product['pk'], product['sku'], product['name'], product['slug'], product['text'], product['category'],
                product['price'], product['left'], 0, product['weight'], '', True, self.since, self.until)
            add(StockMovement, product['pk'], None, 'delivery', product['left'] + product['sold'], self.since)
        for coupon in self.coupons:
            add(Coupon, *coupon)
        for day, sums in sorted(self.days.items()):
            add(DailySales, day, *sums)
        self.sink.flush()
