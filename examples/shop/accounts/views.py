from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST

from analytics.models import Event
from notifications.mailer import notify

from .forms import AddressForm, AvatarForm, ProfileForm, SignupForm, UserForm
from .models import Address


def signup(request):
    if request.user.is_authenticated:
        return redirect('home')
    form = SignupForm(request.POST or None)
    if request.method == 'POST' and form.is_valid():
        with transaction.atomic():
            user = form.save()
            if form.cleaned_data['newsletter']:
                user.profile.newsletter = True
                user.profile.save()
            Event.record('signup', request=request, user=user)
            notify(user, 'welcome')
        login(request, user)
        messages.success(request, 'Welcome, %s! Your account is ready.' % user.username)
        return redirect(request.GET.get('next') if (request.GET.get('next') or '').startswith('/cart') else 'home')
    return render(request, 'accounts/signup.html', {'form': form})


class Login(auth_views.LoginView):
    template_name = 'accounts/login.html'
    redirect_authenticated_user = True

    def form_valid(self, form):
        response = super().form_valid(form)
        messages.success(self.request, 'Hello again, %s.' % self.request.user.display_name)
        return response


@require_POST
def logout_view(request):
    logout(request)
    messages.info(request, 'You are logged out.')
    return redirect('home')


class PasswordChange(auth_views.PasswordChangeView):
    template_name = 'accounts/password.html'
    success_url = reverse_lazy('profile')

    def form_valid(self, form):
        response = super().form_valid(form)
        self.request.user.api_tokens.all().delete()
        notify(self.request.user, 'password_changed')
        messages.success(self.request, 'Your password is changed.')
        return response


@login_required
def profile(request):
    user_form = UserForm(request.POST or None, instance=request.user)
    profile_form = ProfileForm(request.POST or None, instance=request.user.profile)
    if request.method == 'POST' and user_form.is_valid() and profile_form.is_valid():
        user_form.save()
        profile_form.save()
        messages.success(request, 'Your profile is saved.')
        return redirect('profile')
    return render(request, 'accounts/profile.html', {
        'user_form': user_form, 'profile_form': profile_form, 'avatar_form': AvatarForm(),
        'address_form': AddressForm(), 'addresses': request.user.addresses.filter(deleted=False),
    })


@login_required
@require_POST
def avatar(request):
    form = AvatarForm(request.POST, request.FILES, instance=request.user.profile)
    if 'avatar' in request.FILES and form.is_valid():
        form.save()
        messages.success(request, 'What a nice picture.')
    else:
        for error in form.errors.get('avatar', ['Choose a picture first.']):
            messages.error(request, error)
    return redirect('profile')


@login_required
@require_POST
def addresses(request):
    form = AddressForm(request.POST)
    if form.is_valid():
        address = form.save(commit=False)
        address.user = request.user
        address.is_default = not request.user.addresses.filter(deleted=False).exists()
        address.save()
        messages.success(request, 'The address is saved.')
    else:
        for field, errors in form.errors.items():
            messages.error(request, '%s: %s' % (field, ' '.join(errors)))
    return redirect('profile')


@login_required
@require_POST
def address_delete(request, pk):
    address = get_object_or_404(Address, pk=pk, user=request.user)
    address.deleted = True
    address.is_default = False
    address.save()
    messages.info(request, 'The address is gone.')
    return redirect('profile')
