from django.http import Http404
from django.urls import path, re_path

from . import views
from .http import api


def nothing(request):
    raise Http404


urlpatterns = [
    path('auth/token', api(login=False, csrf=False, POST=views.token_create)),
    path('auth/token/revoke', api(POST=views.token_delete)),
    path('profile', api(GET=views.profile_show, PATCH=views.profile_change)),
    path('profile/avatar', api(POST=views.avatar_put)),
    path('addresses', api(GET=views.address_list, POST=views.address_create)),

    path('products', api(login=False, GET=views.product_list)),
    path('products/<int:pk>', api(login=False, GET=views.product_show)),
    path('products/<int:pk>/reviews', api(login=False, GET=views.review_list, POST=views.review_create)),
    path('categories', api(login=False, GET=views.category_list)),
    path('staff/products', api(staff=True, POST=views.product_create)),
    path('staff/products/<int:pk>', api(staff=True, PATCH=views.product_change)),

    path('cart', api(login=False, GET=views.cart_show)),
    path('cart/items', api(login=False, POST=views.cart_add)),
    path('cart/items/<int:pk>', api(login=False, PATCH=views.cart_change, DELETE=views.cart_change)),
    path('cart/coupon', api(login=False, POST=views.coupon_set, DELETE=views.coupon_drop)),
    path('checkout', api(POST=views.checkout)),

    path('cart/handover', api(POST=views.cart_handover)),
    path('reservations/<str:key>/reserve', api(login=False, csrf=False, POST=views.reservation_reserve)),
    path('reservations/<str:key>/confirm', api(login=False, csrf=False, POST=views.reservation_confirm)),
    path('reservations/<str:key>/release', api(login=False, csrf=False, POST=views.reservation_release)),

    path('orders', api(GET=views.order_list)),
    path('orders/<int:pk>', api(GET=views.order_show)),
    path('orders/<int:pk>/wait', api(GET=views.order_wait)),
    path('orders/<int:pk>/pay', api(POST=views.order_pay)),
    path('orders/<int:pk>/cancel', api(POST=views.order_cancel)),
    path('orders/<int:pk>/status', api(staff=True, POST=views.order_status)),
    path('orders/<int:pk>/refund', api(staff=True, POST=views.order_refund)),

    path('notifications', api(GET=views.notification_list)),
    path('notifications/<int:pk>/read', api(POST=views.notification_read)),
    path('events', api(login=False, csrf=False, POST=views.event_ingest)),
    path('stats', api(staff=True, GET=views.stats)),
    re_path(r'^.*$', api(login=False, csrf=False, GET=nothing, POST=nothing, PUT=nothing, PATCH=nothing, DELETE=nothing)),
]
