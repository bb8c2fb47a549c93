from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.signals import post_save
from django.dispatch import receiver

from orders.signals import order_paid, order_refunded

from .models import Profile

POINT_PER_CENTS = 100


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def make_profile(sender, instance, created, raw=False, **kwargs):
    if created and not raw:
        Profile.objects.create(user=instance)


@receiver(order_paid)
def give_points(sender, order, **kwargs):
    Profile.objects.filter(user=order.user).update(loyalty_points=F('loyalty_points') + order.total_cents // POINT_PER_CENTS)


@receiver(order_refunded)
def take_points(sender, order, **kwargs):
    Profile.objects.filter(user=order.user).update(loyalty_points=F('loyalty_points') - order.total_cents // POINT_PER_CENTS)


User.add_to_class('display_name', property(lambda self: self.get_full_name() or self.username))
