#!/usr/bin/env python3
"""kill -9 at random moments under load: of each process, and of all at once.

What a kill of the forwarder may cost in duplicates: what it had confirmed and not yet
noted (it notes every 0.1 s), what came while it was dead and went out at once, and what
was not confirmed: nothing (a file), a window of 128 (RELP), `settle` (TCP; here 0.1 s,
because kills that come faster than `settle` let it confirm nothing at all).
"""
import sys

from crash_case import RATE, Matrix, chance, pause, rounds, row
from stage import Tests, until

ROUNDS = rounds(200, 4)
LONGEST = 0.5  # seconds of life between two kills, at most
SETTLE = 0.1   # seconds
UNNOTED = 1    # second of load: a life, the death after it, and the interval of notes
BOUNDS = {"file": RATE * UNNOTED, "relp": RATE * UNNOTED + 128,
          "tcp": RATE * (2 * UNNOTED + SETTLE)}

tests = Tests()


def kill_rounds(matrix, role):
    moments = chance(f"kill {role}")
    for _ in range(ROUNDS):
        until(lambda: {"receiver", "forwarder"} <= matrix.bridge.roles().keys(), "all live", 5)
        pause(moments.uniform(0, LONGEST))
        matrix.bridge.kill(role)
        if role in ("bridge", "all"):
            matrix.when_gone()
            matrix.start()


def add(role, what):
    def test():
        with Matrix(f"kill-{role}") as matrix:
            matrix.to_file()
            matrix.to_collector("tcp", settle=f"{SETTLE * 1000:.0f}ms")
            matrix.to_collector("relp")
            matrix.start()
            matrix.begin_load()
            kill_rounds(matrix, role)
            matrix.when_owed(100)
            matrix.end_load()
            # nothing that the receiver does is a reason to send again
            bound = {name: 0 if role == "receiver" else ROUNDS * each
                     for name, each in BOUNDS.items()}
            row(f"kill -9 of {what}", ROUNDS, matrix.check(bound))
    tests.add(f"kill -9 of {what} {ROUNDS} times: nothing is lost", test)


add("receiver", "the receiver")
add("forwarder", "the forwarder")
add("bridge", "the supervisor")
add("all", "all at once")

if __name__ == "__main__":
    sys.exit(tests.run())
