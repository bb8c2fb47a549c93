# SPDX-License-Identifier: Apache-2.0
"""The stage: actors that a play names in its arguments, started when called, ended and waited for when the play is over.

    def test_one_sentence(gateway, upstream, client):
        shop = upstream()                                  # a server of raw bytes
        gw = gateway(f\"\"\" ... the configuration ... \"\"\")
        answer = client.get(gw, "/")

What every actor said goes into the report of a play that fails."""
import contextlib
import os
import pathlib
import resource
import tempfile

import pytest

pytest.register_assert_rewrite("actors.http1", "actors.client", "actors.gateway", "actors.prometheus", "actors.h2wire", "actors.console")

from actors import servers  # noqa: E402  (after the line above, which rewrites their assertions)
from actors.accounts import NO_THROTTLE, QUICK, Accounts, engine_of, fresh  # noqa: E402
from actors.certificates import Certificates  # noqa: E402
from actors.client import Client  # noqa: E402
from actors.gateway import Gateway  # noqa: E402
from actors.h2wire import H2Upstream, H2Wire  # noqa: E402
from actors.postgres import Postgres  # noqa: E402
from actors.storm import RedisServer  # noqa: E402
from actors.jose import Issuer, Jose  # noqa: E402
from actors.upstream import Upstream  # noqa: E402


class Stage(contextlib.ExitStack):
    """Ends the actors in the reverse order of their entry; an actor that ends badly fails the play."""

    def __init__(self):
        super().__init__()
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="play-")))
        self.cast = []

    def enter(self, actor, end):
        self.callback(end)
        self.cast.append(actor)
        return actor

    def count(self, kind):
        return sum(isinstance(actor, kind) for actor in self.cast)

    def gateway(self, text, **options):
        gw = Gateway(self.folder, text, number=self.count(Gateway), **options)
        return self.enter(gw, gw.finish)

    def upstream(self, *args, **options):
        actor = Upstream(*args, **options)
        return self.enter(actor, actor.finish)

    def h2_upstream(self, *args, **options):
        actor = H2Upstream(*args, **options)
        return self.enter(actor, actor.finish)

    def nginx(self, conf='return 200 "nginx\\n";', **options):
        actor = servers.nginx(self.folder, conf, number=self.count(servers.Server), **options)
        return self.enter(actor, actor.finish)

    def gunicorn(self, app="echo:app", **options):
        actor = servers.gunicorn(self.folder, app, number=self.count(servers.Server), **options)
        return self.enter(actor, actor.finish)

    def jose(self):
        actor = Jose(self.folder)
        return self.enter(actor.program, actor.finish) and actor

    def issuer(self, *keys):
        actor = Issuer(*keys)
        self.callback(actor.finish)
        return actor

    def h2(self, where, **options):
        wire = H2Wire(where, **options)
        self.callback(wire.close)
        return wire


# Set once for all: the gateway inherits it, and some plays open a thousand connections.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def pytest_terminal_summary(terminalreporter):
    """What a file of plays costs, whoever else is busy: CI's time is made of it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    terminalreporter.write_line(f"CPU seconds: {sum(part.ru_utime + part.ru_stime for part in used):.1f}")


def pytest_configure(config):
    config.addinivalue_line("markers", "both_engines: of SQLite and PostgreSQL, in every run (others: SQLite, but in the proof)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for name in ("stage", "long_stage"):
        for actor in getattr(item.funcargs.get(name), "cast", []):
            if hasattr(actor, "report"):
                report.sections.append((f"{actor.name} said", actor.report()))


@pytest.fixture(scope="session", autouse=True)
def kept(tmp_path_factory):
    """What programs keep from run to run is this session's, not the caller's."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def stage():
    with Stage() as made:
        yield made


@pytest.fixture(scope="module")
def long_stage():
    """For a table of cases that share their actors."""
    with Stage() as made:
        yield made


@pytest.fixture
def gateway(stage):
    return stage.gateway


@pytest.fixture
def upstream(stage):
    return stage.upstream


@pytest.fixture
def h2_upstream(stage):
    return stage.h2_upstream


@pytest.fixture
def nginx(stage):
    return stage.nginx


@pytest.fixture
def gunicorn(stage):
    return stage.gunicorn


@pytest.fixture
def client(stage):
    return Client(stage)


@pytest.fixture
def jose(stage):
    return stage.jose()


@pytest.fixture
def issuer(stage):
    return stage.issuer


@pytest.fixture
def h2(stage):
    return stage.h2


@pytest.fixture(scope="session")
def certificates():
    with tempfile.TemporaryDirectory(prefix="play-tls-") as folder:
        yield Certificates(folder)


# The user service's plays: each on SQLite, and on PostgreSQL with a Redis beside it, where answers are kept and events go.


@pytest.fixture(scope="module")
def accounts_beside(tmp_path_factory):
    """(PostgreSQL, Redis) of a file of plays, started by the first that asks."""
    with Postgres() as server:
        redis = RedisServer(tmp_path_factory.mktemp("redis"))
        yield server, redis
        redis.kill()


@pytest.fixture(params=["sqlite", "postgres"])
def accounts_database(request, stage):
    """The URL of an empty one."""
    if engine_of(request) == "sqlite":
        return f"sqlite:{stage.folder}/user.db"
    return fresh(request.getfixturevalue("accounts_beside")[0])


@pytest.fixture
def accounts(stage, accounts_database, request):
    """A process of the user service with these keys; beside=False: without a Redis."""
    def make(*more, beside=True, **options):
        more = more or (QUICK, NO_THROTTLE)
        if beside and accounts_database.startswith("postgresql"):
            more += (f'redis: "{request.getfixturevalue("accounts_beside")[1].url}"', "cache: { memory: 1MiB }")
        at = Accounts(stage.folder, accounts_database, more, number=stage.count(Accounts), **options)
        return stage.enter(at, at.finish)
    return make
