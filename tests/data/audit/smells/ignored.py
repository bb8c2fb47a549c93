"""Comments that ignore."""
# banyan: ignore print-call what this file prints is read by people


def said():
    print("a")  # expect: ignored
    eval("a")  # banyan: ignore eval-call it is our own text # expect: ignored
    eval("b")  # banyan: ignore PY303, exec-call -- also ours # expect: ignored
    eval(  # expect: ignored
        "c"
    )  # banyan: ignore eval-call behind its end
    eval("d")  # banyan: ignore eval-call # expect: ignored, ignore-bare
    eval("e")  # banyan: ignore evil-call it is # expect: eval-call, ignore-unknown
    eval("f")  # banyan: ignore exec-call wrong rule # expect: eval-call, ignore-unused
    eval("g")  # nosec # expect: ignored
    eval("h")  # nosec B307 # expect: ignored
    eval("k")  # banyan: ignore bandit:B307 ours # expect: ignored
    eval("l")  # banyan: ignore bandit:B301 not that # expect: eval-call, ignore-unused
    eval("i")  # nosec B101 # expect: eval-call


# banyan: ignore mutable-default the whole class
# banyan: ignore eval-call so it is
class Whole:
    def one(self, a=[]):  # expect: ignored
        eval("j")  # expect: ignored
        return a


def after(a=[]):  # expect: mutable-default
    return a
