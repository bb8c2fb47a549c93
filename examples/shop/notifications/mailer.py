"""E-mail. Texts are rendered and sent in the request, after the commit."""
import logging

from django.conf import settings
from django.core.mail import mail_managers, send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from .models import Notification

log = logging.getLogger(__name__)

SUBJECTS = {
    'welcome': 'Welcome to Pine & Anvil',
    'password_changed': 'Your password was changed',
    'order_paid': 'Order %(number)s: thank you',
    'order_failed': 'Order %(number)s: the payment did not work',
    'order_packed': 'Order %(number)s is packed',
    'order_shipped': 'Order %(number)s is on its way',
    'order_delivered': 'Order %(number)s has arrived',
    'order_cancelled': 'Order %(number)s is cancelled',
    'order_refunded': 'Order %(number)s: your money is on its way',
}


# the same as utils.format_price, but the accountants want a comma in letters
def money(cents):
    return '%d,%02d %s' % (cents // 100, cents % 100, settings.CURRENCY)


def notify(user, kind, order=None, by_mail=True):
    """Logs and sends one letter; the row is written now, the mail goes out when the transaction is committed."""
    context = {'user': user, 'order': order, 'shop': settings.SHOP_NAME}
    if order:
        context['total'] = money(order.total_cents)
        context['lines'] = [(line.quantity, line.name, money(line.total_cents)) for line in order.lines.all()]
    note = Notification.objects.create(
        user=user, order=order, kind=kind,
        subject=SUBJECTS[kind] % {'number': order.number if order else ''},
        body=render_to_string('mail/%s.txt' % kind, context))
    if by_mail:
        transaction.on_commit(lambda: deliver(note))
    else:
        Notification.objects.filter(pk=note.pk).update(status=Notification.SENT, sent_at=timezone.now())
    return note


def deliver(note):
    try:
        if note.user.email:
            send_mail(note.subject, note.body, None, [note.user.email])
        Notification.objects.filter(pk=note.pk).update(status=Notification.SENT, sent_at=timezone.now())
    except OSError as error:        # smtplib's exceptions are OSErrors
        log.warning('mail to user %s: %s', note.user_id, error)
        Notification.objects.filter(pk=note.pk).update(status=Notification.FAILED, error=str(error)[:200])


def warn_staff(subject, body):
    transaction.on_commit(lambda: mail_managers(subject, body, fail_silently=True))
