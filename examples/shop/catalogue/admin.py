from django.contrib import admin

from .models import Category, Product, Review, StockMovement


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ['name', 'slug', 'parent']
    prepopulated_fields = {'slug': ['name']}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ['sku', 'name', 'category', 'price', 'on_hand', 'reserved', 'active']
    list_filter = ['category', 'active']
    search_fields = ['sku', 'name']
    readonly_fields = ['on_hand', 'reserved', 'updated_at']
    prepopulated_fields = {'slug': ['name', 'sku']}


@admin.register(StockMovement)
class StockMovementAdmin(admin.ModelAdmin):
    list_display = ['id', 'product', 'kind', 'quantity', 'order', 'created_at']
    list_filter = ['kind']
    raw_id_fields = ['product', 'order']


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    list_display = ['product', 'user', 'stars', 'created_at']
    raw_id_fields = ['product', 'user']
