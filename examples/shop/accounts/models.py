import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

from shop.utils import upload_name, validate_image


def avatar_name(instance, filename):
    return upload_name('avatars', instance.avatar.file)


class Profile(models.Model):
    """What auth.User has no column for. Made by a signal, so every user has one."""
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='profile')
    phone = models.CharField(max_length=30, blank=True)
    avatar = models.FileField(upload_to=avatar_name, blank=True, validators=[validate_image])
    newsletter = models.BooleanField(default=False)
    loyalty_points = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return 'profile of %s' % self.user

    # TODO: belongs to orders, but the profile page wanted it
    def spent_cents(self):
        from orders.models import Order
        return sum(o.total_cents for o in Order.objects.filter(user=self.user, status__in=Order.PAID_STATES))


class Address(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='addresses')
    name = models.CharField(max_length=100)
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=100)
    postcode = models.CharField(max_length=20)
    country = models.CharField(max_length=2, default='DE')
    is_default = models.BooleanField(default=False)
    deleted = models.BooleanField(default=False)        # orders point here, so rows stay

    class Meta:
        verbose_name_plural = 'addresses'
        ordering = ['-is_default', 'id']

    def __str__(self):
        return '%s, %s, %s %s, %s' % (self.name, self.street, self.postcode, self.city, self.country)

    def as_json(self):
        return {'id': self.id, 'name': self.name, 'street': self.street, 'city': self.city,
                'postcode': self.postcode, 'country': self.country, 'is_default': self.is_default}


def new_key():
    return secrets.token_hex(20)


class ApiToken(models.Model):
    """`Authorization: Token KEY`, as the mobile app sends it. TODO: keys are stored in clear."""
    key = models.CharField(max_length=40, primary_key=True, default=new_key)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='api_tokens')
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return '%s...' % self.key[:6]
