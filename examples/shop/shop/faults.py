"""Faults put into a running release from outside, to see what stands in front of it notice them. No Django in here.

A JSON file says what is wrong at this moment. `examples/shop/fault` writes it, every request of a shop that was started with
`--faults FILE` looks at it (shop/middleware.py does what it says), and without the file nothing is wrong. The words:

    errors=PERCENT         so many answers are a 500
    delay=PERCENT:MS       so many requests wait MS milliseconds first
    wrong=PERCENT:FIELD    for so many users, the same ones each time, the number FIELD in JSON answers is one too high
    hang=PERCENT           so many requests get no answer as long as the fault lasts (a minute at most)
    crash=PERCENT          so many requests end the process that has them; gunicorn starts another
    leak=KIB:MS            each request keeps KIB of memory and makes all later ones of its process MS slower
    refuse                 gunicorn is not there at all: connections are refused
    only=PREFIX            of paths: everything else is well
    who=cookie:NAME        a user is who sends this cookie, or header:NAME; else the account, else the address
"""
import json
import os
import re

SHARES = ('errors', 'hang', 'crash')            # NAME=PERCENT
PAIRS = {'delay': 'PERCENT:MS', 'wrong': 'PERCENT:FIELD', 'leak': 'KIB:MS'}
NUMBER = re.compile(r'\d+(\.\d+)?\Z')


class FaultError(ValueError):
    """A sentence for people."""


def share_of(text, word):
    """'2.5%' or '2.5' -> 0.025"""
    number = text[:-1] if text.endswith('%') else text
    if not NUMBER.match(number) or float(number) > 100:
        raise FaultError('%s: a share is 0%% to 100%%' % word)
    return float(number) / 100


def amount_of(text, word):
    if not NUMBER.match(text):
        raise FaultError('%s: "%s" is not a number' % (word, text))
    return float(text)


def parse(words):
    """['errors=1%', 'only=/api/'] -> {'errors': 0.01, 'only': '/api/'}; nothing, or 'none', is no fault."""
    faults = {}
    for word in words:
        name, _, value = word.partition('=')
        first, _, second = value.partition(':')
        if word == 'none':
            faults.clear()
        elif word == 'refuse':
            faults[name] = True
        elif name in SHARES:
            faults[name] = share_of(value, word)
        elif name == 'only' and value:
            faults[name] = value
        elif name == 'who' and first in ('cookie', 'header') and second:
            faults[name] = value
        elif name == 'who':
            raise FaultError('%s: write who=cookie:NAME or who=header:NAME' % word)
        elif name in PAIRS and first and second:
            faults[name] = {'delay': lambda: [share_of(first, word), amount_of(second, word)],
                            'wrong': lambda: [share_of(first, word), second],
                            'leak': lambda: [amount_of(first, word), amount_of(second, word)]}[name]()
        elif name in PAIRS:
            raise FaultError('%s: write %s=%s' % (word, name, PAIRS[name]))
        else:
            raise FaultError('there is no fault "%s": %s, refuse, only, who' % (word, ', '.join([*SHARES, *PAIRS])))
    return faults


def write(path, faults):
    """At once: a reader sees the old file or the new one."""
    with open(path + '.new', 'w') as file:
        json.dump(faults, file)
        file.write('\n')
    os.rename(path + '.new', path)


class Faults:
    """What is wrong now. Costs a stat() a look; a file that cannot be read is no fault."""

    def __init__(self, path):
        self.path, self.seen, self.value = path, None, {}

    def now(self):
        try:
            state = os.stat(self.path)
            seen = state.st_mtime_ns, state.st_ino
            if seen != self.seen:
                with open(self.path) as file:
                    self.value = json.load(file)
                self.seen = seen
        except (OSError, ValueError):
            self.seen, self.value = None, {}
        return self.value
