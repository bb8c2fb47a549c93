# SPDX-License-Identifier: Apache-2.0
"""The demo's second act: the shop's mails move to Banyan by one line of its settings, are captured and compared, really delivered, and moved
back; and its users log in at the user service with the passwords they have. What came of the mails is counted from the shop's own log of them:
each of its letters is in one place, once."""
import collections
import email
import email.header
import json
import mailbox
import os
import signal
import subprocess
import time

from customers import PASSWORD, Customer
from programs import Problem, shown

WAIT_S = 60


class Stage:
    def __init__(self, name):
        self.name, self.letters, self.box, self.captured, self.delivered = name, 0, 0, 0, 0
        self.good, self.said = False, ""


class Mails:
    """Where the letters are. A letter is its address and its subject: every customer of the act is new, and every order has a number."""

    def __init__(self, shop, later, folder, banyan, config, post):
        self.shop, self.later, self.folder, self.banyan, self.config, self.post = shop, later, folder, banyan, config, post
        self.first = None

    # The shop

    def written(self):
        """Letters that the shop has written and sent since the act began, from its own database."""
        import psycopg2
        with psycopg2.connect(self.shop["database"]) as connection, connection.cursor() as cursor:
            if self.first is None:
                cursor.execute("SELECT coalesce(max(id), 0) FROM notifications_notification")
                self.first = cursor.fetchone()[0]
            cursor.execute("SELECT u.email, n.subject, n.status FROM notifications_notification n JOIN auth_user u ON u.id = n.user_id "
                           "WHERE n.id > %s AND u.email <> ''", [self.first])
            rows = cursor.fetchall()
        connection.close()
        return collections.Counter((address, subject) for address, subject, status in rows if status == "sent"), \
            [row for row in rows if row[2] == "failed"]

    def point(self, where):
        """The one line; None: as it was. Both releases read it at a SIGHUP."""
        file = os.path.join(self.shop["data"], "settings.env")
        if where:
            with open(file, "w") as out:
                out.write(f"SHOP_EMAIL_HOST={where}\n")
        elif os.path.exists(file):
            os.unlink(file)
        for about in (self.shop, self.later):
            before = workers(about["pid"]["gunicorn"])
            os.kill(about["pid"]["gunicorn"], signal.SIGHUP)
            ends = time.monotonic() + WAIT_S
            while before & workers(about["pid"]["gunicorn"]) or not workers(about["pid"]["gunicorn"]):
                if time.monotonic() > ends:
                    raise Problem("gunicorn's workers do not go at a SIGHUP")
                time.sleep(0.1)

    # The places

    def in_box(self):
        """The file that the shop appends its letters to while it has no mail server."""
        path = os.path.join(self.shop["data"], "mail", "outbox.mbox")
        return collections.Counter(letter(mail) for mail in mailbox.mbox(path, create=False)) if os.path.exists(path) else collections.Counter()

    def delivered(self):
        with open(self.post) as file:
            rows = [json.loads(line) for line in file if line.endswith("\n")]
        return collections.Counter((to, letter(email.message_from_string(row["mail"]))[1]) for row in rows for to in row["to"])

    def captured(self):
        return json.loads(self.command("mail", "mode", "--json"))["mails"].get("captured", 0)

    def command(self, *words, good=(0,)):
        done = subprocess.run([self.banyan, *words, "-c", self.config], capture_output=True, text=True, check=False)
        if done.returncode not in good:
            raise Problem(f"banyan {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout


def workers(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return set(file.read().split())


def letter(mail):
    def text(name):
        return str(email.header.make_header(email.header.decode_header(" ".join((mail[name] or "").split()))))
    return email.utils.parseaddr(text("To"))[1], text("Subject")


class MailStory:
    def __init__(self, pulse, mails, intake, url, people):
        self.pulse, self.mails, self.intake, self.url, self.people = pulse, mails, intake, url, people
        self.stages, self.customers = [], []
        self.before = collections.Counter(), collections.Counter()

    def run(self):
        self.mails.written()
        self.before = self.mails.in_box(), self.mails.delivered()
        for number, play in enumerate((self.mails_as_before, self.mails_captured, self.mails_delivered, self.mails_back, self.accounts), 6):
            stage = Stage(play.__name__.replace("_", " "))
            self.stages.append(stage)
            self.pulse.say(f"\n{number}. {play.__doc__}")
            self.start = self.mails.written()[0], self.mails.in_box(), self.mails.delivered(), self.mails.captured()
            play(stage)
            stage.letters, stage.box, stage.delivered = (
                sum((now - then).values()) for now, then in
                zip((self.mails.written()[0], self.mails.in_box(), self.mails.delivered()), self.start))
            self.pulse.say(f"   {stage.said}")

    def come(self):
        """New customers, who sign up and buy: two letters each."""
        for _ in range(self.people):
            customer = Customer(self.url)
            customer.sign_up()
            customer.buy()
            self.customers.append(customer)
            self.pulse.beat()

    def settings(self, where):
        file = shown(self.mails.folder / "shop/settings.env")
        self.pulse.say(f"   $ echo SHOP_EMAIL_HOST={where} > {file}; kill -HUP ..." if where else f"   $ rm {file}; kill -HUP ...")
        self.mails.point(where)

    def banyan(self, *words, **options):
        self.pulse.say(f"   $ banyan {' '.join(map(str, words))} -c {shown(self.mails.config)}")
        return self.mails.command(*words, **options)

    # The stages

    def mails_as_before(self, stage):
        """The shop's mails, before anything. It appends them to a file; customers come, each gets two."""
        self.come()
        stage.good = all(self.sent_to(customer, self.mails.in_box()) == 2 for customer in self.customers)
        stage.said = f"{self.people} new customers, two letters each in {shown(self.mails.folder / 'shop/mail/outbox.mbox')}"

    def mails_captured(self, stage):
        """Captured. One line of the shop's settings points its mails at Banyan, which keeps them, shows them, and sends nothing."""
        self.settings(self.intake)
        begun = len(self.customers)
        self.come()
        fresh = self.customers[begun:]
        self.pulse.until(lambda: self.mails.captured() - self.start[3] >= 2 * self.people, "captured mails", WAIT_S)
        lines = self.banyan("mail", "compare", self.mails.folder / "shop/mail/outbox.mbox", good=(0, 3)).splitlines()
        for line in lines:
            self.pulse.say(f"   {line}")
        same = not any(line.startswith("DIFFERENT") for line in lines) and any(line.startswith("same") for line in lines)
        quiet = not any(self.sent_to(customer, place) for customer in fresh for place in (self.mails.in_box(), self.mails.delivered()))
        stage.captured = self.mails.captured() - self.start[3]
        stage.good = same and quiet
        stage.said = f"{stage.captured} captured, none sent; they are {'as they were before' if same else 'NOT as they were before'}"

    def mails_delivered(self, stage):
        """Delivered. Banyan sends on what comes, and what it has kept, to a mail server on this machine. The shop knows nothing of it."""
        self.banyan("mail", "mode", "relay")
        self.banyan("mail", "release", "relay", "--all")
        begun = len(self.customers)
        self.come()
        moved = self.customers[begun - self.people:]
        self.pulse.until(lambda: all(self.sent_to(customer, self.mails.delivered()) >= 2 for customer in moved), "delivered mails", WAIT_S)
        stage.good = all(self.sent_to(customer, self.mails.delivered()) == 2 for customer in moved) and not self.mails.captured()
        stage.said = "the mail server has those that were captured, and the new ones"

    def mails_back(self, stage):
        """Back. The line goes, and the shop's mails are where they were."""
        self.settings(None)
        begun = len(self.customers)
        self.come()
        stage.good = all(self.sent_to(customer, self.mails.in_box()) == 2 for customer in self.customers[begun:])
        stage.said = "the shop writes to its file again"

    def accounts(self, stage):
        """Accounts. The shop's users are imported, with the passwords that Django keeps, and log in at the user service. Who is logged in
   at the shop is known to the services by that alone: the gateway is the bridge."""
        dump = self.mails.folder / "users.json"
        self.dump(dump)
        self.banyan("user", "import", "--source", "shop", "--no-email", dump, good=(0, 2))
        good = [customer for customer in self.customers if self.logs_in(customer)]
        known = [customer for customer in self.customers if customer.ask("GET", "/v1/inbox")[0] == 200]
        stranger = Customer(self.url).ask("GET", "/v1/inbox")[0]
        stage.good = len(good) == len(known) == len(self.customers) and stranger == 401
        stage.said = (f"{len(good)} of {len(self.customers)} logged in with the password they chose at the shop, and none with another;\n"
                      f"   {len(known)} got their inbox of the notification service by the shop's cookie, and a stranger got {stranger}")

    def dump(self, file):
        import psycopg2
        with psycopg2.connect(self.mails.shop["database"]) as connection, connection.cursor() as cursor, open(file, "w") as out:
            cursor.execute("SELECT id, username, email, password, first_name, last_name, is_staff, is_superuser, is_active FROM auth_user ORDER BY id")
            for row in cursor:
                out.write(json.dumps(dict(zip([column.name for column in cursor.description], row))) + "\n")
        connection.close()

    def logs_in(self, customer):
        def status(password):
            return customer.ask("POST", "/v1/sessions", json.dumps({"login": customer.name, "password": password, "bearer": True}).encode(),
                                **{"Content-Type": "application/json"})[0]
        return status(PASSWORD) == 201 and status(PASSWORD + "!") == 401

    # What they count

    @staticmethod
    def sent_to(customer, place):
        return sum(count for (address, _), count in place.items() if address == customer.email)

    def count(self):
        """(written, failed, found): each of them letters. What is on its way now is waited for."""
        for _ in range(100):
            written, failed = self.mails.written()
            found = (self.mails.in_box() - self.before[0]) + (self.mails.delivered() - self.before[1])
            if written == found:
                break
            self.pulse.beat()
        return written, failed, found

    def table(self):
        written, failed, found = self.count()
        lost, twice = sum((written - found).values()), sum((found - written).values())
        rows = ["", f"{'':<24}{'letters':>10}{'its file':>10}{'captured':>10}{'delivered':>10}"]
        for stage in self.stages:
            rows.append(f"{stage.name:<24}{stage.letters:>10}{stage.box:>10}{stage.captured:>10}{stage.delivered:>10}"
                        f"  {'good' if stage.good else 'BAD'}")
        good = len(self.stages) == 5 and all(stage.good for stage in self.stages) and not lost and not twice and not failed
        rows += ["", f"mails: {sum(written.values())} written, {sum(found.values())} arrived; {lost} lost, {twice} twice, {len(failed)} failed",
                 f"verdict on mails: {'good' if good else 'BAD'}"]
        return rows, good
