"""What orders tell the rest of the shop. Receivers run inside the transaction that changes the order."""
from django.dispatch import Signal

order_placed = Signal()         # order, request
order_paid = Signal()           # order
order_released = Signal()       # order: failed, expired or cancelled before it was paid
order_refunded = Signal()       # order
order_changed = Signal()        # order, old, new: every change of state
