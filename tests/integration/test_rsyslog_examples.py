"""The rsyslog configurations that people copy: each runs, and an event goes through it."""
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from stage import ROOT, Bridge, Failure, Program, Tests, free_port, make_directory, until

test = Tests()
bridge = Bridge(make_directory("rsyslog-examples"))
D = bridge.directory
PROGRAM = """#!/bin/sh
echo OK
while read -r event; do
    echo "$event" >>"$0.got" && echo OK
done
"""


class Copied(Program):
    """rsyslogd with one of them, where only places and ports are others."""

    def __init__(self, name, replacements):
        super().__init__(name, D)
        self.work = D / f"{name}.work"
        self.work.mkdir()
        self.port = free_port()
        text = (ROOT / "rsyslog" / f"siembridge-{name}.conf").read_text()
        port = "10514" if 'port="10514"' in text else "2514"
        for old, new in {f'port="{port}"': f'port="{self.port}"',
                         "/var/log/siembridge": str(self.work),
                         "/var/spool/rsyslog": str(self.work), **replacements}.items():
            if old not in text and old in replacements:
                raise Failure(f"siembridge-{name}.conf does not say {old}")
            text = text.replace(old, new)
        self.config = self.work / "rsyslog.conf"
        self.config.write_text(f'global(workDirectory="{self.work}")\n' + text)
        self.transport = "tcp" if port == "10514" else "relp"

    def start(self):
        environment = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        checked = subprocess.run(["rsyslogd", "-N1", "-f", self.config], capture_output=True,
                                 text=True, env=dict(os.environ, **environment), check=False)
        if checked.returncode != 0:
            raise Failure(checked.stderr)
        self.launch(["rsyslogd", "-n", "-f", self.config, "-i", self.work / "pid"], environment)
        until(lambda: self.must_run() and self.listens(), f"{self.name} listens")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def destination(self, form, events='["*"]'):
        return (f"  - {{name: {self.name}, format: {form}, events: {events}, "
                f'syslog: {{address: "127.0.0.1:{self.port}", transport: {self.transport}}}}}\n')

    def stop(self):
        self.signal(signal.SIGTERM)


behind = free_port()
program = D / "on-key-disabled"
program.write_text(PROGRAM)
program.chmod(0o755)
as_json = Copied("json", {})
cef = Copied("cef", {})
forward = Copied("forward", {'target="siem.example.com" port="514"':
                             f'target="127.0.0.1" port="{behind}"'})
runs = Copied("program", {"/usr/local/bin/on-key-disabled": str(program)})
ALL = (as_json, cef, forward, runs)


def objects(path):
    if not Path(path).exists():
        return []
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def send(kind):
    sent = bridge.command("send", "-c", bridge.config, kind)
    assert sent.returncode == 0, sent.stderr


@test
def structured_data_becomes_json():
    found = until(lambda: objects(as_json.work / "events.json"), "a line of JSON")
    event = next(o for o in found if o["type"] == "key.disabled")
    assert event["structured"]["event@32473"]["type"] == "key.disabled", event
    assert event["structured"]["key@32473"]["id"], event
    assert event["message"].strip().startswith("API key disabled"), event


@test
def cef_is_taken_apart():
    found = until(lambda: objects(cef.work / "cef.json"), "a line of JSON")
    assert found[0]["SignatureID"] == "key.disabled", found
    assert found[0]["Extensions"]["cat"] == "key", found
    assert not (cef.work / "not-cef.log").exists(), (cef.work / "not-cef.log").read_text()


@test
def a_program_is_run_for_a_disabled_key_and_for_nothing_else():
    got = Path(f"{program}.got")
    send("key.created")
    send("key.disabled")
    found = until(lambda: len(objects(got)) >= 2 and objects(got), "two lines for the program")
    assert [event["type"] for event in found] == ["key.disabled"] * 2, found


@test
def what_is_handed_on_waits_while_the_next_collector_is_away():
    until(lambda: list(forward.work.glob("siembridge-forward*")) or
          "Connection refused" in forward.log_text() or "suspended" in forward.log_text(),
          "it has noticed that nobody is there")
    listener = socket.create_server(("127.0.0.1", behind))
    listener.settimeout(20)
    connection, _ = listener.accept()
    connection.settimeout(20)
    received = b""
    while received.count(b"key.disabled") < 2:
        more = connection.recv(65536)
        assert more, received
        received += more
    assert received.startswith(b"<") and b"[event@32473 " in received, received
    connection.close()
    listener.close()


def main():
    try:
        for peer in ALL:
            peer.start()
        bridge.destinations = [as_json.destination("rfc5424"), cef.destination("cef"),
                               forward.destination("rfc5424"),
                               runs.destination("rfc5424", '["key.*"]')]
        bridge.start()
        send("key.disabled")
        status = test.run()
        bridge.stop()
        for peer in ALL:
            peer.stop()
        return status
    finally:
        bridge.end()
        for peer in ALL:
            peer.end()


if __name__ == "__main__":
    sys.exit(main())
