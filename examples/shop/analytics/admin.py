from django.contrib import admin

from .models import DailySales, Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ['id', 'kind', 'user', 'path', 'created_at']
    list_filter = ['kind']
    raw_id_fields = ['user', 'product', 'order']
    show_full_result_count = False


@admin.register(DailySales)
class DailySalesAdmin(admin.ModelAdmin):
    list_display = ['day', 'orders', 'items', 'revenue_cents', 'refunded_cents']
