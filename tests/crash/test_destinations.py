#!/usr/bin/env python3
"""What a collector does: it dies, stops, resets, dawdles, falls silent, talks nonsense.

rsyslogd is killed and stopped; the rest is done by a server of our own, which writes down a
frame once it has read the whole of it.  What the bridge had confirmed stays confirmed.
"""
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

from crash_case import RATE, Delivered, Matrix, chance, pause, rounds, row
from stage import Failure, Tests, until

ROUNDS = rounds(50, 2)
SETTLED = 1.2  # seconds: `settle` of 1 s, and a turn of the forwarder

tests = Tests()


class Sink:
    """A syslog server over TCP (RFC 6587 octet counting); `mode` is what it does now."""

    def __init__(self, path, address="127.0.0.1", port=0):
        self.path = path
        self.mode = "well"
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        self.broken = None

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        rest = b""
        connection.settimeout(0.05)
        with connection, open(self.path, "ab", buffering=0) as file:
            while True:
                try:
                    mode = self.mode
                    if mode == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                              struct.pack("ii", 1, 0))
                        return
                    if mode == "garbage":
                        connection.sendall(b"\0\xff 500 what?\r\n" * 20)
                        return
                    if mode == "stalled":
                        pause(0.02)
                        continue
                    data = connection.recv(64 if mode == "slow" else 65536)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not data:
                    return
                if mode == "slow":
                    pause(0.01)
                rest = self.take(rest + data, file)

    def take(self, data, file):
        while b" " in data[:8]:
            length, _, behind = data.partition(b" ")
            if not length.isdigit():
                self.broken = data[:80]
            if len(behind) < int(length):
                break
            file.write(behind[:int(length)] + b"\n")
            data = behind[int(length):]
        return data

    def end(self):
        self.listener.close()


def misbehave(mode, what):
    def test():
        with Matrix(f"destination-{mode}") as matrix:
            records = Delivered(matrix.directory / "sink.events")
            sink = Sink(records.path).start()
            matrix.to_syslog("sink", f'address: "127.0.0.1:{sink.port}", transport: tcp,'
                             " settle: 100ms", records)
            matrix.to_file().start()
            matrix.begin_load()
            moments = chance(f"destination {mode}")
            for _ in range(ROUNDS):
                sink.mode = mode
                pause(moments.uniform(0.05, 0.3))
                sink.mode = "well"
                arrives(matrix, records)
            matrix.end_load()
            result = matrix.check({"sink": ROUNDS * 3 * RATE, "file": 0})
            sink.end()
            if sink.broken:
                raise Failure(f"no frame: {sink.broken}")
            row(f"destination {what}", ROUNDS, result)
    tests.add(f"a destination that is {what}", test)


def arrives(matrix, records):
    """Something new is there: the connection is up, and what it missed was sent again."""
    goal = len(records.read().first) + 20
    until(lambda: len(records.read().first) >= goal, f"events go on\n{matrix.bridge.log_tail()}",
          45)


def signalled(name, what, fault):
    def test():
        with Matrix(f"destination-{name}") as matrix:
            collector = matrix.to_collector("tcp")
            matrix.to_collector("relp")
            matrix.start()
            matrix.begin_load(rate=RATE // 2)
            moments = chance(f"destination {name}")
            for _ in range(ROUNDS):
                for each in matrix.collectors:
                    fault(each, moments)
                pause(SETTLED)
                arrives(matrix, collector.records)
            matrix.end_load()
            row(f"destination {what}", ROUNDS,
                matrix.check({"tcp": ROUNDS * 4 * RATE, "relp": ROUNDS * 4 * 128}))
    tests.add(f"a destination that is {what}", test)


def kill(collector, moments):
    collector.signal(signal.SIGKILL)
    pause(moments.uniform(0, 0.2))
    collector.start()


def stop(collector, moments):
    collector.process.send_signal(signal.SIGSTOP)
    pause(moments.uniform(0.05, 0.4))
    collector.process.send_signal(signal.SIGCONT)


signalled("killed", "killed (rsyslogd, TCP and RELP)", kill)
signalled("stopped", "stopped and goes on (rsyslogd)", stop)
misbehave("reset", "reset")
misbehave("slow", "slow (64 bytes in 10 ms)")
misbehave("stalled", "not reading any more")
misbehave("garbage", "talking garbage and closing")


def netns(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True)


def blackhole():
    """Packets go nowhere: the collector lives in a network of its own, whose cable is cut."""
    name, address = "sbcrash", "10.213.77"
    if shutil.which("ip"):
        netns("netns", "del", name)
    if not shutil.which("ip") or netns("netns", "add", name).returncode != 0:
        print("# no network of its own to be had: the blackhole is left out")
        return
    try:
        for words in (f"link add sbcrash0 type veth peer name sbcrash1 netns {name}",
                      f"addr add {address}.1/24 dev sbcrash0", "link set sbcrash0 up",
                      f"-n {name} addr add {address}.2/24 dev sbcrash1",
                      f"-n {name} link set sbcrash1 up", f"-n {name} link set lo up"):
            result = netns(*words.split())
            if result.returncode != 0:
                print(f"# ip {words}: {result.stderr.strip()}: the blackhole is left out")
                return
        under_blackhole(name, f"{address}.2")
    finally:
        netns("link", "del", "sbcrash0")
        netns("netns", "del", name)


def under_blackhole(name, address):
    with Matrix("destination-blackhole") as matrix:
        records = Delivered(matrix.directory / "sink.events")
        port = 5514
        sink = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, __file__, "--sink",
                                 str(records.path), address, str(port)])
        try:
            matrix.to_syslog("sink", f'address: "{address}:{port}", transport: tcp,'
                             " settle: 100ms", records)
            matrix.to_file().start()
            matrix.begin_load(rate=RATE // 4)
            moments = chance("destination blackhole")
            for _ in range(ROUNDS):
                netns("-n", name, "link", "set", "sbcrash1", "down")
                pause(moments.uniform(0.05, 0.5))
                netns("-n", name, "link", "set", "sbcrash1", "up")
                arrives(matrix, records)
            matrix.end_load()
            row("destination blackholed (its link is down)", ROUNDS,
                matrix.check({"sink": ROUNDS * RATE, "file": 0}))
        finally:
            sink.kill()
            sink.wait()


tests.add("a destination behind a cable that is cut", blackhole)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sink"]:
        Sink(sys.argv[2], sys.argv[3], int(sys.argv[4])).accept()
    sys.exit(tests.run())
