from django.contrib import admin

from .models import Address, ApiToken, Profile


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):
    list_display = ['user', 'phone', 'newsletter', 'loyalty_points', 'created_at']
    search_fields = ['user__username', 'user__email', 'phone']
    raw_id_fields = ['user']


@admin.register(Address)
class AddressAdmin(admin.ModelAdmin):
    list_display = ['name', 'city', 'country', 'user', 'deleted']
    search_fields = ['name', 'city', 'user__username']
    raw_id_fields = ['user']


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    list_display = ['__str__', 'user', 'created_at', 'last_used_at']
    raw_id_fields = ['user']
