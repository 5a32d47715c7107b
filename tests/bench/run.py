#!/usr/bin/env python3
"""Requests and events a second, beside nginx as the limit of a front end.

    tests/bench/run.py [--rounds 8] [--seconds 3] [--connections 64] [--loops N]
    tests/bench/run.py --memory [--events 1000000]   resident memory after that many

wrk posts unique events of 450 bytes, signed before it starts, over TLS keep-alive
to the bridge, which forwards them to a real rsyslogd over TCP; then the same
requests to nginx: one worker, TLS, the same certificate, 202 with an empty body.
Both take turns, round by round, so that a noisy machine is noisy for both; the ratio is
that of the means of all rounds, with its standard error.  The report goes to stdout; all
else to build/stage/bench.
"""
import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stage import POST, WEBHOOK_PATH, Bridge, Collector, Failure, Post, Program  # noqa: E402
from stage import free_port, make_directory, process_stat, until                 # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
WRK_THREADS = 2
MOST_EVENTS_A_SECOND = 40000  # how many requests to sign for each second of the run


def cpu_seconds(pid):
    stat = process_stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICK


def resident_kib(pid):
    """Resident; the same with shared pages divided; of it what no file stands behind."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return tuple(int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1])
                 for name in ("Rss", "Pss", "Anonymous"))


def processes(bridge):
    return {"supervisor": bridge.process.pid, **bridge.roles()}


def bridge_and_collector(directory):
    """Neither is started: a bridge that forwards CEF over TCP to an rsyslogd."""
    bridge = Bridge(directory)
    collector = Collector("rsyslogd", directory)
    bridge.destinations.append(f'  - name: siem\n    format: cef\n    syslog: '
                               f'{{address: "{collector.address()}", transport: tcp}}\n')
    return bridge, collector


def sign(bridge, directory, count, prefix="bench"):
    """(file, size of a request)"""
    file = directory / "requests"
    result = subprocess.run([POST, "--emit", file, "--secret", bridge.secret, "--prefix", prefix,
                             "--path", WEBHOOK_PATH, "--count", str(count)],
                            check=True, capture_output=True, text=True)
    return file, int(re.search(r"size=(\d+)", result.stdout)[1])


def wrk(port, requests, count, arguments, again):
    file, size = requests
    result = subprocess.run(
        ["wrk", f"-t{WRK_THREADS}", f"-c{arguments.connections}", f"-d{arguments.seconds}s",
         "--timeout", "10s", "-s", HERE / "signed.lua", f"https://127.0.0.1:{port}/", "--",
         file, str(size), str(count), str(WRK_THREADS), "again" if again else "once"],
        check=True, capture_output=True, text=True)
    figures = dict(word.split("=") for word in
                   re.search(r"^figures (.*)$", result.stdout, re.M)[1].split())
    figures = {name: int(value) for name, value in figures.items()}
    if not again and figures["requests"] > 0.95 * count:
        raise Failure("there were too few signed requests: raise MOST_EVENTS_A_SECOND")
    return figures


def rate(figures):
    return figures["requests"] * 1e6 / figures["microseconds"]


def print_figures(name, figures, cpu):
    print(f"{name:<8} {rate(figures):>9,.0f} requests/s   p50 {figures['p50'] / 1000:6.2f} ms   "
          f"p99 {figures['p99'] / 1000:6.2f} ms   max {figures['max'] / 1000:7.2f} ms   "
          f"not 2xx {figures['not_2xx']}   broken {figures['broken']}   "
          f"CPU {cpu / figures['requests'] * 1e6:5.1f} us a request")


def print_disk(directory, connections):
    """What a commit costs at least: each connection waits for one before its next request."""
    seconds = []
    with open(directory / "disk", "wb") as file:
        for _ in range(100):
            began = time.monotonic()
            file.write(b"x" * 32768)
            file.flush()
            os.fdatasync(file.fileno())
            seconds.append(time.monotonic() - began)
    median = sorted(seconds)[len(seconds) // 2]
    load = os.getloadavg()[0]
    print(f"disk     fdatasync of 32 KiB: median {median * 1000:.2f} ms, so that {connections} "
          f"connections get at most {connections / median:,.0f} answers a second; "
          f"load of the machine before: {load:.1f} on {os.cpu_count()} cores")


def bench_bridge(bridge, collector, requests, count, arguments):
    """(figures, {role: seconds of CPU}, seconds until all were at the collector, behind wrk)."""
    pids = processes(bridge)
    before = {role: cpu_seconds(pid) for role, pid in pids.items()}
    arrived = len(collector.records.read().first)
    figures = wrk(bridge.port, requests, count, arguments, again=False)
    ended = time.monotonic()
    stored = figures["requests"] - figures["not_2xx"]
    # wrk ends while requests are under way, so a few more may arrive than it has counted.
    until(lambda: len(collector.records.read().first) >= arrived + stored,
          f"{stored} events at rsyslogd", 120)
    used = {role: cpu_seconds(pid) - before[role] for role, pid in pids.items()}
    return figures, used, time.monotonic() - ended


class Nginx(Program):
    """With the bridge's certificate."""

    def __init__(self, bridge, directory):
        super().__init__("nginx", directory)
        self.directory = directory
        self.port = free_port()
        text = (HERE / "nginx.conf").read_text()
        for name, value in (("PORT", self.port), ("CERTIFICATE", bridge.directory / "cert.pem"),
                            ("KEY", bridge.directory / "key.pem")):
            text = text.replace(f"@{name}@", str(value))
        self.config = directory / "nginx.conf"
        self.config.write_text(text)

    def start(self):
        self.launch(["nginx", "-p", self.directory, "-e", "stderr", "-c", self.config],
                    {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        until(lambda: self.must_run() and self.workers(), "nginx has a worker")

    def end(self):
        if self.is_running():
            self.signal(signal.SIGTERM)  # killed, it would leave its worker behind
        super().end()

    def workers(self):
        pid = self.process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def cpu_seconds(self):
        return sum(map(cpu_seconds, [self.process.pid, *map(int, self.workers())]))


def bench_nginx(nginx, requests, count, arguments):
    before = nginx.cpu_seconds()
    figures = wrk(nginx.port, requests, count, arguments, again=True)
    return figures, nginx.cpu_seconds() - before


def with_error(value, deviations):
    """`deviations` of the rounds from it; printed with the standard error of their mean."""
    error = statistics.stdev(deviations) / len(deviations) ** 0.5 if len(deviations) > 1 else 0
    return f"{value:.3f} +- {error:.3f}"


def mean_and_error(values):
    return with_error(statistics.mean(values), values)


def ratio_and_error(ours, theirs):
    """Of the means, not the mean of ratios: one slow round of theirs would lift that."""
    ratio = statistics.mean(ours) / statistics.mean(theirs)
    return with_error(ratio, [(our - ratio * their) / statistics.mean(theirs)
                              for our, their in zip(ours, theirs, strict=True)])


def print_cpu(rounds):
    """Of (figures, {role: seconds}) each."""
    requests = sum(figures["requests"] for figures, _ in rounds)
    print("CPU      " + "   ".join(
        f"{role} {sum(used[role] for _, used in rounds) / requests * 1e6:.1f} us"
        for role in rounds[0][1]) + "   a request of the bridge")


def bench_speed(bridge, collector, directory, arguments):
    count = arguments.seconds * MOST_EVENTS_A_SECOND
    nginx = Nginx(bridge, directory)
    rounds, limits, late = [], [], 0
    print_disk(directory, arguments.connections)
    try:
        nginx.start()
        for number in range(arguments.rounds):
            requests = sign(bridge, directory, count, f"bench{number}")
            os.sync()  # or the kernel writes that file back while commits wait for the disk
            figures, used, behind = bench_bridge(bridge, collector, requests, count, arguments)
            rounds.append((figures, used))
            late = max(late, behind)
            print_figures("bridge", figures, sum(used.values()))
            limit, seconds = bench_nginx(nginx, requests, count, arguments)
            print_figures("nginx", limit, seconds)
            limits.append(rate(limit))
    finally:
        nginx.end()
    print_cpu(rounds)
    rates = [rate(figures) for figures, _ in rounds]
    stored = sum(figures["requests"] - figures["not_2xx"] for figures, _ in rounds)
    print(f"events   {len(collector.records.first):,} at rsyslogd of {stored:,} answered 202, "
          f"{collector.records.duplicates()} duplicates; all of a round at most {late:.2f} s "
          "behind its last answer")
    print(f"mean     bridge {statistics.mean(rates):,.0f}   nginx {statistics.mean(limits):,.0f} "
          f"requests/s   ratio {ratio_and_error(rates, limits)}, every 202 on disk")


def print_memory(bridge, count):
    found = {role: resident_kib(pid) for role, pid in processes(bridge).items()}
    found["all"] = tuple(map(sum, zip(*found.values(), strict=True)))
    print(f"{count:>9,} events   " + "   ".join(
        f"{role} " + "/".join(f"{kib / 1024:.1f}" for kib in found[role]) for role in found),
        flush=True)


def bench_memory(bridge, collector, directory, arguments):
    """Flat behind the first tenth, but for the fingerprint table: 16 bytes an event and more."""
    def at_collector():
        return len(collector.records.read().first)

    print("MiB resident/with shared pages divided/anonymous; "
          "the receiver's part holds the fingerprint table")
    print_memory(bridge, 0)
    post = Post(1, directory, bridge, arguments.events,
                {"connections": arguments.connections, "as": "memory", "retry": 60})
    post.start()
    for tenths in (1, 4, 7):
        until(lambda: time.sleep(0.2) or at_collector() >= arguments.events * tenths / 10,
              "events at rsyslogd", 900)
        print_memory(bridge, at_collector())
    figures = post.wait(900)
    until(lambda: time.sleep(1) or at_collector() >= figures["accepted"],
          "all events at rsyslogd", 300)
    print_memory(bridge, at_collector())
    print(f"accepted {figures['accepted']:,}, {figures['rate']:,} a second")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--loops", type=int, help="listen.loops; default: one a core")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--events", type=int, default=1000000)
    arguments = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = make_directory("bench")
    bridge, collector = bridge_and_collector(directory)
    if arguments.loops:
        bridge.sections["listen"]["loops"] = arguments.loops
    try:
        collector.start()
        bridge.start()
        (bench_memory if arguments.memory else bench_speed)(bridge, collector, directory, arguments)
        bridge.stop()
    finally:
        bridge.end()
        collector.end()
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
