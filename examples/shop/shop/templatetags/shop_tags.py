"""Tags of the pages. Some of them know more about the business than a template should."""
import datetime

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html

from orders.models import Order

register = template.Library()


@register.filter
def price(cents):
    """1234 -> 12.34 €. (utils.format_price writes EUR, and the designers wanted the sign.)"""
    if cents is None:
        return '-'
    return '%s%s.%02d €' % ('-' if cents < 0 else '', format(abs(cents) // 100, ','), abs(cents) % 100)


@register.simple_tag
def picture(product):
    if product.picture:
        return product.picture.url
    parent = product.category.parent or product.category
    return static('img/%s.svg' % parent.slug)


@register.simple_tag
def badge(product):
    """What the list says beside a product: the rule of what counts as scarce and as new lives here."""
    if product.available == 0:
        return format_html('<span class="badge bad">sold out</span>')
    if product.available < settings.LOW_STOCK:
        return format_html('<span class="badge warn">only {} left</span>', product.available)
    if product.created_at > timezone.now() - datetime.timedelta(days=30):
        return format_html('<span class="badge">new</span>')
    return ''


@register.simple_tag
def stars(value):
    if value is None:
        return ''
    full = int(value + 0.5)
    return format_html('<span class="stars" title="{} of 5">{}{}</span>', value, '★' * full, '☆' * (5 - full))


@register.simple_tag
def late(order):
    """Paid for more than three days and still in the house."""
    if order.status in (Order.PAID, Order.PACKED) and order.paid_at and order.paid_at < timezone.now() - datetime.timedelta(days=3):
        return format_html('<span class="badge bad">late</span>')
    return ''


@register.filter
def refundable(order):
    return Order.REFUNDED in order.next_states
