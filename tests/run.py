#!/usr/bin/env python3
"""Runs the tests and counts them; the last line is `N passed, M failed`.

    tests/run.py                    all: unit tests (plain and asan), stories, integration
    tests/run.py --unit VARIANT     unit tests of one variant alone
    tests/run.py --scenario NAME    one story (tests/scenario/NAME.scenario)
    tests/run.py --integration NAME one file (tests/integration/test_NAME.py)
    tests/run.py --crash NAME       one file of the fault matrix (tests/crash/test_NAME.py), its short form
    tests/run.py --memcheck         some unit tests and reloads under valgrind
    tests/run.py --sanitized VARIANT all stories, integration and crash tests, of a daemon that a
                                    sanitizer watches: build/VARIANT, build/faults-VARIANT
                                    (with --integration, --scenario, --crash: those alone)

Everything it runs speaks TAP ("ok 1 - what was proved").  A program that crashes,
says nothing or outlives its deadline counts as one failure more.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNIT_SECONDS = 120
STORY_SECONDS = 420  # so that what hangs ends; a busy machine is no failure
SANITIZED_SLOWER = 3  # than a plain build, which the seconds above are for
MEMCHECKED_RELOADS = 1000

MEMCHECKED = ("acks", "commit", "handover", "handshake", "hec_channel", "http_client", "http_gate",
              "intake", "limit", "relp", "report", "secret", "send_hec", "send_relp", "session",
              "spool", "stream", "submission", "supervisor", "tls_client", "tls_memory", "uplink",
              "verify", "wake", "watch")

RESULT = re.compile(r"^(ok|not ok) \d+ - (.*)$")


class Item:
    """One program that prints TAP."""

    def __init__(self, name, command, seconds, environment=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.seconds = seconds
        self.environment = environment or {}
        self.passed = 0
        self.failed = 0
        self.duration = 0.0
        self.notes = []  # what it wants to be seen although all is well
        self.output = ""

    def run(self):
        began = time.monotonic()
        with tempfile.TemporaryFile() as output:
            try:
                status, complaint = self.run_into(output)
            except OSError as error:
                status, complaint = 1, f"cannot be run: {error.strerror}"
            output.seek(0)
            self.output = output.read().decode(errors="replace")
        self.duration = time.monotonic() - began
        self.count(status, complaint)
        return self

    def run_into(self, output):
        environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
                           UBSAN_OPTIONS="print_stacktrace=1", **self.environment)
        process = subprocess.Popen(self.command, cwd=ROOT, env=environment,
                                   stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        complaint = None
        try:
            process.wait(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            complaint = f"not ended after {self.seconds} s"
        finally:
            end_group(process)
        return process.returncode, complaint

    def count(self, status, complaint):
        for line in self.output.splitlines():
            result = RESULT.match(line)
            if result and result[1] == "ok":
                self.passed += 1
            elif result:
                self.failed += 1
            elif line.startswith("# figure: "):
                self.notes.append(line.removeprefix("# figure: "))
        if complaint is None and status < 0:
            complaint = f"killed by {signal.Signals(-status).name}"
        elif complaint is None and status > 0 and self.failed == 0:
            complaint = f"exit status {status}"
        elif complaint is None and self.passed + self.failed == 0:
            complaint = "ran no test"
        if complaint:
            self.failed += 1
            self.output += f"\n{self.name}: {complaint}\n"

    def report(self):
        verdict = "FAIL" if self.failed else "ok"
        print(f"{verdict:<5} {self.name:<52} {self.passed:>4} passed"
              f" {self.duration:7.2f} s", flush=True)
        for note in self.notes:
            print(f"        {note}")
        if self.failed:
            for line in self.output.splitlines():
                if not line.startswith("ok "):
                    print(f"      | {line}")
            sys.stdout.flush()


def end_group(process):
    """The program, if it still runs, and whatever it left behind in its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def unit_items(variant):
    seconds = UNIT_SECONDS * (SANITIZED_SLOWER if variant == "tsan" else 1)
    for source in sorted((ROOT / "tests/unit").glob("test_*.c")):
        yield Item(f"unit {variant} {source.stem}",
                   [ROOT / "build" / variant / "unit" / source.stem], seconds)


def scenario_items(pattern="*"):
    runner = ROOT / "tests/scenario/runner.py"
    for story in sorted((ROOT / "tests/scenario").glob(f"{pattern}.scenario")):
        yield Item(f"scenario {story.stem}", [sys.executable, runner, story], STORY_SECONDS)


def integration_items(pattern="*"):
    for file in sorted((ROOT / "tests/integration").glob(f"test_{pattern}.py")):
        yield Item(f"integration {file.stem.removeprefix('test_')}",
                   [sys.executable, file], STORY_SECONDS)


def crash_items(pattern="*"):
    for file in sorted((ROOT / "tests/crash").glob(f"test_{pattern}.py")):
        yield Item(f"crash {file.stem.removeprefix('test_')}", [sys.executable, file],
                   STORY_SECONDS)


def watched(items, variant, build):
    """Those, of a daemon that a sanitizer watches: stage.py reads its log."""
    for item in items:
        item.name = f"{variant} {item.name}"
        item.seconds *= SANITIZED_SLOWER
        item.environment = {"SIEMBRIDGE": str(ROOT / "build" / build / "siembridge"),
                            "HOSTILE_EVENTS": "10000",
                            "TSAN_OPTIONS": f"suppressions={ROOT}/tests/sanitize/tsan.supp"}
        yield item


def sanitized_items(variant, integration="*", scenario="*", crash="*"):
    """Tests from outside; a pattern that is None: none of that kind."""
    if integration:
        # what is installed and packaged is the plain build
        yield from watched((item for item in integration_items(integration)
                            if item.name != "integration package"), variant, variant)
    if scenario:
        yield from watched(scenario_items(scenario), variant, variant)
    if crash:
        yield from watched(crash_items(crash), variant, f"faults-{variant}")


def memcheck_items():
    """What runs threads and sockets, and a supervisor that reloads."""
    for name in MEMCHECKED:
        program = ROOT / f"build/plain/unit/test_{name}"
        yield Item(f"memcheck {name}",
                   ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite,indirect",
                    "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=9", program],
                   STORY_SECONDS, {"LD_PRELOAD": str(ROOT / "build/plain/reexec.so"),
                                   "REEXEC_BINARY": str(program)})
    for item in integration_items("reloads"):
        item.name = f"memcheck {item.name}"
        item.environment = {"SIEMBRIDGE": str(ROOT / "tests/sanitize/siembridge"),
                            "RELOADS": os.environ.get("RELOADS", str(MEMCHECKED_RELOADS))}
        yield item


def run_side_by_side(items):
    """Unit tests wait for nothing but the processor: one a core."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for item in pool.map(Item.run, items):
            item.report()


def run_in_turn(items):
    for item in items:
        item.run().report()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unit", metavar="VARIANT")
    parser.add_argument("--scenario", metavar="NAME")
    parser.add_argument("--sanitized", metavar="VARIANT")
    parser.add_argument("--memcheck", action="store_true")
    parser.add_argument("--integration", metavar="NAME")
    parser.add_argument("--crash", metavar="NAME")
    arguments = parser.parse_args()

    units, stories = [], []
    if arguments.unit:
        units = list(unit_items(arguments.unit))
    some = (arguments.integration, arguments.scenario, arguments.crash)
    if arguments.sanitized:
        stories += sanitized_items(arguments.sanitized, *(some if any(some) else ()))
    else:
        stories += scenario_items(arguments.scenario) if arguments.scenario else ()
        stories += integration_items(arguments.integration) if arguments.integration else ()
        stories += crash_items(arguments.crash) if arguments.crash else ()
    if arguments.memcheck:
        stories += memcheck_items()
    if not any(vars(arguments).values()):
        units = [*unit_items("plain"), *unit_items("asan")]
        stories = [*integration_items(), *scenario_items(), *crash_items(),
                   *sanitized_items("asan", "http", "05*", None),
                   *sanitized_items("asan", "answers", None, None)]
    if not units and not stories:
        parser.error("no test of that name")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run_side_by_side(units)
    run_in_turn(stories)
    passed = sum(item.passed for item in units + stories)
    failed = sum(item.failed for item in units + stories)
    failures = [item.name for item in units + stories if item.failed]
    if failures:
        print("failed: " + ", ".join(failures))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
