"""Which release answers, and the faults of shop/faults.py."""
import hashlib
import json
import os
import random
import time

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed

from .faults import Faults

NEVER = ('/healthz',)           # who asks how we are is told that all is well: the faults are those a health check misses
HANG_MAX_S = 60.0
LEAK_MAX_BYTES = 256 * 1024 * 1024
LEAK_MAX_S = 5.0


class Planted(Exception):
    """The 500 of `errors`."""


class ReleaseMiddleware:
    """X-Shop-Release on every answer."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response['X-Shop-Release'] = settings.RELEASE
        return response


def happens(share):
    return share > 0 and random.random() < share


def user_of(request, told_by):
    """Who asks: as `who` has it, else the account, else the address."""
    kind, _, name = (told_by or '').partition(':')
    value = request.COOKIES.get(name) if kind == 'cookie' else request.headers.get(name)
    if value:
        return told_by + ' ' + value
    user = getattr(request, 'user', None)
    if user is not None and user.is_authenticated:
        return 'account %d' % user.pk
    return 'address ' + (request.META.get('HTTP_X_FORWARDED_FOR') or request.META.get('REMOTE_ADDR', ''))


def is_hit(who, share):
    """The same users each time, also after a restart."""
    return int.from_bytes(hashlib.sha256(who.encode()).digest()[:4], 'big') < share * 2 ** 32


def one_too_high(value, field):
    """The value with each number of this name raised by one."""
    if isinstance(value, dict):
        return {name: inner + 1 if name == field and isinstance(inner, (int, float)) and not isinstance(inner, bool)
                else one_too_high(inner, field) for name, inner in value.items()}
    if isinstance(value, list):
        return [one_too_high(inner, field) for inner in value]
    return value


class FaultMiddleware:
    """The last of the list: what is wrong is wrong inside, where the account is known."""

    def __init__(self, get_response):
        if not settings.FAULTS_FILE:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.faults = Faults(settings.FAULTS_FILE)
        self.kept = []

    def __call__(self, request):
        now = self.faults.now()
        if not now.get('leak'):
            self.kept.clear()
        if not now or request.path in NEVER or not request.path.startswith(now.get('only', '')):
            return self.get_response(request)
        self.before(now)
        response = self.get_response(request)
        share, field = now.get('wrong', (0, ''))
        if share and response.get('Content-Type', '').startswith('application/json') and not response.streaming \
                and is_hit(user_of(request, now.get('who')), share):
            response.content = json.dumps(one_too_high(json.loads(response.content), field))
        return response

    def before(self, now):
        if happens(now.get('crash', 0)):
            os._exit(70)
        if happens(now.get('hang', 0)):
            self.hang()
        share, ms = now.get('delay', (0, 0))
        if happens(share):
            time.sleep(ms / 1000)
        if 'leak' in now:
            self.leak(*now['leak'])
        if happens(now.get('errors', 0)):
            raise Planted('a fault was asked for: %s' % now)

    def hang(self):
        ends = time.monotonic() + HANG_MAX_S
        while self.faults.now().get('hang') and time.monotonic() < ends:
            time.sleep(0.05)

    def leak(self, kib, ms):
        if len(self.kept) * kib * 1024 < LEAK_MAX_BYTES:
            self.kept.append(b'\1' * int(kib * 1024))
        time.sleep(min(len(self.kept) * ms / 1000, LEAK_MAX_S))
