# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of the play's own (tests/postgres)."""
import os
import pathlib
import subprocess
import uuid

TOOL = pathlib.Path(__file__).resolve().parents[2] / "postgres"


class Postgres:
    def __init__(self):
        self.name = f"play-{uuid.uuid4().hex[:8]}"
        self.port = self.do("start").strip()
        self.url = f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def do(self, verb):
        return subprocess.run([TOOL, verb, str(os.getpid()), self.name], check=True, capture_output=True, text=True, timeout=120).stdout

    def stop(self):
        self.do("stop")

    def start(self):
        self.do("again")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.do("stop")
