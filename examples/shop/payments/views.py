from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from orders.models import Order

from .refunds import RefundError, refund_order


@staff_member_required(login_url='login')
@require_POST
def staff_refund(request, pk):
    get_object_or_404(Order, pk=pk)
    try:
        order = refund_order(pk, request.user, request.POST.get('reason', '')[:200])
        messages.success(request, 'Order %s is refunded.' % order.number)
    except RefundError as error:
        messages.error(request, str(error))
    return redirect('order', pk=pk)
