# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as the plays read it: a reader so strict that anything but RFC 9112's own form fails the play.

It is used on both sides of the gateway. It keeps the exact bytes of each message, because what the gateway makes of a
message on the way is what many plays are about."""
import dataclasses
import json
import re

KEEP_BYTES = 1 << 20  # of what a peer sent: more is counted, not kept
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
REQUEST_LINE = re.compile(r"(\S+) (\S+) (HTTP/1\.[01])\Z")
STATUS_LINE = re.compile(r"(HTTP/1\.[01]) ([1-5][0-9][0-9]) ([\t -~]*)\Z")


class Closed(Exception):
    """The other side ended the connection before a message was whole. `reset`: with RST rather than FIN."""

    def __init__(self, text, reset=False):
        super().__init__(text)
        self.reset = reset


class Headers(list):
    """(name, value) pairs in the order and the case they came in; looked up without regard to case."""

    def all(self, name):
        return [value for key, value in self if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times: {values}"
        return values[0] if values else default

    def names(self):
        return [key for key, _ in self]

    def __contains__(self, name):
        return bool(self.all(name)) if isinstance(name, str) else list.__contains__(self, name)


@dataclasses.dataclass
class Message:
    start: str = ""
    headers: Headers = dataclasses.field(default_factory=Headers)
    body: bytes = b""
    trailers: Headers = dataclasses.field(default_factory=Headers)
    raw: bytes = b""  # the head, then the body as it was framed
    chunks: list = dataclasses.field(default_factory=list)

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)


@dataclasses.dataclass
class Request(Message):
    method: str = ""
    target: str = ""
    version: str = ""


@dataclasses.dataclass
class Answer(Message):
    status: int = 0
    reason: str = ""
    version: str = ""
    before: list = dataclasses.field(default_factory=list)  # informational answers that came first

    @property
    def problem(self):
        """The RFC 9457 document, checked for its own sake: every error of the gateway goes through here."""
        assert self.headers.get("content-type").split(";")[0] == "application/problem+json", self.raw
        document = self.json
        assert document["status"] == self.status and document["title"] and document["type"], document
        assert document["request_id"], document
        return document

    @property
    def slug(self):
        return re.split(r"[/#:]", self.problem["type"])[-1]


def parse_headers(lines):
    headers = Headers()
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon and TOKEN.match(name), f"not a header line: {line!r}"
        assert not re.search(r"[\x00-\x08\n-\x1f\x7f]", value), f"control bytes in {line!r}"
        headers.append((name, value.strip(" \t")))
    return headers


class Reader:
    """Messages off a socket. All that arrived is in `received` (up to KEEP_BYTES) and counted in `count`."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.received = bytearray()
        self.count = 0

    def fill(self):
        """One more piece from the socket; raises Closed at its end."""
        try:
            piece = self.sock.recv(1 << 18)
        except TimeoutError:
            raise AssertionError(f"waited {self.sock.gettimeout()} s for bytes; have {bytes(self.buffer[:400])!r}") from None
        except ConnectionResetError:
            raise Closed("reset", reset=True) from None
        if not piece:
            raise Closed(f"closed; {len(self.buffer)} bytes of a message had come: {bytes(self.buffer[:200])!r}")
        self.count += len(piece)
        if len(self.received) < KEEP_BYTES:
            self.received += piece
        self.buffer += piece

    def until(self, mark):
        """Bytes up to and with the mark."""
        start = 0
        while (at := self.buffer.find(mark, start)) < 0:
            start = max(0, len(self.buffer) - len(mark))
            self.fill()
        return self.take(at + len(mark))

    def take(self, count):
        while len(self.buffer) < count:
            self.fill()
        piece = bytes(self.buffer[:count])
        del self.buffer[:count]
        return piece

    def rest(self):
        """All that comes until the end of the connection."""
        try:
            while True:
                self.fill()
        except Closed:
            return self.take(len(self.buffer))

    def pieces(self, count):
        """A body of known length piece by piece, without ever keeping it."""
        while count:
            if not self.buffer:
                self.fill()
            piece = self.take(min(count, len(self.buffer)))
            count -= len(piece)
            yield piece

    def head(self, kind):
        raw = self.until(b"\r\n\r\n")
        lines = raw[:-4].decode("latin-1").split("\r\n")
        assert "\r" not in "".join(lines) and "\n" not in "".join(lines), f"bare CR or LF: {raw!r}"
        return kind(start=lines[0], headers=parse_headers(lines[1:]), raw=raw)

    def request_head(self):
        """The next request's head, or None when the connection ended in good order before it."""
        try:
            if not self.buffer:
                self.fill()
        except Closed:
            return None
        request = self.head(Request)
        found = REQUEST_LINE.match(request.start)
        assert found, f"not a request line: {request.start!r}"
        request.method, request.target, request.version = found.groups()
        return request

    def answer_head(self):
        answer = self.head(Answer)
        found = STATUS_LINE.match(answer.start)
        assert found, f"not a status line: {answer.start!r}"
        answer.version, answer.status, answer.reason = found[1], int(found[2]), found[3]
        return answer

    def chunk(self):
        """The next chunk: its raw bytes and its data; data is empty for the last one."""
        line = self.until(b"\r\n")
        assert re.match(rb"[0-9a-fA-F]{1,16}\r\n\Z", line), f"not a bare chunk size: {line!r}"
        size = int(line, 16)
        if size == 0:
            return line, b""
        data = self.take(size + 2)
        assert data.endswith(b"\r\n"), f"chunk data does not end in CRLF: {data[-4:]!r}"
        return line + data, data[:-2]

    def chunked(self, message):
        while True:
            raw, data = self.chunk()
            message.raw += raw
            if not data:
                break
            message.chunks.append(data)
            message.body += data
        lines = []
        while (line := self.until(b"\r\n")) != b"\r\n":
            message.raw += line
            lines.append(line[:-2].decode("latin-1"))
        message.raw += b"\r\n"
        message.trailers = parse_headers(lines)

    def framing(self, message):
        """How the body is delimited: 'chunked', a length, or None. More than one way is a failure."""
        coding, lengths = message.headers.all("transfer-encoding"), message.headers.all("content-length")
        assert len(coding) + len(lengths) <= 1, f"framed {len(coding) + len(lengths)} times: {message.raw!r}"
        if coding:
            assert coding == ["chunked"], f"coding is {coding}"
            return "chunked"
        assert not lengths or re.match(r"[0-9]+\Z", lengths[0]), f"length is {lengths}"
        return int(lengths[0]) if lengths else None

    def body(self, message, none=False):
        """Reads the body that belongs to the head; none: there is none, whatever the headers say."""
        framing = self.framing(message)
        if none:
            return message
        if framing == "chunked":
            self.chunked(message)
        elif framing is not None:
            message.body = self.take(framing)
            message.raw += message.body
        elif isinstance(message, Answer):
            message.body = self.rest()
            message.raw += message.body
        return message


def reply(status=200, body=b"ok", *headers, reason="Said", length=True):
    """An answer's bytes: reply(200, b"hello", "X-One: 1")."""
    lines = [f"HTTP/1.1 {status} {reason}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def request(method="GET", target="/", *headers, body=None, host="shop.test", version="HTTP/1.1"):
    """A request's bytes; the Content-Length goes with the body."""
    lines = [f"{method} {target} {version}"] + ([f"Host: {host}"] if host is not None else []) + list(headers)
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
