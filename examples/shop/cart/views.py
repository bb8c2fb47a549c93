from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from analytics.models import Event
from catalogue.models import Product
from shop.utils import MAX_ID, to_int

from .models import MAX_QUANTITY, Cart, Coupon


@require_safe
def show(request):
    cart = Cart.of_request(request, create=False)
    items = cart.items.all() if cart else []        # the template asks for each product
    return render(request, 'cart/cart.html', {'cart': cart, 'items': items, 'totals': cart.totals() if cart else None})


@require_POST
def add(request):
    product = get_object_or_404(Product, pk=to_int(request.POST.get('product'), 0, 0, MAX_ID), active=True)
    quantity = to_int(request.POST.get('quantity'), 1, 1, MAX_QUANTITY)
    Cart.of_request(request).add(product, quantity)
    Event.record('cart_add', request=request, product=product, data={'quantity': quantity})
    messages.success(request, '%s is in your cart.' % product.name)
    back = request.POST.get('next', '')
    return redirect(back if back.startswith('/') and not back.startswith('//') else 'cart')


@require_POST
def update(request):
    """One form for the whole cart: quantity-<item id> each; 0 takes the item out."""
    cart = Cart.of_request(request)
    for item in cart.items.all():
        if 'quantity-%d' % item.pk not in request.POST:
            continue
        quantity = to_int(request.POST['quantity-%d' % item.pk], item.quantity, 0, MAX_QUANTITY)
        if quantity == 0:
            item.delete()
        elif quantity != item.quantity:
            item.quantity = quantity
            item.save()
    messages.info(request, 'Your cart is updated.')
    return redirect('cart')


@require_POST
def coupon(request):
    cart = Cart.of_request(request)
    code = request.POST.get('code', '').strip().upper()
    if not code:
        cart.coupon = None
        cart.save()
        messages.info(request, 'The coupon is removed.')
        return redirect('cart')
    found = Coupon.objects.filter(code=code).first()
    why_not = found.refusal(cart.totals()['subtotal_cents']) if found else 'There is no such coupon.'
    if why_not:
        messages.error(request, why_not)
    else:
        cart.coupon = found
        cart.save()
        messages.success(request, 'Coupon %s is applied.' % code)
    return redirect('cart')
