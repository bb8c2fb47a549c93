from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import Address
from cart.models import Coupon
from catalogue.models import Product
from shop.utils import format_price

from .signals import order_changed


class Order(models.Model):
    PLACED, PAID, FAILED, PACKED, SHIPPED, DELIVERED, CANCELLED, REFUNDED = (
        'placed', 'paid', 'failed', 'packed', 'shipped', 'delivered', 'cancelled', 'refunded')
    STATES = [(s, s) for s in (PLACED, PAID, FAILED, PACKED, SHIPPED, DELIVERED, CANCELLED, REFUNDED)]
    PAID_STATES = [PAID, PACKED, SHIPPED, DELIVERED]
    NEXT = {
        PLACED: [PAID, FAILED, CANCELLED],
        FAILED: [PLACED, CANCELLED],
        PAID: [PACKED, REFUNDED],
        PACKED: [SHIPPED, REFUNDED],
        SHIPPED: [DELIVERED],
        DELIVERED: [REFUNDED],
        CANCELLED: [],
        REFUNDED: [],
    }

    number = models.CharField(max_length=16, unique=True, null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name='orders')
    status = models.CharField(max_length=10, choices=STATES, default=PLACED, db_index=True)
    version = models.PositiveIntegerField(default=1, help_text='grows with every change of state')
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name='orders')
    payment = models.ForeignKey('payments.Payment', null=True, blank=True, on_delete=models.PROTECT, related_name='paid_orders')
    coupon = models.ForeignKey(Coupon, null=True, blank=True, on_delete=models.PROTECT, related_name='orders')
    subtotal_cents = models.PositiveIntegerField()
    discount_cents = models.PositiveIntegerField(default=0)
    shipping_cents = models.PositiveIntegerField(default=0)
    total_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default='EUR')
    note = models.TextField(blank=True)
    request_key = models.CharField(max_length=80, null=True, blank=True, help_text='Idempotency-Key of the checkout')
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ['-created_at', '-id']
        constraints = [models.UniqueConstraint(fields=['user', 'request_key'], name='one_order_per_request')]

    def __str__(self):
        return self.number or 'order %s' % self.pk

    def get_absolute_url(self):
        return reverse('order', args=[self.pk])

    @property
    def total(self):
        return format_price(self.total_cents, self.currency)

    @property
    def is_paid(self):
        return self.status in self.PAID_STATES

    @property
    def next_states(self):
        return self.NEXT[self.status]

    def go(self, new, by=None):
        """To another state. The caller holds the row (select_for_update) and knows that the step is allowed."""
        old, self.status = self.status, new
        self.version += 1
        if new == self.PAID:
            self.paid_at = timezone.now()
        self.save()
        StatusChange.objects.create(order=self, old=old, new=new, by=by)
        order_changed.send(sender=Order, order=self, old=old, new=new)


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name='lines')
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name='order_lines')
    name = models.CharField(max_length=120)         # as it was called on that day
    quantity = models.PositiveIntegerField()
    unit_price_cents = models.PositiveIntegerField()

    class Meta:
        ordering = ['id']

    def __str__(self):
        return '%d x %s' % (self.quantity, self.name)

    @property
    def total_cents(self):
        return self.quantity * self.unit_price_cents


class Reservation(models.Model):
    """An order that another system takes the money for, under the name that system gave it. One that was released before it was made has
    no order, and is never made any more."""
    RESERVED, CONFIRMED, RELEASED = 'reserved', 'confirmed', 'released'
    STATES = [(s, s) for s in (RESERVED, CONFIRMED, RELEASED)]

    key = models.CharField(max_length=80, unique=True)
    state = models.CharField(max_length=10, choices=STATES, default=RESERVED)
    order = models.OneToOneField(Order, null=True, on_delete=models.PROTECT, related_name='reservation')
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self):
        return '%s %s' % (self.state, self.key)


class StatusChange(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name='changes')
    old = models.CharField(max_length=10, blank=True)
    new = models.CharField(max_length=10)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name='+')
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ['id']

    def __str__(self):
        return '%s -> %s' % (self.old or 'new', self.new)
