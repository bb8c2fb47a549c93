# SPDX-License-Identifier: Apache-2.0
"""Apple, Google, a browser's push service and Twilio, on one port of this machine."""
import json
import pathlib
import subprocess
import threading

from actors.process import Program

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "apps/pushes.mjs"


class Pushes:
    name = "pushes"

    def __init__(self, folder, certificates):
        self.program = Program("pushes", folder, ["node", SCRIPT], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.lock = threading.Lock()
        self.port = self.ask("begin", cert=str(certificates.certificate()), key=str(certificates.key()))["port"]
        self.url = f"https://127.0.0.1:{self.port}"

    def ask(self, op, **rest):
        with self.lock:
            self.program.process.stdin.write((json.dumps({"op": op, **rest}) + "\n").encode())
            self.program.process.stdin.flush()
            answer = json.loads(self.program.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["ok"]

    def plan(self, path, *answers):
        """What is answered next where a path begins so."""
        return self.ask("plan", path=path, answers=list(answers))

    def seen(self, browsers=False):
        """What came since the last time; what goes to browsers only if asked for: those of another play are tried again meanwhile."""
        return [one for one in self.ask("seen") if browsers == one["path"].startswith("/push/")]

    def finish(self):
        self.program.process.stdin.close()
        self.program.process.wait(20)

    def report(self):
        return self.program.report() if hasattr(self.program, "report") else ""
