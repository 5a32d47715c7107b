#!/usr/bin/env python3
"""What runs out or jumps: descriptors, memory, disk, the clock; and reloads under load."""
import os
import resource
import socket
import subprocess
import sys

from crash_case import RATE, Matrix, chance, pause, rounds, row
from stage import IS_SANITIZED, Tests, children, process_stat, until

YEAR = 365 * 24 * 3600 * 1000  # milliseconds
PAGE = resource.getpagesize()

tests = Tests()


def limit(pid, what, value):
    """The soft limit, of a process that may be gone."""
    try:
        resource.prlimit(pid, what, (value, resource.prlimit(pid, what)[1]))
    except ProcessLookupError:
        pass


def pid_of(matrix, role):
    return until(lambda: children(matrix.bridge.process.pid).get(role), f"there is a {role}", 15)


def under_load(name, fault, count, bound=None, **spool):
    """Rounds of fault(matrix, random numbers), the load going on after each."""
    with Matrix(name, spool) as matrix:
        matrix.to_file()
        matrix.to_collector("tcp", settle="100ms")
        matrix.start()
        matrix.begin_load()
        numbers = chance(name)
        for _ in range(count):
            fault(matrix, numbers)
            matrix.when_owed(50)
        matrix.end_load()
        return matrix.check(bound)


def out_of_descriptors(matrix, numbers):
    """A few more than it has open; and callers that want them."""
    role = numbers.choice(["receiver", "forwarder"])
    pid = pid_of(matrix, role)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
    limit(pid, resource.RLIMIT_NOFILE, len(os.listdir(f"/proc/{pid}/fd")) + numbers.randint(0, 4))
    callers = []
    for _ in range(20):
        caller = socket.create_connection(("127.0.0.1", matrix.bridge.port), 5)
        callers.append(caller)
    if role == "forwarder":
        matrix.collectors[0].signal(9)
        matrix.collectors[0].start()
    pause(numbers.uniform(0.1, 0.3))
    for caller in callers:
        caller.close()
    limit(pid, resource.RLIMIT_NOFILE, before)


def out_of_memory(matrix, numbers):
    """No more than it has now and a little: what it cannot get ends it, and it is started anew."""
    pid = pid_of(matrix, numbers.choice(["receiver", "forwarder"]))
    stat = process_stat(pid)
    if stat is None:
        return
    limit(pid, resource.RLIMIT_AS, int(stat[20]) + numbers.randint(0, 64) * PAGE)
    pause(numbers.uniform(0.1, 0.4))
    limit(pid, resource.RLIMIT_AS, resource.RLIM_INFINITY)


@tests
def out_of_file_descriptors():
    count = rounds(20, 2)
    row("out of file descriptors", count, under_load("descriptors", out_of_descriptors, count))


@tests
def out_of_memory_by_rlimit():
    if IS_SANITIZED:
        print("# a sanitizer maps terabytes: out of memory is left out")
        return
    count = rounds(20, 2)
    row("out of memory (RLIMIT_AS)", count, under_load("memory", out_of_memory, count))


@tests
def a_full_disk_is_freed():
    count = rounds(20, 1)
    with Matrix("full", {"reserve": "0"}) as matrix:
        spool = matrix.directory / "spool"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", spool],
                          capture_output=True).returncode != 0:
            print("# nothing may be mounted here: a full disk is left out")
            return
        try:
            matrix.to_file().start()
            matrix.begin_load(rate=300)
            for _ in range(count):
                fill_and_free(matrix, spool / "filler")
            matrix.end_load()
            row("disk full, then freed", count, matrix.check({"file": count * RATE}))
            matrix.bridge.end()
        finally:
            matrix.bridge.end()
            subprocess.run(["umount", "-l", spool], check=True)


def times_told(matrix):
    """By a receiver that answers 503, or by one that cannot even start."""
    log = matrix.bridge.log_text()
    return log.count("senders are told to come again") + log.count("database or disk is full")


def fill_and_free(matrix, filler):
    before = times_told(matrix)
    with open(filler, "wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    try:
        until(lambda: times_told(matrix) > before, "a full disk is told", 20)
    finally:
        filler.unlink()
    matrix.when_owed(50)


def jumps(sign, what):
    def test():
        count = rounds(10, 1)
        name = f"clock-{what}"
        clock = None

        def jump(matrix, numbers):
            clock.write_text(str(sign * YEAR))
            if numbers.random() < 0.5:
                matrix.bridge.kill("receiver")
            pause(numbers.uniform(0.1, 0.4))
            clock.write_text("0")
        with Matrix(name, {"retention": "1d"}) as matrix:
            clock = matrix.directory / "clock"
            clock.write_text("0")
            matrix.to_file()
            matrix.start({"SIEMBRIDGE_CLOCK": str(clock)})
            matrix.begin_load()
            numbers = chance(name)
            for _ in range(count):
                jump(matrix, numbers)
                matrix.when_owed(50)
            matrix.end_load()
            row(f"clock a year {what}, and right again", count, matrix.check({"file": 0}))
    tests.add(f"a clock that jumps a year {what}", test)


jumps(1, "forward")
jumps(-1, "back")


@tests
def reloads_under_load():
    count = rounds(200, 3)

    def reload(matrix, numbers):
        matrix.bridge.reload()
        pause(numbers.uniform(0, 0.1))
    row("configuration reload under load", count,
        under_load("reload", reload, count, {"file": 0, "tcp": count * RATE}))


if __name__ == "__main__":
    sys.exit(tests.run())
