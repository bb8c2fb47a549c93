# SPDX-License-Identifier: Apache-2.0
"""Who is measured, each set up as its own manual would have it for this job, with the same features on all sides.

Common to all: keep-alive on both sides without a limit on requests, connections to the upstream pooled and never too few,
Host passed on, X-Forwarded-For, -Proto and -Host added, bodies streamed both ways, no compression, no cache, no files but
the access log of `full` and those of a `site`. What is on in ours and cannot be turned off (strict framing, canonical paths, request ids,
metrics) stays on in the bare runs and is charged to us."""
import dataclasses
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import time

import routes
from machine import BenchError, end, family, spawn

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD_ROOT", "build")
START_S = 10


@dataclasses.dataclass
class Setup:
    """What a contender is asked to be."""
    upstream: int               # port on 127.0.0.1
    folder: pathlib.Path        # its own, empty
    threads: int = 1
    cpus: set = None
    full: bool = False          # access log of JSON lines to a file, metrics, request ids
    large: bool = False         # bodies of a megabyte
    held: bool = False          # bodies of requests are held until they are whole, in memory and then in a file
    tls: pathlib.Path = None    # folder of cert.pem, key.pem, both.pem
    site: pathlib.Path = None   # folder whose `files` is given below /files/
    connections: int = 4096     # client connections at once, at least
    queued: bool = False        # ours: at most 256 connections to the upstream, what is beyond them waits
    routes: int = 0             # of ours: so many, as routes.py has them; 0: one that takes all


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate():
    """One P-256 certificate for all, made once."""
    folder = BUILD / "bench/tls"
    if not (folder / "both.pem").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "3650", "-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return folder


def first_line(stream, seconds):
    """The next line of a program's output, or an error."""
    if not select.select([stream], [], [], seconds)[0]:
        raise BenchError(f"nothing said for {seconds} s")
    return stream.readline().decode().strip()


class Contender:
    """One server, from `with` to its end. `port` is where it listens."""
    name = ""

    def __init__(self, setup):
        self.setup, self.port, self.process = setup, free_port(), None
        setup.folder.mkdir(parents=True, exist_ok=True)
        self.output = setup.folder / "output"

    def command(self):
        raise NotImplementedError

    def wait_ready(self):
        give_up = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < give_up:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise BenchError(f"{self.name} did not start: {self.output.read_text()[-2000:]}")

    def __enter__(self):
        with self.output.open("w") as output:
            self.process = spawn(self.command(), self.setup.cpus, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, cwd=self.setup.folder)
        try:
            self.wait_ready()
        except BenchError:
            end(self.process)
            raise
        return self

    def __exit__(self, *_error):
        end(self.process)

    def pids(self):
        return family(self.process.pid)

    def log_lines(self):
        """Lines in the access log of a full run."""
        log = self.setup.folder / "access.log"
        return log.read_bytes().count(b"\n") if log.exists() else 0


class Relay(Contender):
    name = "relay"

    def command(self):
        return [BUILD / "bench/relay", self.setup.upstream]

    def wait_ready(self):
        give_up = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < give_up:
            said = self.output.read_text()
            if said.endswith("\n"):
                self.port = int(said.split()[1])
                return
            time.sleep(0.01)
        raise BenchError("relay did not start")


NGINX = """
daemon off;
{user}
worker_processes {threads};
worker_rlimit_nofile {files};
pid nginx.pid;
error_log error.log {level};
events {{ worker_connections {connections}; use epoll; multi_accept on; }}
http {{
	{temp_paths}
	{log}
	sendfile on;
	tcp_nodelay on;
	keepalive_timeout 300s;
	keepalive_requests 1000000000;
	client_max_body_size 0;
	client_body_buffer_size 64k;
	server_tokens off;
	upstream origin {{
		server 127.0.0.1:{upstream};
		keepalive 256;
		keepalive_requests 1000000000;
		keepalive_timeout 300s;
	}}
	server {{
		listen 127.0.0.1:{port} backlog=4096 {listen};
		{tls}
		location / {{
			proxy_pass http://origin;
			proxy_http_version 1.1;
			proxy_request_buffering {held};
			proxy_max_temp_file_size 0;
			{buffers}
			proxy_set_header Connection "";
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Host $http_host;
			{ids}
		}}
		{site}
	}}
	{status}
}}
"""
NGINX_LOG = """log_format json escape=json '{{"@timestamp":"$time_iso8601","http.request.id":"$request_id",'
		'"client.ip":"$remote_addr","client.port":$remote_port,"http.request.method":"$request_method",'
		'"url.domain":"$host","url.path":"$uri","url.query":"$args","http.version":"$server_protocol",'
		'"http.response.status_code":$status,"http.request.bytes":$request_length,"http.response.bytes":$body_bytes_sent,'
		'"event.duration":$request_time,"upstream":"$proxy_host","server.address":"$upstream_addr",'
		'"upstream.connect":"$upstream_connect_time","upstream.head":"$upstream_header_time","user_agent":"$http_user_agent",'
		'"referer":"$http_referer"}}';
	access_log access.log json buffer=64k flush=1s;"""


class Nginx(Contender):
    name = "nginx"
    kept = ""

    def command(self):
        setup = self.setup
        text = NGINX.format(
            user="user root;" if os.geteuid() == 0 else "", threads=setup.threads, files=20000,
            connections=setup.connections + 512, temp_paths=self.temp_paths(),
            log=NGINX_LOG.format() if setup.full else "access_log off;", upstream=setup.upstream, port=self.port,
            listen=("reuseport " if setup.threads > 1 else "") + ("ssl http2" if setup.tls else ""),
            tls=f"ssl_certificate {setup.tls}/cert.pem; ssl_certificate_key {setup.tls}/key.pem; "
                "ssl_protocols TLSv1.3; ssl_session_tickets on;" if setup.tls else "",
            buffers="proxy_buffers 16 32k; proxy_busy_buffers_size 256k;" if setup.large else "",
            held="on" if setup.held else "off", level="error" if setup.held else "warn",  # it warns of every file
            ids="proxy_set_header X-Request-Id $request_id; add_header X-Request-Id $request_id;" if setup.full else "",
            status=f"server {{ listen 127.0.0.1:{free_port()}; access_log off; location / {{ stub_status; }} }}"
                   if setup.full else "",
            site=f"location /files/ {{ root {setup.site}; {self.kept} }}" if setup.site else "")
        (setup.folder / "nginx.conf").write_text(text)
        return ["nginx", "-p", setup.folder, "-c", setup.folder / "nginx.conf", "-e", "error.log"]

    def temp_paths(self):
        """Of the modules that this nginx has: each would create its folder somewhere else."""
        built = subprocess.run(["nginx", "-V"], capture_output=True, text=True).stderr
        names = re.findall(r"--http-([a-z-]+)-temp-path", built)
        return " ".join(f"{name.replace('-', '_')}_temp_path {name};" for name in names
                        if f"--without-http_{name}_module" not in built)

    def wait_ready(self):
        super().wait_ready()
        give_up = time.monotonic() + START_S
        while len(self.pids()) < 1 + self.setup.threads:
            if time.monotonic() > give_up:
                raise BenchError("nginx has not started its workers")
            time.sleep(0.01)

    def __exit__(self, *error):
        super().__exit__(*error)
        complaints = (self.setup.folder / "error.log").read_text()
        if complaints and not any(error):
            raise BenchError(f"nginx complained: {complaints[:500]}")


class NginxKept(Nginx):
    """Keeps files open, and believes for a minute what it knows of them."""
    name = "nginx-ofc"
    kept = "open_file_cache max=1000; open_file_cache_valid 60s;"


HAPROXY = """
global
	nbthread {threads}
	maxconn {connections}
	no strict-limits
	{buffers}
	ssl-default-bind-options ssl-min-ver TLSv1.3
	{log}
defaults
	mode http
	{log_format}
	timeout connect 5s
	timeout client 300s
	timeout server 300s
	timeout http-keep-alive 300s
	option forwardfor
	http-reuse always
	{ids}
frontend clients
	bind 127.0.0.1:{port} backlog 4096 {bind}
	http-request set-header X-Forwarded-Proto {scheme}
	http-request set-header X-Forwarded-Host %[req.hdr(host)]
	{tell_id}
	default_backend origin
backend origin
	server origin 127.0.0.1:{upstream}
{status}
"""
HAPROXY_LOG = """log-format '{"@timestamp":"%trg","http.request.id":"%ID","client.ip":"%ci","client.port":%cp,\
"http.request.method":"%HM","url.domain":"%[capture.req.hdr(0),json(utf8s)]","url.path":"%[capture.req.uri,json(utf8s)]",\
"http.version":"%HV","http.response.status_code":%ST,"http.request.bytes":%U,"http.response.bytes":%B,\
"event.duration":%Ta,"attempts":"%rc","upstream":"%b","server.address":"%si:%sp","upstream.connect":%Tc,"upstream.head":%Tr,\
"user_agent":"%[capture.req.hdr(1),json(utf8s)]","referer":"%[capture.req.hdr(2),json(utf8s)]"}'
	log global"""


class Haproxy(Contender):
    name = "haproxy"

    def command(self):
        setup = self.setup
        captures = "".join(f"http-request capture req.hdr({name}) len 128\n\t" for name in ("host", "user-agent", "referer"))
        text = HAPROXY.format(
            threads=setup.threads, connections=setup.connections, port=self.port, upstream=setup.upstream,
            bind=f"ssl crt {setup.tls}/both.pem alpn h2,http/1.1" if setup.tls else "",
            buffers="tune.bufsize 65536" if setup.large else "", scheme="https" if setup.tls else "http",
            log="log stdout len 4096 format raw daemon" if setup.full else "",
            log_format=HAPROXY_LOG if setup.full else "",
            ids="unique-id-format %[uuid()]\n\tunique-id-header X-Request-Id" if setup.full else "",
            tell_id=captures + "http-response set-header X-Request-Id %[unique-id]" if setup.full else "",
            status=f"frontend metrics\n\tbind 127.0.0.1:{free_port()}\n\tno log\n"
                   "\thttp-request use-service prometheus-exporter\n\tstats enable" if setup.full else "")
        (setup.folder / "haproxy.cfg").write_text(text)
        return ["haproxy", "-db", "-f", setup.folder / "haproxy.cfg"]

    def log_lines(self):
        return self.output.read_bytes().count(b'"http.response.status_code"')


BANYAN = """
threads: {threads}
listen: [ {{ address: "127.0.0.1:{port}"{tls} }} ]
admin: {{ address: {admin} }}
access_log: {log}
limits: {{ idle: 300s, body: 0 }}
buffering: {{ requests: {held}, answers: off }}
upstreams:
  origin:
    servers: [ "127.0.0.1:{upstream}" ]{queue}
    keepalive: {{ idle_per_loop: 256, idle_time: 300s }}
routes:
{routes}"""
EVERYTHING = "  - { name: everything, match: { path: /** }, to: origin }\n"


class Banyan(Contender):
    name = "banyan"

    def command(self):
        setup = self.setup
        tls = f", tls: [ {{ certificate: {setup.tls}/cert.pem, key: {setup.tls}/key.pem }} ]" if setup.tls else ""
        admin = f'"127.0.0.1:{free_port()}"' if setup.full else "off"
        log = setup.folder / "access.log" if setup.full else "off"
        (setup.folder / "banyan.yaml").write_text(BANYAN.format(
            threads=setup.threads, port=self.port, tls=tls, admin=admin, log=log, upstream=setup.upstream,
            held="auto" if setup.held else "off",
            queue="\n    max_connections: 256\n    queue: { length: 100000, timeout: 60s }" if setup.queued else "",
            routes=(routes.rows(setup.routes) if setup.routes else EVERYTHING) +
                   (f"  - {{ name: files, match: /files/**, files: {setup.site}/files }}\n" if setup.site else "")))
        if setup.routes:
            (setup.folder / "targets").write_text(routes.requests(setup.routes))
        return [program(self.name), "serve", "-c", setup.folder / "banyan.yaml"]

    def wait_ready(self):
        give_up = time.monotonic() + START_S
        while "ready" not in self.output.read_text().split():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise BenchError(f"banyan did not start: {self.output.read_text()[-2000:]}")
            time.sleep(0.01)


class Before(Banyan):
    """Another build of ours, named in $BANYAN_BEFORE: was a change worth it?"""
    name = "before"


class Few(Banyan):
    """Ours with ten routes."""
    name = "few"

    def __init__(self, setup):
        super().__init__(dataclasses.replace(setup, routes=min(setup.routes, len(routes.MIX))))


CONTENDERS = {kind.name: kind for kind in (Banyan, Before, Few, Nginx, NginxKept, Haproxy, Relay)}


def program(name):
    default = "no such program" if name == "before" else BUILD / "release/banyan"
    return pathlib.Path(os.environ.get("BANYAN_BEFORE" if name == "before" else "BANYAN", default))


def versions():
    """name: what it calls itself, of those that are there."""
    asked = {"banyan": [program("banyan"), "version"], "before": [program("before"), "version"],
             "few": [program("few"), "version"], "nginx": ["nginx", "-v"], "nginx-ofc": ["nginx", "-v"],
             "haproxy": ["haproxy", "-v"], "wrk": ["wrk", "-v"], "h2load": ["h2load", "--version"],
             "apache": ["dpkg-query", "-W", "-f", "${Package} ${Version} ", "apache2-bin", "libapache2-mod-auth-openidc"]}
    found = {"relay": "bench/relay.c"}
    for name, command in asked.items():
        if shutil.which(command[0]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            lines = done.stdout.splitlines()
            if lines and (done.returncode == 0 or name == "wrk"):     # which says its version, and fails
                found[name] = lines[0].removeprefix("nginx version: ").split(" - ")[0].split(" Copyright")[0].strip()
    return found


class Origin:
    """The upstream of all, from `with` to its end."""

    def __init__(self, cpus):
        self.cpus = cpus

    def __enter__(self):
        self.process = spawn([BUILD / "bench/origin"], self.cpus, stdout=subprocess.PIPE)
        self.port = int(first_line(self.process.stdout, START_S).split()[1])
        return self

    def __exit__(self, *_error):
        end(self.process)
