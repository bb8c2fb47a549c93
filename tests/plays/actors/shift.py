# SPDX-License-Identifier: Apache-2.0
"""What is moved by a gateway, asked and told on its admin port."""
import json

from actors.waiting import until

TOKEN = "a-token-of-the-plays"
ADMIN = f"""admin: {{ address: "127.0.0.1:0", tokens: [ {{ name: play, token: {TOKEN}, role: approve }} ] }}"""


class Subject:
    """One of a gateway's, which was started with `token=TOKEN` and the ADMIN line in its configuration."""

    def __init__(self, gw, name):
        self.gw, self.name = gw, name

    def ask(self, path="", method="GET", body=None):
        status, _, text = self.gw.ask_admin(f"/shift/{self.name}{path}", method, body=body and json.dumps(body))
        assert status == 200, f"{method} {self.name}{path}: {status} {text}"
        return json.loads(text)

    def now(self):
        return self.ask()

    @property
    def phase(self):
        return self.now()["phase"]

    def tell(self, verb, **more):
        return self.ask(f"/{verb}", "POST", {"why": "the play wants it", **more})

    def history(self):
        """Newest first."""
        return self.ask("/history?limit=100")["entries"]

    def differences(self):
        return self.ask("/differences")["keys"]

    def compared(self):
        return self.now()["detail"]["shadow"]["compared"]

    def wait_phase(self, phase, within):
        return until(lambda: self.phase == phase, f"{self.name} in phase {phase}; it is {self.now()}", within)
