import ipaddress

from django.conf import settings
from django.db import models
from django.utils import timezone


def valid_ip(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


class Event(models.Model):
    """Everything that happens. The table grows by a row for each page; nobody ever deleted one."""
    kind = models.CharField(max_length=30, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name='+')
    product = models.ForeignKey('catalogue.Product', null=True, blank=True, on_delete=models.SET_NULL, related_name='events')
    order = models.ForeignKey('orders.Order', null=True, blank=True, on_delete=models.SET_NULL, related_name='events')
    path = models.CharField(max_length=300, blank=True)
    referrer = models.CharField(max_length=300, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return '%s %s' % (self.kind, self.path)

    @classmethod
    def record(cls, kind, request=None, user=None, **more):
        event = cls(kind=kind, user=user, **more)
        if request is not None:
            forwarded = request.META.get('HTTP_X_FORWARDED_FOR') if getattr(settings, 'USE_X_FORWARDED_HOST', False) else None
            event.ip = valid_ip((forwarded or request.META.get('REMOTE_ADDR') or '').split(',')[0].strip())
            event.path = request.path[:300]
            event.referrer = request.META.get('HTTP_REFERER', '')[:300]
            event.user_agent = request.META.get('HTTP_USER_AGENT', '')[:200]
            if user is None and request.user.is_authenticated:
                event.user = request.user
        event.save()
        return event


class DailySales(models.Model):
    """A day's sum, kept up to date by every paid order: all of today's orders meet on one row."""
    day = models.DateField(unique=True)
    orders = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0)
    revenue_cents = models.BigIntegerField(default=0)
    refunded_cents = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = 'daily sales'
        ordering = ['-day']

    def __str__(self):
        return str(self.day)
