#!/usr/bin/env python3
"""How long `siembridge events` takes over a big ledger while events come in.

    tests/bench/ledger.py [--events 10000000] [--rate 5000] [--keep]

Fills a spool straight through spool_append() (tests/tools/fill), starts a bridge on
it, waits until its index has caught up, and asks while tests/tools/post sends.  The
report goes to stdout; all else to build/stage/ledger.
"""
import argparse
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stage import ROOT, Bridge, Failure, Post, make_directory, until  # noqa: E402

FILL = ROOT / "build/plain/tools/fill"
SEGMENT = 16384


def indexed(spool):
    try:
        with sqlite3.connect(f"file:{spool}/index.db?mode=ro", uri=True) as index:
            return index.execute("SELECT coalesce(max(last), 0) FROM segments").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def ask(bridge, name, *arguments, rounds=10):
    times, lines = [], 0
    for _ in range(rounds):
        began = time.monotonic()
        result = bridge.command("events", "-c", bridge.config, *arguments)
        times.append(time.monotonic() - began)
        lines = len(result.stdout.splitlines())
        if result.returncode != 0:
            raise Failure(result.stderr)
    print(f"{name:<34} {lines:>4} lines   median {statistics.median(times):.3f} s"
          f"   worst {max(times):.3f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()

    directory = make_directory("ledger")
    bridge = Bridge(directory)
    bridge.sections["spool"]["max_size"] = "1TiB"
    bridge.destinations.append(f"  - name: siem\n    format: cef\n"
                               f"    file: {{path: /dev/null}}\n")
    began = time.monotonic()
    subprocess.run([FILL, directory / "spool", str(arguments.events)], check=True,
                   stdout=subprocess.DEVNULL)
    print(f"{arguments.events} events written in {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    bridge.start()
    print(f"the bridge answers after {time.monotonic() - began:.2f} s")
    load = Post(1, directory, bridge, 60 * arguments.rate,
                {"rate": str(arguments.rate), "connections": "8"})
    try:
        until(lambda: indexed(directory / "spool") > arguments.events - SEGMENT,
              "the index has caught up", 600)
        print(f"index caught up {time.monotonic() - began:.1f} s after the start, "
              f"{(directory / 'spool/index.db').stat().st_size / arguments.events:.1f} "
              "bytes an event")
        load.start()
        time.sleep(2)
        middle = arguments.events // 2
        ask(bridge, "by id", "--id", f"fill-{middle:08}")
        ask(bridge, "by id, one that is not there", "--id", "none")
        ask(bridge, "by resource", "--resource", f"res-{middle % 1000003:08}")
        ask(bridge, "last 100 of a type", "--type", "key.created")
        ask(bridge, "last 100 of a glob", "--type", "security.*")
        ask(bridge, "show", "show", f"fill-{middle:08}")
        ask(bridge, "last 100", rounds=5)
        if not load.is_running():
            raise Failure("the load ended before the questions")
        print("all of it while events came in:",
              f"{indexed(directory / 'spool') - arguments.events} of them indexed meanwhile")
    finally:
        load.end()
        bridge.end()
    if not arguments.keep:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
