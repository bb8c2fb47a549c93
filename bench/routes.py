# SPDX-License-Identifier: Apache-2.0
"""Tables of routes for gateway.routes: the same mix of patterns and of requests whatever the number of routes."""
import random

# Of ten routes: exact paths, prefixes, named parts, an expression; and what is asked of each.
MIX = (
    ("/exact/section-{n}/page", "/exact/section-{n}/page"),
    ("/exact/list-{n}", "/exact/list-{n}"),
    ("/shop/{n}/overview", "/shop/{n}/overview"),
    ("/prefix-{n}/**", "/prefix-{n}/a/b"),
    ("/areas/area-{n}/**", "/areas/area-{n}/c/d"),
    ("/teams/{n}/{{id}}/**", "/teams/{n}/77/x"),
    ("/users/{{id}}/tab-{n}", "/users/4711/tab-{n}"),
    ("/group-{n}/{{id}}", "/group-{n}/4711"),
    ("/a/{{x}}/b-{n}/{{y}}", "/a/17/b-{n}/18"),
    ("~ ^/articles/(?<year>\\d{{4}})/topic-{n}/$", "/articles/2024/topic-{n}/"),
)
MISSES = ("/nothing/like-{n}/here", "/users/4711/tab-x{n}", "/articles/20245/topic-{n}/")
REQUESTS = 4096
FIRST = 10000                       # so that all numbers have as many digits
MISSED = 0.2                        # of the requests


def pattern(n):
    return MIX[n % len(MIX)][0].format(n=FIRST + n)


def rows(count):
    return "".join(f"  - {{ name: r{n}, match: '{pattern(n)}', to: origin }}\n" for n in range(count))


def requests(count):
    """Lines for load -T: all kinds alike, all routes alike, the same at every run."""
    chance = random.Random(1)
    lines = []
    for number in range(REQUESTS):
        if chance.random() < MISSED:
            lines.append("404 " + MISSES[number % len(MISSES)].format(n=FIRST + chance.randrange(count)))
        else:
            kind = number % len(MIX)
            number_of_kind = chance.randrange(count // len(MIX)) * len(MIX) + kind
            lines.append("200 " + MIX[kind][1].format(n=FIRST + number_of_kind))
    return "\n".join(lines) + "\n"
