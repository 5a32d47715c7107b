"""What every row of the fault matrix needs: a seed, rounds, a bridge under load, the oracle.

A row runs in full where CRASH=full is set (`make crash`), else in a short form (`make
test`).  CRASH_SEED repeats the random moments of an earlier run, as far as a machine does.

The oracle is one for all rows.  tests/tools/post writes an id to its journal once the
whole 202 was read: from then on the bridge owes it.  After the faults:

  lost        what is owed and not at a destination                      0
  forged      what is at a destination and was never posted              0
  corrupt     lines of another shape than their event gives              0
  order       first deliveries, along each connection of the sender      kept
  duplicates  deliveries after the first                                 within the row's bound
  ledger      `siembridge verify`                                        whole
  live        one more event, at every destination                       arrives
"""
import fcntl
import os
import random
import re
import shutil
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Fault points, a clock that can be moved, and children that are started anew at once.
os.environ.setdefault("SIEMBRIDGE", str(ROOT / "build/faults/siembridge"))
sys.path.insert(0, str(ROOT / "tests/integration"))
from stage import Bridge, Collector, Failure, Post, Records, figure  # noqa: E402
from stage import make_directory, note, until                       # noqa: E402

FULL = os.environ.get("CRASH") == "full"
SHARE = int(os.environ.get("CRASH_SHARE", "1"))  # a full run with that fraction of the rounds
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(1, 10**9))

CONNECTIONS = 8
RATE = 800        # events a second
DRAIN = 60        # seconds, for all that is owed
NEVER = 90_000_000


note(f"seed {SEED}")


def rounds(full, short):
    """How many of them this run does."""
    return max(short, full // SHARE) if FULL else short


def chance(name):
    """The random numbers of one row: they depend on the seed and on nothing else."""
    return random.Random(f"{SEED}/{name}")


def row(fault, count, result):
    """A line of the table."""
    print(f"# row: {fault} | {count} | {result}", flush=True)


class Delivered(Records):
    """Records that also remember the shapes of their lines: digits do not count."""

    def __init__(self, path):
        super().__init__(path)
        self.shapes = {}  # shape -> an example

    def take(self, line):
        super().take(line)
        if len(self.ID.findall(line)) == 1:
            self.shapes.setdefault(re.sub(rb"\d+", b"#", line), line)


class Matrix:
    """A bridge, its destinations, and load that runs until it is told to stop."""

    TYPES = "key.disabled,member.joined"

    def __init__(self, name, spool=None):
        self.directory = make_directory(f"crash-{name}")
        self.bridge = Bridge(self.directory)
        self.bridge.sections["spool"].update(spool or {})
        self.collectors = []
        self.delivered = {}  # destination -> Delivered
        self.posts = []
        self.load = None

    def to_file(self, name="file"):
        path = self.directory / f"{name}.events"
        self.bridge.destinations.append(
            f"  - name: {name}\n    format: cef\n    file: {{path: {path}}}\n")
        self.delivered[name] = Delivered(path)
        return self

    def to_collector(self, transport, **more):
        """A real rsyslogd."""
        collector = Collector(transport, self.directory, transport)
        collector.records = Delivered(collector.records.path)
        keys = ", ".join(f"{key}: {value}" for key, value in
                         {**collector.destination_keys(), **more}.items())
        self.to_syslog(transport, keys, collector.records)
        self.collectors.append(collector)
        return collector

    def to_syslog(self, name, keys, records):
        self.bridge.destinations.append(
            f"  - name: {name}\n    format: rfc5424\n    syslog: {{{keys}}}\n")
        self.delivered[name] = records

    def start(self, environment=None):
        for collector in self.collectors:
            if not collector.is_running():
                collector.start()
        os.environ.update(environment or {})
        try:
            self.bridge.start()
        finally:
            for key in environment or {}:
                del os.environ[key]
        return self

    def when_gone(self):
        """No process is left: of one whose first thread is dead, another may still be."""
        def is_free():
            if not self.bridge.gone():
                return False
            with open(self.directory / "spool/lock", "rb") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
            return True
        until(is_free, "no process is left", 5)

    # -- load --

    def post(self, count=NEVER, **options):
        options = {"type": self.TYPES, "connections": CONNECTIONS, "rate": RATE, "retry": 60,
                   **options}
        post = Post(len(self.posts) + 1, self.directory, self.bridge, count, options)
        self.posts.append(post)
        post.start()
        return post

    def begin_load(self, **options):
        self.load = self.post(**options)
        self.when_owed(100)

    def end_load(self):
        """What was under way and not answered is owed by nobody."""
        self.load.must_run()
        self.load.signal(signal.SIGKILL)

    def owed(self):
        path = self.directory / "journal"
        return path.read_bytes()[:-1].decode().split("\n") if path.exists() else []

    def when_owed(self, more, within=30):
        goal = len(self.owed()) + more
        until(lambda: len(self.owed()) >= goal, f"{more} more events are accepted", within)

    # -- the oracle --

    def settle(self, within=DRAIN):
        """Waits until all that is owed is everywhere: lost = 0."""
        owed = set(self.owed())
        for name, records in self.delivered.items():
            try:
                until(lambda r=records: owed <= r.read().first.keys(), name, within)
            except Failure:
                missing = sorted(owed - records.first.keys())
                raise Failure(f"{name} lacks {len(missing)} of {len(owed)}: {missing[:3]} ..."
                              f" {missing[-1]}\n{self.bridge.log_tail()}") from None
        return owed

    def check_lines(self, name, records):
        posted = {post.prefix: post.count for post in self.posts}
        for event in records.first:
            prefix, _, number = event.rpartition("-")
            if not 1 <= int(number) <= posted.get(prefix, 0):
                raise Failure(f"{name} has {event}, which nobody posted")
        if records.malformed or len(records.shapes) > len(self.TYPES.split(",")):
            raise Failure(f"{name}: {records.malformed} lines do not belong to their id,"
                          f" shapes: {list(records.shapes.values())[:6]}")

    def check_order(self, name, records):
        for post in self.posts:
            mine = [int(event.rpartition("-")[2]) for event in records.first
                    if event.startswith(post.prefix + "-")]
            last = {}
            for number in mine:
                connection = number % post.connections
                if number < last.get(connection, 0):
                    raise Failure(f"{name}: {post.prefix}-{number:08} came after"
                                  f" {last[connection]:08} of the same connection")
                last[connection] = number

    def check_ledger(self):
        result = self.bridge.command("verify", "-c", self.bridge.config)
        if result.returncode != 0:
            raise Failure(f"verify: {result.stdout}{result.stderr}")

    def check_alive(self, within=15):
        post = self.post(1, retry=within, connections=1)
        post.wait(within)
        event = f"{post.prefix}-00000001"
        for name, records in self.delivered.items():
            until(lambda r=records: event in r.read().first, f"one more event at {name}", within)

    def check(self, bound=None):
        """All of the oracle; `bound` duplicates a destination.  Returns a text for the table."""
        self.check_alive()
        owed = self.settle()
        for name, records in self.delivered.items():
            self.check_lines(name, records)
            self.check_order(name, records)
            if bound is not None and records.duplicates() > bound[name]:
                raise Failure(f"{name}: {records.duplicates()} duplicates, the bound is"
                              f" {bound[name]}")
        self.check_ledger()
        duplicates = ", ".join(f"{name} {records.duplicates()}"
                               for name, records in self.delivered.items())
        return f"{len(owed)} owed, 0 lost; duplicates: {duplicates}"

    def __enter__(self):
        return self

    def __exit__(self, kind, problem, trace):
        for program in [*self.posts, self.bridge, *self.collectors]:
            program.end()
        if kind is None:
            shutil.rmtree(self.directory)


def pause(seconds):
    """Until a random moment: nothing is waited for."""
    time.sleep(seconds)
