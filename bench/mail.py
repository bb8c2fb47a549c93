# SPDX-License-Identifier: Apache-2.0
"""How mail is measured: a postfix of our own that throws mails away once it has taken them, and who hands them to it."""
import subprocess
import sys
import tempfile

from contenders import ROOT
from machine import BenchError, Busy
from store import compile_program, in_turn, run_program, spent_by_children

sys.path.insert(0, str(ROOT / "tests/plays"))
SESSIONS, BYTES = 20, 2048


def smtp_rounds(bench, names, pairs, count):
    """us of the clock a mail: postfix is the slower part, and the same for both; beside it the processor's time of who hands in."""
    del bench
    from actors.postfix import Postfix
    program = compile_program("mail")
    with tempfile.TemporaryDirectory(prefix="bench-mail-") as folder:
        postfix = Postfix(folder, default="discard", smtpds=SESSIONS + 5)
        try:
            def one(name):
                if name == "banyan":
                    told, _, _, others = run_program([program, postfix.port, count, SESSIONS, BYTES])
                    return {"cost": told["us"], "cpu_us": told["cpu_us"], "others": 0}
                return source(postfix.port, count)
            yield from in_turn(names, pairs, one)
        finally:
            postfix.finish()


def source(port, count):
    before, busy = spent_by_children(), Busy()
    done = subprocess.run(["smtp-source", "-d", "-s", str(SESSIONS), "-m", str(count), "-l", str(BYTES), "-f", "shop@sink.test", "-t", "ann@sink.test",
                           f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=180)
    spent, after = spent_by_children() - before, Busy()
    if done.returncode:
        raise BenchError(f"smtp-source: {done.stderr.strip()[-400:]}")
    return {"cost": (after.at - busy.at) * 1e6 / count, "cpu_us": spent * 1e6 / count, "others": 0}


def rates(_bench, rounds):
    """Mails a second, and the client's part."""
    def middle(name, key):
        values = sorted(one[name][key] for one in rounds)
        return values[len(values) // 2]
    return "; ".join(f"{name} {1e6 / middle(name, 'cost'):.0f} mails/s, {middle(name, 'cpu_us'):.0f} us CPU of the client each"
                     for name in rounds[0])
