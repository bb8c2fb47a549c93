from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User

from .models import Address, Profile


class SignupForm(UserCreationForm):
    email = forms.EmailField()
    newsletter = forms.BooleanField(required=False)

    class Meta:
        model = User
        fields = ['username', 'email']

    def clean_email(self):
        email = self.cleaned_data['email']
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError('There is an account with this e-mail address.')
        return email


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ['first_name', 'last_name', 'email']


class ProfileForm(forms.ModelForm):
    class Meta:
        model = Profile
        fields = ['phone', 'newsletter']


class AvatarForm(forms.ModelForm):
    class Meta:
        model = Profile
        fields = ['avatar']


class AddressForm(forms.ModelForm):
    class Meta:
        model = Address
        fields = ['name', 'street', 'city', 'postcode', 'country']
