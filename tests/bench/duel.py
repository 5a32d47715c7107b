#!/usr/bin/env python3
"""Two builds under load at the same moment, so that a noisy machine is noisy for both.

    tests/bench/duel.py BINARY OTHER [--rounds 12] [--seconds 3] [--connections 64]

Each has its spool, its rsyslogd and its wrk; both wrk run at once, for `seconds` in each
round.  Printed for each round, and as mean and its standard error: requests/s of OTHER
for one of BINARY, and its CPU time a request for that of BINARY.  A build against itself
differs by what cannot be told from chance.
"""
import argparse
import concurrent.futures
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import run
import stage  # run.py has put its directory on the path


class Duellist:
    """A bridge with the same secret as the other one, and its collector."""

    def __init__(self, directory, binary, other):
        directory.mkdir()
        self.binary = binary
        self.bridge, self.collector = run.bridge_and_collector(directory)
        if other is not None:
            shutil.copy(other.bridge.secret, self.bridge.secret)

    def start(self):
        self.collector.start()
        stage.SIEMBRIDGE = self.binary
        self.bridge.start()

    def cpu_seconds(self):
        return sum(map(run.cpu_seconds, run.processes(self.bridge).values()))

    def written(self):
        path = self.collector.records.path
        return path.stat().st_size if path.exists() else 0

    def end(self):
        self.bridge.end()
        self.collector.end()


def wait_until_drained(duellists):
    sizes = None
    while sizes != (now := [duellist.written() for duellist in duellists]):
        sizes = now
        time.sleep(0.5)


def fight(duellists, directory, prefix, arguments):
    """(requests/s, us of CPU a request) of each."""
    count = arguments.seconds * run.MOST_EVENTS_A_SECOND
    requests = run.sign(duellists[0].bridge, directory, count, prefix)
    os.sync()
    before = [duellist.cpu_seconds() for duellist in duellists]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        figures = list(pool.map(
            lambda duellist: run.wrk(duellist.bridge.port, requests, count, arguments, False),
            duellists))
    wait_until_drained(duellists)
    used = [duellist.cpu_seconds() - seconds
            for duellist, seconds in zip(duellists, before, strict=True)]
    return [(run.rate(figure), seconds / figure["requests"] * 1e6)
            for figure, seconds in zip(figures, used, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = stage.make_directory("duel")
    duellists, rates, costs = [], [], []
    try:
        for i, binary in enumerate((arguments.binary, arguments.other)):
            duellists.append(Duellist(directory / str(i), binary.resolve(),
                                      duellists[0] if duellists else None))
            duellists[-1].start()
        for number in range(arguments.rounds):
            (rate, cost), (other_rate, other_cost) = fight(duellists, directory, f"duel{number}-",
                                                           arguments)
            rates.append(other_rate / rate)
            costs.append(other_cost / cost)
            print(f"{rate:>8,.0f} {other_rate:>8,.0f} requests/s   {cost:6.1f} {other_cost:6.1f} "
                  f"us of CPU a request", flush=True)
    finally:
        for duellist in duellists:
            duellist.end()
    print(f"the other for the first: requests {run.mean_and_error(rates)}   "
          f"CPU a request {run.mean_and_error(costs)}")
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
