"""A file of many things."""  # whole: god-module
from code import *  # expect: star-import


def one_00(): return 0


def one_01(): return 1


def one_02(): return 2


def one_03(): return 3


def one_04(): return 4


def one_05(): return 5


def one_06(): return 6


def one_07(): return 7


def one_08(): return 8


def one_09(): return 9


def one_10(): return 10


def one_11(): return 11


def one_12(): return 12


def one_13(): return 13


def one_14(): return 14


def one_15(): return 15


def one_16(): return 16


def one_17(): return 17


def one_18(): return 18


def one_19(): return 19


def one_20(): return 20


def one_21(): return 21


def one_22(): return 22


def one_23(): return 23


def one_24(): return 24


def one_25(): return 25


def one_26(): return 26


def one_27(): return 27


def one_28(): return 28


def one_29(): return 29


def one_30(): return 30
