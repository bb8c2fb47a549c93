# SPDX-License-Identifier: Apache-2.0
"""Real servers as actors, on ports that nobody else can take between choosing and listening."""
import contextlib
import pathlib
import signal
import socket
import sys

from actors.process import Program, listening_socket, reserved_port
from actors.waiting import until

APPS = pathlib.Path(__file__).resolve().parents[1] / "apps"
NGINX = """
daemon off; master_process off; worker_processes 1; error_log stderr warn; pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000; client_max_body_size 0; client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen {address} reuseport {listen}; {conf} }}
}}
"""


def is_listening(address):
    host, port = address.split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
        return True
    return False


class Server(Program):
    """A program that serves HTTP on `address`; `own` is the socket that keeps its port its own."""

    def __init__(self, name, folder, command, own, **options):
        self.address = "127.0.0.1:%d" % own.getsockname()[1]
        self.own = own
        super().__init__(name, folder, command, **options)
        try:
            until(lambda: is_listening(self.address) or not self.is_running(), name)
            assert self.is_running(), self.report()
        except BaseException:
            self.kill()
            raise

    def finish(self):
        self.own.close()
        if self.is_running():
            self.signal(signal.SIGTERM)
        self.wait(20)

    def kill(self):
        """Also gives the port back, so that it refuses."""
        self.own.close()
        super().kill()


def nginx(folder, conf, listen="", number=0):
    """conf: what stands in the server block; listen: more words for its listen line."""
    port, own = reserved_port()
    name = f"nginx{number or ''}"
    home = pathlib.Path(folder) / name
    home.mkdir()
    (home / "nginx.conf").write_text(NGINX.format(folder=home, address=f"127.0.0.1:{port}", listen=listen, conf=conf))
    return Server(name, folder, ["/usr/sbin/nginx", "-p", home, "-c", home / "nginx.conf", "-e", "stderr"], own)


def gunicorn(folder, app, worker="gthread", number=0, **options):
    """app: "module:name" of tests/plays/apps. Options as gunicorn's: threads=4, keep_alive=2."""
    own = listening_socket()
    words = [f"--{key.replace('_', '-')}={value}" for key, value in {"threads": 8, "keep_alive": 75, **options}.items()]
    command = ["/usr/bin/python3", "-m", "gunicorn", "--bind", f"fd://{own.fileno()}", "--worker-class", worker, "--chdir", APPS,
               "--log-level", "warning", "--graceful-timeout", "1", *words, app]
    return Server(f"gunicorn{number or ''}", folder, command, own, pass_fds=[own.fileno()],
                  env={"PYTHONDONTWRITEBYTECODE": "1"})


assert sys.version_info >= (3, 11), "use Debian's python3"
