# SPDX-License-Identifier: Apache-2.0
"""Requests, well-formed and hostile, made from tables: what is sent to a gateway to see what comes out on the other side.

Well-formed ones know what they must come out as. Of the hostile ones some must be refused; mutations may pass, if what comes
out means the same to everybody."""
import dataclasses
import itertools
import random

from corpus.hostile import ADMIN, CODINGS, HOSTS, LENGTHS, term_cases
from corpus.paths import PATHS

GOOD, BAD, EITHER = "well-formed", "hostile", "mutated"


@dataclasses.dataclass
class Case:
    kind: str
    name: str
    raw: bytes = None      # HTTP/1
    fields: list = None    # HTTP/2, with body and trailers
    body: bytes = None
    trailers: list = None
    method: str = "GET"
    target: str = "/"      # as it must come out
    headers: list = dataclasses.field(default_factory=list)  # which must come out, in this order
    closes: bool = False


# Well-formed: methods, targets, fields, framings

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", "MKCOL", "LOCK", "SEARCH", "PURGE", "M-SEARCH", "QUERY",
           "VERSION-CONTROL", "BREW", "PRI", "X1", "A!#$%&'*+-.^`|~9", "M" * 32]
TARGETS = [(sent, came) for sent, came in PATHS.items() if came is not None] + [(same, same) for same in (
    "/?", "/?a", "/?a=b&c=d", "/?a=%20+b", "/?q=a?b/c", "/?%00%0d%0a", "/?x=http://y/", "/?utf8=%E2%9C%93", "/a?b=[c]&d={e}|f", '/?"<>`^', "/?a;b=c", "/?" + "q" * 4000,
    "/a/b/c/d/e/f/g/h", "/a.b/c~d/e_f/g-h", "/!$&'()*+,;=:@", "/%20", "/a%20b", "/a%C3%A4b", "/" + "p" * 4000, "/a//?x" .replace("//", "/"), "/0", "/?&", "/?=", "/a:80",
    "/wp-login.php?x=1", "/.well-known/acme-challenge/x", "/favicon.ico", "/static/js/app.12ab.js", "/api/v1/users/17?expand=a,b", "/a=b", "/%25", "/%E2%82%AC")]
SHAPES = [  # lists of (name, value) that must come out as they went in
    [("Accept", "*/*")], [("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")], [("ACCEPT-LANGUAGE", "de, en;q=0.5")], [("X-Empty", "")],
    [("Cookie", "a=1; b=2; c=\"3\"")], [("Cookie", "sessionid=" + "x" * 200)], [("Authorization", "Basic eDp5")], [("Authorization", "Bearer a.b.c")],
    [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36")], [("Referer", "http://shop.test/a?b#c")],
    [("Content-Type", "application/json; charset=\"utf-8\"")], [("If-None-Match", '"a", W/"b"')], [("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")],
    [("Range", "bytes=0-99, 200-")], [("Cache-Control", "no-cache, max-age=0")], [("Pragma", "no-cache")], [("Origin", "null")], [("DNT", "1")],
    [("X-A", "1"), ("X-B", "2"), ("X-A", "3"), ("x-a", "4")], [("X-Long", "v" * 7000)], [("X" * 300, "y")], [("X-Tab", "a\tb")], [("X-Blanks", "a  b   c")],
    [("X-Latin", "\xe4\xf6\xfc\xdf")], [("X-Utf8", "\u20ac".encode().decode("latin-1"))], [("X-Nel", "a\x85b")], [("X-Nbsp", "\xa0a\xa0")], [("X-Nel-Ends", "\x85a\x85")],
    [("X-Marks", "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~")], [("X-Colon", "a: b: c")], [("X-Comma", ",,a,,")], [("X-Quoted", '"a\\"b"')], [("X-Percent", "%0d%0aX: y")],
    [("X-Looks", "GET / HTTP/1.1")], [("X-Looks", "Transfer-Encoding: chunked")], [("X-Te", "chunked")], [("Transfer-Encodin", "chunked")], [("Content-Lengt", "5")],
    [("Content-Length-X", "5")], [("X-Content-Length", "5")], [("X-Transfer-Encoding", "chunked")], [("Xtransfer-Encoding", "chunked")], [("Host-X", "evil.test")],
    [("X-Host-", "evil")], [("Contents-Length", "99")], [("!#$%&'*+-.^`|~0aZ", "token")], [("Via", "1.0 fred")], [("Trailer", "X-Sum")],
    [("Date", "Sun, 06 Nov 1994 08:49:37 GMT")], [("Accept-Encoding", "gzip;q=1.0, identity; q=0.5, *;q=0")], [("X-Csrftoken", "a" * 64)],
    [("X-Requested-With", "XMLHttpRequest")], [("Sec-Fetch-Mode", "navigate")], [("Upgrade-Insecure-Requests", "1")], [("Priority", "u=1, i")], [("Early-Data", "1")],
    [("Accept-Charset", "utf-8")], [("From", "a@b.test")], [("Max-Forwards", "5")], [("Content-Encoding", "gzip")], [("Content-Language", "de")],
    [("Content-Disposition", 'attachment; filename="a.txt"')], [("X-Http-Method-Override", "DELETE")], [("b3", "a" * 32 + "-" + "b" * 16 + "-1")],
    [(f"X-{number}", "v" * number) for number in range(60)], [(f"x{number}", "") for number in range(85)],
]
WINDOW = 65535  # what HTTP/2 takes at once
SIZES = [0, 1, 2, 9, 10, 15, 16, 17, 255, 256, 1023, 4095, 4096, 8191, 8192, 16384, 32768, 65535, 65536, 65537, 100000]


def filling(size):
    """A body of lines that look like HTTP."""
    text = b"GET /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    return (text * (size // len(text) + 1))[:size]


def chunks(body, size, extension=b"", last=b"0", trailers=b"", form=b"%x"):
    made = b"".join((form % len(piece)) + extension + b"\r\n" + piece + b"\r\n" for piece in (body[at:at + size] for at in range(0, len(body), size)))
    return made + last + extension + b"\r\n" + trailers + b"\r\n"


def http1(method, target, headers=(), framing=b"", body=b"", host="shop.test", version="HTTP/1.1"):
    lines = [f"{method} {target} {version}", *([f"Host: {host}"] if host is not None else []), *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n" + framing + b"\r\n" + body


def http2(method, target, headers=(), host="shop.test"):
    return [(":method", method), (":scheme", "http"), (":authority", host), (":path", target), *((name.lower(), value.strip(" \t")) for name, value in headers)]


def good(name, method, sent, came, headers=(), body=None, chunked=None, version=1, **more):
    """Both forms of one request; body None: none; chunked: its wire form."""
    if chunked is not None:
        framing, wire = b"Transfer-Encoding: chunked\r\n", chunked
    else:
        framing, wire = (b"Content-Length: %d\r\n" % len(body), body) if body is not None else (b"", b"")
    fields = http2(method, sent, headers)
    if chunked is None and body is not None:
        fields.append(("content-length", str(len(body))))
    lower = [(key.lower(), value) for key, value in headers]
    both = version == 1 and len(body or b"") <= WINDOW and not any(key == "trailer" for key, _ in lower)
    return Case(GOOD, name, http1(method, sent, headers, framing, wire), fields if both else None, body or b"", None, method, came,
                [(key, value) for key, value in headers if key.lower() not in ("via", "max-forwards")], **more)


def well_formed():
    turn = itertools.cycle([None, b"", b"hello", filling(300)])
    for method in METHODS:
        for body in (None, b"hello") if method != "PRI" else (None,):
            yield good(f"{method}, {'a' if body else 'no'} body", method, "/m", "/m", body=body)
        if method != "PRI":
            yield good(f"{method}, chunks", method, "/m", "/m", body=b"hello world", chunked=chunks(b"hello world", 6))
    for (sent, came), method, body in zip(TARGETS, itertools.cycle(["GET", "POST", "GET", "DELETE", "PUT"]), turn):
        yield good(f"{method} {ascii(sent)[:50]}", method, sent, came, body=body)
    for shape, method, body in zip(SHAPES, itertools.cycle(["GET", "POST", "PUT"]), turn):
        yield good(f"{method} with {ascii(shape[0])[:50]}", method, "/h", "/h", shape, body=body)
    for size in SIZES:
        yield good(f"a length of {size}", "POST", "/b", "/b", body=filling(size))
        for piece in (1 if size < 300 else 1000, 4096, 65536):
            yield good(f"{size} bytes in chunks of {piece}", "POST", "/b", "/b", body=filling(size), chunked=chunks(filling(size), piece))
    yield from in_other_words()


def in_other_words():
    """What means the same, said in another way."""
    ways = {"extensions": {"extension": b";a=b;c=\"d;\\\"e\""}, "a blank before an extension": {"extension": b" ;a"}, "zeros": {"form": b"%04x"},
            "capitals": {"form": b"%X"}, "many zeros at the end": {"last": b"00000"}, "trailers": {"trailers": b"X-Sum: 1\r\nX-Other: 2\r\n"},
            "trailers that must not be": {"trailers": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\n"}}
    for (name, way), size in itertools.product(ways.items(), (5, 5000)):
        yield good(f"{name}, {size} bytes", "POST", "/w", "/w", body=filling(size), chunked=chunks(filling(size), 1000, **way), version=0)
    for spelt in (b"Transfer-Encoding: chunked", b"transfer-encoding:chunked", b"TRANSFER-ENCODING:  \tChunked\t "):
        yield Case(GOOD, ascii(spelt), http1("POST", "/w", (), spelt + b"\r\n", chunks(b"hello", 5)), None, b"hello", None, "POST", "/w")
    for spelt in (b"Content-Length: 5", b"content-length:5", b"Content-Length: \t 005 ", b"Content-Length: 5, 5", b"Content-Length: 5\r\nContent-Length: 5"):
        yield Case(GOOD, ascii(spelt), http1("POST", "/w", (), spelt + b"\r\n", b"hello"), None, b"hello", None, "POST", "/w")
    for spelt in ("shop.test", "Shop.Test:80", "shop.test.", "127.0.0.1:8080", "[::1]", "[2001:DB8::1]:443", "a_b.test", "x" * 200, "a-b~c.test", "0"):
        yield Case(GOOD, f"Host {spelt[:20]}", http1("GET", "/w", host=spelt), http2("GET", "/w", host=spelt), None, None, "GET", "/w")
    for sent, came in (("http://other.test/w?x", "/w?x"), ("HTTP://other.test", "/"), ("https://other.test:8443/a//b", "/a/b"), ("http://other.test?x", "/?x")):
        yield Case(GOOD, sent, http1("GET", sent), None, None, None, "GET", came)
    for first in (b"\r\n", b"\r\n\r\n"):
        yield Case(GOOD, f"{len(first) // 2} empty lines first", first + http1("GET", "/w"), None, None, None, "GET", "/w")
    yield Case(GOOD, "HTTP/1.0", http1("GET", "/w", version="HTTP/1.0"), None, None, None, "GET", "/w", closes=True)
    yield Case(GOOD, "HTTP/1.0 that stays", http1("POST", "/w", [("Connection", "keep-alive")], b"Content-Length: 5\r\n", b"hello", version="HTTP/1.0"), None, b"hello",
               None, "POST", "/w")
    yield Case(GOOD, "HTTP/1.7", http1("GET", "/w", version="HTTP/1.7"), None, None, None, "GET", "/w")
    yield Case(GOOD, "Connection: close", http1("GET", "/w", [("Connection", "close, X-Hop"), ("X-Hop", "1")]), None, None, None, "GET", "/w", closes=True)
    yield Case(GOOD, "TE: trailers", http1("GET", "/w", [("TE", "trailers"), ("Connection", "TE")]), http2("GET", "/w", [("te", "trailers")]), None, None, "GET", "/w")
    yield Case(GOOD, "Expect", http1("POST", "/w", [("Expect", "100-continue")], b"Content-Length: 5\r\n", b"hello"), None, b"hello", None, "POST", "/w")
    yield Case(GOOD, "Upgrade: h2c", http1("GET", "/w", [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]), None,
               None, None, "GET", "/w")
    yield Case(GOOD, "claims", http1("GET", "/w", [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=6.6.6.6")]),
               http2("GET", "/w", [("x-forwarded-for", "6.6.6.6"), ("x-real-ip", "6.6.6.6")]), None, None, "GET", "/w")
    yield Case(GOOD, "crumbs of a cookie", None, http2("GET", "/w", [("cookie", "a=1"), ("cookie", "b=2"), ("x", "y"), ("cookie", "c=3")]), None, None, "GET", "/w")
    yield Case(GOOD, "no :authority", None, [pair for pair in http2("GET", "/w", [("host", "shop.test")]) if pair[0] != ":authority"], None, None, "GET", "/w")
    for size in (0, 1, 5000, WINDOW):
        yield Case(GOOD, f"{size} bytes without a length", None, http2("POST", "/w"), filling(size), None, "POST", "/w")
        yield Case(GOOD, f"{size} bytes and trailers", None, http2("POST", "/w"), filling(size), [("x-sum", "1")], "POST", "/w")


# Hostile

def hostile():
    post = b"POST /bad HTTP/1.1\r\nHost: shop.test\r\n"
    for line in CODINGS:
        yield Case(BAD, "coding " + ascii(line), post + line + b"\r\nContent-Length: 4\r\n\r\n5c\r\n" + ADMIN + b"0\r\n\r\n")
    for value in LENGTHS:
        yield Case(BAD, "length " + ascii(value), post + b"Content-Length: " + value + b"\r\n\r\n" + ADMIN)
    for name, body in term_cases():
        yield Case(BAD, "line end after " + name, post + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    for host in HOSTS:
        yield Case(BAD, "Host " + ascii(host)[:40], b"GET /bad HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\n\r\n",
                   http2("GET", "/bad", host=host))
    for target in (target for target, came in PATHS.items() if came is None):
        yield Case(BAD, "target " + ascii(target), http1("GET", target), http2("GET", target))
    yield Case(BAD, "TRACE", http1("TRACE", "/bad"), http2("TRACE", "/bad"))
    for line in ("GET / HTTP/1.1 ", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/2.0", "GET / HTTP/0.9", "GET /", "GET / HTTP/11", "GET / HTTP/1.", "GET / HTTP/1.1.1",
                 "GET / http/1.1", "GET / HTTP /1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "G\x00T / HTTP/1.1", "GET\x0b/ HTTP/1.1", "GET / HTTP/1.1\x0b", "GET / HTTP/\xb9.1",
                 "G(T / HTTP/1.1", "GET: / HTTP/1.1", "\x85GET / HTTP/1.1", "get / HTTP/1.1", "Get / HTTP/1.1", "GEt / HTTP/1.1", "GET /\xa0HTTP/1.1", "GET / HTTP/1.1, HTTP/1.1", "", "HTTP/1.1 200 OK"):
        yield Case(BAD, "line " + ascii(line), line.encode("latin-1") + b"\r\nHost: shop.test\r\n\r\n")
    for line in (b"X", b"X Y: z", b"X: a\x00b", b"X: a\x0bb", b"X: a\x7fb", b": y", b"X\x00: y", b" X: y", b"X : y", b"X\x85: y", b"(X): y", b'"X": y', b"X,Y: z", b"X_Y: z",
                 b"Host: other.test", b"X: y\nHost: other.test", b"X: y\rHost: other.test", b"X: y\r\n\tz", b"X: y\r\n ", b"\xef\xbb\xbfX: y", b"X\xc3\xa4: y", b"X: \x01",
                 b"Expect: x", b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"[X]: y", b"{X}: y", b"X@: y", b"X\\: y", b"X/Y: z"):
        yield Case(BAD, "field " + ascii(line), b"GET /bad HTTP/1.1\r\nHost: shop.test\r\n" + line + b"\r\n\r\n")
    yield from hostile_http2()


def hostile_http2():
    base = http2("POST", "/bad")
    for name, value in (("X", "y"), ("x y", "z"), ("x:y", "z"), ("", "y"), ("x\r\ny", "z"), ("x\x00", "y"), ("x\xe4", "y"), ("x", "y\r\nz: 1"), ("x", "y\nz"), ("x", "y\rz"), ("x", "y\x00"),
                        ("x", "y\x0b"), ("x", "y\x7f"), ("x", " y"), ("x", "y "), ("x", "\ty"), ("connection", "close"), ("keep-alive", "x"), ("upgrade", "h2c"),
                        ("proxy-connection", "x"), ("transfer-encoding", "chunked"), ("transfer-encoding", ""), ("te", "gzip"), ("te", "trailers, x"), ("http2-settings", "x"),
                        ("host", "other.test"), ("host", "shop.test:1"), (":path", "/other"), (":evil", "x"), (":status", "200"), (":protocol", "x"), ("x_y", "z"),
                        ("content-length", "4"), ("content-length", "6"), ("content-length", "+5"), ("content-length", "5,5"), ("content-length", ""), ("content-length", "0x5"),
                        ("content_length", "5"), ("transfer_encoding", "chunked"), ("expect", "x")):
        yield Case(BAD, f"field {ascii(name)}: {ascii(value)}", None, [*base, (name, value)], b"hello")
    for index, value in itertools.product(range(4), ("", " ", "x y", "x\r\ny: z", "x\x00", "/\t", "\x85")):
        fields = list(base)
        fields[index] = (base[index][0], value)
        yield Case(BAD, f"{base[index][0]} {ascii(value)}", None, fields, b"hello")
    for method in ("post", "Post", "POSt"):
        yield Case(BAD, f"method {method}", None, http2(method, "/bad"))
    for name in (":method", ":scheme", ":path", ":authority"):
        yield Case(BAD, f"no {name}", None, [pair for pair in base if pair[0] != name], b"hello")
        yield Case(BAD, f"{name} last", None, [*[pair for pair in base if pair[0] != name], ("x", "y"), *[pair for pair in base if pair[0] == name]], b"hello")
        yield Case(BAD, f"{name} in trailers", None, base, b"hello", [(name, "x")])


# Mutations: a byte put in, taken out or changed, in a request that was right

BYTES = [bytes([byte]) for byte in b"\x00\x01\t\n\x0b\x0c\r !\"#%'(),-./0:;<=>?@A\\]_`a{~\x7f\x80\x85\xa0\xff"] + [b"\r\n", b"\r\n ", b"\n\n", b"\r\n\r\n", b"chunked", b"0", b", "]
BASES = [
    http1("POST", "/mutant?a=b", [("X-One", "1"), ("Cookie", "a=1; b=2")], b"Content-Length: 62\r\n", filling(62)),
    http1("POST", "/mutant/%2e/x", [("X-One", "1")], b"Transfer-Encoding: chunked\r\n", chunks(filling(40), 16, b";a=b", trailers=b"X-Sum: 1\r\n")),
    http1("GET", "http://shop.test/mutant", [("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("X-Forwarded-For", "6.6.6.6")]),
    http1("POST", "/mutant", [("Expect", "100-continue"), ("TE", "trailers")], b"Content-Length: 5\r\n", b"hello", version="HTTP/1.0"),
    http1("POST", "/mutant", [("Transfer-Encodinh", "chunked"), ("Upgrade", "h2c")], b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
]


def mutate(rng, raw):
    at = rng.randrange(len(raw) + 1)
    deed = rng.randrange(4)
    if deed == 0:
        return f"put in at {at}", raw[:at] + rng.choice(BYTES) + raw[at:]
    if deed == 1:
        return f"taken out at {at}", raw[:at] + raw[at + rng.choice((1, 1, 1, 2, 4)):]
    if deed == 2:
        return f"changed at {at}", raw[:at] + rng.choice(BYTES) + raw[at + 1:]
    lines = raw.split(b"\r\n")
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines.insert(two, lines[one])
    return f"line {one} again at {two}", b"\r\n".join(lines)


def mutated(count):
    """The same ones every time."""
    rng = random.Random(20240301)
    for number in range(count):
        base = number % len(BASES)
        name, raw = mutate(rng, BASES[base])
        if number % 3 == 0:
            more, raw = mutate(rng, raw)
            name += ", " + more
        yield Case(EITHER, f"{base}: {name}", raw)


def corpus(mutations):
    return [*well_formed(), *hostile(), *mutated(mutations)]
