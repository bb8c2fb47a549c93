#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clients.py ADDRESS COUNT: so many keep-alive clients in one process, with epoll, from as many source addresses as they need.

It connects all of them, prints `ready COUNT` and takes a line of standard input at a time, each answered by a line of JSON:

    ask       every client sends one request; says {"asked": COUNT} when all are on their way
    answers   waits until every client has its answer, or has lost its connection
    load      from now on every client asks again as soon as it is answered: a GET, then a POST, and so on
    stop      lets the requests under way end

`answers` and `stop` say how it ended since the last time: {"GET": {"right": N, ...}, "POST": ...}, where an answer counts as
`right`, by its status and problem ("502 upstream.closed"), as `wrong` (somebody else's), or as `lost` (the connection ended).
A client that lost its connection makes another."""
import collections
import errno
import itertools
import json
import os
import select
import socket
import sys

from origin import TELL, answer_of

PER_ADDRESS = 5000
DIALLING_MAX = 256  # fewer than a listener's backlog
CONNECTED = (0, errno.EINPROGRESS)


class Client:
    def __init__(self, crowd, number):
        self.crowd, self.number = crowd, number
        self.words = itertools.count()
        self.word = None  # of the request that is not answered
        self.method = "GET" if number % 2 else "POST"  # of the last request: half of a load begins with each
        self.got, self.need = b"", 0

    def dial(self):
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: chosen when the whole pair is known
        self.sock.bind((f"127.0.0.{2 + self.number // PER_ADDRESS}", 0))
        error = self.sock.connect_ex(self.crowd.address)
        assert error in CONNECTED, os.strerror(error)
        self.connected = False
        self.crowd.by_fd[self.sock.fileno()] = self
        self.crowd.epoll.register(self.sock, select.EPOLLOUT)

    def ask(self):
        self.word = b"%d.%d" % (self.number, next(self.words))
        self.method = "POST" if self.crowd.loading and self.method == "GET" else "GET"
        body = self.word * 20 if self.method == "POST" else b""
        self.sock.send(b"%s /crowd/%s HTTP/1.1\r\nHost: crowd.test\r\n%s%s\r\n%s\r\n%s" % (
            self.method.encode(), self.word, TELL, self.word,
            b"Content-Length: %d\r\n" % len(body) if body else b"", body))

    def ready(self, events):
        if not self.connected:
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            assert not error, os.strerror(error)
            self.connected = True
            self.crowd.epoll.modify(self.sock, select.EPOLLIN)
            self.crowd.arrived(self)
            return
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.lose()
            return
        self.got += data
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return
        at = head.lower().index(b"\r\ncontent-length: ")
        if len(body) >= int(head[at + 18:].split(b"\r", 1)[0]):
            self.got = b""
            self.judge(head, body)

    def judge(self, head, body):
        word, self.word = self.word, None
        status = head.split(b" ", 2)[1].decode()
        if status != "200":
            problem = json.loads(body) if b"application/problem+json" in head else {"type": "no problem document"}
            self.crowd.ended(self, f"{status} {problem['type'].rsplit('/', 1)[-1]}")
        else:
            self.crowd.ended(self, "right" if word is not None and body == answer_of(word) else "wrong")

    def lose(self):
        del self.crowd.by_fd[self.sock.fileno()]
        self.sock.close()
        asked, self.word, self.got = self.word, None, b""
        self.dial()
        if asked is not None:
            self.crowd.ended(self, "lost")


class Crowd:
    def __init__(self, address, count):
        self.address, self.count = address, count
        self.epoll, self.by_fd = select.epoll(), {}
        self.clients = [Client(self, number) for number in range(count)]
        self.waiting = collections.deque(self.clients)  # to be dialled
        self.dialled = 0
        self.outstanding = 0
        self.loading = self.telling = False
        self.tally = {"GET": collections.Counter(), "POST": collections.Counter()}
        for _ in range(min(DIALLING_MAX, count)):
            self.waiting.popleft().dial()

    def arrived(self, client):
        if self.dialled < self.count:
            self.dialled += 1
            if self.waiting:
                self.waiting.popleft().dial()
            elif self.dialled == self.count:
                print("ready", self.count, flush=True)
                self.epoll.register(0, select.EPOLLIN)
        elif self.loading:
            self.ask(client)

    def ask(self, client):
        self.outstanding += 1
        client.ask()

    def ended(self, client, how):
        self.tally[client.method][how] += 1
        self.outstanding -= 1
        if self.loading and client.connected:
            self.ask(client)
        if self.telling and not self.outstanding:
            self.tell()

    def tell(self):
        print(json.dumps(self.tally), flush=True)
        self.tally = {"GET": collections.Counter(), "POST": collections.Counter()}
        self.telling = False

    def command(self):
        word = sys.stdin.readline().strip()
        if not word:
            sys.exit(0)
        if word in ("ask", "load"):
            self.loading = word == "load"
            for client in self.clients:
                self.ask(client)
            print(json.dumps({"asked": self.count}), flush=True)
            return
        self.loading = False
        self.telling = True
        if not self.outstanding:
            self.tell()

    def run(self):
        while True:
            for fd, events in self.epoll.poll():
                if fd == 0:
                    self.command()
                elif fd in self.by_fd:
                    self.by_fd[fd].ready(events)


if __name__ == "__main__":
    host, port = sys.argv[1].rsplit(":", 1)
    Crowd((host, int(port)), int(sys.argv[2])).run()
