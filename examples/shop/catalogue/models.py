from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Avg
from django.urls import reverse
from django.utils import timezone

from shop.utils import format_price, upload_name, validate_image


def picture_name(instance, filename):
    return upload_name('products', instance.picture.file)


class Category(models.Model):
    name = models.CharField(max_length=60)
    slug = models.SlugField(unique=True)
    parent = models.ForeignKey('self', null=True, blank=True, on_delete=models.PROTECT, related_name='children')

    class Meta:
        verbose_name_plural = 'categories'
        ordering = ['name']

    def __str__(self):
        return self.name


class Product(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120, db_index=True)
    slug = models.SlugField(max_length=140, unique=True)
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name='products')
    price_cents = models.PositiveIntegerField()
    on_hand = models.IntegerField(default=0, help_text='pieces in the warehouse; every change has a stock movement')
    reserved = models.IntegerField(default=0, help_text='of these, promised to orders that are not paid yet')
    weight_grams = models.PositiveIntegerField(default=0)
    picture = models.FileField(upload_to=picture_name, blank=True, validators=[validate_image])
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ['name', 'id']

    def __str__(self):
        return self.name

    @property
    def available(self):
        return max(0, self.on_hand - self.reserved)

    @property
    def price(self):
        return format_price(self.price_cents)

    def get_absolute_url(self):
        return reverse('product', args=[self.slug])

    def rating(self):
        """One query a product, unless who fetched it brought `stars`; the list page asks for 24 of them."""
        value = self.stars if hasattr(self, 'stars') else self.reviews.aggregate(value=Avg('stars'))['value']
        return round(float(value), 1) if value is not None else None

    def move(self, kind, quantity, order=None):
        """Books a movement and changes the two counters with it. The caller holds the row (select_for_update)."""
        if kind == 'reserve':
            self.reserved += quantity
        elif kind == 'release':
            self.reserved -= quantity
        elif kind == 'sale':
            self.reserved -= quantity
            self.on_hand -= quantity
        elif kind in ('delivery', 'return', 'correction'):
            self.on_hand += quantity
        else:
            raise ValueError('unknown stock movement %r' % kind)
        self.save(update_fields=['on_hand', 'reserved', 'updated_at'])
        return StockMovement.objects.create(product=self, order=order, kind=kind, quantity=quantity)


class StockMovement(models.Model):
    KINDS = [(k, k) for k in ('delivery', 'reserve', 'release', 'sale', 'return', 'correction')]
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name='movements')
    order = models.ForeignKey('orders.Order', null=True, blank=True, on_delete=models.PROTECT, related_name='movements')
    kind = models.CharField(max_length=12, choices=KINDS)
    quantity = models.IntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return '%s %d x %s' % (self.kind, self.quantity, self.product_id)


class Review(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name='reviews')
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name='reviews')
    stars = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ['-created_at', '-id']
        unique_together = [('product', 'user')]

    def __str__(self):
        return '%d stars for %s' % (self.stars, self.product_id)
