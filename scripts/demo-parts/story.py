# SPDX-License-Identifier: Apache-2.0
"""The life of a route, as the demo plays it: shadow, a canary that is made bad and goes back by itself, one that goes through,
a drill. Each stage says what happens and where to look; what came of all of them is a table at the end."""
import subprocess
import time

from programs import Problem, shown
from shift import moment

WAIT_S = 180  # for what takes seconds; more than this is no demo


class Stage:
    """A row of the table. What it does not count is None."""

    def __init__(self, name):
        self.name, self.began, self.ended = name, time.time(), None
        self.users = self.hurt = self.seconds = None
        self.good, self.said = False, ""


class Story:
    def __init__(self, pulse, shift, ledger, look, bad, enough):
        """look: {what: URL}; bad: what `fault` is told to make the new side bad (a list that begins with its file);
        enough: comparisons and requests that a stage wants to have seen before the next."""
        self.pulse, self.shift, self.ledger, self.look, self.bad, self.enough = pulse, shift, ledger, look, bad, enough
        self.stages = []

    def run(self):
        for number, play in enumerate((self.shadow, self.canary_goes_bad, self.shadow_again, self.canary_goes_through, self.drill), 1):
            stage = Stage(play.__name__.replace("_", " "))
            self.stages.append(stage)
            self.pulse.say(f"\n{number}. {play.__doc__}")
            play(stage)
            stage.ended = time.time()
            self.pulse.say(f"   {stage.said}")

    def tell(self, verb, why, **more):
        self.pulse.say(f"   {self.shift.tell(verb, why, **more)}")

    def see(self, *names):
        for name in names:
            self.pulse.say(f"   look: {name:<12} {self.look[name]}")

    def fault(self, *words):
        done = subprocess.run([*map(str, self.bad[:2]), *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(f"examples/shop/fault: {done.stderr.strip()}")
        self.pulse.say(f"   $ examples/shop/fault {shown(self.bad[1])} {' '.join(words)}")

    # The stages

    def shadow(self, stage):
        """Shadow. The old side answers; what changes nothing is asked of the new side too, off the user's path, and compared."""
        self.tell("shadow", "to see whether the new release answers as the old one does")
        self.see("the route", "differences")
        self.compare(stage)

    def shadow_again(self, stage):
        """Mended. The new side answers as it should again, and is compared anew."""
        self.fault("none")
        if self.shift.now()["phase"] != "shadow":
            self.tell("shadow", "the new release is mended")
        self.compare(stage)

    def compare(self, stage):
        before = self.compared()
        self.pulse.until(lambda: self.compared() - before >= self.enough, "requests compared", WAIT_S)
        found = self.shift.differences()
        stage.good = not found
        stage.said = f"{self.compared() - before} answers compared, " + (
            "no difference" if not found else "differences: " + ", ".join(f"{path} {kind}" for path, kind, _ in found))

    def compared(self):
        return self.shift.now()["detail"]["shadow"]["compared"]

    def canary_goes_bad(self, stage):
        """A canary that goes bad. Some users are on the new side; then every fifth answer of it is an error. Nobody is told."""
        self.tell("canary", "no difference was found")
        self.see("the route", "plan")
        self.pulse.until(lambda: self.touched(stage) >= 3, "users on the new side", WAIT_S)
        planted = time.time()
        self.fault(*self.bad[2:])
        entry = self.pulse.until(lambda: self.touched(stage) and self.back(), "the way back", WAIT_S)
        back = moment(entry["at"])
        first = self.pulse.until(lambda: next((one.at for one in self.failures() if one.at >= planted - 1), None), "its failures in the log", WAIT_S)
        last = max((one.at for one in self.ledger.read() if one.upstream == "shop-next" and one.at >= planted), default=back)
        stage.seconds = max(0.0, back - first)
        stage.hurt = len({one.who for one in self.failures() if one.at >= planted - 1})
        stage.good = True
        stage.said = (f"back by itself, {stage.seconds:.1f} s after the first error; the last request to the new side "
                      f"{max(0.0, last - back):.2f} s later.\n   why: {entry['why']}")

    def canary_goes_through(self, stage):
        """A canary that goes through. Other users are drawn this time; each step waits until the judge has seen enough."""
        self.tell("canary", "mended")
        self.see("the route")
        said = set()

        def through():
            now = self.shift.now()
            self.touched(stage, now)
            if now["phase"] == "canary" and now["percent"] not in said:
                said.add(now["percent"])
                self.pulse.say(f"   {now['percent']:g} % of the users on the new side")
            if self.back():
                raise Problem(f"a new side that was well went back: {self.back()['why']}")
            return now["phase"] == "new"

        self.pulse.until(through, "all steps", 2 * WAIT_S)
        took, since = time.time() - stage.began, len(self.ledger.read())
        self.pulse.say(f"   {self.shift.now()['percent']:g} %: all but the hold-back, which is there to compare with")
        self.pulse.until(lambda: through() and len(self.ledger.read()) - since >= self.enough // 2, "requests of the new side", WAIT_S)
        stage.good = True
        stage.said = f"all but the hold-back are on the new side, {took:.0f} s after the first were"

    def drill(self, stage):
        """A drill. Going back on purpose shows that the way back is open, while all is well."""
        self.touched(stage)
        told = time.time()
        self.tell("drill", "to see that it works")
        self.see("journal")
        self.pulse.until(self.back, "the way back", WAIT_S)
        served = len(self.ledger.read())
        self.pulse.until(lambda: len(self.ledger.read()) >= served + 20, "requests after the drill", WAIT_S)
        last = max((one.at for one in self.ledger.read() if one.upstream == "shop-next"), default=told)
        stage.seconds = max(0.0, last - told)
        stage.good = True
        stage.said = f"back; the last request to the new side {stage.seconds:.2f} s after the word"

    # What they count

    def back(self):
        """The journal's newest entry, when it leads back to the old side."""
        entry = self.shift.last()
        return entry if entry["to"] == "old" else None

    def touched(self, stage, now=None):
        """Users on the new side so far."""
        users = (now or self.shift.now())["detail"]["users"]["new"]
        stage.users = max(stage.users or 0, users)
        return stage.users

    def failures(self):
        return [one for one in self.ledger.read() if one.upstream == "shop-next" and one.status >= 500]

    def table(self):
        """Lines, the sentence at the end last; and whether all went as it should."""
        rows = self.ledger.read()
        shown = ["", f"{'':<24}{'old side':>10}{'new side':>10}{'failed':>8}{'users on new':>14}{'hurt':>6}{'back in':>9}"]
        lost = 0
        for stage in self.stages:
            of = [one for one in rows if stage.began <= one.at < (stage.ended or time.time())]
            new = sum(one.upstream == "shop-next" for one in of)
            failed = sum(one.status >= 500 or one.status == 0 for one in of)
            if stage.name != "canary goes bad":
                lost += failed
            back = "" if stage.seconds is None else f"{stage.seconds:.1f} s"
            shown.append(f"{stage.name:<24}{len(of) - new:>10}{new:>10}{failed:>8}{blank(stage.users):>14}{blank(stage.hurt):>6}{back:>9}"
                         f"  {'good' if stage.good else 'BAD'}")
        good = len(self.stages) == 5 and all(stage.good for stage in self.stages) and not lost
        shown += ["", "verdict: good" if good else f"verdict: BAD{f', {lost} requests failed that no fault was planted for' if lost else ''}"]
        return shown, good


def blank(value):
    return "" if value is None else str(value)
