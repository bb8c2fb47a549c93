# SPDX-License-Identifier: Apache-2.0
"""The upstream of the plays: a server of raw bytes that does exactly what the play says, and remembers all it saw.

A thread accepts, a thread serves each connection. What a script does wrong (an assertion, an unexpected exception) fails
the play when the upstream is stopped."""
import contextlib
import os
import socket
import threading
import traceback

from actors import http1
from actors.client import reset
from actors.waiting import PATIENCE_S, until


class Connection:
    """What a script sees: the next request, and a way to answer or not."""

    def __init__(self, upstream, sock, number):
        self.upstream, self.sock, self.number = upstream, sock, number
        self.reader = http1.Reader(sock)
        self.requests = []
        self.closed = None  # how it ended: "closed" or "reset" by the gateway, "ours"

    @property
    def received(self):
        return bytes(self.reader.received)

    def head(self):
        """The next request's head, its body still to be read; None at the end of the connection."""
        request = self.reader.request_head()
        if request:
            self.requests.append(request)
            self.upstream.arrived(request)
        return request

    def body(self, request):
        return self.reader.body(request)

    def request(self):
        """The next request, whole."""
        request = self.reader.request_head()
        if request:
            self.reader.body(request)
            self.requests.append(request)
            self.upstream.arrived(request)
        return request

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part)

    def close(self):
        self.closed = self.closed or "ours"
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def reset(self):
        self.closed = self.closed or "ours"
        reset(self.sock)

    def is_open(self):
        """Not ended by either side; also when its thread has not come to see that yet."""
        if self.closed:
            return False
        try:
            with socket.socket(fileno=os.dup(self.sock.fileno())) as twin:
                twin.settimeout(0)
                return twin.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:  # reset, or closed by its own thread a moment ago
            return False

    def wait_end(self):
        """Reads on until the gateway ends the connection; gives "closed" or "reset"."""
        try:
            while True:
                self.reader.fill()
                self.reader.buffer.clear()
        except http1.Closed as end:
            self.closed = self.closed or ("reset" if end.reset else "closed")
        return self.closed


class Upstream:
    """answer: bytes, or a function of the request giving bytes, for every request; script: a function of the Connection,
    for all of a connection; hold: keeps requests until release(). up.stop() refuses connections, up.start() takes them
    again on the same port."""

    def __init__(self, answer=None, script=None, hold=False, tls=None, backlog=512):
        self.answer = http1.reply() if answer is None else answer
        self.script = script or self.serve
        self.held = threading.Event()
        if not hold:
            self.held.set()
        self.tls, self.backlog = tls, backlog
        self.lock = threading.Lock()
        self.connections, self.requests, self.errors = [], [], []
        self.most_open = 0
        self.threads = []
        self.port = 0
        self.stopping = False
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    # For the play

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(self.backlog)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self.accept, args=(self.listener,), daemon=True)
        self.acceptor.start()
        return self

    def stop(self):
        """Refuses new connections and resets the ones there are, as a killed process does."""
        self.refuse()
        self.cut()
        return self

    def refuse(self):
        """Takes no new connections; those there are live on."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join(PATIENCE_S)
        assert not self.acceptor.is_alive()
        self.listener.close()

    def cut(self):
        with self.lock:
            live = [connection for connection in self.connections if connection.closed is None]
        for connection in live:
            connection.closed = "ours"
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def release(self):
        self.held.set()

    @property
    def targets(self):
        return [request.target for request in list(self.requests)]

    def wait_requests(self, count):
        return until(lambda: len(self.requests) >= count and self.requests, f"{count} requests at the upstream")

    def wait_connections(self, count):
        return until(lambda: len(self.connections) >= count and self.connections, f"{count} connections at the upstream")

    def finish(self):
        """Ends everything; raises what scripts did wrong."""
        self.stopping = True
        self.held.set()
        self.stop()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a script of the upstream does not end"
        assert not self.errors, "in the upstream's script:\n" + "\n".join(self.errors)

    # Its own threads

    def arrived(self, request):
        with self.lock:
            self.requests.append(request)

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.run, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def run(self, sock):
        sock.settimeout(60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            return
        with self.lock:
            connection = Connection(self, sock, len(self.connections))
            self.connections.append(connection)
            self.most_open = max(self.most_open, sum(one.is_open() for one in self.connections))
        try:
            self.script(connection)
        except http1.Closed as end:
            connection.closed = connection.closed or ("reset" if end.reset else "closed")
        except OSError as error:
            connection.closed = connection.closed or ("reset" if isinstance(error, ConnectionError) else "ours")
        except Exception:
            if not self.stopping:
                self.errors.append(traceback.format_exc())
        finally:
            connection.closed = connection.closed or "ours"
            sock.close()

    def serve(self, connection):
        """The script when the play gives none: every request whole, then the answer."""
        while request := connection.request():
            self.held.wait()
            if self.stopping:
                return
            answer = self.answer(request) if callable(self.answer) else self.answer
            connection.send(answer)
        connection.closed = connection.closed or "closed"
