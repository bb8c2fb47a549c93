from django import forms

from accounts.models import Address
from shop.utils import luhn_ok


class CardForm(forms.Form):
    card_number = forms.CharField(max_length=25, label='Card number')
    card_expiry = forms.RegexField(r'^(0[1-9]|1[0-2])/\d\d$', max_length=5, label='Expiry (MM/YY)',
                                   error_messages={'invalid': 'Write the expiry as MM/YY.'})
    card_cvc = forms.RegexField(r'^\d{3,4}$', max_length=4, label='CVC', error_messages={'invalid': 'Three or four digits.'})

    def clean_card_number(self):
        number = self.cleaned_data['card_number'].replace(' ', '').replace('-', '')
        if not luhn_ok(number):
            raise forms.ValidationError('The card number is not valid.')
        return number

    def card(self):
        return {'number': self.cleaned_data['card_number'], 'expiry': self.cleaned_data['card_expiry'],
                'cvc': self.cleaned_data['card_cvc']}


class CheckoutForm(CardForm):
    """A known address, or the fields of a new one."""
    address = forms.ModelChoiceField(Address.objects.none(), required=False, empty_label='a new address')
    name = forms.CharField(max_length=100, required=False)
    street = forms.CharField(max_length=200, required=False)
    city = forms.CharField(max_length=100, required=False)
    postcode = forms.CharField(max_length=20, required=False)
    country = forms.CharField(max_length=2, required=False, initial='DE')
    note = forms.CharField(required=False, max_length=500, widget=forms.Textarea(attrs={'rows': 2}))

    field_order = ['address', 'name', 'street', 'city', 'postcode', 'country', 'note']

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields['address'].queryset = Address.objects.filter(user=user, deleted=False)

    def clean(self):
        data = super().clean()
        if not data.get('address'):
            for field in ('name', 'street', 'city', 'postcode'):
                if not data.get(field) and field not in self.errors:
                    self.add_error(field, 'Needed for a new address.')
        return data

    def save_address(self):
        data = self.cleaned_data
        if data['address']:
            return data['address']
        return Address.objects.create(
            user=self.user, name=data['name'], street=data['street'], city=data['city'], postcode=data['postcode'],
            country=(data['country'] or 'DE').upper(), is_default=not self.user.addresses.filter(deleted=False).exists())
