from django.contrib import admin
from django.urls import include, path, re_path

from accounts import views as accounts
from analytics import views as analytics
from cart import views as cart
from catalogue import views as catalogue
from notifications import views as notifications
from orders import views as orders
from payments import views as payments
from shop import views

urlpatterns = [
    path('', catalogue.home, name='home'),
    path('products/<slug:slug>/', catalogue.product, name='product'),
    path('products/<slug:slug>/review/', catalogue.review, name='review'),
    path('category/<slug:slug>/', catalogue.category, name='category'),
    path('p/<int:pk>', catalogue.short_link, name='short-link'),

    path('signup/', accounts.signup, name='signup'),
    path('login/', accounts.Login.as_view(), name='login'),
    path('logout/', accounts.logout_view, name='logout'),
    path('profile/', accounts.profile, name='profile'),
    path('profile/avatar/', accounts.avatar, name='avatar'),
    path('profile/password/', accounts.PasswordChange.as_view(), name='password'),
    path('profile/addresses/', accounts.addresses, name='addresses'),
    path('profile/addresses/<int:pk>/delete/', accounts.address_delete, name='address-delete'),

    path('cart/', cart.show, name='cart'),
    path('cart/add/', cart.add, name='cart-add'),
    path('cart/update/', cart.update, name='cart-update'),
    path('cart/coupon/', cart.coupon, name='cart-coupon'),

    path('checkout/', orders.checkout, name='checkout'),
    path('orders/', orders.history, name='orders'),
    path('orders/<int:pk>/', orders.detail, name='order'),
    path('orders/<int:pk>/cancel/', orders.cancel, name='order-cancel'),
    path('orders/<int:pk>/pay/', orders.pay_again, name='order-pay'),
    path('messages/', notifications.inbox, name='messages'),

    path('staff/', analytics.dashboard, name='staff'),
    path('staff/report/', analytics.report, name='report'),
    path('staff/report.csv', analytics.report_csv, name='report-csv'),
    path('staff/orders/', orders.staff_list, name='staff-orders'),
    path('staff/orders/<int:pk>/status/', orders.staff_status, name='staff-order-status'),
    path('staff/orders/<int:pk>/refund/', payments.staff_refund, name='staff-order-refund'),
    path('staff/products/new/', catalogue.staff_new, name='staff-product-new'),
    path('staff/products/<int:pk>/', catalogue.staff_edit, name='staff-product'),
    path('events/stream', analytics.stream, name='stream'),

    path('api/v1/', include('api.urls')),
    path('admin/', admin.site.urls),
    path('healthz', views.healthz, name='healthz'),
    path('version', views.version, name='version'),
    re_path(r'^static/(?P<path>.+)$', views.static_file),
    re_path(r'^media/(?P<path>.+)$', views.media_file),
]

handler404 = 'shop.views.not_found'
handler500 = 'shop.views.server_error'
