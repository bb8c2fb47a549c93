from django.contrib import admin

from .models import Payment, Refund


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    list_display = ['id', 'order', 'status', 'amount_cents', 'card_brand', 'card_last4', 'error_code', 'created_at']
    list_filter = ['status', 'card_brand']
    search_fields = ['order__number', 'network_reference']
    raw_id_fields = ['order', 'user']


@admin.register(Refund)
class RefundAdmin(admin.ModelAdmin):
    list_display = ['payment', 'amount_cents', 'reason', 'by', 'created_at']
    raw_id_fields = ['payment', 'by']
