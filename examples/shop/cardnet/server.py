#!/usr/bin/python3
"""A card network for demos and tests: authorize, capture, void, refund. Standard library only; README.md in this folder.

    server.py [--port N] [--host ADDR] [--key KEY] [--delay-ms N] [--journal FILE]
"""
import argparse
import json
import os
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# number: (delay factor, seconds on top, refusal of the authorization or None, refusal of the capture or None)
DECLINED = (402, 'card_declined', 'The card was declined.')
CARDS = {
    '4000000000000002': (1, 0, DECLINED, None),
    '4000000000009995': (1, 0, (402, 'insufficient_funds', 'The card has not enough money.'), None),
    '4000000000000069': (1, 0, (402, 'expired_card', 'The card has expired.'), None),
    '4000000000000127': (1, 0, (402, 'incorrect_cvc', 'The security code is wrong.'), None),
    '4000000000000119': (1, 0, (502, 'processing_error', 'The bank did not answer. Try again.'), None),
    '4000000000000341': (1, 0, None, DECLINED),
    '4000000000003220': (1, 2, None, None),
    '4000000000000259': (1, 30, None, None),
}
MAX_BODY = 64 * 1024
RUNNING = object()


class Network:
    """Authorizations by id, answers by idempotency key; one lock. With a journal both survive a restart."""

    def __init__(self, journal=None):
        self.lock = threading.Lock()
        self.auths = {}
        self.answers = {}       # idempotency key -> (what was asked, (status, answer) or RUNNING)
        self.count = {'authorized': 0, 'captured': 0, 'voided': 0, 'refunded': 0, 'refused': 0, 'captured_cents': 0, 'refunded_cents': 0}
        self.serial = 0
        self.journal = None
        if journal:
            self.replay(journal)
            self.journal = open(journal, 'a', buffering=1, encoding='utf-8')

    def replay(self, path):
        if not os.path.exists(path):
            return
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue        # the last line of a network that was killed
                if entry.get('auth'):
                    self.auths[entry['auth']['id']] = entry['auth']
                if entry.get('key'):
                    self.answers[entry['key']] = (entry['asked'], (entry['status'], entry['answer']))
                self.count = entry['count']
                self.serial = entry['serial']

    def write(self, auth, key, asked, status, answer):
        if self.journal:
            self.journal.write(json.dumps({'auth': auth, 'key': key, 'asked': asked, 'status': status, 'answer': answer,
                                           'count': self.count, 'serial': self.serial}) + '\n')

    def new_id(self, prefix):
        self.serial += 1
        return '%s_%08d' % (prefix, self.serial)

    def authorize(self, body):
        card = body.get('card') or {}
        number = re.sub(r'[ -]', '', str(card.get('number', '')))
        amount = body.get('amount')
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= 100000000:
            return None, error(400, 'bad_amount', 'amount is a whole number of cents above 0.')
        if not re.fullmatch(r'\d{12,19}', number):
            return None, error(400, 'bad_card', 'card.number has 12 to 19 digits.')
        refusal = CARDS.get(number, (1, 0, None, None))[2]
        if refusal:
            self.count['refused'] += 1
            return None, error(*refusal)
        auth = {'id': self.new_id('auth'), 'status': 'authorized', 'amount': amount, 'currency': str(body.get('currency', 'EUR')),
                'reference': str(body.get('reference', ''))[:80], 'last4': number[-4:], 'captured': 0, 'refunded': 0,
                'refuse_capture': bool(CARDS.get(number, (1, 0, None, None))[3]), 'created': int(time.time())}
        self.auths[auth['id']] = auth
        self.count['authorized'] += 1
        return auth, (201, public(auth))

    def capture(self, auth, body):
        amount = body.get('amount', auth['amount'])
        if auth['status'] != 'authorized':
            return error(409, 'bad_state', 'This authorization is %s.' % auth['status'])
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= auth['amount']:
            return error(400, 'bad_amount', 'amount is at most what was authorized.')
        if auth['refuse_capture']:
            self.count['refused'] += 1
            return error(*DECLINED)
        auth.update(status='captured', captured=amount)
        self.count['captured'] += 1
        self.count['captured_cents'] += amount
        return 201, public(auth)

    def void(self, auth, body):
        if auth['status'] == 'captured':
            return error(409, 'bad_state', 'It is captured: refund it.')
        if auth['status'] == 'authorized':
            auth['status'] = 'voided'
            self.count['voided'] += 1
        return 201, public(auth)

    def refunds(self, auth, body):
        left = auth['captured'] - auth['refunded']
        amount = body.get('amount', left)
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= left:
            return error(409, 'bad_amount', 'At most %d can be refunded.' % left)
        auth['refunded'] += amount
        self.count['refunded'] += 1
        self.count['refunded_cents'] += amount
        return 201, {'id': self.new_id('ref'), 'authorization': auth['id'], 'amount': amount, 'status': 'refunded'}


def public(auth):
    return {k: v for k, v in auth.items() if k != 'refuse_capture'}


def error(status, code, message):
    return status, {'error': {'code': code, 'message': message}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server_version = 'cardnet/1'
    disable_nagle_algorithm = True

    def log_message(self, form, *args):
        sys.stderr.write('%s %s\n' % (self.log_date_time_string(), form % args))

    def send(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()
        self.wfile.write(data)

    def known(self):
        if self.headers.get('Authorization') == 'Bearer ' + self.server.key:
            return True
        self.send(*error(401, 'bad_key', 'The API key is wrong.'))
        return False

    def do_GET(self):
        net, parts = self.server.net, urlsplit(self.path)
        if parts.path == '/healthz':
            return self.send(200, {'status': 'ok'})
        if not self.known():
            return None
        if parts.path == '/v1/stats':
            with net.lock:
                return self.send(200, dict(net.count))
        match = re.fullmatch(r'/v1/authorizations(?:/(\w+))?', parts.path)
        if not match:
            return self.send(*error(404, 'not_found', 'There is nothing here.'))
        with net.lock:
            if match.group(1):
                found = [net.auths[match.group(1)]] if match.group(1) in net.auths else []
            else:
                wanted = parse_qs(parts.query).get('reference', [''])[0]
                found = [auth for auth in net.auths.values() if auth['reference'] == wanted]
            found = [public(auth) for auth in found]
        if not match.group(1):
            return self.send(200, {'data': found})
        return self.send(200, found[0]) if found else self.send(*error(404, 'not_found', 'There is no such authorization.'))

    def do_POST(self):
        try:
            size = int(self.headers.get('Content-Length') or 0)
        except ValueError:
            size = -1
        if not 0 <= size <= MAX_BODY:
            self.close_connection = True
            return self.send(*error(413, 'too_large', 'The body is too large.'))
        raw = self.rfile.read(size)
        if not self.known():
            return None
        try:
            body = json.loads(raw or b'{}')
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return self.send(*error(400, 'bad_json', 'The body is not a JSON object.'))
        match = re.fullmatch(r'/v1/authorizations(?:/(\w+)/(capture|void|refunds))?', self.path)
        if not match:
            return self.send(*error(404, 'not_found', 'There is nothing here.'))
        return self.once(body, match.group(1), match.group(2))

    def once(self, body, auth_id, verb):
        """The same key and question get the same answer, whatever happened to the first one."""
        net, key = self.server.net, self.headers.get('Idempotency-Key')
        number = re.sub(r'[ -]', '', str((body.get('card') or {}).get('number', '')))
        asked = json.dumps([self.path, dict(body, card=number[-4:])], sort_keys=True)
        with net.lock:
            if key and key in net.answers:
                before, answer = net.answers[key]
                if before != asked:
                    return self.send(*error(422, 'key_reused', 'This Idempotency-Key belongs to another request.'))
                if answer is RUNNING:
                    return self.send(*error(409, 'key_busy', 'The first request with this key is still running.'))
                return self.send(*answer, Idempotent_Replayed='true')
            if key:
                net.answers[key] = (asked, RUNNING)
        factor, more = CARDS.get(number, (1, 0))[:2]
        time.sleep(self.server.delay * factor + more)
        with net.lock:
            if verb is None:
                auth, answer = net.authorize(body)
            else:
                auth = net.auths.get(auth_id)
                answer = getattr(net, verb)(auth, body) if auth else error(404, 'not_found', 'There is no such authorization.')
            if key:
                if answer[0] >= 500:
                    del net.answers[key]        # worth another try
                else:
                    net.answers[key] = (asked, answer)
            if auth or answer[0] < 500:
                net.write(auth, key, asked, *answer)
        return self.send(*answer)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def make(host='127.0.0.1', port=0, key='cardnet-demo-key', delay_ms=40, journal=None):
    server = Server((host, port), Handler)
    server.key, server.delay, server.net = key, delay_ms / 1000.0, Network(journal)
    return server


def main():
    parser = argparse.ArgumentParser(description='A card network for demos and tests.')
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=0, help='0 picks a free one and prints it')
    parser.add_argument('--key', default=os.environ.get('SHOP_CARDS_KEY', 'cardnet-demo-key'))
    parser.add_argument('--delay-ms', type=int, default=40, help='every authorize, capture and refund takes this long')
    parser.add_argument('--journal', help='keep authorizations in this file over restarts')
    args = parser.parse_args()
    try:
        server = make(args.host, args.port, args.key, args.delay_ms, args.journal)
    except OSError as problem:
        sys.exit('cardnet: %s:%d: %s. Choose another --port.' % (args.host, args.port, problem.strerror))

    def stop(*_):
        threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print('ready http://%s:%d' % server.server_address[:2], flush=True)
    server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == '__main__':
    sys.exit(main())
