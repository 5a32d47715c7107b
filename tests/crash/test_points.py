#!/usr/bin/env python3
"""Killed at every named fault point: the names are those that stand in the code."""
import re
import sys

from crash_case import ROOT, Matrix, chance, rounds, row
from stage import Tests, until

NAMES = sorted({name for file in (ROOT / "bridge").rglob("*.c")
                for name in re.findall(r'fault_point\("([a-z-]+)"\)', file.read_text())})
TIMES = rounds(20, 1)
RARE = {"migrate-before-commit": 1}  # reached so often at most, by one process
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


def add(name):
    def test():
        numbers = chance(f"point {name}")
        for _ in range(TIMES):
            nth = min(numbers.randint(1, TIMES), RARE.get(name, TIMES))
            result = die_at(name, nth)
        row(f"kill -9 at {name}", TIMES, result)
    tests.add(f"killed at {name}: nothing is lost", test)


for point in NAMES:
    add(point)

if __name__ == "__main__":
    sys.exit(tests.run())
