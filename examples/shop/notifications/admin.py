from django.contrib import admin

from .models import Notification


@admin.register(Notification)
class NotificationAdmin(admin.ModelAdmin):
    list_display = ['id', 'user', 'kind', 'subject', 'status', 'created_at', 'sent_at']
    list_filter = ['kind', 'status']
    search_fields = ['user__username', 'subject']
    raw_id_fields = ['user', 'order']
