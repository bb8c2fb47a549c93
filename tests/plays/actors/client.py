# SPDX-License-Identifier: Apache-2.0
"""The client of the plays: a socket and exact bytes."""
import contextlib
import socket
import ssl
import struct

from actors import http1
from actors.waiting import PATIENCE_S


def split_address(where):
    """A gateway, an upstream, or "host:port"."""
    host, _, port = (where if isinstance(where, str) else where.address).rpartition(":")
    return host, int(port)


def reset(sock):
    """Closes with RST."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Wire:
    """One connection. Everything sent is given byte by byte by the play, everything read is checked."""

    def __init__(self, where, tls=None, sni=None, receive_buffer=None, source=None):
        self.sock = socket.socket()
        if source:
            self.sock.bind((source, 0))
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE_S)
        try:
            self.sock.connect(split_address(where))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self.sock = tls.wrap_socket(self.sock, server_hostname=sni)
        except BaseException:
            self.sock.close()
            raise
        self.reader = http1.Reader(self.sock)

    @property
    def alpn(self):
        return self.sock.selected_alpn_protocol()

    @property
    def certificate_names(self):
        return [name for _, name in self.sock.getpeercert()["subjectAltName"]]

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part)
        return self

    def send_split(self, data, every=1):
        """The same bytes in pieces, each in a segment of its own (TCP_NODELAY)."""
        for at in range(0, len(data), every):
            self.sock.sendall(data[at:at + every])
        return self

    def head(self):
        """The next head, informational ones too."""
        return self.reader.answer_head()

    def answer(self, method="GET"):
        """The next final answer, whole."""
        before = []
        while True:
            answer = self.head()
            if answer.status == 101 or answer.status >= 200:
                break
            before.append(answer)
        answer.before = before
        none = method == "HEAD" or answer.status in (101, 204, 304) or (method == "CONNECT" and answer.status < 300)
        return self.reader.body(answer, none)

    def ask(self, data, method="GET"):
        return self.send(data).answer(method)

    def pipeline(self, *requests):
        """All requests in one segment, then as many answers."""
        self.send(b"".join(requests))
        return [self.answer() for _ in requests]

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def is_closed(self):
        """Has the other side ended the connection, without a byte more? Waits for it."""
        try:
            if self.reader.buffer:
                return False
            self.reader.fill()
            return False
        except http1.Closed:
            return True
        except ssl.SSLError:
            return True

    def is_quiet(self, seconds=0.3):
        """Nothing comes, not even the end."""
        if self.reader.buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            self.reader.fill()
            return False
        except AssertionError:
            return True
        except http1.Closed:
            return False
        finally:
            self.sock.settimeout(PATIENCE_S)

    def close(self):
        self.sock.close()

    def reset(self):
        reset(self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client:
    """Makes wires, and asks single questions on fresh ones."""

    def __init__(self, stage):
        self.stage = stage

    def connect(self, where, **options):
        wire = Wire(where, **options)
        self.stage.callback(wire.close)
        return wire

    def raw(self, where, data, method="GET", **options):
        with Wire(where, **options) as wire:
            return wire.ask(data, method)

    def ask(self, where, method, target, *headers, body=None, host="shop.test", **options):
        return self.raw(where, http1.request(method, target, *headers, body=body, host=host), method, **options)

    def get(self, where, target="/", *headers, **options):
        return self.ask(where, "GET", target, *headers, **options)

    def post(self, where, target, body, *headers, **options):
        return self.ask(where, "POST", target, *headers, body=body, **options)

    @contextlib.contextmanager
    def pending(self, where, target, at, method="GET", body=None):
        """A request that has reached the upstream `at` and waits there for its answer; gives the wire. At the end the client
        leaves, audibly."""
        arrived = len(at.requests)
        with Wire(where) as wire:
            wire.send(http1.request(method, target, body=body))
            at.wait_requests(arrived + 1)
            yield wire
            wire.reset()
