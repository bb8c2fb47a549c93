# SPDX-License-Identifier: Apache-2.0
"""Debian's postfix, an instance of our own in a folder: takes mails on a port of this machine, keeps those of `box.test` in a box, and
sends reports about those it cannot deliver."""
import contextlib
import mailbox
import os
import pathlib
import pwd
import shutil
import smtplib
import socket
import subprocess

from actors.waiting import until

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = none
virtual_mailbox_domains = box.test
virtual_mailbox_base = {folder}/box
virtual_mailbox_maps = regexp:{folder}/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
transport_maps = inline:{{ {transports} }}
default_transport = {default}
in_flow_delay = 0
"""
MASTER = """
127.0.0.1:{port} inet n - n - {smtpds} smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, folder, reports=None, default="error:no", smtpds=20):
        """reports: (domain, port): where mails of that domain go on to."""
        if os.geteuid() or not shutil.which("postfix"):
            import pytest
            pytest.skip("an instance of postfix takes root")
        self.folder = pathlib.Path(folder) / "postfix"
        self.name = "postfix"
        owner = pwd.getpwnam("postfix")
        for name in ("", "queue", "data", "box", "box/all", "box/all/cur", "box/all/new", "box/all/tmp"):
            (self.folder / name).mkdir(mode=0o755)
        for at in (pathlib.Path(folder), *pathlib.Path(folder).parents):
            if str(at) not in ("/", "/tmp"):
                at.chmod(at.stat().st_mode | 0o111)
        for name in (self.folder / "data", *(self.folder / "box").rglob("*")):
            os.chown(name, owner.pw_uid, owner.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        transports = f"{reports[0]}=smtp:[127.0.0.1]:{reports[1]}" if reports else "none.test=error:no"
        (self.folder / "main.cf").write_text(MAIN.format(folder=self.folder, uid=owner.pw_uid, gid=owner.pw_gid, transports=transports,
                                                         default=default))
        (self.folder / "master.cf").write_text(MASTER.format(port=self.port, smtpds=smtpds))
        (self.folder / "boxes").write_text("if !/^gone/\n/^[a-z0-9.]+@box\\.test$/ all/\nendif\n")
        self.command("start")
        until(self.answers, "postfix")

    def command(self, word):
        subprocess.run(["postfix", "-c", self.folder, word], check=True, capture_output=True)

    def answers(self):
        with contextlib.suppress(OSError), smtplib.SMTP("127.0.0.1", self.port):
            return True
        return False

    @property
    def mails(self):
        return list(mailbox.Maildir(self.folder / "box/all"))

    def finish(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.command("stop")
        until(lambda: not (self.folder / "queue/pid/master.pid").exists() or not self.answers(), "postfix's end")

    def report(self):
        log = self.folder / "log"
        return log.read_text()[-4000:] if log.exists() else "(no log)"
