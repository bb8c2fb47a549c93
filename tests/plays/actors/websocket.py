# SPDX-License-Identifier: Apache-2.0
"""WebSockets: a server that says everything back, and single frames by hand."""
import asyncio
import contextlib
import threading

import websockets

HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"


def frame(payload, opcode=2, masked=False):
    """One frame, as a client sends it (masked, with a mask of zeros) or a server."""
    size = len(payload)
    mask = 128 if masked else 0
    length = bytes([mask | size]) if size < 126 else bytes([mask | 126]) + size.to_bytes(2, "big")
    return bytes([128 | opcode]) + length + bytes(4 if masked else 0) + payload


def read_frame(reader):
    """(opcode, payload) of the next frame that comes, unmasked."""
    first, second = reader.take(2)
    size = second & 127
    if size == 126:
        size = int.from_bytes(reader.take(2), "big")
    mask = reader.take(4) if second & 128 else bytes(4)
    payload = reader.take(size) if size else b""
    return first & 15, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class EchoServer:
    """A websockets server on a thread of its own: says every message back."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.closes, self.headers = [], []
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()
        self.address = "127.0.0.1:%d" % self.port

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(websockets.serve(self.echo, "127.0.0.1", 0, ping_interval=None, max_size=1 << 24,
                                                                     backlog=2048))
        self.port = self.server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    async def echo(self, socket):
        self.headers.append(socket.request_headers)
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in socket:
                if message == "close, please":
                    await socket.close(4001, "as you wish")
                else:
                    await socket.send(message)
        self.closes.append(socket.close_code)

    def finish(self):
        async def stop():
            self.server.close()
            await self.server.wait_closed()

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)
        self.loop.close()
