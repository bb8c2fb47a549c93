# SPDX-License-Identifier: Apache-2.0
"""A server closes an idle connection in the very moment a request is sent on it. Nobody may see that, and nothing may be
done twice: docs/decisions/0012. With the threads of gunicorn, whose two seconds of patience are hit to the millisecond.
Each case by itself is in src/gateway/attempt_test.c."""
import asyncio
import collections
import json
import random

import pytest

from actors.client import split_address
from actors.http1 import request
from actors.waiting import PROOF

WIRES, ROUNDS = (500, 10) if PROOF else (150, 2)  # 5,000 and 300 connections used again
PATIENCE_OF_GUNICORN_S = 2.0


def one_upstream_each(server, keepalive, more=""):
    """A connection for every client, so that each is used again exactly two seconds after its last answer."""
    ups = "\n".join(f'  u{n}: {{ servers: [ "{server.address}" ], keepalive: {{ {keepalive} }}, timeouts: {{ connect: 20s }}{more} }}' for n in range(WIRES))
    routes = "\n".join(f"  - {{ name: r{n}, match: {{ path: /{n}/** }}, to: u{n} }}" for n in range(WIRES))
    return f"upstreams:\n{ups}\nroutes:\n{routes}\n"


class Visitor:
    """One client on one connection, GET and POST in turn; every POST has an id of its own."""

    def __init__(self, number):
        self.number, self.got, self.posted = number, [], {}

    async def ask(self, reader, writer, turn):
        name = f"{self.number}.{turn}" if (self.number + turn) % 2 else None
        writer.write(request("POST", f"/{self.number}/book", body=name.encode()) if name
                     else request(target=f"/{self.number}/get"))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        status = int(head.split()[1])
        if name:
            self.posted[name] = status
        else:
            self.got.append(status)

    async def visit(self, gw):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(random.uniform(0, PATIENCE_OF_GUNICORN_S))
        reader, writer = await asyncio.open_connection(*split_address(gw))
        for turn in range(ROUNDS + 1):
            await self.ask(reader, writer, turn)
            due = loop.time() + PATIENCE_OF_GUNICORN_S + random.uniform(-0.005, 0.005)
            if turn < ROUNDS:
                await asyncio.sleep(due - loop.time())
        writer.close()


class Races:
    """All visits, and what came of them."""

    def __init__(self, gateway, gunicorn, client, keepalive, certificates=None):
        tls = {"certfile": certificates.certificate(), "keyfile": certificates.key()} if certificates else {}
        server = gunicorn("ledger:app", keep_alive=2, threads=8, **tls)
        gw = gateway(one_upstream_each(server, keepalive, f', tls: {{ ca: "{certificates.ca}" }}' if certificates else ""))
        visitors = [Visitor(number) for number in range(WIRES)]

        async def all_of_them():
            await asyncio.gather(*(visitor.visit(gw) for visitor in visitors))

        asyncio.run(all_of_them())
        self.booked = json.loads(client.get(gw, "/0/ledger").text)
        self.posted = {name: status for visitor in visitors for name, status in visitor.posted.items()}
        self.got = collections.Counter(status for visitor in visitors for status in visitor.got)
        self.stale = gw.metric("banyan_upstream_connections_total", kind="stale")
        self.reused = gw.metric("banyan_upstream_connections_total", kind="reused")
        self.retried = gw.metric("banyan_upstream_retries_total", cause="stale")

    def booked_times(self, status):
        """How often each POST with that answer was booked: a Counter of times."""
        return collections.Counter(self.booked.get(name, 0) for name, got in self.posted.items() if got == status)


def test_the_patience_of_gunicorn_costs_nobody_an_answer(gateway, gunicorn, client):
    """Connections are kept for longer than the server keeps them; what may not be sent twice takes none that rested."""
    races = Races(gateway, gunicorn, client, "idle_time: 10s")
    assert set(races.got) == {200} and set(races.posted.values()) == {200}
    assert races.booked_times(200) == {1: len(races.posted)}
    assert races.reused > 0 and (races.stale > 0 or not PROOF), "the race did occur"  # chance; with full counts it does
    assert races.retried == races.stale


def test_a_post_is_sent_again_only_when_nobody_can_have_got_it(gateway, gunicorn, client):
    """POSTs on old connections too, against all advice: those that the server closed before they came are saved, those
    that it closed upon, unread, look like those it had read: they fail."""
    races = Races(gateway, gunicorn, client, "idle_time: 10s, unsafe_idle: 10s")
    assert set(races.got) == {200} and set(races.posted.values()) <= {200, 502}
    assert races.booked_times(200) == {1: list(races.posted.values()).count(200)}
    assert set(races.booked_times(502)) <= {0, 1}
    assert races.stale > 0, "the race did occur"


def test_over_tls_no_post_is_booked_twice_and_none_is_lost_in_silence(gateway, gunicorn, client, certificates):
    """What TLS says at its end is no proof, and hides none."""
    races = Races(gateway, gunicorn, client, "idle_time: 10s, unsafe_idle: 10s", certificates)
    assert set(races.got) == {200} and set(races.posted.values()) <= {200, 502}
    assert races.booked_times(200) == {1: list(races.posted.values()).count(200)}
    assert set(races.booked_times(502)) <= {0, 1}
    assert races.stale > 0, "the race did occur"


@pytest.mark.skipif(not PROOF, reason="there is nothing to see")
def test_with_defaults_the_race_is_never_run(gateway, gunicorn, client):
    races = Races(gateway, gunicorn, client, "")
    assert set(races.got) == {200} and races.booked_times(200) == {1: len(races.posted)}
    assert races.stale == 0
