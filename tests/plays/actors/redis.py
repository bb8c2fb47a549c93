# SPDX-License-Identifier: Apache-2.0
"""A redis-server of the play's own, which may be killed and come back, empty or as it was."""
import redis

from actors.process import Program
from actors.waiting import until


class Redis:
    def __init__(self, folder, port, *words):
        """port: one that stays ours while the server is away. words: more of its command line."""
        self.folder, self.port, self.words, self.program = folder, port, words, None
        self.name = f"redis-{port}"
        self.url = f"redis://127.0.0.1:{port}"
        self.client = redis.Redis(port=port, socket_timeout=20)
        self.start()

    def start(self):
        self.program = Program(self.name, self.folder, ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "",
                                                                   "--dir", self.folder, *self.words])
        until(self.is_up, "the redis-server")

    def is_up(self):
        assert self.program.is_running(), self.program.report()
        try:
            return self.client.ping()
        except redis.exceptions.ConnectionError:
            return False

    def kill(self):
        self.program.kill()

    def finish(self):
        self.client.close()
        if self.program.is_running():
            self.kill()

    def report(self):
        return self.program.report()
