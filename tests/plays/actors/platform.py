# SPDX-License-Identifier: Apache-2.0
"""All of Banyan as `banyan serve` runs it in an empty folder, and a program that may do everything there by JWT."""
import http.client
import json
import pathlib
import urllib.parse

from actors.gateway import BANYAN, Gateway
from actors.notes import Said
from actors.process import reserved_port
from actors.waiting import PATIENCE_S

SCOPES = "payments:write notifications:send notifications:read notifications:write mails:read analytics:admin analytics:read users:read"


class Platform(Gateway):
    def __init__(self, folder, program=BANYAN, change=None, **options):
        """change: what becomes of the configuration that the first start wrote, before anything but that start reads it."""
        folder = pathlib.Path(folder)
        held = [reserved_port() for _ in range(2)]
        places = [f"127.0.0.1:{port}" for port, _ in held]
        for _, sock in held:
            sock.close()
        super().__init__(folder, None, cwd=folder, program=program, words=("--listen", places[0], "--admin", places[1]), **options)
        self.file = folder / "data/banyan.yaml"
        if change:
            self.stop()
            self.file.write_text(change(self.file.read_text()))
            super().__init__(folder, None, cwd=folder, program=program, after=self, **options)
        self.token = None

    def own(self, *words):
        """A command that looks for its configuration where the first start left it."""
        from actors.gateway import run_banyan
        code, out, err = run_banyan(*words, cwd=self.folder)
        assert code == 0, err
        return out

    def client(self, name="program", scopes=SCOPES):
        made = json.loads(self.own("user", "client", "add", name, "--auth", "client_secret_post", "--grant", "client_credentials",
                                   "--scope", scopes, "--json"))
        return made["client_id"], made["client_secret"]

    def access(self, client):
        said = self.say("POST", "/oauth2/token", form={"grant_type": "client_credentials", "client_id": client[0], "client_secret": client[1]})
        assert said.status == 200, said.body
        return said.json["access_token"]

    def say(self, method, path, body=None, token=None, form=None, **headers):
        host, _, port = self.address.rpartition(":")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if form is not None:
            body, sent["Content-Type"] = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, sent)
            return Said(connection.getresponse())
        finally:
            connection.close()

    def services(self):
        return {row["name"]: row for row in json.loads(self.ask_admin("/services")[2])["services"]}
