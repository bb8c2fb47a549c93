#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""origin.py [--delay MS] [--journal FILE]: a static upstream for thousands of connections in one process, with epoll.

It prints `ready ADDRESS` and takes a line of standard input at a time, each answered by a line of JSON:

    hold      keeps every request from now on
    release   answers all it keeps, and everything from then on
    count     {"held", "connections", "requests", "answered"}

With --delay each answer waits half as long to half as long again, which keeps a load in flight and out of step. The journal
has a line "METHOD WORD" for each request that came, also when the process is killed. An answer is made of its request alone
(see `answer_of`): who asked can tell whether it is his. It trusts the gateway's framing."""
import argparse
import heapq
import itertools
import json
import os
import random
import select
import socket
import sys
import time

TELL = b"X-Crowd: "


def answer_of(word):
    """What a client must get that sent `X-Crowd: word`: of different lengths, and wrong when it is another's."""
    return (word + b"\n") * (1 + len(word) * sum(word) % 40)


class Conn:
    def __init__(self, sock):
        self.sock, self.got, self.out = sock, b"", b""


class Origin:
    def __init__(self, delay_s, journal):
        self.delay_s, self.holding = delay_s, False
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if journal else None
        self.conns, self.held, self.due, self.tickets = {}, [], [], itertools.count()
        self.requests = self.answered = 0
        self.epoll = select.epoll()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(4096)
        self.listener.setblocking(False)
        self.epoll.register(self.listener, select.EPOLLIN)
        self.epoll.register(0, select.EPOLLIN)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.conns[sock.fileno()] = Conn(sock)
            self.epoll.register(sock, select.EPOLLIN)

    def close(self, conn):
        del self.conns[conn.sock.fileno()]
        conn.sock.close()

    def read(self, conn):
        try:
            data = conn.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.close(conn)
            return
        conn.got += data
        while found := self.next_request(conn):
            method, word = found
            self.requests += 1
            if self.journal:
                os.write(self.journal, b"%s %s\n" % (method, word))
            if self.holding:
                self.held.append((conn, word))
            elif self.delay_s:
                due_s = time.monotonic() + self.delay_s * random.uniform(0.5, 1.5)
                heapq.heappush(self.due, (due_s, next(self.tickets), conn, word))
            else:
                self.answer(conn, word)

    @staticmethod
    def next_request(conn):
        """Takes a whole request out of what came, and gives (method, word); None when it is not whole yet."""
        head, end, rest = conn.got.partition(b"\r\n\r\n")
        if not end:
            return None
        at = head.lower().find(b"\r\ncontent-length: ")
        length = int(head[at + 18:].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return None
        conn.got = rest[length:]
        word = head[head.find(TELL) + len(TELL):].split(b"\r", 1)[0]
        if length:
            assert rest[:length] == word * (length // len(word)), "a body that is another request's"
        return head.split(b" ", 1)[0], word

    def answer(self, conn, word):
        body = answer_of(word)
        self.answered += 1
        conn.out += b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self.write(conn)

    def write(self, conn):
        if conn.sock.fileno() < 0:
            return
        try:
            conn.out = conn.out[conn.sock.send(conn.out):]
        except BlockingIOError:
            pass
        except ConnectionError:
            self.close(conn)
            return
        self.epoll.modify(conn.sock, select.EPOLLIN | (select.EPOLLOUT if conn.out else 0))

    def command(self):
        words = os.read(0, 4096).decode().split()
        if not words:
            sys.exit(0)
        for word in words:
            if word == "hold":
                self.holding = True
            elif word == "release":
                self.holding, held, self.held = False, self.held, []
                for conn, asked in held:
                    self.answer(conn, asked)
            print(json.dumps({"held": len(self.held), "connections": len(self.conns), "requests": self.requests,
                              "answered": self.answered}), flush=True)

    def serve(self):
        print("ready 127.0.0.1:%d" % self.listener.getsockname()[1], flush=True)
        while True:
            wait_s = max(0, self.due[0][0] - time.monotonic()) if self.due else None
            for fd, events in self.epoll.poll(wait_s):
                if fd == 0:
                    self.command()
                elif fd == self.listener.fileno():
                    self.accept()
                elif fd in self.conns and events & select.EPOLLOUT:
                    self.write(self.conns[fd])
                elif fd in self.conns:
                    self.read(self.conns[fd])
            while self.due and self.due[0][0] <= time.monotonic():
                _, _, conn, word = heapq.heappop(self.due)
                self.answer(conn, word)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0, metavar="MS")
    parser.add_argument("--journal", metavar="FILE")
    args = parser.parse_args()
    Origin(args.delay / 1000, args.journal).serve()
