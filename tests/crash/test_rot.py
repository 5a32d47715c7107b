#!/usr/bin/env python3
"""Files of a stopped spool are damaged: the start goes on, says so, and delivers the rest.

A bridge is killed with events that nobody has got yet.  Each image of it is damaged in one
place.  Then: it starts, takes and delivers a fresh event, delivers nothing that was not
posted or was changed, and if anything is missing the log or `siembridge verify` says so.
"""
import re
import shutil
import signal
import sys

from crash_case import DRAIN, Delivered, Matrix, chance, rounds, row
from stage import Failure, Tests, kill_quietly, until

IMAGES = rounds(500, 6)
COUNT = 300
SAID = re.compile(r" (?:error|warning) \w+ (?:spool|destination|cursor|delivery)")

tests = Tests()


def flip(path, numbers):
    data = bytearray(path.read_bytes())
    for _ in range(numbers.randint(1, 4)):
        data[numbers.randrange(len(data))] ^= 1 << numbers.randrange(8)
    path.write_bytes(data)


def cut_tail(path, numbers):
    data = path.read_bytes()
    path.write_bytes(data[:numbers.randrange(len(data))])


def remove(path, _numbers):
    path.unlink()


WAYS = [(way, name) for way, names in
        ((flip, ("spool.db", "spool.db-wal", "delivery.db", "head")),
         (cut_tail, ("spool.db", "spool.db-wal", "delivery.db", "head")),
         (remove, ("spool.db-wal", "delivery.db", "head")))
        for name in names]


def make_base(matrix):
    """300 events that were accepted and that the forwarder never sent."""
    matrix.start()
    matrix.check_alive()
    kill_quietly(matrix.bridge.roles()["forwarder"], signal.SIGSTOP)
    matrix.post(COUNT, rate=0).wait(30)
    matrix.bridge.kill("all")
    matrix.when_gone()
    shutil.copytree(matrix.directory / "spool", matrix.directory / "base")
    shutil.copy(matrix.delivered["file"].path, matrix.directory / "base.events")


def begin_again(matrix):
    path = matrix.delivered["file"].path
    shutil.rmtree(matrix.directory / "spool")
    shutil.copytree(matrix.directory / "base", matrix.directory / "spool")
    (matrix.directory / "spool").chmod(0o700)
    shutil.copy(matrix.directory / "base.events", path)
    matrix.bridge.must_be_sane()
    matrix.bridge.log.unlink()
    matrix.delivered["file"] = Delivered(path)


def run_image(matrix, way, name, numbers):
    """How many of the events are missing."""
    begin_again(matrix)
    way(matrix.directory / "spool" / name, numbers)
    matrix.start()
    owed = set(matrix.owed())
    matrix.check_alive(DRAIN)
    records = matrix.delivered["file"].read()
    matrix.check_lines("file", records)
    missing = owed - records.first.keys()
    verified = matrix.bridge.command("verify", "-c", matrix.bridge.config)
    if missing and verified.returncode == 0 and not SAID.search(matrix.bridge.log_text()):
        raise Failure(f"{len(missing)} are missing and nobody says so:\n"
                      f"{matrix.bridge.log_text()}{verified.stdout}")
    matrix.bridge.kill("all")
    matrix.when_gone()
    # what was posted for this image is owed by no other
    lines = (matrix.directory / "journal").read_text().splitlines()
    (matrix.directory / "journal").write_text("\n".join(lines[:COUNT + 1]) + "\n")
    return len(missing)


@tests
def damaged_files_are_told_and_the_rest_is_delivered():
    with Matrix("rot") as matrix:
        matrix.to_file()
        make_base(matrix)
        numbers = chance("rot")
        missing = {}
        for number in range(IMAGES):
            way, name = WAYS[number % len(WAYS)] if IMAGES > len(WAYS) else numbers.choice(WAYS)
            try:
                lost = run_image(matrix, way, name, numbers)
            except Failure as problem:
                raise Failure(f"image {number}, {way.__name__} of {name}: {problem}\n"
                              f"{matrix.bridge.log_text()[-3000:]}") from None
            missing.setdefault(f"{way.__name__} {name}", []).append(lost)
        worst = ", ".join(f"{what} {max(lost)}" for what, lost in sorted(missing.items()))
        row("bits flipped, tail cut, WAL or other file removed", f"{IMAGES} images",
            f"each starts; of {COUNT} events at most missing, and told: {worst}")


if __name__ == "__main__":
    sys.exit(tests.run())
