#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""servers.py SEED: the servers of the storm, in one process; they come, go and misbehave by chance.

It prints one line of JSON with their addresses by kind: `calm` and `calm2` (they do what they should), `wild` and `wild2`,
which break off, close without a word, answer too early, too late or not at all, and are gone for a while now and then. Those
with a 2 speak HTTP/2 with prior knowledge. A line of standard input each: `calm down` ends the misbehaviour for good, the end of it ends the process.

An answer's body begins with the request's x-storm header, so that a client knows its own."""
import asyncio
import json
import random
import struct
import sys

MISDEEDS = ("close", "cut", "garbage", "error", "early", "quiet", "late", "leave", "none")
SILENCE_S = 0.3


class Server:
    def __init__(self, storm, kind):
        self.storm, self.kind, self.chance = storm, kind, storm.chance
        self.port, self.server, self.writers = 0, None, set()

    @property
    def wild(self):
        return self.kind.startswith("wild") and self.storm.wild

    async def start(self):
        talk = self.h2 if self.kind.endswith("2") else self.http1
        self.server = await asyncio.start_server(lambda r, w: self.run(talk, r, w), "127.0.0.1", self.port, backlog=4096)
        self.port = self.server.sockets[0].getsockname()[1]

    def die(self):
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()

    async def come_and_go(self):
        while True:
            await asyncio.sleep(self.chance.uniform(0.05, 0.6))
            if not self.wild:
                return
            self.die()
            await asyncio.sleep(self.chance.uniform(0.0, 0.15))
            await self.start()

    async def run(self, talk, reader, writer):
        self.writers.add(writer)
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    # HTTP/1

    async def body(self, reader, fields):
        if "chunked" not in fields.get("transfer-encoding", ""):
            left = int(fields.get("content-length", 0))
            while left:
                piece = await reader.read(min(left, 65536))
                if not piece:
                    raise ConnectionError
                left -= len(piece)
            return
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass

    async def http1(self, reader, writer):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            if head[0].startswith("PROXY "):
                head = head[1:]
            fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if ": " in line)}
            if "upgrade" in fields:
                await self.echo(reader, writer)
                return
            misdeed = self.chance.choice(MISDEEDS) if self.wild and self.chance.random() < 0.25 else "none"
            size = int(fields.get("x-size", 0))
            body = fields.get("x-storm", "").encode() + b"\n" + b"x" * size
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            if fields.get("x-size") and self.chance.random() < 0.3:
                answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            if misdeed == "early":
                writer.write(answer)
                await writer.drain()
                return
            await self.body(reader, fields)
            if not await self.misbehave(misdeed, answer, writer):
                return
            writer.write(answer)
            await writer.drain()
            if misdeed == "leave":
                return

    async def misbehave(self, misdeed, answer, writer):
        """False: the connection ends here."""
        if misdeed == "cut":
            writer.write(answer[:self.chance.randrange(len(answer))])
            await writer.drain()
        if misdeed == "garbage":
            writer.write(b"what is this\r\n\r\n")
        if misdeed == "error":
            writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        if misdeed in ("late", "quiet"):
            await asyncio.sleep(self.chance.uniform(0, SILENCE_S))
        return misdeed in ("none", "late", "leave")

    async def echo(self, reader, writer):
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        while data := await reader.read(65536):
            if self.wild and self.chance.random() < 0.02:
                writer.transport.abort()
                return
            writer.write(data)
            await writer.drain()

    # HTTP/2, frame by frame: every request gets 200 and its stream's number, or what misdeeds there are

    async def h2(self, reader, writer):
        def send(kind, flags, stream, payload=b""):
            writer.write(struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload)

        await reader.readexactly(24)
        send(4, 0, 0, struct.pack(">HI", 3, self.chance.choice((1, 2, 5, 100))))
        last = 0
        while True:
            head = await reader.readexactly(9)
            size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            stream = int.from_bytes(head[5:], "big")
            payload = await reader.readexactly(size)
            if kind == 4 and not flags & 1:
                send(4, 1, 0)
            if kind == 6 and not flags & 1:
                send(6, 1, 0, payload)
            if kind == 0 and size:
                send(8, 0, 0, struct.pack(">I", size))
                send(8, 0, stream, struct.pack(">I", size))
            last = max(last, stream)
            if kind == 1 and self.wild and self.chance.random() < 0.15:
                misdeed = self.chance.choice(("abort", "goaway", "refuse", "reset", "settings", "half"))
                if misdeed == "abort":
                    writer.transport.abort()
                    return
                if misdeed == "goaway":
                    send(7, 0, 0, struct.pack(">II", self.chance.choice((last, max(0, last - 2))), 0))
                if misdeed in ("refuse", "reset"):
                    send(3, 0, stream, struct.pack(">I", 7 if misdeed == "refuse" else 2))
                    continue
                if misdeed == "settings":
                    send(4, 0, 0, struct.pack(">HI", 3, self.chance.choice((0, 1, 3, 100))))
                if misdeed == "half":
                    send(1, 4, stream, b"\x88")
                    continue
            if kind in (0, 1) and flags & 1:
                send(1, 4, stream, b"\x88")
                send(0, 1, stream, b"%d\n" % stream)
                await writer.drain()


class Storm:
    def __init__(self, seed):
        self.chance, self.wild = random.Random(seed), True

    async def run(self):
        servers = [Server(self, kind) for kind in ("calm", "calm", "calm2", "calm2", "wild", "wild", "wild", "wild2", "wild2")]
        for server in servers:
            await server.start()
        print(json.dumps({kind: [f"127.0.0.1:{server.port}" for server in servers if server.kind == kind]
                          for kind in ("calm", "calm2", "wild", "wild2")}), flush=True)
        moods = [asyncio.ensure_future(server.come_and_go()) for server in servers if server.wild]
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "calm down":
                self.wild = False
                await asyncio.gather(*moods)
                print("calm", flush=True)


if __name__ == "__main__":
    asyncio.run(Storm(int(sys.argv[1])).run())
