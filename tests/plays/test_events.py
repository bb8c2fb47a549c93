# SPDX-License-Identifier: Apache-2.0
"""Events and jobs while everything is killed: tests/events_storm writes, relays, consumes and works, is killed with SIGKILL in the
midst of it, again and again, and tests/events_check then looks at the database with eyes of its own."""
import os
import random
import shutil
import subprocess
import sys
import time
import uuid

import pytest

from actors.gateway import ROOT
from actors.storm import RedisServer, Storm
from actors.waiting import PROOF, until

KILLS = 200 if PROOF else 10


def postgres_database():
    """A new database on the server that all plays of this process share."""
    import psycopg2  # pylint: disable=import-outside-toplevel
    port = subprocess.run([ROOT / "tests/postgres", "start", str(os.getpid()), "plays"], check=True, capture_output=True, text=True).stdout
    name = "storm_" + uuid.uuid4().hex
    server = psycopg2.connect(host="127.0.0.1", port=int(port), user="tester", dbname="postgres")
    server.autocommit = True
    server.cursor().execute(f"create database {name}")
    server.close()
    return f"postgresql://tester@127.0.0.1:{int(port)}/{name}"


def rage(stage, url, instances, redis=None):
    """Kills; gives the instances that there were."""
    chance, cast, alive = random.Random(7), [], []
    words = [url] + ([redis.url] if redis else [])
    for number in range(KILLS):
        while len(alive) < instances:
            alive.append(Storm(stage.folder, len(cast), *words))
            cast.append(alive[-1])
            stage.cast.append(alive[-1])
        victim = alive.pop(0)
        until(victim.has_begun, "a write")
        time.sleep(chance.random() * 0.2)  # any moment of its work
        victim.kill()
        if redis and number % 5 == 2:
            redis.again()
    for victim in alive:
        victim.kill()
    return cast


def judge(stage, url, cast, redis=None):
    words = [url] + ([redis.url] if redis else [])
    last = Storm(stage.folder, len(cast), *words, "drain")
    stage.cast.append(last)
    assert last.wait(120 + KILLS) == 0, last.report()
    done = subprocess.run([sys.executable, ROOT / "tests/events_check", url, *[storm.acks for storm in cast]],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 2 * KILLS, done.stdout


@pytest.fixture
def redis(stage):
    if not shutil.which("redis-server"):
        pytest.fail("redis-server is not installed: scripts/bootstrap run test")
    server = RedisServer(stage.folder)
    return stage.enter(server, server.kill)


@pytest.fixture
def sqlite(stage):
    return f"sqlite:{stage.folder}/storm.db"


def test_a_killed_process_loses_no_event_and_doubles_none_on_sqlite(stage, sqlite):
    judge(stage, sqlite, rage(stage, sqlite, 1))


def test_two_processes_killed_in_turn_on_sqlite(stage, sqlite):
    judge(stage, sqlite, rage(stage, sqlite, 2))


def test_a_killed_process_and_a_killed_redis_lose_no_event_and_double_none(stage, sqlite, redis):
    judge(stage, sqlite, rage(stage, sqlite, 1, redis), redis)


def test_two_processes_killed_in_turn_on_postgresql(stage):
    url = postgres_database()
    judge(stage, url, rage(stage, url, 2))


def test_two_processes_and_redis_killed_in_turn_on_postgresql(stage, redis):
    url = postgres_database()
    judge(stage, url, rage(stage, url, 2, redis), redis)
