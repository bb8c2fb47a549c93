# SPDX-License-Identifier: Apache-2.0
"""Apache with mod_auth_openidc: a relying party in C that trusts nobody. On a loopback address, as an ordinary process."""
import os
import pathlib

from actors.process import Program, listening_socket
from actors.waiting import until

MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "headers", "dir", "env")
CONF = """
ServerName 127.0.0.1
ServerRoot {folder}
PidFile {folder}/apache.pid
Listen 127.0.0.1:{port}
DefaultRuntimeDir {folder}
Mutex pthread
ErrorLog /dev/stderr
LogLevel warn auth_openidc:info
{modules}
{user}
DocumentRoot {folder}/www
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCRedirectURI {url}/private/back
OIDCCryptoPassphrase a-passphrase-of-the-play
OIDCScope "openid email profile offline_access"
OIDCResponseType code
OIDCPKCEMethod S256
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRemoteUserClaim email
OIDCSessionType server-cache
OIDCCookieSameSite On
OIDCRefreshAccessTokenBeforeExpiry 3600 logout_on_error
<Location /private>
  AuthType openid-connect
  Require valid-user
  Header set X-Email "%{{OIDC_CLAIM_email}}e"
  Header set X-Name "%{{OIDC_CLAIM_name}}e"
  Header set X-Token "%{{OIDC_access_token}}e"
</Location>
"""


class Apache:
    name = "apache"

    def __init__(self, folder, provider, register):
        """register: a function from the address it must come back to to what the client is told of itself."""
        self.folder = pathlib.Path(folder) / "apache"
        (self.folder / "www/private").mkdir(parents=True)
        (self.folder / "www/private/index.html").write_text("<h1>Inside</h1>")
        for path in (pathlib.Path(folder), self.folder):
            path.chmod(0o755)
        own = listening_socket()
        port = own.getsockname()[1]
        own.close()  # it takes no socket of others
        self.url = f"http://127.0.0.1:{port}"
        told = register(f"{self.url}/private/back")
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
        conf = self.folder / "apache.conf"
        conf.write_text(CONF.format(folder=self.folder, port=port, issuer=provider.issuer, client=told["client_id"], secret=told["client_secret"],
                                    url=self.url, modules=modules, user="User www-data\nGroup www-data" if os.geteuid() == 0 else ""))
        self.program = Program("apache", self.folder, ["/usr/sbin/apache2", "-f", conf, "-DFOREGROUND"])
        until(lambda: "resuming normal operations" in self.program.stderr or not self.program.is_running(), "Apache to begin")
        assert self.program.is_running(), self.program.report()

    def report(self):
        return self.program.report()

    def finish(self):
        self.program.signal(15)
        self.program.wait(20)
