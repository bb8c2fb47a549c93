# SPDX-License-Identifier: Apache-2.0
"""What `banyan serve` takes in an empty folder: the gateway and all services in one process, each asked once, then left alone."""
import json
import subprocess
import time
import urllib.request

from contenders import BUILD, free_port
from machine import BenchError, end, spawn
from store import fresh_folder
from user import rss_bytes, wait_for

MIB = 1 << 20
REST_S = 5  # after which nothing of the start is left to do


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def at_rest():
    with fresh_folder("serve") as folder:
        output = folder / "output"
        listen, admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        with output.open("w") as to:
            process = spawn([BUILD / "release/banyan", "serve", "--listen", listen, "--admin", admin], cwd=folder, stdin=subprocess.DEVNULL,
                            stdout=to, stderr=subprocess.STDOUT)
        try:
            wait_for(output, "listening", process)
            ask(f"http://{listen}/oauth2/jwks")
            time.sleep(REST_S)
            services = json.loads(ask(f"http://{admin}/services"))["services"]
            if len(services) != 4 or any(one["status"] != "ok" for one in services):
                raise BenchError(f"not all four are there: {services}")
            return {"cost": rss_bytes(process.pid) / MIB}
        finally:
            end(process)


def memory_rounds(_bench, _names, pairs, _count):
    for _ in range(pairs):
        yield {"banyan": at_rest()}
