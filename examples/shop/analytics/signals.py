from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone

from orders.signals import order_changed, order_paid, order_placed, order_refunded

from .models import DailySales, Event


@receiver(order_placed)
def note_placed(sender, order, request=None, **kwargs):
    Event.record('order_placed', request=request, user=order.user, order=order, data={'total_cents': order.total_cents})


@receiver(order_changed)
def note_changed(sender, order, old, new, **kwargs):
    Event.record('order_' + new, user=order.user, order=order, data={'number': order.number, 'old': old, 'total_cents': order.total_cents})


@receiver(order_paid)
def count_sale(sender, order, **kwargs):
    day = timezone.localdate(order.paid_at)
    DailySales.objects.get_or_create(day=day)
    DailySales.objects.filter(day=day).update(
        orders=F('orders') + 1, items=F('items') + sum(line.quantity for line in order.lines.all()),
        revenue_cents=F('revenue_cents') + order.total_cents)


@receiver(order_refunded)
def count_refund(sender, order, **kwargs):
    DailySales.objects.filter(day=timezone.localdate(order.paid_at)).update(refunded_cents=F('refunded_cents') + order.total_cents)
