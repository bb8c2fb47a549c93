"""What every page shows in its head: one query for the cart, one for unread messages, on every page."""
from django.conf import settings

from cart.models import Cart
from notifications.models import Notification


def shop(request):
    context = {'SHOP_NAME': settings.SHOP_NAME, 'cart_count': 0, 'unread': 0}
    if not hasattr(request, 'session'):
        return context
    cart = Cart.of_request(request, create=False)
    if cart:
        context['cart_count'] = cart.count()
    if request.user.is_authenticated:
        context['unread'] = Notification.objects.filter(user=request.user, read_at=None).count()
    return context
