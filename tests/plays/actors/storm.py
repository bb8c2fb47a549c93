# SPDX-License-Identifier: Apache-2.0
"""A service at full load (tests/events_storm), and a Redis for it."""
import os
import pathlib

from actors.gateway import ROOT
from actors.process import Program, reserved_port

STORM = pathlib.Path(os.environ.get("BANYAN_BUILD", ROOT / "build/check")) / "tests/events_storm"


class Storm(Program):
    """One instance; what it acknowledged stays in its file."""

    def __init__(self, folder, number, *words):
        self.acks = folder / f"acks-{number}"
        with open(self.acks, "wb") as out:
            super().__init__(f"storm-{number}", folder, [STORM, *words], stdout=out)

    def has_begun(self):
        assert self.is_running(), self.report()
        return b"ack" in self.acks.read_bytes()


class RedisServer(Program):
    """Keeps what it was told, but for the last second: appendfsync everysec."""

    def __init__(self, folder):
        port, socket = reserved_port()
        socket.close()
        self.url = f"redis://127.0.0.1:{port}"
        self.command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes",
                        "--appendfsync", "everysec"]
        super().__init__("redis", folder, self.command)

    def again(self):
        self.kill()
        super().__init__("redis", self.folder, self.command)
