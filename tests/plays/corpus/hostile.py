# SPDX-License-Identifier: Apache-2.0
"""Pieces of requests that nobody may take for what they look like."""
import itertools

ADMIN = b"GET /admin HTTP/1.1\r\nHost: shop.test\r\n\r\n"

BLANKS = [b"\x00", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1c", b"\x1f", b"\x7f", b"\x80", b"\x85", b"\xa0", b"\xad", b"\xc2\xa0", b"\xe2\x80\x8b",
          b"\xef\xbb\xbf", b"\xff"]
CODINGS = [
    *[b"Transfer-Encoding: " + blank + b"chunked" for blank in BLANKS], *[b"Transfer-Encoding: chunked" + blank for blank in BLANKS],
    *[b"Transfer-Encoding" + blank + b": chunked" for blank in BLANKS], *[blank + b"Transfer-Encoding: chunked" for blank in BLANKS],
    *[b"Transfer-Encoding: chunked," + blank for blank in BLANKS], *[b"Transfer-Encoding: chu" + blank + b"nked" for blank in BLANKS],
    b"Transfer-Encoding: chunked, ", b"Transfer-Encoding: ,chunked", b"Transfer-Encoding: chunked;", b"Transfer-Encoding: chunked; q=1",
    b'Transfer-Encoding: "chunked"', b"Transfer-Encoding: 'chunked'", b"Transfer-Encoding: [chunked]", b"Transfer-Encoding: (x) chunked",
    b"Transfer-Encoding: chunked-1", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunkedx", b"Transfer-Encoding: chunk",
    b"Transfer-Encoding: chunked chunked", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: cow", b"Transfer-Encoding: ",
    b"Transfer-Encoding:\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
    b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nTransfer-encoding: chunked",
    b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: chunked\r\n x", b"Transfer-Encoding: x\r\n\tchunked", b"X: y\r\n Transfer-Encoding: chunked",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b"Transfer Encoding: chunked", b"Transfer_Encoding: chunked",
    b"transfer_encoding: chunked", b"Transfer-Encoding\r: chunked", b"Transfer-Encoding\n: chunked", b"\rTransfer-Encoding: chunked",
    b"\nTransfer-Encoding: chunked", b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked", b"X: y\r\rTransfer-Encoding: chunked",
    b": chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding", b"Transfer-Encoding= chunked", b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    b"Content_Length: 0\r\nTransfer-Encoding: chunked", b"Transfer\xe2\x80\x90Encoding: chunked", b"Transfer-Encod\xc4\xb1ng: chunked",
    b"Transfer-Encoding: chun\xe2\x84\xaaed", b"Transfer-Encoding: \\chunked", b"Transfer-Encoding: chunke%64", b"Transfer-%45ncoding: chunked\x0b",
    b"TRANSFER-ENCODING: CHUNKED", b"transfer-encoding: chunked",
]

LENGTHS = [
    b"+0", b"-0", b"0x0", b"00x", b"0 0", b"0,", b",0", b"0, 5", b"5, 0", b"0;0", b"0.0", b"0e0", b"0_0", b"0\x0b", b"\x0b0", b"0\x0c", b"\x850", b"0\xa0",
    b"0\x00", b"\xef\xbc\x90", b"\xd9\xa0", b"'0'", b'"0"', b"", b"zero", b"18446744073709551616", b"9" * 100, b"0\r\n 5", b"0\r\nContent-Length: 5",
    b"5\r\nContent-Length: 0", b"0\nContent-Length: 5", b"0\rContent-Length: 5", b"0\r\nContent-length : 5", b"0\r\nContent_Length: 5", b"0\r\nTransfer-Encoding: chunked",
]

HOSTS = ["", " ", "a b", "a,b", "a/b", "a\\b", "u@a", "a#b", "a?b", "a%2fb", "a%00", "a:b", "a:", "a:-1", "a:80:80", "a:080808", "[::1", "::1", "[::1]x", "[::1%25eth0]",
         "[v1.x]", "[]", "a..b", ".a", "a;b", "a'b", 'a"b', "a<b>", "\xe4", "a\x0b", "a$b", "a*b", "a|b", "a`b", "(a)", "a=b", "http://a", "a" * 256]

# What ends a line, at every place of a chunked body where one ends. CRLF alone is right.

TERMS = [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\r\n\n", b"\n\n", b"\r\r", b"\x00\r\n", b"\x0b\r\n", b"\x0c\r\n", b"\x85\r\n", b"\x1c\r\n", b"\x7f\r\n", b"\\\r\n",
         b"\r \n", b"\r\x00\n", b"", b"\xe2\x80\xa8", b"\xc2\x85"]
PLACES = {
    "size": b"5%sADMIN0\r\n\r\n", "extension": b"5;x%sADMIN0\r\n\r\n", "value": b"5;x=y%sADMIN0\r\n\r\n", "quoted": b'5;x="y"%sADMIN0\r\n\r\n',
    "inside quotes": b'5;x="%s"\r\nhello\r\n0\r\n\r\n', "before an extension": b"5%s;x\r\nhello\r\n0\r\n\r\n",
    "between extensions": b"5;x%s;y\r\nhello\r\n0\r\n\r\n", "data": b"5\r\nhello%sADMIN0\r\n\r\n", "last size": b"5\r\nhello\r\n0%s\r\n",
    "trailer": b"5\r\nhello\r\n0\r\nX: y%s\r\n", "trailer's name": b"5\r\nhello\r\n0\r\nX%s: y\r\n\r\n",
}


def term_cases():
    """(name, chunked body that must be refused)."""
    for (place, shape), term in itertools.product(PLACES.items(), TERMS):
        if place in ("inside quotes", "before an extension", "between extensions") and term in (b"", b"\\\r\n", b"\xc2\x85", b"\xe2\x80\xa8"):
            continue  # that is right, or text in quotes
        body = shape.replace(b"%s", term)
        if (place, term) in (("trailer", b"\x85\r\n"), ("trailer", b"\\\r\n"), ("trailer's name", b"")):
            continue  # a value may have that at its end
        body = body.replace(b"ADMIN", b"hello\r\n" if place != "data" else b"")
        yield f"{place} {ascii(term)}", body
