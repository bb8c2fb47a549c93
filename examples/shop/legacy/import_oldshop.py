#!/usr/bin/python3
# -*- coding: utf-8 -*-
#
# import_oldshop.py  -  products and customers of the old PHP shop, from its CSV export
#
# 2016-11  first version
# 2017-02  umlauts
# 2017-03  umlauts again
# 2018-06  prices have a comma when exported from the office PC
#
# usage: import_oldshop.py products.csv customers.csv
#
import csv
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')

import django                                       # noqa: E402
django.setup()

from django.contrib.auth.models import User         # noqa: E402
from django.utils.text import slugify               # noqa: E402

from catalogue.models import Category, Product      # noqa: E402

CATEGORY_MAP = {
    '1': 'kitchen', '2': 'kitchen', '4': 'workshop', '5': 'workshop',
    '7': 'garden', '8': 'garden', '9': 'garden',
    '11': 'office', '12': 'living', '13': 'living', '99': 'outdoor',
    # '3': 'clothes',      we do not sell these any more
    # '10': 'vouchers',
}


def fix(s):
    # the export is latin-1 or utf-8 or both
    for a, b in (('Ã¤', 'ä'), ('Ã¶', 'ö'), ('Ã¼', 'ü'), ('ÃŸ', 'ß')):
        s = s.replace(a, b)
    return s.strip()


def cents(s):
    # not utils.parse_price: the old shop wrote "1.234,50"
    s = s.strip().replace('EUR', '').strip()
    if ',' in s:
        s = s.replace('.', '').replace(',', '.')
    euros, _, rest = s.partition('.')
    return int(euros or 0) * 100 + int((rest + '00')[:2])


def import_products(path):
    n = 0
    skipped = 0
    for row in csv.reader(open(path, encoding='utf-8', errors='replace'), delimiter=';'):
        if not row or row[0].startswith('#') or row[0] == 'id':
            continue
        if len(row) < 6:
            skipped += 1
            continue
        cat = CATEGORY_MAP.get(row[2])
        if cat is None:
            skipped += 1
            continue
        category = Category.objects.filter(slug=cat).first()
        if category is None:
            category = Category.objects.create(slug=cat, name=cat.capitalize())
        sku = 'OLD-%s' % row[0]
        product = Product.objects.filter(sku=sku).first()
        if product is None:
            product = Product(sku=sku)
        product.name = fix(row[1])[:120]
        product.slug = slugify('%s-%s' % (product.name, sku))[:140]
        product.category = category
        product.price_cents = cents(row[3])
        product.description = fix(row[5])
        # product.tax = row[4]       TODO: tax classes, if we ever sell to companies
        product.save()
        n += 1
        if n % 100 == 0:
            print(n, '...')
    print('%d products, %d skipped' % (n, skipped))


def import_customers(path):
    n = 0
    for row in csv.reader(open(path, encoding='utf-8', errors='replace'), delimiter=';'):
        if not row or row[0].startswith('#') or row[0] == 'id':
            continue
        email = row[1].strip().lower()
        if not email or User.objects.filter(email=email).count() > 0:
            continue
        user = User(username='old%s' % row[0], email=email, first_name=fix(row[2])[:30], last_name=fix(row[3])[:30])
        # the old hashes were md5 with the customer number in front; nobody could say for sure
        # user.password = 'md5$%s$%s' % (row[0], row[4])
        user.set_unusable_password()
        user.save()
        n += 1
    print('%d customers' % n)


# def import_orders(path):
#     """orders were given up: half of them point at products that no longer exist"""
#     for row in csv.reader(open(path), delimiter=';'):
#         order = Order(number='ALT-' + row[0])
#         order.total_cents = cents(row[7])
#         ...


if __name__ == '__main__':
    if len(sys.argv) < 2:
        print('usage: import_oldshop.py products.csv [customers.csv]')
        sys.exit(1)
    import_products(sys.argv[1])
    if len(sys.argv) > 2:
        import_customers(sys.argv[2])
