from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from cart.models import Cart
from shop.utils import paginate, to_int

from .checkout import CheckoutError
from .checkout import checkout as do_checkout
from .checkout import pay_again as do_pay_again
from .checkout import release
from .forms import CardForm, CheckoutForm
from .models import Order


@login_required
def checkout(request):
    cart = Cart.of_request(request)
    if request.method == 'GET' and not cart.items.exists():
        messages.info(request, 'Your cart is empty.')
        return redirect('cart')
    default = request.user.addresses.filter(deleted=False).first()
    form = CheckoutForm(request.POST or None, user=request.user, initial={'address': default, 'country': 'DE'})
    if request.method == 'POST' and form.is_valid():
        try:
            order = do_checkout(request.user, form.save_address(), form.card(), form.cleaned_data['note'], request=request)
        except CheckoutError as error:
            messages.error(request, error.message)
            return redirect('cart')
        if order.is_paid:
            messages.success(request, 'Thank you! Order %s is paid.' % order.number)
        else:
            messages.error(request, 'Order %s is not paid: %s' % (order.number, order.payment.error_message))
        return redirect(order)
    return render(request, 'orders/checkout.html', {'form': form, 'cart': cart, 'totals': cart.totals()},
                  status=422 if form.errors else 200)


@login_required
@require_safe
def history(request):
    orders = Order.objects.filter(user=request.user)        # lines and payment are asked for one order at a time
    paginator = Paginator(orders, 20)
    page = paginator.page(to_int(request.GET.get('page'), 1, 1, paginator.num_pages))
    return render(request, 'orders/history.html', {'page': page})


def find_order(request, pk):
    """The customer's own; staff see all."""
    orders = Order.objects.select_related('address', 'payment', 'coupon', 'user')
    if not request.user.is_staff:
        orders = orders.filter(user=request.user)
    return get_object_or_404(orders, pk=pk)


@login_required
@require_safe
def detail(request, pk):
    return render(request, 'orders/order.html', {'order': find_order(request, pk), 'form': CardForm()})


@login_required
@require_POST
def cancel(request, pk):
    find_order(request, pk)
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=pk)
        if order.status == Order.FAILED:        # placed: the charge is on its way, paid: staff refunds
            release(order, Order.CANCELLED, request.user)
            messages.info(request, 'Order %s is cancelled.' % order.number)
        else:
            messages.error(request, 'Order %s is %s and cannot be cancelled.' % (order.number, order.status))
    return redirect(order)


@login_required
@require_POST
def pay_again(request, pk):
    order = find_order(request, pk)
    form = CardForm(request.POST)
    if not form.is_valid():
        messages.error(request, 'Please look at the card again.')
        return redirect(order)
    try:
        order = do_pay_again(order, form.card(), request.user)
    except CheckoutError as error:
        messages.error(request, error.message)
    else:
        if order.is_paid:
            messages.success(request, 'Thank you! Order %s is paid.' % order.number)
        else:
            messages.error(request, 'Order %s is not paid: %s' % (order.number, order.payment.error_message))
    return redirect(order)


@staff_member_required(login_url='login')
@require_safe
def staff_list(request):
    orders = Order.objects.all()        # N+1: the template asks for user, lines and payment of each
    if request.GET.get('status'):
        orders = orders.filter(status=request.GET['status'])
    return render(request, 'orders/staff_list.html', {
        'page': paginate(orders, request, 50), 'states': [s for s, _ in Order.STATES], 'status': request.GET.get('status', '')})


@staff_member_required(login_url='login')
@require_POST
def staff_status(request, pk):
    new = request.POST.get('status')
    with transaction.atomic():
        order = get_object_or_404(Order.objects.select_for_update(no_key=True), pk=pk)
        if new in (Order.PACKED, Order.SHIPPED, Order.DELIVERED) and new in order.next_states:
            order.go(new, request.user)
            messages.success(request, 'Order %s is %s.' % (order.number, new))
        else:
            messages.error(request, 'Order %s is %s and cannot become %s.' % (order.number, order.status, new))
    return redirect('order', pk=pk)
