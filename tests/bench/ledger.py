#!/usr/bin/env python3
"""How long `siembridge events` takes over a big ledger while events come in.

    tests/bench/ledger.py [--events 10000000] [--rate 1000] [--keep] [--spool DIRECTORY]

Fills a spool straight through spool_append() (tests/tools/fill), or takes one that was
filled so, starts a bridge on it, waits until its index has caught up, and asks while
tests/tools/post sends.  Where --spool names one, what came meanwhile stays in it.  The
report goes to stdout; all else to build/stage/ledger.
"""
import argparse
import os
import re
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stage import ROOT, Bridge, Failure, Post, free_port, make_directory, process_stat, until  # noqa: E402

FILL = ROOT / "build/plain/tools/fill"
SEGMENT = 16384


def indexed(spool):
    try:
        with sqlite3.connect(f"file:{spool}/index.db?mode=ro", uri=True) as index:
            return index.execute("SELECT coalesce(max(last), 0) FROM segments").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def count(spool):
    """The sequence of the last event."""
    with sqlite3.connect(f"file:{spool}/spool.db?mode=ro", uri=True) as database:
        return database.execute("SELECT max(seq) FROM events").fetchone()[0]


def ask(bridge, name, *arguments, rounds=10):
    times, lines = [], 0
    computed = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(rounds):
        began = time.monotonic()
        result = bridge.command("events", "-c", bridge.config, *arguments)
        times.append(time.monotonic() - began)
        lines = len(result.stdout.splitlines())
        if result.returncode != 0:
            raise Failure(result.stderr)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (used.ru_utime + used.ru_stime - computed.ru_utime - computed.ru_stime) / rounds
    print(f"{name:<34} {lines:>4} lines   median {statistics.median(times):.3f} s"
          f"   worst {max(times):.3f} s   computing {cpu:.3f} s", flush=True)


def cpu_seconds(pid):
    user, system = process_stat(pid)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Bytes that are its own: not files, not what it shares."""
    return int(re.search(r"RssAnon:\s+(\d+) kB",
                         Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def start(bridge, events):
    began = time.monotonic()
    bridge.start()
    took = time.monotonic() - began
    receiver = bridge.roles()["receiver"]
    print(f"the bridge answers after {took:.2f} s, of which its receiver computed "
          f"{cpu_seconds(receiver):.2f} s; {memory(receiver) / events:.1f} bytes an event "
          "in the receiver's memory, all it has counted", flush=True)


def page(bridge, path):
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{bridge.console}{path}", timeout=10) as answer:
        answer.read()
    return time.monotonic() - began


def look(bridge, path, rounds=20):
    times = [page(bridge, path) for _ in range(rounds)]
    print(f"console {path:<26} {'':>10}   median {statistics.median(times):.3f} s"
          f"   worst {max(times):.3f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--spool", type=Path, help="one that is filled already")
    arguments = parser.parse_args()

    directory = make_directory("ledger")
    spool = (arguments.spool or spool).absolute()
    bridge = Bridge(directory)
    bridge.console = free_port()
    bridge.sections["spool"]["max_size"] = "1TiB"
    bridge.destinations.append(f"  - name: siem\n    format: cef\n"
                               f"    file: {{path: /dev/null}}\n"
                               f"console:\n  address: 127.0.0.1:{bridge.console}\n")
    bridge.write_config()
    bridge.config.write_text(bridge.config.read_text().replace(f"{directory}/spool", str(spool)))
    if arguments.spool is None:
        began = time.monotonic()
        subprocess.run([FILL, spool, str(arguments.events)], check=True,
                       stdout=subprocess.DEVNULL)
        print(f"{arguments.events} events written in {time.monotonic() - began:.1f} s")
    print("load average before:", *os.getloadavg())
    start(bridge, arguments.events)
    began = time.monotonic()
    load = Post(1, directory, bridge, 600 * arguments.rate,
                {"rate": str(arguments.rate), "connections": "8"})
    try:
        until(lambda: indexed(spool) > arguments.events - SEGMENT,
              "the index has caught up", 600)
        print(f"index caught up {time.monotonic() - began:.1f} s after the start, "
              f"{(spool / 'index.db').stat().st_size / arguments.events:.1f} "
              "bytes an event")
        before = count(spool)
        load.start()
        until(lambda: count(spool) > before, "events come in")
        middle = arguments.events // 2
        ask(bridge, "by id", "--id", f"fill-{middle:08}")
        ask(bridge, "by id, one that is not there", "--id", "none")
        ask(bridge, "by resource", "--resource", f"res-{middle % 1000003:08}")
        ask(bridge, "last 100 of a type", "--type", "key.created")
        ask(bridge, "last 100 of a glob", "--type", "security.*")
        ask(bridge, "show", "show", f"fill-{middle:08}")
        ask(bridge, "last 100", rounds=5)
        for path in "/api/status", "/metrics":
            look(bridge, path)
        if not load.is_running():
            raise Failure("the load ended before the questions")
        print(f"all of it while {count(spool) - before} events came in, {arguments.rate} a "
              "second; load average", *os.getloadavg())
    finally:
        load.end()
        bridge.end()
    if not arguments.keep:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
