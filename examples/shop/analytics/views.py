import csv
import datetime
import json
import time

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.db.models import Max
from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders.models import Order
from shop.utils import iso, parse_day, to_int

from .models import DailySales, Event
from .reports import weekly_report


@staff_member_required(login_url='login')
@require_safe
def dashboard(request):
    return render(request, 'analytics/dashboard.html', {
        'days': DailySales.objects.all()[:14],
        'open_orders': Order.objects.filter(status__in=[Order.PAID, Order.PACKED]).count(),
        'events': Event.objects.order_by('-id')[:20],
    })


def report_range(request):
    """?from=2026-05-01&to=2026-05-31, both included; without them the thirty days before the newest order."""
    newest = Order.objects.aggregate(at=Max('created_at'))['at'] or timezone.now()
    until = parse_day(request.GET.get('to'), None)
    until = until + datetime.timedelta(days=1) if until else newest + datetime.timedelta(seconds=1)
    return parse_day(request.GET.get('from'), until - datetime.timedelta(days=30)), until


@staff_member_required(login_url='login')
@require_safe
def report(request):
    since, until = report_range(request)
    started = time.monotonic()
    context = weekly_report(since, until)
    seconds = time.monotonic() - started
    context.update(since=since, until=until - datetime.timedelta(seconds=1), seconds=seconds)
    response = render(request, 'analytics/report.html', context)
    response['Server-Timing'] = 'queries;dur=%.1f' % (seconds * 1000)
    return response


class Line:
    """csv.writer wants a file; the response wants lines."""

    def write(self, text):
        return text


def csv_lines(orders):
    writer = csv.writer(Line())
    yield writer.writerow(['number', 'created', 'customer', 'status', 'items', 'subtotal', 'discount', 'shipping', 'total', 'card'])
    for order in orders.iterator(chunk_size=500):
        yield writer.writerow([
            order.number, iso(order.created_at), order.user.username, order.status,
            sum(line.quantity for line in order.lines.all()),       # a query an order: the export of a year takes its time
            *('%d.%02d' % divmod(cents, 100) for cents in (
                order.subtotal_cents, order.discount_cents, order.shipping_cents, order.total_cents)),
            order.payment.card_brand if order.payment else '',
        ])


@staff_member_required(login_url='login')
@require_safe
def report_csv(request):
    since, until = report_range(request)
    orders = Order.objects.filter(created_at__gte=since, created_at__lt=until).select_related('user', 'payment').order_by('id')
    response = StreamingHttpResponse(csv_lines(orders), content_type='text/csv; charset=utf-8')
    response['Content-Disposition'] = 'attachment; filename="orders-%s.csv"' % since.strftime('%Y-%m-%d')
    return response


def feed(last, seconds, kinds):
    """New events as server-sent events. Ids are given before the commit, so the last few are looked at again."""
    yield 'retry: 1000\n\n'
    ends = time.monotonic() + seconds
    ping = time.monotonic() + settings.STREAM_PING_S
    seen = set(Event.objects.filter(id__gt=last - 100, id__lte=last).values_list('id', flat=True))
    while time.monotonic() < ends:
        fresh = Event.objects.filter(id__gt=last - 100).select_related('user')
        if kinds:
            fresh = fresh.filter(kind__in=kinds)
        for event in fresh.exclude(id__in=seen).order_by('id')[:200]:
            seen.add(event.id)
            last = max(last, event.id)
            yield 'id: %d\nevent: %s\ndata: %s\n\n' % (event.id, event.kind, json.dumps({
                'id': event.id, 'kind': event.kind, 'at': iso(event.created_at), 'path': event.path,
                'user': event.user.username if event.user else None, 'order': event.order_id, 'product': event.product_id,
                'data': event.data}))
            ping = time.monotonic() + settings.STREAM_PING_S
        if time.monotonic() >= ping:
            yield ': still here\n\n'
            ping = time.monotonic() + settings.STREAM_PING_S
        seen = {pk for pk in seen if pk > last - 100}
        time.sleep(settings.STREAM_POLL_S)


@staff_member_required(login_url='login')
@require_safe
def stream(request):
    """The live feed of the staff page. A worker thread stays with it until the reader leaves or STREAM_MAX_S is over."""
    last = to_int(request.META.get('HTTP_LAST_EVENT_ID') or request.GET.get('since'), None)
    if last is None:
        last = Event.objects.aggregate(id=Max('id'))['id'] or 0
    seconds = to_int(request.GET.get('seconds'), settings.STREAM_MAX_S, 1, settings.STREAM_MAX_S)
    kinds = [kind for kind in request.GET.get('kinds', '').split(',') if kind]
    response = StreamingHttpResponse(feed(last, seconds, kinds), content_type='text/event-stream; charset=utf-8')
    response['Cache-Control'] = 'no-cache'
    response['X-Accel-Buffering'] = 'no'
    return response
