#!/usr/bin/env python3
"""How fast a backlog leaves, and what of the processor that takes.

    tests/bench/drain.py [--events 200000] [--transport tcp,tls,relp,hec] [--alone]

A spool is filled (tests/tools/fill), then the bridge forwards it to a collector that
writes each message to a file: a real rsyslogd, or for hec a sink of a few lines.  Beside
it, over the same transport to the same collector, an rsyslogd and a syslog-ng forward the
same messages, each from a disk queue of its own (RELP: rsyslogd alone).  Time runs from the first message at the collector to the
last; the processor's is that of the process that forwards.  All else is in
build/stage/drain.
"""
import argparse
import itertools
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stage import ROOT, Bridge, Collector, Failure, Program  # noqa: E402
from stage import free_port, make_directory, process_stat, until, write_private  # noqa: E402

FILL = ROOT / "build/plain/tools/fill"
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 600

SHIPPER = """
global(workDirectory="{work}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
       {certificates})
module(load="imtcp")
module(load="omrelp")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="ship")
template(name="as-it-came" type="string" string="%rawmsg%")
ruleset(name="ship" queue.type="Direct") {{
    action({action} template="as-it-came" queue.type="Disk" queue.filename="backlog"
           queue.size="100000000" queue.maxDiskSpace="100g" queue.maxFileSize="64m"
           queue.dequeueBatchSize="1024" queue.timeoutEnqueue="60000"
           action.resumeRetryCount="-1" action.resumeInterval="1")
}}
"""


def cpu_seconds(pid):
    stat = process_stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICK


class Lines:
    """Counts the lines of a file that grows."""

    def __init__(self, path):
        self.path = path
        self.offset = self.count = 0

    def read(self):
        if self.path.exists():
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                while block := file.read(1 << 20):
                    self.offset += len(block)
                    self.count += block.count(b"\n")
        return self.count


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


SHIPPER_NG = """
@version: 3.38
options {{ stats-freq(0); time-reopen(1); keep-hostname(yes); log-msg-size(65536); }};
source s {{ syslog(ip("127.0.0.1") port({port}) transport("tcp") flags(no-parse)); }};
destination d {{ network("127.0.0.1" port({to}) {transport} template("${{MESSAGE}}\\n")
    disk-buffer(reliable(yes) disk-buf-size(100000000000) mem-buf-size(10000000)
                dir("{work}"))); }};
log {{ source(s); destination(d); flags(flow-control); }};
"""


class Shipper(Program):
    """What forwards from a disk queue before the collector."""

    def __init__(self, name, directory):
        super().__init__(name, directory)
        self.port = free_port()
        self.work = directory / f"{name}.work"
        self.work.mkdir()

    def launch_it(self, command, environment=None):
        self.launch(command, environment)
        until(lambda: self.must_run() and f":{self.port:04X} 00000000:0000 0A" in
              Path("/proc/net/tcp").read_text(), f"{self.name} listens")

    def take(self, messages, count):
        """So many of the file, by octet counting; until they are in its queue."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, \
                open(messages, "rb") as lines:
            for line in itertools.islice(lines, count):
                line = line[:-1]
                connection.sendall(b"%d %s" % (len(line), line))
        sizes = []

        def is_quiet():
            sizes.append(sum(file.stat().st_size for file in self.work.iterdir()))
            time.sleep(0.5)
            return len(sizes) > 3 and sizes[-1] == sizes[-4]
        until(is_quiet, "all is in the queue", PATIENCE)


class Rsyslog(Shipper):
    def __init__(self, directory, collector):
        super().__init__("rsyslog", directory)
        certificates = ""
        target = f'target="127.0.0.1" port="{collector.port}"'
        if collector.transport == "relp":
            action = f'type="omrelp" {target}'
        else:
            action = f'type="omfwd" protocol="tcp" TCP_Framing="octet-counted" {target}'
        if collector.transport == "tls":
            certificates = (f'defaultNetstreamDriver="ossl" '
                            f'defaultNetstreamDriverCAFile="{collector.certificate}" '
                            f'defaultNetstreamDriverCertFile="{collector.client}" '
                            f'defaultNetstreamDriverKeyFile="{collector.client_key}"')
            action += (' StreamDriver="ossl" StreamDriverMode="1" '
                       'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"')
        self.config = self.work / "rsyslog.conf"
        self.config.write_text(SHIPPER.format(work=self.work, port=self.port, action=action,
                                              certificates=certificates))

    def start(self):
        self.launch_it(["rsyslogd", "-n", "-f", self.config, "-i", self.work / "pid"],
                       {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


class SyslogNg(Shipper):
    def __init__(self, directory, collector):
        super().__init__("syslog-ng", directory)
        unpacked = subprocess.run(["sh", ROOT / ".ci/syslog-ng"], capture_output=True, text=True,
                                  check=False)
        if unpacked.returncode != 0:
            raise Failure(unpacked.stderr)
        self.program = unpacked.stdout.strip()
        transport = 'transport("tcp")'
        if collector.transport == "tls":
            transport = (f'transport("tls") tls(ca-file("{collector.certificate}") '
                         f'cert-file("{collector.client}") key-file("{collector.client_key}"))')
        self.config = self.work / "syslog-ng.conf"
        self.config.write_text(SHIPPER_NG.format(work=self.work, port=self.port,
                                                 to=collector.port, transport=transport))

    def start(self):
        self.launch_it([self.program, "-F", "--no-caps", "-f", self.config,
                        f"--persist-file={self.work}/persist", f"--control={self.work}/control",
                        f"--pidfile={self.work}/pid"])


def measure(pid, lines, count):
    """(seconds, seconds of the processor) until so many more lines are there."""
    goal = lines.count + count
    until(lambda: lines.read() > goal - count, "the first one is there", 60)
    began, had, processor = time.monotonic(), lines.count, cpu_seconds(pid)
    until(lambda: lines.read() >= goal, f"{count} are there", PATIENCE)
    seconds = time.monotonic() - began
    share = (goal - had) / count
    return seconds / share, (cpu_seconds(pid) - processor) / share


def report(name, transport, count, figures):
    seconds, processor = figures
    print(f"{transport:5} {name:12} {count / seconds:>9,.0f} events/s {1e6 * processor / count:>7.1f}"
          " us of CPU an event", flush=True)


def cursor(directory):
    with sqlite3.connect(f"file:{directory}/spool/delivery.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT seq FROM cursors").fetchall()
        return rows[0][0] if rows else 0


def drain_bridge(directory, collector, lines, arguments, transport):
    bridge = Bridge(directory)
    kind = "splunk_hec" if transport == "hec" else "syslog"
    keys = ", ".join(f"{key}: {value}" for key, value in collector.destination_keys().items())
    form = "" if transport == "hec" else "format: rfc5424, "
    bridge.destinations.append(f"  - {{name: siem, {form}heartbeat: off, {kind}: {{{keys}}}}}\n")
    bridge.sections["spool"]["max_size"] = "1TiB"
    subprocess.run([FILL, directory / "spool", str(arguments.events)], check=True,
                   stdout=subprocess.DEVNULL)
    try:
        bridge.start()
        report("siembridge", transport, arguments.events,
               measure(bridge.roles()["forwarder"], lines, arguments.events))
        until(lambda: cursor(directory) == arguments.events, "all are confirmed")
    finally:
        bridge.end()


def drain_other(kind, directory, collector, lines, arguments, transport):
    """With the collector away, and its messages in a file: so many of them."""
    # omrelp needs minutes for what the others do in seconds
    count = arguments.events // (20 if transport == "relp" else 1)
    lines.offset = lines.count = 0
    lines.path.unlink(missing_ok=True)
    shipper = kind(directory, collector)
    try:
        shipper.start()
        shipper.take(directory / "messages", count)
        collector.start()
        report(shipper.name, transport, count, measure(shipper.process.pid, lines, count))
        collector.signal(15)
    finally:
        shipper.end()


def drain(transport, arguments):
    directory = make_directory(f"drain-{transport}")
    collector = (Sink if transport == "hec" else Collector)("collector", directory, transport)
    lines = Lines(collector.file if transport == "hec" else collector.records.path)
    try:
        collector.start()
        drain_bridge(directory, collector, lines, arguments, transport)
        if transport != "hec" and not arguments.alone:
            collector.signal(15)
            lines.path.rename(directory / "messages")
            for kind in (Rsyslog,) if transport == "relp" else (Rsyslog, SyslogNg):
                drain_other(kind, directory, collector, lines, arguments, transport)
    finally:
        collector.end()
    shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--transport", default="tcp,tls,relp,hec")
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()
    print(f"{arguments.events} events of about 450 bytes")
    try:
        for transport in arguments.transport.split(","):
            drain(transport, arguments)
    except Failure as problem:
        print(f"drain: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
