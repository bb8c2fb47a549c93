"""Definitions and statements, one thing a line."""
import collections
import functools
import pdb

COUNT = 0


def shared(x, seen=[], by={}, when=(), kept=None):  # expect: mutable-default, mutable-default
    return seen, by, when, kept


def made(queue=collections.deque(), names=set(), frozen=frozenset()):  # expect: mutable-default, mutable-default
    return queue, names, frozen


def counted():
    global COUNT  # expect: hidden-global
    COUNT += 1
    print(COUNT)  # expect: print-call
    pdb.set_trace()  # expect: debugger-left
    breakpoint()  # expect: debugger-left


def told(log, cursor, name, ids):
    log.info("Delete %s from the group" % name)
    if not name:
        raise ValueError("Select a value from {}".format(name))
    cursor.execute("select * from t where id in (%s)" % ",".join(["%s"] * len(ids)), ids)
    cursor.execute("select * from t where id in (%s)" % ",".join(ids))  # expect: sql-by-text


def looked():
    global COUNT
    return COUNT


def caught(work, log):
    try:
        work()
    except:  # expect: bare-except
        log.warning("it failed")
    try:
        work()
    except:
        log.warning("it failed, and goes on")
        raise
    try:
        work()
    except BaseException:  # expect: swallowed-error
        ...
    try:
        work()
    except (ValueError, Exception):  # expect: swallowed-error
        pass
    try:
        work()
    except KeyError:
        pass


def checked(x):
    assert (x, "must be there")  # expect: assert-tuple
    assert x > 0, "must be there"  # expect: assert-guard


def many(a, b, c, d, e, f, *, g=1):  # expect: many-arguments
    return a, b, c, d, e, f, g


def deep(rows):  # expect: deep-nesting
    for row in rows:
        if row:
            for cell in row:
                while cell:
                    cell = cell.next


def hard(a, b, c):  # expect: hard-to-read, deep-nesting
    for x in a:
        if x:
            for y in b:
                if y:
                    for z in c:
                        if z and x or y:
                            return z
    return None


def long(a):  # expect: long-function
    a += 0; a += 1; a += 2; a += 3; a += 4; a += 5; a += 6; a += 7; a += 8; a += 9
    a += 10; a += 11; a += 12; a += 13; a += 14; a += 15; a += 16; a += 17; a += 18; a += 19
    a += 20; a += 21; a += 22; a += 23; a += 24; a += 25; a += 26; a += 27; a += 28; a += 29
    a += 30; a += 31; a += 32; a += 33; a += 34; a += 35; a += 36; a += 37; a += 38; a += 39
    return a


class Everything:  # expect: god-class
    def one(self, a):
        return a if a else self.two(a)

    def two(self, a):
        return a or self.three(a)

    def three(self, a):
        return a and self.four(a)

    def four(self, a):
        return [x for x in a if x]

    def five(self, a):
        return a or self.one(a)


class Shelf:
    def label(self, book):  # expect: feature-envy
        return "%s %s %s %s %s %s" % (book.title, book.author, book.year, book.press, book.isbn, book.pages)

    def place(self, book):
        return self.row, self.height, self.room, book.width, book.height

    def find(self, request):
        return request.a, request.b, request.c, request.d, request.e, request.f


def book_room(hotel, guest, night):  # expect: data-clump
    return hotel, guest, night


def cancel_room(hotel, guest, night, why):
    return hotel, guest, night, why


def move_room(guest, hotel, night):
    return hotel, guest, night


def pay_room(guest, hotel):
    return functools.partial(pay_room, guest, hotel)


def outer(a):
    def inner(b):  # expect: hard-to-read, deep-nesting
        for x in b:
            if x:
                for y in x:
                    if y:
                        for z in y:
                            if z and x or y:
                                return z
        return None
    return inner(a)
