from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.utils import timezone

from catalogue.models import Product
from shop.utils import percent_of, shipping_for

MAX_QUANTITY = 99


class Coupon(models.Model):
    code = models.CharField(max_length=20, unique=True)
    percent_off = models.PositiveSmallIntegerField(default=0)
    cents_off = models.PositiveIntegerField(default=0)
    min_subtotal_cents = models.PositiveIntegerField(default=0)
    valid_until = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=True)

    def __str__(self):
        return self.code

    def refusal(self, subtotal_cents):
        """Why it cannot be used now, or None."""
        if not self.active or (self.valid_until and self.valid_until < timezone.now()):
            return 'This coupon is no longer valid.'
        if self.max_uses is not None and self.used >= self.max_uses:
            return 'This coupon is used up.'
        if subtotal_cents < self.min_subtotal_cents:
            return 'This coupon needs a larger order.'
        return None

    def discount(self, subtotal_cents):
        return min(subtotal_cents, percent_of(subtotal_cents, self.percent_off) + self.cents_off)


class Cart(models.Model):
    """A visitor's cart hangs on `cart_id` in the session; at login it flows into the user's own."""
    user = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name='cart')
    coupon = models.ForeignKey(Coupon, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self):
        return 'cart %s' % self.pk

    @classmethod
    def of_request(cls, request, create=True):
        if request.user.is_authenticated:
            if create:
                return cls.objects.get_or_create(user=request.user)[0]
            return cls.objects.filter(user=request.user).first()
        cart_id = request.session.get('cart_id')
        cart = cls.objects.filter(pk=cart_id, user=None).first() if cart_id else None
        if cart is None and create:
            cart = cls.objects.create()
            request.session['cart_id'] = cart.pk
        return cart

    def count(self):
        return self.items.aggregate(n=Sum('quantity'))['n'] or 0

    def add(self, product, quantity):
        item, created = CartItem.objects.get_or_create(cart=self, product=product, defaults={'quantity': quantity})
        if not created:
            CartItem.objects.filter(pk=item.pk).update(quantity=F('quantity') + quantity)
            CartItem.objects.filter(pk=item.pk, quantity__gt=MAX_QUANTITY).update(quantity=MAX_QUANTITY)
            item.refresh_from_db()
        return item

    def totals(self):
        """Subtotal, discount, shipping and total in cents."""
        subtotal = sum(item.total_cents for item in self.items.select_related('product'))
        discount = 0
        if self.coupon and not self.coupon.refusal(subtotal):
            discount = self.coupon.discount(subtotal)
        shipping = shipping_for(subtotal - discount)
        return {'subtotal_cents': subtotal, 'discount_cents': discount, 'shipping_cents': shipping,
                'total_cents': subtotal - discount + shipping}


class CartItem(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name='items')
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.PositiveIntegerField(default=1)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ['id']
        constraints = [
            models.UniqueConstraint(fields=['cart', 'product'], name='one_item_per_product'),
            models.CheckConstraint(check=Q(quantity__gte=1), name='quantity_at_least_one'),
        ]

    def __str__(self):
        return '%d x %s' % (self.quantity, self.product)

    @property
    def total_cents(self):
        return self.quantity * self.product.price_cents
