"""A real syslog-ng takes what the bridge sends, in both framings and in TLS, and is killed."""
import re
import signal
import subprocess
import sys

from stage import ROOT, Bridge, Failure, Post, Program, Records, Tests, figure, free_port
from stage import make_certificate, make_directory, until

COUNT = 3000
test = Tests()
bridge = Bridge(make_directory("syslog-ng"))
D = bridge.directory
CERTIFICATE, KEY = D / "syslog-ng.pem", D / "syslog-ng.key"

LISTENERS = {  # name: (source, what the bridge is told)
    "lf": ('network(ip("127.0.0.1") port({port}) transport("tcp") '
           "flags(syslog-protocol, store-raw-message))", "transport: tcp, framing: lf"),
    "counted": ('syslog(ip("127.0.0.1") port({port}) transport("tcp") flags(store-raw-message))',
                "transport: tcp"),
    "tls": ('syslog(ip("127.0.0.1") port({port}) transport("tls") flags(store-raw-message) '
            'tls(key-file("%s") cert-file("%s") peer-verify(optional-untrusted)))'
            % (KEY, CERTIFICATE), f"transport: tls, ca_file: {CERTIFICATE}"),
}


class SyslogNg(Program):
    def __init__(self):
        super().__init__("syslog-ng", D)
        unpacked = subprocess.run(["sh", ROOT / ".ci/syslog-ng"], capture_output=True, text=True,
                                  check=False)
        if unpacked.returncode != 0:
            raise Failure(unpacked.stderr)
        self.program = unpacked.stdout.strip()
        self.ports = {name: free_port() for name in LISTENERS}
        self.records = {name: Records(D / f"{name}.events") for name in LISTENERS}
        config = "@version: 3.38\noptions { keep-hostname(yes); flush-lines(1); };\n"
        for name, (source, _) in LISTENERS.items():
            config += (f"source s_{name} {{ {source.format(port=self.ports[name])}; }};\n"
                       f'destination d_{name} {{ file("{self.records[name].path}" '
                       'template("${RAWMSG}\\n") create-dirs(no)); };\n'
                       f"log {{ source(s_{name}); destination(d_{name}); "
                       "flags(flow-control); };\n")
        (D / "syslog-ng.conf").write_text(config)

    def start(self):
        state = [f"--persist-file={D}/persist", f"--control={D}/control", f"--pidfile={D}/pid"]
        self.launch([self.program, "-F", "--no-caps", "-f", D / "syslog-ng.conf", *state])
        listening = r"0100007F:{:04X} [0-9A-F:]+ 0A "
        until(lambda: self.must_run() and all(
            re.search(listening.format(port), open("/proc/net/tcp").read())
            for port in self.ports.values()), "syslog-ng listens")


peer = SyslogNg()


def has_each(name, wanted):
    return lambda: len(peer.records[name].read().first) >= wanted


def in_order(name):
    """Within the ids of one connection of the sender, by their first arrival."""
    numbers = {}
    for position, event in sorted((p, e) for e, p in peer.records[name].first.items()):
        prefix, _, number = event.rpartition("-")
        row = (prefix, int(number) % 4)
        assert numbers.get(row, -1) < int(number), f"{name}: {event} came late"
        numbers[row] = int(number)


@test
def each_event_arrives_once_and_in_order_in_each_framing():
    post = Post(1, D, bridge, COUNT, {"retry": 10})
    post.start()
    assert post.wait(60)["accepted"] == COUNT
    for name in LISTENERS:
        until(has_each(name, COUNT), f"{name} has all", 30)
        assert peer.records[name].malformed == 0
        assert peer.records[name].duplicates() == 0, name
        in_order(name)


@test
def syslog_ng_killed_in_mid_stream_costs_duplicates_and_no_event():
    post = Post(2, D, bridge, COUNT, {"retry": 10, "rate": 3000})
    before = {name: len(peer.records[name].read().first) for name in LISTENERS}
    post.start()
    until(has_each("counted", before["counted"] + 500), "it is in the middle", 20)
    peer.signal(signal.SIGKILL)
    peer.start()
    assert post.wait(60)["accepted"] == COUNT
    for name in LISTENERS:
        until(has_each(name, 2 * COUNT), f"{name} has all", 40)
    figure("duplicates after one kill: " + ", ".join(
        f"{name} {peer.records[name].duplicates()}" for name in LISTENERS))


def main():
    try:
        make_certificate(CERTIFICATE, KEY)
        peer.start()
        bridge.destinations = [
            f"  - {{name: {name}, format: rfc5424, "
            f'syslog: {{address: "127.0.0.1:{peer.ports[name]}", {says}}}}}\n'
            for name, (_, says) in LISTENERS.items()]
        bridge.start()
        status = test.run()
        bridge.stop()
        return status
    finally:
        bridge.end()
        peer.end()


if __name__ == "__main__":
    sys.exit(main())
