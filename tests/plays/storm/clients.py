#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""clients.py SEED ADDRESS PATH: the clients of the storm, in one process, until its standard input ends; then a line of JSON.

{"calm": {"200": N, ...}, "slowest": S, "rude": {...}, "wrong": [...]}. The calm ones ask, on connections kept and single ones, for what
servers without fault answer, and wait for every answer: `wrong` is what they got instead. The rude ones break off anywhere,
read slowly or not at all, send bodies that do not come, speak HTTP/2 with resets, and open WebSockets that they forget."""
import asyncio
import collections
import itertools
import json
import random
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE_S, WRONG_MAX = 60, 100


class Refused(Exception):
    """What a calm client does not expect."""


def request(method, target, word, body=b"", chunked=False, **fields):
    lines = [f"{method} {target} HTTP/1.1", "Host: storm.test", f"x-storm: {word}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 999]), body[at:at + 999]) for at in range(0, len(body), 999)) + b"0\r\n\r\n"
    elif body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(path):
    """A header block of GET without compression."""
    return b"\x82\x86\x01\x0astorm.test\x04" + bytes([len(path)]) + path


async def answer_of(reader):
    """(status, whether it is kept, body)"""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    if "\r\ntransfer-encoding: chunked" not in head:
        body = await reader.readexactly(int(head.split("\r\ncontent-length: ")[1].split("\r", 1)[0]))
    else:
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    return status, "\r\nconnection: close" not in head, body


class Clients:
    def __init__(self, seed, address, path):
        self.chance = random.Random(seed)
        self.address, self.path = address, path
        self.calm, self.rude, self.wrong = collections.Counter(), collections.Counter(), []
        self.words, self.took = itertools.count(), []
        self.over = False

    async def dial(self):
        if self.address.startswith("unix:"):
            return await asyncio.open_unix_connection(self.address[5:], limit=1 << 22)
        host, port = self.address.rsplit(":", 1)
        return await asyncio.open_connection(host, int(port), limit=1 << 22)

    async def dial_extra(self):
        """The listener that is there only now and then."""
        try:
            return await asyncio.open_unix_connection(self.path, limit=1 << 22)
        except OSError:
            self.rude["not there"] += 1
            return await self.dial()

    # The calm ones

    def ask_for(self):
        word = f"w{next(self.words)}"
        size = self.chance.choice((0, 0, 100, 5000, 200000))
        post = self.chance.random() < 0.4
        body = b"y" * self.chance.choice((0, 10, 3000, 150000)) if post else b""
        return word, size, request("POST" if post else "GET", "/calm/x", word, body, post and self.chance.random() < 0.5, x_size=size)

    async def ask(self, reader, writer):
        word, size, data = self.ask_for()
        begun = time.monotonic()
        second = self.chance.random() < 0.3  # a server of HTTP/2, which has no words
        writer.write(data.replace(b" /calm/", b" /calm2/") if second else data)
        status, kept, body = await asyncio.wait_for(answer_of(reader), PATIENCE_S)
        self.calm[str(status)] += 1
        self.took.append(time.monotonic() - begun)
        if status != 200 or (not second and body != word.encode() + b"\n" + b"x" * size):
            raise Refused(f"{status} {body[:300]!r} for {word}")
        return kept

    async def ask2(self, reader, writer, stream):
        """One request on a stream. False: the connection takes no more; None: nor did it take this one."""
        writer.write(frame(1, 5, stream, block(self.chance.choice((b"/calm/x", b"/calm2/x")))))
        status, last = None, None
        while True:
            head = await asyncio.wait_for(reader.readexactly(9), PATIENCE_S)
            kind, flags, about = head[3], head[4], int.from_bytes(head[5:], "big")
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            if kind == 7:
                last = int.from_bytes(payload[:4], "big")
                if last < stream:
                    return None
            if kind == 4 and not flags & 1:
                writer.write(frame(4, 1, 0))
            if kind == 6 and not flags & 1:
                writer.write(frame(6, 1, 0, payload))
            if kind == 3:
                raise Refused(f"RST_STREAM {payload!r}")
            if kind == 1 and about == stream:
                status = payload[0] if payload[0] & 0x80 else payload[1]
            if kind in (0, 1) and about == stream and flags & 1:
                self.calm["200" if status == 0x88 else "h2"] += 1
                if status != 0x88:
                    raise Refused(f"an answer of HTTP/2 that begins with {status}")
                return last is None

    async def polite2(self, single):
        while not self.over:
            reader, writer = await self.dial()
            writer.write(PREFACE + frame(4, 0, 0))
            stream, more = 1, True
            while more and not self.over:
                more = await self.ask2(reader, writer, stream)
                stream += 2
                writer.write(frame(8, 0, 0, struct.pack(">I", 1 << 16)))
                if single:
                    await asyncio.sleep(self.chance.uniform(0, 0.1))
            writer.close()

    async def polite(self, single):
        while not self.over:
            reader, writer = await self.dial()
            kept, count, since = True, 0, time.monotonic()
            while kept and not self.over:
                count += 1
                try:
                    kept = await self.ask(reader, writer) and not single
                except (OSError, asyncio.IncompleteReadError) as error:
                    raise Refused(f"{error!r} to request {count}, {time.monotonic() - since:.3f} s after the last answer") from error
                since = time.monotonic()
                if self.chance.random() < 0.1:
                    await asyncio.sleep(self.chance.uniform(0, 0.05))
            writer.close()

    async def polite_all_along(self, way, single):
        while not self.over:
            try:
                await way(single)
            except Exception as error:  # pylint: disable=broad-except
                self.complain(error)
                await asyncio.sleep(0.01)

    def complain(self, error):
        if len(self.wrong) < WRONG_MAX:
            self.wrong.append(repr(error))

    # The rude ones

    async def breaks_off(self, reader, writer):
        """Anywhere in a request or its answer, on routes of both kinds."""
        word, _, data = self.ask_for()
        if self.chance.random() < 0.6:
            data = data.replace(b" /calm/", self.chance.choice((b" /wild/", b" /wild2/", b" /calm2/")))
        if self.chance.random() < 0.5:
            data = data[:self.chance.randrange(len(data))]
        writer.write(data)
        await asyncio.sleep(self.chance.uniform(0, 0.03))
        if self.chance.random() < 0.3:
            await asyncio.wait_for(reader.read(self.chance.choice((1, 1000, 100000))), 0.2)
        if self.chance.random() < 0.2 and writer.can_write_eof():
            writer.write_eof()
            await asyncio.wait_for(reader.read(1), 0.2)

    async def asks(self, reader, writer):
        """The wild routes, as if nothing was the matter."""
        for _ in range(self.chance.randrange(1, 30)):
            word, _, data = self.ask_for()
            writer.write(data.replace(b" /calm/", self.chance.choice((b" /wild/", b" /wild2/", b" /extra/", b" /files/", b" /here/"))))
            status, kept, _ = await asyncio.wait_for(answer_of(reader), PATIENCE_S)
            self.rude[str(status)] += 1
            if not kept:
                return

    async def pipelines(self, reader, writer):
        writer.write(b"".join(self.ask_for()[2] for _ in range(self.chance.randrange(2, 8))))
        for _ in range(self.chance.randrange(0, 3)):
            await asyncio.wait_for(answer_of(reader), PATIENCE_S)

    async def reads_slowly(self, reader, writer):
        writer.transport.set_write_buffer_limits(0)
        writer.write(request("GET", "/wild/x", "slow", x_size=3000000))
        for _ in range(self.chance.randrange(1, 20)):
            await asyncio.wait_for(reader.read(1000), 0.5)
            writer.transport.pause_reading()
            await asyncio.sleep(self.chance.uniform(0, 0.1))
            writer.transport.resume_reading()

    async def sends_slowly(self, reader, writer):
        word, _, data = self.ask_for()
        data = data.replace(b" /calm/", b" /wild/")
        for _ in range(10):
            writer.write(data[:100])
            data = data[100:]
            await asyncio.sleep(self.chance.uniform(0, 0.03))

    async def chats(self, reader, writer):
        writer.write(request("GET", "/wild/ws", "ws", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version=13,
                             Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="))
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
        for _ in range(self.chance.randrange(0, 30)):
            writer.write(bytes([130, 132, 0, 0, 0, 0]) + b"ping")
            await asyncio.wait_for(reader.read(1000), 1)
            await asyncio.sleep(self.chance.uniform(0, 0.05))
        if self.chance.random() < 0.5:
            writer.write(bytes([136, 130, 0, 0, 0, 0, 3, 232]))
            await asyncio.wait_for(reader.read(1000), 1)

    async def speaks_h2(self, reader, writer):
        def send(kind, flags, stream, payload=b""):
            writer.write(frame(kind, flags, stream, payload))

        writer.write(PREFACE)
        send(4, 0, 0, struct.pack(">HI", 4, self.chance.choice((0, 100, 65535, 1 << 20))))
        open_streams, number, rounds = set(), 1, self.chance.randrange(1, 60)
        while rounds:
            path = self.chance.choice((b"/calm/x", b"/calm2/x", b"/wild/x", b"/wild2/x", b"/here/x", b"/extra/x", b"/files/f"))
            ends = self.chance.random() < 0.8
            send(1, 4 | ends, number, block(path))
            open_streams.add(number)
            if not ends and self.chance.random() < 0.6:
                send(0, 1, number, b"z" * self.chance.randrange(1000))
            if self.chance.random() < 0.15:
                send(3, 0, self.chance.choice(list(open_streams)), struct.pack(">I", 8))
            number, rounds = number + 2, rounds - 1
            if self.chance.random() < 0.5:
                await asyncio.sleep(self.chance.uniform(0, 0.02))
                send(8, 0, 0, struct.pack(">I", 1 << 20))
                await asyncio.wait_for(reader.read(1 << 20), 0.1)
        self.rude["h2"] += 1

    async def rude_all_along(self):
        ways = (self.breaks_off, self.breaks_off, self.asks, self.asks, self.pipelines, self.reads_slowly, self.sends_slowly,
                self.chats, self.speaks_h2, self.speaks_h2)
        while not self.over:
            way = self.chance.choice(ways)
            try:
                reader, writer = await (self.dial() if self.chance.random() < 0.9 else self.dial_extra())
            except OSError as error:
                self.complain(error)  # nobody may be turned away at the door
                await asyncio.sleep(0.01)
                continue
            try:
                await way(reader, writer)
                self.rude[way.__name__] += 1
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
                self.rude[way.__name__ + " cut"] += 1
            if self.chance.random() < 0.5:
                writer.transport.abort()
            writer.close()

    async def run(self):
        everyone = [self.polite_all_along(self.polite, number % 3 == 0) for number in range(12)]
        everyone += [self.polite_all_along(self.polite2, number % 2 == 0) for number in range(4)]
        everyone += [self.rude_all_along() for _ in range(30)]
        work = [asyncio.ensure_future(one) for one in everyone]
        await asyncio.to_thread(sys.stdin.read)
        self.over = True
        await asyncio.gather(*work)
        print(json.dumps({"calm": self.calm, "slowest": max(self.took, default=0), "rude": self.rude, "wrong": self.wrong}), flush=True)


if __name__ == "__main__":
    asyncio.run(Clients(int(sys.argv[1]), sys.argv[2], sys.argv[3]).run())
