from django.conf import settings
from django.db import models
from django.utils import timezone


class Payment(models.Model):
    """One attempt to charge a card for an order. An order points at its last one."""
    PENDING, CAPTURED, DECLINED, FAILED, REFUNDED = 'pending', 'captured', 'declined', 'failed', 'refunded'
    STATES = [(s, s) for s in (PENDING, CAPTURED, DECLINED, FAILED, REFUNDED)]

    order = models.ForeignKey('orders.Order', on_delete=models.PROTECT, related_name='payments')
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name='payments')
    status = models.CharField(max_length=10, choices=STATES, default=PENDING, db_index=True)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default='EUR')
    card_brand = models.CharField(max_length=12)
    card_last4 = models.CharField(max_length=4)
    idempotency_key = models.CharField(max_length=40, unique=True)
    network_reference = models.CharField(max_length=40, blank=True, db_index=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    captured_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return '%s %d %s' % (self.status, self.amount_cents, self.currency)

    def finish(self, result):
        self.network_reference = result.reference
        if result.ok:
            self.status = self.CAPTURED
            self.captured_at = timezone.now()
        else:
            self.status = self.DECLINED if result.declined else self.FAILED
            self.error_code, self.error_message = result.code, result.message
        self.save()


class Refund(models.Model):
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name='refunds')
    amount_cents = models.PositiveIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name='+')
    network_reference = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return 'refund of %d' % self.amount_cents
