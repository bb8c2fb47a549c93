from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from analytics.models import Event
from orders.models import Order, OrderLine
from shop.utils import to_int

from .forms import ProductForm, ReviewForm
from .models import Category, Product, Review

SORTS = {
    'name': ['name', 'id'],
    'price': ['price_cents', 'id'],
    '-price': ['-price_cents', 'id'],
    'new': ['-created_at', '-id'],
}


def product_list(request, products, title, **more):
    query = request.GET.get('q', '').strip()
    if query:
        products = products.filter(Q(name__icontains=query) | Q(description__icontains=query) | Q(sku__iexact=query))
    sort = request.GET.get('sort')
    products = products.order_by(*SORTS.get(sort, SORTS['name']))
    # like utils.paginate, but this one was here first
    paginator = Paginator(products, settings.PAGE_SIZE)
    page = paginator.page(to_int(request.GET.get('page'), 1, 1, paginator.num_pages))
    if query:
        Event.record('search', request=request, data={'q': query, 'found': paginator.count})
    keep = request.GET.copy()
    keep.pop('page', None)
    return render(request, 'catalogue/list.html', dict(more, **{
        'title': title, 'page': page, 'query': query, 'sort': sort or 'name', 'keep': keep.urlencode(),
        'categories': Category.objects.filter(parent=None),
    }))


@require_safe
def home(request):
    return product_list(request, Product.objects.filter(active=True), 'Everything')


@require_safe
def category(request, slug):
    found = get_object_or_404(Category, slug=slug)
    products = Product.objects.filter(active=True).filter(Q(category=found) | Q(category__parent=found))
    return product_list(request, products, found.name, category=found)


@require_safe
def product(request, slug):
    found = get_object_or_404(Product.objects.select_related('category'), slug=slug)
    if not found.active and not request.user.is_staff:
        return render(request, '404.html', status=404)
    bought = can_review = False
    if request.user.is_authenticated:
        bought = OrderLine.objects.filter(product=found, order__user=request.user, order__status__in=Order.PAID_STATES).exists()
        can_review = bought and not Review.objects.filter(product=found, user=request.user).exists()
    Event.record('product_view', request=request, product=found)
    return render(request, 'catalogue/product.html', {
        'product': found, 'bought': bought, 'can_review': can_review, 'form': ReviewForm(),
        'reviews': found.reviews.all()[:20],        # the template asks for each author by itself
        'similar': Product.objects.filter(category=found.category, active=True).exclude(pk=found.pk)[:4],
    })


@require_safe
def short_link(request, pk):
    """/p/17, printed on invoices. Absolute, because an old scanner app insisted on it."""
    found = get_object_or_404(Product, pk=pk)
    return redirect(request.build_absolute_uri(found.get_absolute_url()), permanent=True)


@login_required
@require_POST
def review(request, slug):
    found = get_object_or_404(Product, slug=slug, active=True)
    form = ReviewForm(request.POST)
    if not OrderLine.objects.filter(product=found, order__user=request.user, order__status__in=Order.PAID_STATES).exists():
        messages.error(request, 'Only who bought it can review it.')
    elif form.is_valid():
        Review.objects.update_or_create(product=found, user=request.user, defaults=form.cleaned_data)
        Event.record('review', request=request, product=found, data={'stars': form.cleaned_data['stars']})
        messages.success(request, 'Thank you for your review.')
    else:
        messages.error(request, 'A review needs one to five stars.')
    return redirect(found)


def save_product(request, form):
    with transaction.atomic():
        saved = form.save(commit=False)
        if not saved.slug:
            saved.slug = slugify('%s-%s' % (saved.name, saved.sku))[:140]
        saved.save()
        if form.cleaned_data['delivered']:
            locked = Product.objects.select_for_update(no_key=True).get(pk=saved.pk)
            locked.move('delivery', form.cleaned_data['delivered'])
    return saved


@staff_member_required(login_url='login')
def staff_new(request):
    form = ProductForm(request.POST or None, request.FILES or None)
    if request.method == 'POST' and form.is_valid():
        saved = save_product(request, form)
        messages.success(request, '%s is in the catalogue.' % saved.name)
        return redirect(saved)
    return render(request, 'catalogue/staff_product.html', {'form': form, 'title': 'New product'})


@staff_member_required(login_url='login')
def staff_edit(request, pk):
    found = get_object_or_404(Product, pk=pk)
    form = ProductForm(request.POST or None, request.FILES or None, instance=found)
    if request.method == 'POST' and form.is_valid():
        # on_hand and reserved are not in the form, but save() would write them back: take the row first
        with transaction.atomic():
            fresh = Product.objects.select_for_update(no_key=True).get(pk=pk)
            form.instance.on_hand, form.instance.reserved = fresh.on_hand, fresh.reserved
            saved = save_product(request, form)
        messages.success(request, '%s is saved.' % saved.name)
        return redirect(saved)
    return render(request, 'catalogue/staff_product.html', {'form': form, 'title': found.name, 'product': found})
