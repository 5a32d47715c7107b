"""SIGHUP: the new configuration as a whole or not at all, and what changes is said.

And root, which is never needed: whoever is root goes on as another user.
"""
import os
import pwd
import re
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

from stage import Bridge, Tests, children, make_directory, note, until

test = Tests()
directory = make_directory("reload")


def kept(bridge, name):
    return f"  - name: {name}\n    file: {{path: {bridge.directory}/{name}.events}}\n"


def send(bridge):
    sent = bridge.command("send", "-c", bridge.config, "key.disabled")
    assert sent.returncode == 0, sent.stderr


def arrived(bridge, name):
    path = bridge.directory / f"{name}.events"
    return len(path.read_text().splitlines()) if path.exists() else 0


def start(name):
    place = directory / name
    place.mkdir()
    bridge = Bridge(place)
    bridge.destinations = [kept(bridge, "first"), kept(bridge, "second")]
    bridge.start()
    return bridge


@test
def what_changes_is_said_by_name():
    bridge = start("names")
    try:
        bridge.destinations = [kept(bridge, "first").replace("file:", "min_severity: low\n    file:"),
                               kept(bridge, "third")]
        bridge.write_config()
        bridge.reload()
        until(lambda: "destinations: changed first, added third, removed second"
              in bridge.log_text(), "it is said")
        send(bridge)
        until(lambda: arrived(bridge, "third") == 1, "the new one gets an event")
        assert arrived(bridge, "second") == 0
        bridge.stop()
    finally:
        bridge.end()


@test
def a_file_that_is_wrong_changes_nothing_not_even_for_a_process_that_dies_meanwhile():
    bridge = start("wrong")
    try:
        bridge.config.write_text(bridge.config.read_text() + "destination: [typing]\n")
        bridge.process.send_signal(signal.SIGHUP)
        until(lambda: "going on with the configuration as it was" in bridge.log_text(),
              "it is refused")
        for role in ("forwarder", "receiver"):
            bridge.kill(role)
            until(lambda role=role: bridge.roles().get(role), f"a new {role}")
        until(bridge.answers, "it answers again")
        bridge.write_config()
        send(bridge)
        until(lambda: arrived(bridge, "first") == 1 and arrived(bridge, "second") == 1,
              "the event is everywhere")
        bridge.stop()
    finally:
        bridge.end()


# ---- root ----

def low_port():
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port below 1024 is free")


@test
def root_goes_on_as_the_service_user_with_a_port_below_1024():
    if os.geteuid() != 0:
        note("not root: nothing to be tried")
        return
    user = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="siembridge-root."))
    bridge = Bridge(place)
    bridge.port = low_port()
    bridge.destinations = [kept(bridge, "first")]
    bridge.write_config()
    bridge.config.write_text(bridge.config.read_text() + "user: nobody\n")
    for path in (place, *place.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    os.chmod(place, 0o755)
    try:
        bridge.start()
        for pid in (bridge.process.pid, *children(bridge.process.pid).values()):
            status = Path(f"/proc/{pid}/status").read_text()
            assert re.search(rf"^Uid:\t{user.pw_uid}\t{user.pw_uid}\t{user.pw_uid}\t", status,
                             re.M), status
            if "sanitizers" not in bridge.log_text():
                assert re.search(r"^CapPrm:\t0{16}$", status, re.M), status
        assert "started as root, which is never needed: goes on as user nobody" in bridge.log_text()
        send(bridge)
        until(lambda: arrived(bridge, "first") == 1, "the event arrives")
        bridge.stop()
        # and the check speaks for that user, not for root
        (bridge.secret).chmod(0o600)
        os.chown(bridge.secret, 0, 0)
        checked = bridge.command("check", "-c", bridge.config)
        assert checked.returncode == 1 and "Permission denied" in checked.stderr, checked
        bridge.config.write_text(bridge.config.read_text().replace("nobody", "no-such-user"))
        checked = bridge.command("check", "-c", bridge.config)
        assert checked.returncode == 1 and "adduser" in checked.stderr, checked
    finally:
        bridge.end()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(test.run(directory))
