from django.conf import settings
from django.db import models
from django.utils import timezone


class Notification(models.Model):
    """The log of everything we told somebody, and the customer's inbox."""
    QUEUED, SENT, FAILED = 'queued', 'sent', 'failed'
    STATES = [(s, s) for s in (QUEUED, SENT, FAILED)]

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='notifications')
    order = models.ForeignKey('orders.Order', null=True, blank=True, on_delete=models.CASCADE, related_name='notifications')
    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=STATES, default=QUEUED)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ['-created_at', '-id']

    def __str__(self):
        return self.subject
