#!/usr/bin/env python3
"""Killed at every named fault point: the names are those that stand in the code."""
import os
import re
import signal
import sys

from crash_case import ROOT, Matrix, chance, rounds, row
from stage import Tests, until

NAMES = sorted({name for file in (ROOT / "bridge").rglob("*.c")
                for name in re.findall(r'fault_point\("([a-z-]+)"\)', file.read_text())})
TIMES = rounds(20, 1)
RARE = {"migrate-before-commit": 1}  # reached so often at most, by one process
ASIDE = "aside-"  # the way from a damaged spool.db to a fresh one: no load leads there
BATCH = 1000  # messages of one turn of a destination, at most
DEATH = "was killed by signal 9"

tests = Tests()


def die_at(name, nth):
    """One process dies at the n-th time it is there; then all is as ever."""
    with Matrix(f"point-{name}", {"retention": "1s"}) as matrix:
        matrix.to_file()
        matrix.start({"SIEMBRIDGE_CRASH_AT": f"{name}:{nth}"})
        matrix.begin_load(rate=400)
        until(lambda: DEATH in matrix.bridge.log_text(), f"{name} is reached {nth} times", 40)
        matrix.when_owed(50)
        matrix.end_load()
        return matrix.check({"file": BATCH})


def die_aside_at(name):
    """spool.db is taken for damaged, with events that nobody has got yet, and put aside."""
    with Matrix(f"point-{name}") as matrix:
        matrix.to_file()
        matrix.start()
        os.kill(matrix.bridge.roles()["forwarder"], signal.SIGSTOP)
        matrix.begin_load(rate=400)
        matrix.bridge.kill("all")
        matrix.when_gone()
        (matrix.directory / "spool/suspect").touch()
        matrix.start({"SIEMBRIDGE_CRASH_AT": name})
        until(lambda: DEATH in matrix.bridge.log_text(), f"{name} is reached", 40)
        matrix.when_owed(50)
        matrix.end_load()
        return matrix.check({"file": BATCH})


def add(name):
    def test():
        numbers = chance(f"point {name}")
        for _ in range(TIMES):
            nth = min(numbers.randint(1, TIMES), RARE.get(name, TIMES))
            result = die_aside_at(name) if name.startswith(ASIDE) else die_at(name, nth)
        row(f"kill -9 at {name}", TIMES, result)
    tests.add(f"killed at {name}: nothing is lost", test)


for point in NAMES:
    add(point)

if __name__ == "__main__":
    sys.exit(tests.run())
