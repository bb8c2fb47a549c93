"""The card network's client: JSON over HTTP, one connection a call (the library of 2017 did it so, and it stayed)."""
import http.client
import json
import logging
from collections import namedtuple
from urllib.parse import urlsplit

from django.conf import settings

log = logging.getLogger(__name__)

Result = namedtuple('Result', 'ok declined code message reference')


class NetworkDown(Exception):
    pass


def call(method, path, body=None, key=None):
    """(status, answer); NetworkDown when there is none in time."""
    parts = urlsplit(settings.CARDS_URL)
    conn = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=settings.CARDS_TIMEOUT_S)
    headers = {'Authorization': 'Bearer ' + settings.CARDS_KEY, 'Content-Type': 'application/json'}
    if key:
        headers['Idempotency-Key'] = key
    try:
        conn.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = conn.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NetworkDown('%s: %s' % (type(error).__name__, error))
    finally:
        conn.close()


def refusal(status, answer, reference=''):
    error = answer.get('error', {})
    return Result(False, status == 402, error.get('code', 'http_%d' % status),
                  error.get('message', 'The card network answered %d.' % status), reference)


def charge(payment, card):
    """Authorize and capture. Never raises: whatever happens is a Result."""
    if payment.amount_cents == 0:
        return Result(True, False, '', '', 'free')
    key = payment.idempotency_key
    reference = ''
    try:
        status, answer = call('POST', '/v1/authorizations', {
            'amount': payment.amount_cents, 'currency': payment.currency, 'reference': key,
            'card': {'number': card['number'], 'expiry': card.get('expiry', ''), 'cvc': card.get('cvc', '')},
        }, key)
        if status != 201:
            return refusal(status, answer)
        reference = answer['id']
        status, answer = call('POST', '/v1/authorizations/%s/capture' % reference, {}, key + '-capture')
        if status != 201:
            void(reference)
            return refusal(status, answer, reference)
        return Result(True, False, '', '', reference)
    except NetworkDown as error:
        log.warning('card network: payment %s: %s', payment.pk, error)
        void(reference, key)
        return Result(False, False, 'network_down', 'The card network does not answer. You were not charged.', reference)


def void(reference, key=None):
    """Takes back an authorization whose answer we may have missed. Best effort; `reconcile` finds the rest."""
    try:
        if not reference:
            status, answer = call('GET', '/v1/authorizations?reference=' + key)
            if status != 200 or not answer['data']:
                return
            reference = answer['data'][0]['id']
        call('POST', '/v1/authorizations/%s/void' % reference, {}, reference + '-void')
    except NetworkDown as error:
        log.warning('card network: void %s: %s', reference or key, error)


def refund(payment, amount_cents):
    """The network's reference of the refund; NetworkDown or ValueError."""
    status, answer = call('POST', '/v1/authorizations/%s/refunds' % payment.network_reference,
                          {'amount': amount_cents}, payment.idempotency_key + '-refund')
    if status != 201:
        raise ValueError(answer.get('error', {}).get('message', 'The card network answered %d.' % status))
    return answer['id']


def lookup(payment):
    """What the network knows of a payment: its dictionary or None."""
    status, answer = call('GET', '/v1/authorizations?reference=' + payment.idempotency_key)
    return answer['data'][0] if status == 200 and answer['data'] else None
