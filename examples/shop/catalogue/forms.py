from django import forms

from shop.utils import format_price, parse_price

from .models import Product, Review


class PriceField(forms.CharField):
    """Euros in the form, cents in the database."""

    def clean(self, value):
        value = super().clean(value)
        try:
            return parse_price(value)
        except ValueError:
            raise forms.ValidationError('Write a price like 12.34.')


class ProductForm(forms.ModelForm):
    price = PriceField(max_length=10)
    delivered = forms.IntegerField(required=False, min_value=0, max_value=100000, help_text='pieces that came in')

    class Meta:
        model = Product
        fields = ['sku', 'name', 'category', 'description', 'weight_grams', 'picture', 'active']

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields['price'].initial = format_price(self.instance.price_cents).split()[0]

    def save(self, commit=True):
        self.instance.price_cents = self.cleaned_data['price']
        return super().save(commit)


class ReviewForm(forms.ModelForm):
    class Meta:
        model = Review
        fields = ['stars', 'text']
