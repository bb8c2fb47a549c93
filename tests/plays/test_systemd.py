# SPDX-License-Identifier: Apache-2.0
"""Under systemd: sockets that were passed down, and what the service manager is told. The plays are the manager."""
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess

import pytest

from actors.gateway import BANYAN, ROOT, everything_to, run_banyan
from actors.http1 import reply, request
from actors.process import listening_socket
from actors.waiting import always, until

SHORT = "drain: { idle: 100ms }"


class Manager:
    """What systemd does: a socket for notifications, and listening sockets as descriptors 3, 4 ..."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(address)
        self.messages = []
        self.env = {"NOTIFY_SOCKET": address.replace("\0", "@")}

    def read(self):
        """All that was said so far: [{"READY": "1", "STATUS": "..."}]"""
        with contextlib.suppress(BlockingIOError):
            while True:
                text = self.socket.recv(4096).decode()
                self.messages.append(dict(line.split("=", 1) for line in text.splitlines()))
        return self.messages

    def said(self, name, value=None):
        return [message for message in self.read() if name in message and value in (None, message[name])]

    def close(self):
        self.socket.close()


@pytest.fixture
def manager(stage):
    made = Manager(str(stage.folder / "notify"))
    stage.callback(made.close)
    return made


def launcher(folder, socks, names=None, pid="$$"):
    """A program that is Banyan with sockets passed as systemd passes them."""
    moves = " ".join(f"{3 + at}<&{100 + at}" for at in range(len(socks)))
    for at, sock in enumerate(socks):
        os.dup2(sock.fileno(), 100 + at, inheritable=True)
    path = folder / "launcher"
    path.write_text(f"#!/bin/bash\nexec {moves}\nexport LISTEN_FDS={len(socks)} LISTEN_PID={pid}"
                    f"{' LISTEN_FDNAMES=' + ':'.join(names) if names else ''}\nexec {shlex.quote(BANYAN)} \"$@\"\n")
    path.chmod(0o755)
    return {"program": path, "pass_fds": [100 + at for at in range(len(socks))]}


@pytest.fixture(autouse=True)
def no_leftovers():
    yield
    for fd in range(100, 110):
        with contextlib.suppress(OSError):
            os.close(fd)


def name_of(sock):
    return "%s:%d" % sock.getsockname()[:2]


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.mark.parametrize("address", ["path", "abstract"])
def test_it_says_when_it_serves_reloads_and_stops(stage, gateway, shop, address):
    made = Manager(str(stage.folder / "notify") if address == "path" else f"\0banyan-play-{os.getpid()}")
    stage.callback(made.close)
    gw = gateway(everything_to(shop, more=SHORT), env=made.env)
    until(lambda: made.said("READY", "1"), "ready")
    gw.hup()
    until(lambda: len(made.said("READY", "1")) == 2, "ready again")
    assert int(made.said("RELOADING", "1")[0]["MONOTONIC_USEC"]) > 0
    gw.write("routes: [")
    gw.hup(good=False)
    until(lambda: len(made.said("READY", "1")) == 3, "ready again, with the old one")
    order = [next(iter(message)) for message in made.messages]
    assert order == ["READY", "RELOADING", "READY", "RELOADING", "READY"]
    gw.stop()
    assert made.read()[-1]["STOPPING"] == "1"


def test_the_new_main_process_is_named_at_a_take_over(gateway, shop, manager):
    old = gateway(everything_to(shop, more=SHORT), env=manager.env)
    new = gateway(None, after=old, words=["--takeover"], env=manager.env)
    until(lambda: len(manager.said("READY")) == 2, "both were ready")
    assert [message["MAINPID"] for message in manager.said("MAINPID")] == [str(new.pid)]
    assert [next(iter(message)) for message in manager.messages] == ["READY", "MAINPID", "READY"]
    assert old.program.wait(10) == 0
    assert not manager.said("STOPPING"), "the service goes on"
    new.stop()
    assert manager.said("STOPPING")
    old.stop()


def test_the_watchdog_is_fed_by_all_loops(gateway, shop, manager):
    gw = gateway(everything_to(shop), env={**manager.env, "WATCHDOG_USEC": "200000"})
    until(lambda: len(manager.said("WATCHDOG", "1")) >= 5, "it is fed")
    os.kill(gw.pid, signal.SIGSTOP)
    manager.read()
    count = len(manager.said("WATCHDOG"))
    always(lambda: len(manager.said("WATCHDOG")) == count, "a process that stands still says nothing")
    os.kill(gw.pid, signal.SIGCONT)


def test_the_watchdog_of_another_process_is_not_fed(gateway, shop, manager):
    gateway(everything_to(shop), env={**manager.env, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    until(lambda: manager.said("READY"), "ready")
    always(lambda: not manager.said("WATCHDOG"), "nothing")


def test_the_watchdog_is_fed_by_the_process_that_took_over(stage, gateway, shop, manager):
    """systemd says whom it means (WATCHDOG_PID), and goes on to mean whoever is the main process."""
    program = stage.folder / "watched"
    program.write_text(f"#!/bin/bash\nexport WATCHDOG_PID=$$\nexec {shlex.quote(BANYAN)} \"$@\"\n")
    program.chmod(0o755)
    old = gateway(everything_to(shop, more=SHORT), program=program, env={**manager.env, "WATCHDOG_USEC": "200000"})
    until(lambda: manager.said("WATCHDOG"), "it is fed")
    old.program.signal(signal.SIGUSR2)
    pid = int(until(lambda: manager.said("MAINPID"), "the new one")[0]["MAINPID"])
    try:
        assert old.program.wait(10) == 0
        count = len(manager.said("WATCHDOG"))
        until(lambda: len(manager.said("WATCHDOG")) >= count + 3, "it is fed still")
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: manager.said("STOPPING"), "its end")
    old.stop()


# Sockets

def test_passed_sockets_are_served(stage, gateway, shop, client):
    with listening_socket() as sock, listening_socket() as admin:
        gw = gateway(everything_to(shop, more=f'listen: [ "{name_of(sock)}" ]\nadmin: "127.0.0.1:1"'),
                     **launcher(stage.folder, [sock, admin], ["banyan.socket", "admin"]))
        assert gw.address == name_of(sock) and gw.admin == name_of(admin)
        assert client.get(gw).status == 200
        assert gw.ask_admin("/readyz")[0] == 200
        assert "no listener is configured" not in gw.stderr
        gw.stop()


def test_who_connects_while_it_is_started_anew_waits(stage, gateway, upstream, client):
    with listening_socket() as sock:
        text = everything_to(upstream(answer=reply(200, b"one")), more=f'listen: [ "{name_of(sock)}" ]\n{SHORT}')
        options = launcher(stage.folder, [sock])
        first = gateway(text, **options)
        assert client.get(first).text == "one"
        first.stop()
        wires = [client.connect(name_of(sock)).send(request()) for _ in range(5)]
        gateway(text, **options)
        assert {wire.answer().text for wire in wires} == {"one"}


def test_none_is_lost_when_it_stops_while_clients_come(stage, gateway, shop, client):
    with listening_socket() as sock:
        text = everything_to(shop, more=f'listen: [ "{name_of(sock)}" ]\n{SHORT}')
        options = launcher(stage.folder, [sock])
        wires = []
        for _ in range(3):
            gw = gateway(text, **options)
            wires += [client.connect(name_of(sock)).send(request()) for _ in range(20)]
            gw.program.signal(signal.SIGTERM)
            wires += [client.connect(name_of(sock)).send(request()) for _ in range(20)]
            assert gw.program.wait(10) == 0
            gw.stop()
        gateway(text, **options)
        assert {wire.answer().status for wire in wires} == {200}


def test_a_socket_on_all_addresses_is_the_one_for_a_port_alone(stage, gateway, shop, client):
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as sock:
        port = sock.getsockname()[1]
        gateway(everything_to(shop, more=f'listen: [ ":{port}" ]'), **launcher(stage.folder, [sock]))
        assert client.get(f"127.0.0.1:{port}").status == 200
    assert shop.requests[0].headers.get("x-forwarded-for") == "127.0.0.1"


def test_a_unix_socket_is_left_where_it_is(stage, gateway, shop):
    path = stage.folder / "shop.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        gw = gateway(everything_to(shop, more=f'listen: [ "unix:{path}", "127.0.0.1:0" ]'), **launcher(stage.folder, [sock]))
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(str(path))
            wire.sendall(request())
            assert wire.recv(100).startswith(b"HTTP/1.1 200")
        gw.stop()
        assert path.exists(), "it is systemd's"


def test_a_unix_socket_is_left_where_it_is_after_an_upgrade_too(stage, gateway, shop):
    path = stage.folder / "shop.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        gw = gateway(everything_to(shop, more=f'listen: [ "unix:{path}", "127.0.0.1:0" ]\n{SHORT}'), **launcher(stage.folder, [sock]))
        for _ in range(2):
            old, gw = gw, gateway(None, after=gw, words=["--takeover"])
            assert old.program.wait(10) == 0
            old.stop()
        gw.stop()
        assert path.exists(), "it is systemd's"


def test_a_listener_may_go_and_come_back(stage, gateway, shop, client):
    with listening_socket() as sock:
        with_it = everything_to(shop, more=f'listen: [ "127.0.0.1:0", "{name_of(sock)}" ]\n{SHORT}')
        gw = gateway(with_it, **launcher(stage.folder, [sock]))
        for _ in range(3):
            assert client.get(name_of(sock)).status == 200
            gw.reload(everything_to(shop, more=SHORT))
            gw.reload(with_it)
        assert client.get(name_of(sock)).status == 200


def test_a_socket_that_nobody_wants_is_told_of(stage, gateway, shop, client):
    with listening_socket() as sock:
        gw = gateway(everything_to(shop), **launcher(stage.folder, [sock]))
        assert re.search(rf"no listener is configured for .*{name_of(sock)}", gw.stderr)
        assert client.get(gw).status == 200
        # A reload may ask for it yet.
        gw.reload(everything_to(shop, more=f'listen: [ "127.0.0.1:0", "{name_of(sock)}" ]'))
        assert client.get(name_of(sock)).status == 200


def test_sockets_of_another_process_are_not_touched(stage, gateway, shop, client):
    with listening_socket() as sock:
        gw = gateway(everything_to(shop), **launcher(stage.folder, [sock], pid="1"))
        assert "no listener is configured" not in gw.stderr
        assert client.get(gw).status == 200


def test_what_is_no_listening_socket_is_refused(stage, shop):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        options = launcher(stage.folder, [sock])
        (stage.folder / "banyan.yaml").write_text(everything_to(shop, more=f'listen: [ "{name_of(sock)}" ]\nadmin: off'))
        done = subprocess.run([options["program"], "serve", "-c", stage.folder / "banyan.yaml"], pass_fds=options["pass_fds"], capture_output=True,
                              text=True, timeout=30, check=False)
        assert done.returncode == 2 and "does not listen" in done.stderr


def test_passed_sockets_go_on_to_the_next_process(stage, gateway, shop, client):
    with listening_socket() as sock:
        text = everything_to(shop, more=f'listen: [ "{name_of(sock)}" ]\n{SHORT}')
        old = gateway(text, **launcher(stage.folder, [sock]))
        new = gateway(None, after=old, words=["--takeover"])
        assert old.program.wait(10) == 0
        assert client.get(name_of(sock)).status == 200
        old.stop()
        new.stop()


def test_the_units_name_what_there_is():
    """The service's command lines are ones that this program takes."""
    unit = (ROOT / "deploy/systemd/banyan.service").read_text()
    lines = re.findall(r"^Exec\w+=/usr/local/bin/banyan (.*)$", unit, re.M)
    assert len(lines) == 2
    for line in lines:
        assert run_banyan(*line.split()[:1], "--help")[0] == 0
