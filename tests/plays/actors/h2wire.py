# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frame by frame: a client that may break every rule, and a server that answers as the play says.

The client is no state machine: it sends the frames it is told to and remembers those it gets. Header blocks are made and
read by hpack, frames by hyperframe."""
import contextlib
import dataclasses
import socket
import struct

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import hpack
from hyperframe import frame as frames

from actors import http1
from actors.client import split_address
from actors.upstream import Connection, Upstream
from actors.waiting import PATIENCE_S

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WINDOW = (1 << 31) - 1 - 65535


@dataclasses.dataclass
class Stream:
    """What came on one stream."""
    headers: http1.Headers = None
    trailers: http1.Headers = None
    before: list = dataclasses.field(default_factory=list)
    body: bytearray = dataclasses.field(default_factory=bytearray)
    pieces: int = 0
    ended: bool = False
    reset: int = None  # RST_STREAM's error code

    @property
    def status(self):
        return int(self.headers.get(":status")) if self.headers else None


def get(path="/", *headers, method="GET", authority="shop.test", scheme="http"):
    """A request's fields in good order; later ones of the same name do not replace earlier ones."""
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path), *headers]


class H2Wire:
    """One connection from the client's side. window: whether WINDOW_UPDATE frames are sent by themselves."""

    def __init__(self, where, tls=None, sni=None, window=True, settings=None):
        self.sock = socket.create_connection(split_address(where), PATIENCE_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=sni)
        self.reader = http1.Reader(self.sock)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.streams, self.settings, self.frames = {}, {}, []
        self.goaway = None  # its error code
        self.pongs = 0
        self.closed = False
        self.window = window
        self.block = None
        self.next_id = 1
        self.sock.sendall(PREFACE)
        first = frames.SettingsFrame(0)
        first.settings = settings or {frames.SettingsFrame.INITIAL_WINDOW_SIZE: 1 << 20 if window else 65535}
        self.send(first)
        if window:
            self.send(frames.WindowUpdateFrame(0, window_increment=WINDOW))

    # Sending

    def send(self, *items):
        """Frames, or bytes as they are."""
        self.sock.sendall(b"".join(item if isinstance(item, bytes) else item.serialize() for item in items))
        return self

    def headers_frames(self, stream_id, fields, end=True, split=None):
        """HEADERS, and CONTINUATION frames for what is beyond `split` bytes. Values may hold any bytes."""
        block = self.encoder.encode([(raw(name), raw(value)) for name, value in fields], huffman=False)
        parts = [block[at:at + split] for at in range(0, len(block), split)] if split else [block]
        first = frames.HeadersFrame(stream_id, parts[0])
        if end:
            first.flags.add("END_STREAM")
        made = [first] + [frames.ContinuationFrame(stream_id, part) for part in parts[1:]]
        made[-1].flags.add("END_HEADERS")
        return made

    def data_frame(self, stream_id, data, end=False):
        made = frames.DataFrame(stream_id, data)
        if end:
            made.flags.add("END_STREAM")
        return made

    def open(self):
        """The next stream's number."""
        stream_id, self.next_id = self.next_id, self.next_id + 2
        self.streams[stream_id] = Stream()
        return stream_id

    def request(self, fields, body=None, trailers=None, end=True):
        """Sends a whole request (the body must fit the window), gives the stream's number."""
        stream_id = self.open()
        more = body is not None or trailers is not None
        self.send(*self.headers_frames(stream_id, fields, end=end and not more))
        if body is not None:
            for at in range(0, max(1, len(body)), 16384):
                last = at + 16384 >= len(body) and trailers is None and end
                self.send(self.data_frame(stream_id, body[at:at + 16384], last))
        if trailers is not None:
            self.send(*self.headers_frames(stream_id, trailers))
        return stream_id

    def reset(self, stream_id, code=8):
        return self.send(frames.RstStreamFrame(stream_id, error_code=code))

    # Receiving

    def step(self):
        """One frame in; False when the connection has ended."""
        try:
            head = self.reader.take(9)
            made, length = frames.Frame.parse_frame_header(memoryview(head))
            made.parse_body(memoryview(self.reader.take(length)))
        except http1.Closed:
            self.closed = True
            return False
        self.frames.append(made)
        with contextlib.suppress(OSError):
            self.take(made, length)
        return True

    def take(self, made, length):
        stream = self.streams.get(made.stream_id)
        if isinstance(made, frames.SettingsFrame) and "ACK" not in made.flags:
            self.settings.update(made.settings)
            ack = frames.SettingsFrame(0)
            ack.flags.add("ACK")
            self.send(ack)
        elif isinstance(made, frames.PingFrame):
            if "ACK" in made.flags:
                self.pongs += 1
        elif isinstance(made, frames.GoAwayFrame):
            self.goaway = made.error_code
        elif isinstance(made, frames.RstStreamFrame):
            stream.reset = made.error_code
        elif isinstance(made, (frames.HeadersFrame, frames.ContinuationFrame)):
            self.take_headers(made, stream)
        elif isinstance(made, frames.DataFrame):
            stream.body += made.data
            stream.pieces += 1
            stream.ended = "END_STREAM" in made.flags
            if self.window and length:
                self.send(frames.WindowUpdateFrame(0, window_increment=length),
                          frames.WindowUpdateFrame(made.stream_id, window_increment=length))

    def take_headers(self, made, stream):
        self.block = made.data if self.block is None else self.block + made.data
        if isinstance(made, frames.HeadersFrame):
            self.block_ends = "END_STREAM" in made.flags
        if "END_HEADERS" not in made.flags:
            return
        fields = http1.Headers((str(name), str(value)) for name, value in self.decoder.decode(self.block))
        self.block = None
        names = fields.names()
        assert all(name == name.lower() for name in names), f"upper case in {names}"
        assert not set(names) & {"connection", "transfer-encoding", "keep-alive", "upgrade"}, names
        if stream.headers is None and fields.get(":status", "").startswith("1"):
            stream.before.append(fields)
        elif stream.headers is None:
            stream.headers = fields
        else:
            stream.trailers = fields
        stream.ended = self.block_ends

    def read_until(self, condition):
        """Reads frames until condition() or the end of the connection."""
        while not condition() and self.step():
            pass
        return condition()

    def answer(self, stream_id):
        """The stream once it has ended: with an answer, a reset, or the connection's end."""
        stream = self.streams[stream_id]
        self.read_until(lambda: stream.ended or stream.reset is not None)
        return stream

    def ask(self, fields, body=None, trailers=None):
        return self.answer(self.request(fields, body, trailers))

    def ping(self):
        """Round trip: all that was sent before has been read by the other side."""
        want = self.pongs + 1
        self.send(frames.PingFrame(0, b"play-end"))
        assert self.read_until(lambda: self.pongs >= want), f"no answer to PING; GOAWAY {self.goaway}"

    def is_alive(self):
        try:
            self.ping()
            return True
        except (AssertionError, OSError):
            return False

    def wait_end(self):
        """Reads until the connection ends; gives GOAWAY's code, or None when there was none."""
        self.read_until(lambda: False)
        return self.goaway

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def raw(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def padded(kind, stream_id, payload=b"", flags=0):
    """Any frame at all: type, flags and payload as given."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream_id) + payload


class H2Upstream(Upstream):
    """A server of HTTP/2 with prior knowledge. answer: a function of the request giving (status, headers, body,
    trailers); what arrived is in `requests` in the same form as HTTP/1's."""

    def __init__(self, answer=None, reset_with=None, **options):
        self.reply_of = answer or (lambda request: (200, [], b"ok", None))
        self.reset_with = reset_with
        super().__init__(script=self.speak, **options)

    def speak(self, connection: Connection):
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        state = h2.connection.H2Connection(config)
        state.initiate_connection()
        connection.send(state.data_to_send())
        asked, rest = {}, {}
        while True:
            try:
                piece = connection.sock.recv(1 << 16)
            except OSError:
                piece = b""
            if not piece:
                connection.closed = connection.closed or "closed"
                return
            for event in state.receive_data(piece):
                self.take(event, state, asked, rest)
            self.pour(state, rest)
            connection.send(state.data_to_send())

    def take(self, event, state, asked, rest):
        if isinstance(event, h2.events.RequestReceived):
            headers = http1.Headers(event.headers)
            asked[event.stream_id] = http1.Request(headers=headers, method=headers.get(":method"),
                                                   target=headers.get(":path"), version="HTTP/2")
        elif isinstance(event, h2.events.DataReceived):
            asked[event.stream_id].body += event.data
            state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            asked[event.stream_id].trailers = http1.Headers(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            self.arrived(asked[event.stream_id])
            self.held.wait()
            self.respond(state, event.stream_id, asked.pop(event.stream_id), rest)

    def respond(self, state, stream_id, request, rest):
        if self.reset_with is not None:
            state.reset_stream(stream_id, self.reset_with)
            return
        status, headers, body, trailers = self.reply_of(request)
        state.send_headers(stream_id, [(":status", str(status)), *headers], end_stream=not body and not trailers)
        if body or trailers:
            rest[stream_id] = [body, trailers]

    @staticmethod
    def pour(state, rest):
        """As much of the bodies as the windows let through."""
        for stream_id in list(rest):
            body, trailers = rest[stream_id]
            with contextlib.suppress(h2.exceptions.StreamClosedError):
                while body and (room := min(state.local_flow_control_window(stream_id), state.max_outbound_frame_size)) > 0:
                    state.send_data(stream_id, body[:room], end_stream=len(body) <= room and not trailers)
                    body = rest[stream_id][0] = body[room:]
                if body:
                    continue
                if trailers:
                    state.send_headers(stream_id, trailers, end_stream=True)
            del rest[stream_id]
