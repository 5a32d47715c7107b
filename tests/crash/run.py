#!/usr/bin/env python3
"""The whole fault matrix: `make crash`, and its table.

    tests/crash/run.py [NAME]...      rows of tests/crash/test_NAME.py; without a name: all
    CRASH_SEED=N                      the seed of an earlier run
    CRASH_SHARE=N                     an N-th of the rounds
"""
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def play(file, environment):
    """(rows, failures) of one file; what it says goes to the terminal at once."""
    rows, failures = [], 0
    process = subprocess.Popen([sys.executable, file], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in process.stdout:
        if line.startswith("# row: "):
            rows.append(line.removeprefix("# row: ").strip())
            continue
        print(line, end="", flush=True)
        if line.startswith("not ok "):
            failures += 1
            rows.append(re.sub(r"not ok \d+ - ", "FAILED: ", line).strip() + " | |")
    if process.wait() != 0 and failures == 0:
        failures = 1
        rows.append(f"FAILED: {file.name} ended with status {process.returncode} | |")
    return rows, failures


def main():
    seed = os.environ.get("CRASH_SEED") or str(random.SystemRandom().randrange(1, 10**9))
    environment = dict(os.environ, CRASH="full", CRASH_SEED=seed)
    files = [HERE / f"test_{name}.py" for name in sys.argv[1:]] or sorted(HERE.glob("test_*.py"))
    began = time.monotonic()
    rows, failures = [], 0
    print(f"seed {seed}", flush=True)
    for file in files:
        more, failed = play(file, environment)
        rows += more
        failures += failed
    print("\n| fault | rounds | seen |\n|---|---|---|")
    for row in rows:
        print(f"| {row} |")
    print(f"\nseed {seed}, {time.monotonic() - began:.0f} s, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
