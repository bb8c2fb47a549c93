"""The whole API in one file, used by the pages, the mobile app and two partners."""
import time

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.validators import validate_email
from django.db import close_old_connections, transaction
from django.db.models import Avg, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import http_date
from django.utils.text import slugify

from accounts.models import Address, ApiToken
from analytics.models import DailySales, Event, valid_ip
from cart.models import MAX_QUANTITY, Cart, CartItem, Coupon
from catalogue.models import Category, Product, Review
from notifications.models import Notification
from orders import reservations
from orders.checkout import CheckoutError, pay_again, release
from orders.checkout import checkout as do_checkout
from orders.models import Order, OrderLine
from payments.refunds import RefundError, refund_order
from shop.utils import MAX_ID, iso, to_int, validate_image

from .http import ApiError, answer, clean, page_of, read_json

# --- what things look like ---


def product_json(product):
    return {
        'id': product.id, 'sku': product.sku, 'name': product.name, 'slug': product.slug,
        'category': product.category.slug, 'price_cents': product.price_cents, 'currency': settings.CURRENCY,
        'available': product.available, 'rating': product.rating(), 'url': product.get_absolute_url(),
        'picture': product.picture.url if product.picture else None, 'active': product.active,
    }


def product_full_json(product):
    return dict(product_json(product), description=product.description, weight_grams=product.weight_grams,
                updated_at=iso(product.updated_at))


def cart_json(cart):
    items = cart.items.all() if cart else []
    totals = cart.totals() if cart else {'subtotal_cents': 0, 'discount_cents': 0, 'shipping_cents': 0, 'total_cents': 0}
    return dict(totals, coupon=cart.coupon.code if cart and cart.coupon else None, currency=settings.CURRENCY, items=[{
        'id': item.id, 'product_id': item.product_id, 'name': item.product.name, 'quantity': item.quantity,
        'unit_price_cents': item.product.price_cents, 'total_cents': item.total_cents} for item in items],
        count=sum(item.quantity for item in items))


def order_json(order):
    return {
        'id': order.id, 'number': order.number, 'status': order.status, 'version': order.version,
        'subtotal_cents': order.subtotal_cents, 'discount_cents': order.discount_cents,
        'shipping_cents': order.shipping_cents, 'total_cents': order.total_cents, 'currency': order.currency,
        'coupon': order.coupon.code if order.coupon else None, 'url': order.get_absolute_url(),
        'created_at': iso(order.created_at), 'paid_at': iso(order.paid_at),
    }


def order_full_json(order):
    payment = order.payment
    return dict(
        order_json(order), note=order.note, address=order.address.as_json(),
        lines=[{'product_id': line.product_id, 'name': line.name, 'quantity': line.quantity,
                'unit_price_cents': line.unit_price_cents, 'total_cents': line.total_cents} for line in order.lines.all()],
        payment={'status': payment.status, 'amount_cents': payment.amount_cents, 'card_brand': payment.card_brand,
                 'card_last4': payment.card_last4, 'error_code': payment.error_code or None,
                 'error_message': payment.error_message or None} if payment else None,
        history=[{'old': change.old or None, 'new': change.new, 'at': iso(change.created_at)} for change in order.changes.all()])


def profile_json(user):
    profile = user.profile
    return {
        'id': user.id, 'username': user.username, 'email': user.email, 'first_name': user.first_name,
        'last_name': user.last_name, 'is_staff': user.is_staff, 'phone': profile.phone, 'newsletter': profile.newsletter,
        'loyalty_points': profile.loyalty_points, 'avatar': profile.avatar.url if profile.avatar else None,
        'joined_at': iso(user.date_joined),
    }


def notification_json(note):
    return {'id': note.id, 'kind': note.kind, 'subject': note.subject, 'order_id': note.order_id,
            'created_at': iso(note.created_at), 'read': note.read_at is not None}


# --- accounts ---


def token_create(request):
    body = read_json(request)
    user = authenticate(request, username=str(body.get('username', '')), password=str(body.get('password', '')))
    if user is None:
        raise ApiError(401, 'bad_credentials', 'User name or password is wrong.')
    token = ApiToken.objects.create(user=user)
    Event.record('token_login', request=request, user=user)
    return answer({'token': token.key, 'user_id': user.id}, 201)


def token_delete(request):
    scheme, _, key = request.META.get('HTTP_AUTHORIZATION', '').partition(' ')
    gone, _ = ApiToken.objects.filter(user=request.user, key=key.strip()).delete()
    return {'revoked': gone}


def profile_show(request):
    return profile_json(request.user)


def profile_change(request):
    body = read_json(request)
    user, profile = request.user, request.user.profile
    if 'email' in body:
        body['email'] = str(body['email'])
        validate_email(body['email'])
        if User.objects.filter(email__iexact=body['email']).exclude(pk=user.pk).exists():
            raise ApiError(400, 'email_taken', 'There is an account with this e-mail address.')
    with transaction.atomic():
        clean(user, **{k: body[k] for k in ('email', 'first_name', 'last_name') if k in body})
        clean(profile, **{k: body[k] for k in ('phone', 'newsletter') if k in body})
    return profile_json(user)


def avatar_put(request):
    upload = request.FILES.get('avatar')
    if upload is None:
        raise ApiError(400, 'no_file', 'Send the picture as multipart field "avatar".')
    validate_image(upload)
    request.user.profile.avatar = upload
    request.user.profile.save()
    return answer(profile_json(request.user), 201)


def address_list(request):
    return {'results': [address.as_json() for address in request.user.addresses.filter(deleted=False)]}


def address_from(user, body):
    if not isinstance(body, dict):
        raise ApiError(400, 'invalid', 'An address is an object.')
    return clean(Address(user=user, is_default=not user.addresses.filter(deleted=False).exists()),
                 **{k: str(body.get(k, '')) for k in ('name', 'street', 'city', 'postcode')}, country=str(body.get('country', 'DE')))


def address_create(request):
    return answer(address_from(request.user, read_json(request)).as_json(), 201)


# --- catalogue ---


def public(response, seconds=30):
    response['Cache-Control'] = 'public, max-age=%d' % seconds
    return response


def with_ratings(products):
    """New in 3.15: a page of products takes two queries; before, each product asked for its category and its rating."""
    page = list(products.select_related('category'))
    stars = dict(Review.objects.filter(product__in=[product.pk for product in page]).order_by().values_list('product').annotate(Avg('stars')))
    for product in page:
        product.stars = stars.get(product.pk)
    return page


def product_list(request):
    products = Product.objects.filter(active=True)
    query = request.GET.get('q', '').strip()
    if query:
        products = products.filter(Q(name__icontains=query) | Q(description__icontains=query) | Q(sku__iexact=query))
    if request.GET.get('category'):
        slug = request.GET['category']
        products = products.filter(Q(category__slug=slug) | Q(category__parent__slug=slug))
    sorts = {'name': ('name', 'id'), 'price': ('price_cents', 'id'), '-price': ('-price_cents', 'id'), 'new': ('-created_at', '-id')}
    products = products.order_by(*sorts.get(request.GET.get('sort'), ('name', 'id')))
    return public(answer(page_of(request, products, product_json, rows=with_ratings if settings.NEXT else list)))


def product_show(request, pk):
    product = get_object_or_404(Product.objects.select_related('category'), pk=pk, active=True)
    response = public(answer(product_full_json(product)))
    response['Last-Modified'] = http_date(product.updated_at.timestamp())
    return response


def product_create(request):
    """Staff: a product with its first delivery."""
    body = read_json(request)
    category = get_object_or_404(Category, slug=str(body.get('category')))
    with transaction.atomic():
        product = clean(Product(), **{
            'sku': body.get('sku'), 'name': body.get('name'), 'category': category,
            'slug': slugify('%s-%s' % (body.get('name'), body.get('sku')))[:140],
            'description': body.get('description', ''), 'price_cents': body.get('price_cents'),
            'weight_grams': body.get('weight_grams', 0)})
        if body.get('delivered'):
            Product.objects.select_for_update(no_key=True).get(pk=product.pk).move('delivery', to_int(body['delivered'], 0, 0, 100000))
    product.refresh_from_db()
    return answer(product_full_json(product), 201)


def product_change(request, pk):
    """Staff: price, texts, on sale or not, and deliveries."""
    body = read_json(request)
    with transaction.atomic():
        product = get_object_or_404(Product.objects.select_for_update(no_key=True), pk=pk)
        clean(product, **{k: body[k] for k in ('name', 'description', 'price_cents', 'weight_grams', 'active') if k in body})
        if body.get('delivered'):
            product.move('delivery', to_int(body['delivered'], 0, 0, 100000))
    return product_full_json(product)


def category_list(request):
    return public(answer({'results': [
        {'slug': category.slug, 'name': category.name, 'parent': category.parent.slug if category.parent else None,
         'products': category.products.filter(active=True).count()} for category in Category.objects.all()]}), 300)


def review_list(request, pk):
    product = get_object_or_404(Product, pk=pk, active=True)
    return page_of(request, product.reviews.all(), lambda review: {
        'id': review.id, 'stars': review.stars, 'text': review.text, 'author': review.user.username, 'at': iso(review.created_at)})


def review_create(request, pk):
    if not request.user.is_authenticated:
        raise ApiError(401, 'login_required', 'Log in or send a token.')
    body = read_json(request)
    product = get_object_or_404(Product, pk=pk, active=True)
    if not OrderLine.objects.filter(product=product, order__user=request.user, order__status__in=Order.PAID_STATES).exists():
        raise ApiError(403, 'not_bought', 'Only who bought it can review it.')
    review = Review.objects.filter(product=product, user=request.user).first() or Review(product=product, user=request.user)
    clean(review, stars=body.get('stars'), text=str(body.get('text', '')))
    return answer({'id': review.id, 'stars': review.stars, 'text': review.text}, 201)


# --- cart and orders ---


def cart_show(request):
    return cart_json(Cart.of_request(request, create=False))


def quantity_from(body, low):
    quantity = body.get('quantity', 1)
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not low <= quantity <= MAX_QUANTITY:
        raise ApiError(400, 'bad_quantity', 'quantity is a number from %d to %d.' % (low, MAX_QUANTITY))
    return quantity


def cart_add(request):
    body = read_json(request)
    product = get_object_or_404(Product, pk=to_int(body.get('product_id'), 0, 0, MAX_ID), active=True)
    quantity = quantity_from(body, 1)
    cart = Cart.of_request(request)
    cart.add(product, quantity)
    Event.record('cart_add', request=request, product=product, data={'quantity': quantity})
    return answer(cart_json(cart), 201)


def cart_change(request, pk):
    cart = Cart.of_request(request, create=False)
    item = get_object_or_404(CartItem, pk=pk, cart=cart) if cart else None
    if item is None:
        raise ApiError(404, 'not_found', 'There is nothing here.')
    quantity = quantity_from(read_json(request), 0) if request.method == 'PATCH' else 0
    if quantity:
        item.quantity = quantity
        item.save()
    else:
        item.delete()
    return cart_json(cart)


def coupon_set(request):
    cart = Cart.of_request(request)
    coupon = Coupon.objects.filter(code=str(read_json(request).get('code', '')).strip().upper()).first()
    why_not = coupon.refusal(cart.totals()['subtotal_cents']) if coupon else 'There is no such coupon.'
    if why_not:
        raise ApiError(400, 'coupon', why_not)
    cart.coupon = coupon
    cart.save()
    return cart_json(cart)


def coupon_drop(request):
    cart = Cart.of_request(request)
    cart.coupon = None
    cart.save()
    return cart_json(cart)


def checkout(request):
    body = read_json(request)
    if body.get('address_id'):
        address = get_object_or_404(Address, pk=to_int(body['address_id'], 0, 0, MAX_ID), user=request.user, deleted=False)
    else:
        address = address_from(request.user, body.get('address') or {})
    card = body.get('card')
    if not isinstance(card, dict):
        raise ApiError(400, 'no_card', 'card is an object with number, expiry and cvc.')
    try:
        order = do_checkout(request.user, address, card, str(body.get('note', ''))[:500],
                            request.META.get('HTTP_IDEMPOTENCY_KEY', '')[:80], request)
    except CheckoutError as error:
        raise ApiError(409 if error.code == 'sold_out' else 400, error.code, error.message)
    return paid_or_402(order, 201)


def cart_handover(request):
    body = read_json(request)
    address = get_object_or_404(Address, pk=to_int(body.get('address_id'), 0, 0, MAX_ID), user=request.user, deleted=False)
    try:
        return reservations.hand_over(request.user, address, str(body.get('note', ''))[:500])
    except reservations.Refused as no:
        raise ApiError(409, no.code, no.message)


def reservation(request, key, act):
    """For the system that takes the money: it has a key of its own, and no user."""
    scheme, _, given = request.META.get('HTTP_AUTHORIZATION', '').partition(' ')
    if not settings.RESERVATIONS_KEY or scheme.lower() != 'bearer' or not constant_time_compare(given.strip(), settings.RESERVATIONS_KEY):
        raise ApiError(401, 'bad_key', 'This key is not valid.')
    if len(key) > 80:
        raise ApiError(404, 'not_found', 'There is nothing here.')
    try:
        return act(key, read_json(request))
    except reservations.Refused as no:
        raise ApiError(409, no.code, no.message)


def reservation_reserve(request, key):
    return reservation(request, key, lambda key, body: reservations.reserve(key, body.get('order') or {}))


def reservation_confirm(request, key):
    return reservation(request, key, reservations.confirm)


def reservation_release(request, key):
    return reservation(request, key, lambda key, body: reservations.release(key))


def paid_or_402(order, status):
    if order.status == Order.FAILED:
        raise ApiError(402, order.payment.error_code, order.payment.error_message, order=order_full_json(order))
    return answer(order_full_json(order), status)


def own_order(request, pk):
    orders = Order.objects.select_related('address', 'payment', 'coupon')
    if not request.user.is_staff:
        orders = orders.filter(user=request.user)
    return get_object_or_404(orders, pk=pk)


def order_list(request):
    orders = Order.objects.filter(user=request.user)
    if request.GET.get('status'):
        orders = orders.filter(status=request.GET['status'])
    return page_of(request, orders, order_json)


def order_show(request, pk):
    return order_full_json(own_order(request, pk))


def order_wait(request, pk):
    """Long poll: answers when the order's version is above `since`, or after `timeout` seconds."""
    order = own_order(request, pk)
    since = to_int(request.GET.get('since'), order.version, 0)
    ends = time.monotonic() + to_int(request.GET.get('timeout'), 20, 0, settings.WAIT_MAX_S)
    while order.version <= since and time.monotonic() < ends:
        time.sleep(settings.WAIT_POLL_S)
        close_old_connections()
        order.refresh_from_db()
    return {'id': order.id, 'status': order.status, 'version': order.version, 'changed': order.version > since}


def order_pay(request, pk):
    order = own_order(request, pk)
    card = read_json(request).get('card')
    if not isinstance(card, dict):
        raise ApiError(400, 'no_card', 'card is an object with number, expiry and cvc.')
    try:
        order = pay_again(order, card, request.user)
    except CheckoutError as error:
        raise ApiError(409, error.code, error.message)
    return paid_or_402(order, 200)


def order_cancel(request, pk):
    own_order(request, pk)
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=pk)
        if order.status != Order.FAILED:
            raise ApiError(409, 'state', 'Order %s is %s and cannot be cancelled.' % (order.number, order.status))
        release(order, Order.CANCELLED, request.user)
    return order_full_json(order)


def order_status(request, pk):
    """Staff: packed, shipped, delivered."""
    new = read_json(request).get('status')
    with transaction.atomic():
        order = get_object_or_404(Order.objects.select_for_update(no_key=True), pk=pk)
        if new not in (Order.PACKED, Order.SHIPPED, Order.DELIVERED) or new not in order.next_states:
            raise ApiError(409, 'state', 'Order %s is %s and cannot become %s.' % (order.number, order.status, new))
        order.go(new, request.user)
    return order_full_json(order)


def order_refund(request, pk):
    get_object_or_404(Order, pk=pk)
    try:
        return order_full_json(refund_order(pk, request.user, str(read_json(request).get('reason', ''))[:200]))
    except RefundError as error:
        raise ApiError(409, 'refund', str(error))


# --- notifications and analytics ---


def notification_list(request):
    return page_of(request, Notification.objects.filter(user=request.user), notification_json)


def notification_read(request, pk):
    note = get_object_or_404(Notification, pk=pk, user=request.user)
    if note.read_at is None:
        note.read_at = timezone.now()
        note.save()
    return notification_json(note)


def event_ingest(request):
    """One event or a list of at most 100: {kind, path?, product_id?, data?}. Browsers and the app send them."""
    body = read_json(request, many=True)
    batch = body if isinstance(body, list) else [body]
    if not 1 <= len(batch) <= 100:
        raise ApiError(400, 'bad_batch', 'Send 1 to 100 events.')
    events = []
    for one in batch:
        if not isinstance(one, dict) or not isinstance(one.get('kind'), str) or not 1 <= len(one['kind']) <= 30:
            raise ApiError(400, 'bad_event', 'An event needs a kind of at most 30 letters.')
        events.append(Event(
            kind='client_' + one['kind'][:23], user=request.user if request.user.is_authenticated else None,
            path=str(one.get('path', ''))[:300], data=one['data'] if isinstance(one.get('data'), dict) else {},
            product=Product.objects.filter(pk=to_int(one.get('product_id'), 0, 0, MAX_ID)).first(),
            ip=valid_ip(request.META.get('REMOTE_ADDR', '')), user_agent=request.META.get('HTTP_USER_AGENT', '')[:200]))
    Event.objects.bulk_create(events)
    return answer({'accepted': len(events)}, 202)


def stats(request):
    days = DailySales.objects.all()[:30]
    return {'users': User.objects.count(), 'orders': Order.objects.count(), 'events': Event.objects.count(),
            'days': [{'day': str(day.day), 'orders': day.orders, 'items': day.items, 'revenue_cents': day.revenue_cents,
                      'refunded_cents': day.refunded_cents} for day in days]}
