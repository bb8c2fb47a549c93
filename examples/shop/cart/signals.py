from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from .models import Cart


@receiver(user_logged_in)
def take_cart_along(sender, request, user, **kwargs):
    """What a visitor put into the cart is still there after the login."""
    cart_id = request.session.pop('cart_id', None) if hasattr(request, 'session') else None
    visitor = Cart.objects.filter(pk=cart_id, user=None).first() if cart_id else None
    if visitor is None:
        return
    own, _ = Cart.objects.get_or_create(user=user)
    for item in visitor.items.all():
        own.add(item.product, item.quantity)
    if visitor.coupon and not own.coupon:
        own.coupon = visitor.coupon
        own.save()
    visitor.delete()
