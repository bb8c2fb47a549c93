from django.contrib import admin
from django.db import transaction

from .models import Order, OrderLine, StatusChange


class LineInline(admin.TabularInline):
    model = OrderLine
    raw_id_fields = ['product']
    extra = 0


class ChangeInline(admin.TabularInline):
    model = StatusChange
    readonly_fields = ['old', 'new', 'by', 'created_at']
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ['number', 'user', 'status', 'total', 'created_at', 'paid_at']
    list_filter = ['status', 'created_at']
    search_fields = ['number', 'user__username', 'user__email']
    raw_id_fields = ['user', 'address', 'payment', 'coupon']
    readonly_fields = ['status', 'version', 'updated_at']
    inlines = [LineInline, ChangeInline]
    actions = ['mark_packed', 'mark_shipped', 'mark_delivered']

    def step(self, request, queryset, new):
        done = 0
        for pk in queryset.values_list('pk', flat=True):
            with transaction.atomic():
                order = Order.objects.select_for_update(no_key=True).get(pk=pk)
                if new in order.next_states:
                    order.go(new, request.user)
                    done += 1
        self.message_user(request, '%d orders are %s.' % (done, new))

    def mark_packed(self, request, queryset):
        self.step(request, queryset, Order.PACKED)

    def mark_shipped(self, request, queryset):
        self.step(request, queryset, Order.SHIPPED)

    def mark_delivered(self, request, queryset):
        self.step(request, queryset, Order.DELIVERED)


@admin.register(OrderLine)
class OrderLineAdmin(admin.ModelAdmin):
    list_display = ['order', 'name', 'quantity', 'unit_price_cents']
    raw_id_fields = ['order', 'product']


@admin.register(StatusChange)
class StatusChangeAdmin(admin.ModelAdmin):
    list_display = ['order', 'old', 'new', 'by', 'created_at']
    raw_id_fields = ['order', 'by']
