# SPDX-License-Identifier: Apache-2.0
"""Targets that servers read in more than one way."""

# Each target, and what reaches the server; None: it is refused.
PATHS = {
    "/public/..;/admin": None, "/public/..;x=y/admin": None, "/public/.;/admin": None, "/public/%2e%2e;x/admin": None,
    "/public/..%3b/admin": None, "/public/..%3B/admin": None, "/public/%2e%2e%3b/admin": None,
    "/public%2fadmin": None, "/public%2Fadmin": None, "/public/..%2fadmin": None, "/public/..%2Fadmin": None, "/%2fadmin": None,
    "/public/%2e%2e%2fadmin": None, "/public%5cadmin": None, "/public%5Cadmin": None, "/public/..%5cadmin": None, "/public\\admin": None,
    "/public/..\\admin": None, "\\admin": None, "/public%00/admin": None, "/public/%00": None, "/admin%00.png": None, "/admin%0a": None,
    "/public%0d%0aX:y": None, "/public%09": None, "/public%7f": None, "/public%1fadmin": None,
    "/public%c0%af..%c0%afadmin": None, "/public/%c0%ae%c0%ae/admin": None, "/public/%e0%80%ae%e0%80%ae/admin": None,
    "/public%c1%9cadmin": None, "/public%e0%80%afadmin": None, "/public%f0%80%80%afadmin": None,
    "/../admin": None, "/..": None, "/%2e%2e/admin": None, "/a/../../admin": None, "/./../admin": None,
    "/public%": None, "/public%2": None, "/public%zz": None, "/public%u002e": None, "/public% 2e": None, "/public%%32e": None,
    "/public#/../admin": None, "/public#": None, "/public?x#y": None, "admin": None, "": None, "/public admin": None,
    "/public/%2e%2e/admin": "/admin", "/public/%2E%2E/admin": "/admin", "/public/%2e%2E/admin": "/admin", "/public/.%2e/admin": "/admin",
    "/public/%2e./admin": "/admin", "/public/../admin": "/admin", "/public/..//admin": "/admin", "/./admin": "/admin", "/%2e/admin": "/admin",
    "//admin": "/admin", "///admin": "/admin", "/public/x/../../admin": "/admin", "/%61dmin": "/admin", "/%61%64%6d%69%6e": "/admin",
    "/%41dmin": "/Admin", "/ADMIN": "/ADMIN", "/admin/.": "/admin/", "/admin/..": "/", "/admin/./": "/admin/", "/admin/%2e": "/admin/",
    "/admin;x": "/admin;x", "/admin;x/y": "/admin;x/y", "/;x/admin": "/;x/admin", "/admin%3bx": "/admin%3Bx", "/...": "/...",
    "/.../admin": "/.../admin", "/..a/admin": "/..a/admin", "/a../admin": "/a../admin", "/.admin": "/.admin",
    "/public%252f..%252fadmin": "/public%252f..%252fadmin", "/%2561dmin": "/%2561dmin", "/public%252e%252e/admin": "/public%252e%252e/admin",
    "/public?/../admin": "/public?/../admin", "/public?x=%2f%5c%00": "/public?x=%2f%5c%00", "/public?": "/public?", "/public??x": "/public??x",
    "/public%3f/../admin": "/admin", "/admin%3fx": "/admin%3Fx", "/admin%23x": "/admin%23x", "/public%e2%80%ae": "/public%E2%80%AE",
    "/public%ef%bc%8fadmin": "/public%EF%BC%8Fadmin", "/public/%c3%a4": "/public/%C3%A4", "/admin%20": "/admin%20", "/admin.": "/admin.",
    "/public/~admin": "/public/~admin", "/public/%7eadmin": "/public/~admin", "/a|b": "/a%7Cb", "/a{b}": "/a%7Bb%7D", "/a^b": "/a%5Eb",
    '/a"b': "/a%22b", "/a<b>": "/a%3Cb%3E", "/a`b": "/a%60b", "/a[b]": "/a%5Bb%5D", "/a:b@c": "/a:b@c", "/public/http://x": "/public/http:/x",
}
