#!/usr/bin/env python3
"""How fast a backlog leaves, and what of the processor that takes.

    tests/bench/drain.py [--events 200000] [--transport tcp,tls,relp,hec] [--alone]

A spool is filled (tests/tools/fill), then the bridge forwards it as CEF to a collector that
writes each message to a file: a real rsyslogd, or for hec a sink of a few lines.  Beside
it, over the same transport to the same collector, an rsyslogd and a syslog-ng forward as
many, each from a disk queue of its own (RELP: rsyslogd alone), in rows of three kinds:

    relays text  the lines that the bridge rendered, as they are: the limit of a forwarder
    same work    the bodies of the spool: each is parsed and rendered to CEF behind the
                 queue; syslog-ng parses before its disk-buffer, so its queue is a file
    renders      syslog-ng from its disk-buffer: parsed before it, outside of the time

shippers.py says what of the bridge's work they are spared.  Time runs from the first
message at the collector to the last; the processor's is that of the process that forwards.
Behind each row its events are looked for in the collector's file: each must be there,
and one in a thousand with the values of its body.  All else is in build/stage/drain-*.
"""
import argparse
import datetime
import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from shippers import LABELS, MEMBERS, PATIENCE, shippers_for

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stage import ROOT, Bridge, Collector, Failure, Program  # noqa: E402
from stage import free_port, make_directory, process_stat, until, write_private  # noqa: E402

FILL = ROOT / "build/plain/tools/fill"
TICK = os.sysconf("SC_CLK_TCK")
OURS = "siembridge", "same work", ("stored bodies, read from the spool, checked, parsed, "
                                   "normalised, rendered, sent; each event's delivery tracked")

NUMBER = re.compile(rb"(?:fill-|evt_)(\d{8,})")
CEF = re.compile(r"<\d+>1 (?:\S+ ){5}(?:-|\[.*?\]) "
                 r"CEF:0\|AnyInt\|AI Gateway\|1\|[^|]+\|[^|]+\|\d\|(.*)")
PAIR = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")
CHECK_EACH = 1000


def cpu_seconds(pid):
    stat = process_stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICK


class Lines:
    """The lines of a file that grows; they are counted when it stands still, for that takes time."""

    STILL = 0.3  # seconds

    def __init__(self, path):
        self.path = path
        self.forget()

    def forget(self):
        self.offset = self.count = self.size = 0
        self.changed = time.time()
        self.path.unlink(missing_ok=True)

    def read(self):
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            while block := file.read(1 << 20):
                self.offset += len(block)
                self.count += block.count(b"\n")
        return self.count

    def has_grown(self):
        status = self.path.stat() if self.path.exists() else None
        if status is None or status.st_size == self.size:
            return False
        self.size, self.changed = status.st_size, status.st_mtime
        return True

    def are_there(self, count):
        grown = self.has_grown()
        return not grown and time.time() - self.changed > self.STILL and self.read() >= count


class Sink(Program):
    """hec_sink.py, in the place of a collector."""

    def __init__(self, name, directory, _transport):
        super().__init__(name, directory)
        self.port = free_port()
        self.file = directory / f"{name}.events"
        self.token = directory / f"{name}.token"
        write_private(self.token, "a-token-of-the-bench")

    def start(self):
        self.launch([sys.executable, HERE / "hec_sink.py", self.port, self.file])
        until(lambda: self.must_run() and f":{self.port:04X} 00000000:0000 0A" in
              Path("/proc/net/tcp").read_text(), f"{self.name} listens")

    def destination_keys(self):
        return {"url": f'"http://127.0.0.1:{self.port}"', "token_file": self.token}


# ---- what arrived ----

def member(body, path):
    for name in path.split("/"):
        body = body[name]
    return body


def must_be_cef(line, body):
    """The line of an event carries what its body says."""
    found = CEF.fullmatch(line)
    if not found:
        raise Failure(f"no CEF in RFC 5424: {line}")
    pairs = dict(PAIR.findall(found[1]))
    expected = {key: member(body, path) for key, path in MEMBERS.items()} | LABELS
    created = datetime.datetime.fromisoformat(body["created_at"].replace("Z", "+00:00"))
    expected["rt"] = f"{int(created.timestamp())}000"
    if pairs.get("externalId", "").startswith("fill-"):
        del expected["externalId"]  # the bridge's is the id of the delivery
    wrong = {key: pairs.get(key) for key in expected if pairs.get(key) != expected[key]}
    if wrong:
        raise Failure(f"{wrong} is not what the body says: {line}")


def must_hold_each(path, count, bodies):
    """The file has each of the events; bodies is None where lines are no CEF."""
    seen = bytearray(count + 1)
    sample = {}
    with open(path, "rb") as file:
        for number, line in enumerate(file):
            found = NUMBER.search(line)
            if not found or not 0 < int(found[1]) <= count:
                raise Failure(f"{path} has a line of no event: {line!r}")
            seen[int(found[1])] = 1
            if number % CHECK_EACH == 0:
                sample[int(found[1])] = line.decode().rstrip("\n")
    if sum(seen) != count:
        raise Failure(f"{path} has {sum(seen)} of {count} events")
    if bodies is not None:
        with open(bodies, "rb") as file:
            for number, body in enumerate(file, 1):
                if number in sample:
                    must_be_cef(sample[number], json.loads(body))


# ---- the rows ----

def measure(program, pid, lines, count):
    """(seconds, seconds of the processor) until so many lines are there."""
    until(lambda: program.must_run() and lines.has_grown(), "the first one is there", 60)
    began, had, processor = time.time(), lines.read(), cpu_seconds(pid)
    until(lambda: program.must_run() and lines.are_there(count), f"{count} are there", PATIENCE)
    share = (count - had) / count
    return (lines.changed - began) / share, (cpu_seconds(pid) - processor) / share


def report(name, work, transport, count, figures):
    seconds, processor = figures
    print(f"{transport:5} {name:11} {work:12} {count / seconds:>9,.0f} events/s "
          f"{1e6 * processor / count:>7.1f} us of CPU an event", flush=True)


def cursor(directory):
    with sqlite3.connect(f"file:{directory}/spool/delivery.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT seq FROM cursors").fetchall()
        return rows[0][0] if rows else 0


def fill_spool(directory, count):
    """And its bodies in a file, a line each."""
    (directory / "spool").mkdir(exist_ok=True)
    subprocess.run([FILL, directory / "spool", str(count)], check=True, stdout=subprocess.DEVNULL)
    database = sqlite3.connect(f"file:{directory}/spool/spool.db?mode=ro", uri=True)
    with open(directory / "bodies", "wb") as file:
        for body, in database.execute("SELECT body FROM events ORDER BY seq"):
            file.write(body + b"\n")
    database.close()


def drain_bridge(directory, collector, lines, count, transport):
    bridge = Bridge(directory)
    kind = "splunk_hec" if transport == "hec" else "syslog"
    keys = ", ".join(f"{key}: {value}" for key, value in collector.destination_keys().items())
    form = "" if transport == "hec" else "format: cef, "
    bridge.destinations.append(f"  - {{name: siem, {form}heartbeat: off, {kind}: {{{keys}}}}}\n")
    bridge.sections["spool"]["max_size"] = "1TiB"
    fill_spool(directory, count)
    os.sync()  # here and below: what was written before is not written back meanwhile
    try:
        bridge.start()
        figures = measure(bridge, bridge.roles()["forwarder"], lines, count)
        until(lambda: cursor(directory) == count, "all are confirmed")
        must_hold_each(lines.path, count, None if transport == "hec" else directory / "bodies")
        report(*OURS[:2], transport, count, figures)
    finally:
        bridge.end()


def drain_other(shipper, collector, lines, count):
    """With the collector away until its queue is full."""
    lines.forget()
    try:
        shipper.prepare(count)
        os.sync()
        collector.start()
        shipper.release()
        figures = measure(shipper, shipper.process.pid, lines, count)
        must_hold_each(lines.path, count, shipper.directory / "bodies")
        report(shipper.NAME, shipper.WORK, collector.transport, count, figures)
    finally:
        shipper.end()
    collector.signal(15)
    shutil.rmtree(shipper.work)


def drain(transport, arguments):
    directory = make_directory(f"drain-{transport}")
    collector = (Sink if transport == "hec" else Collector)("collector", directory, transport)
    lines = Lines(collector.file if transport == "hec" else collector.records.path)
    try:
        collector.start()
        drain_bridge(directory, collector, lines, arguments.events, transport)
        if not arguments.alone and shippers_for(transport):
            collector.signal(15)
            lines.path.rename(directory / "messages")
            for kind in shippers_for(transport):
                drain_other(kind(directory, collector), collector, lines, arguments.events)
    finally:
        collector.end()
    shutil.rmtree(directory)


def explain(arguments, transports):
    """What is in the time of each row."""
    print(f"{arguments.events} events of about 450 bytes")
    kinds = [] if arguments.alone else itertools.chain(*map(shippers_for, transports))
    rows = [OURS, *((kind.NAME, kind.WORK, kind.DOES) for kind in kinds)]
    for name, work, does in dict.fromkeys(rows):
        print(f"  {name:11} {work:12} {does}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--transport", default="tcp,tls,relp,hec")
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()
    transports = arguments.transport.split(",")
    explain(arguments, transports)
    try:
        for transport in transports:
            drain(transport, arguments)
    except Failure as problem:
        print(f"drain: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
