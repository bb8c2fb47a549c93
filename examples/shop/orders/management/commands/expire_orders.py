"""For cron, every ten minutes: orders that never heard from the card network give their stock back. (A reservation is ended by who made it:
only there is it known whether the money came.)"""
import datetime

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from orders.checkout import release, settle
from orders.models import Order
from payments import network
from payments.models import Payment


class Command(BaseCommand):
    help = 'Fails orders that have been waiting for their payment for too long.'

    def add_arguments(self, parser):
        parser.add_argument('--minutes', type=int, default=15)

    def handle(self, *args, minutes, **options):
        before = timezone.now() - datetime.timedelta(minutes=minutes)
        done = 0
        for order in Order.objects.filter(status=Order.PLACED, updated_at__lt=before, reservation=None).select_related('payment'):
            try:
                known = network.lookup(order.payment)
            except network.NetworkDown as error:
                self.stderr.write('card network: %s; try again later' % error)
                break
            done += 1
            if known and known['status'] == 'captured':
                settle(order.payment, network.Result(True, False, '', '', known['id']))
                continue
            if known:
                network.void(known['id'])
            with transaction.atomic():
                order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
                if order.status != Order.PLACED:
                    continue
                Payment.objects.filter(pk=order.payment_id, status=Payment.PENDING).update(
                    status=Payment.FAILED, error_code='expired', error_message='The payment took too long.')
                release(order, Order.FAILED)
        self.stdout.write('%d orders looked after' % done)
