"""Helpers for everybody.

TODO: this has become a drawer. Money, uploads, paging and request helpers should be modules of their own.
"""
import datetime
import re
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.utils import timezone

MAX_ID = 2 ** 63 - 1
IMAGE_MAGIC = (
    (b'\x89PNG\r\n\x1a\n', 'png'),
    (b'\xff\xd8\xff', 'jpg'),
    (b'GIF87a', 'gif'),
    (b'GIF89a', 'gif'),
)


# --- money: integer cents everywhere, text only at the edge ---

def format_price(cents, currency=None):
    """1234 -> '12.34 EUR'"""
    sign = '-' if cents < 0 else ''
    cents = abs(int(cents))
    return '%s%d.%02d %s' % (sign, cents // 100, cents % 100, currency or settings.CURRENCY)


def parse_price(text):
    """'12.34', '12,34' or '12' -> 1234; ValueError for anything else."""
    match = re.match(r'^\s*(\d{1,7})(?:[.,](\d{1,2}))?\s*$', text)
    if not match:
        raise ValueError('not a price: %r' % text)
    return int(match.group(1)) * 100 + int((match.group(2) or '').ljust(2, '0'))


def percent_of(cents, percent):
    """Rounded half up, the way the bookkeeper does it."""
    return (cents * percent + 50) // 100


def shipping_for(subtotal_cents):
    if subtotal_cents == 0 or subtotal_cents >= settings.FREE_SHIPPING_FROM_CENTS:
        return 0
    return settings.SHIPPING_CENTS


# --- cards ---

def luhn_ok(number):
    digits = [int(c) for c in number if c.isdigit()]
    total = 0
    for i, digit in enumerate(reversed(digits)):
        if i % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return 12 <= len(digits) <= 19 and total % 10 == 0


def card_brand(number):
    if number.startswith('4'):
        return 'visa'
    if re.match(r'5[1-5]', number):
        return 'mastercard'
    if re.match(r'3[47]', number):
        return 'amex'
    return 'card'


# --- uploads ---

def image_kind(upload):
    """'png', 'jpg', 'gif' or 'webp' by the first bytes, None for anything else. (Pillow is not on the servers.)"""
    upload.seek(0)
    head = upload.read(16)
    upload.seek(0)
    for magic, kind in IMAGE_MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return 'webp'
    return None


def validate_image(upload):
    if upload.size > settings.UPLOAD_MAX_BYTES:
        raise ValidationError('The picture is larger than %d MB.' % (settings.UPLOAD_MAX_BYTES // 1024 // 1024))
    if image_kind(upload) is None:
        raise ValidationError('Only PNG, JPEG, GIF and WebP pictures are accepted.')


def upload_name(folder, upload):
    """A name nobody chose: never trust the file name of an upload."""
    return '%s/%s.%s' % (folder, uuid.uuid4().hex, image_kind(upload) or 'bin')


# --- requests ---

def is_api(request):
    return request.path.startswith('/api/')


def to_int(text, default, low=None, high=None):
    try:
        value = int(text)
    except (TypeError, ValueError):
        return default
    if low is not None:
        value = max(low, value)
    if high is not None:
        value = min(high, value)
    return value


def paginate(queryset, request, per_page=None):
    paginator = Paginator(queryset, per_page or settings.PAGE_SIZE)
    try:
        return paginator.page(request.GET.get('page') or 1)
    except PageNotAnInteger:
        return paginator.page(1)
    except EmptyPage:
        return paginator.page(paginator.num_pages)


# --- dates ---

def parse_day(text, default):
    """'2026-05-01' -> the start of that day in UTC."""
    try:
        day = datetime.date.fromisoformat(text or '')
    except ValueError:
        return default
    return datetime.datetime.combine(day, datetime.time(), tzinfo=datetime.timezone.utc)


def iso(moment):
    return timezone.localtime(moment, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ') if moment else None
