#!/usr/bin/env python3
"""Power cuts and failing disks, by tests/crash/power.c on a disk of its own making."""
import subprocess
import sys

from crash_case import FULL, SEED, SHARE, rounds, row
from stage import SIEMBRIDGE, Failure, Tests

POWER = SIEMBRIDGE.parent / "crash/power"  # of the same build

tests = Tests()


def power(mode, count):
    """How many images or failures were judged."""
    result = subprocess.run([POWER, mode, str(SEED), str(count)], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    lines = result.stdout.splitlines()
    if result.returncode != 0:
        raise Failure(result.stdout + result.stderr)
    return int(lines[-1].rpartition(" ")[2])


@tests
def what_was_not_synced_is_gone_kept_or_torn():
    images = power("cut", rounds(2000, 40))
    row("power loss", f"{images} images", "each opens; 0 lost, 0 changed, 0 numbered twice")


@tests
def the_nth_write_sync_or_read_fails():
    failures = power("fail", 0 if FULL and SHARE == 1 else 40)
    row("write, sync or read fails at the n-th call: EIO, ENOSPC, short; once, from then on",
        f"{failures} failures", "no event that was stored is lost, and none by a power cut after it")


if __name__ == "__main__":
    sys.exit(tests.run())
