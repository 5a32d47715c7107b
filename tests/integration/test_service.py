"""As a service of systemd's: the units, what it is told, and its socket that outlives us.

The manager's side is played here, by the documented protocols (sd_notify(3),
sd_listen_fds(3)); the unit's own filter of system calls is made from the unit.
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from stage import ROOT, Bridge, Failure, Post, Tests, figure, make_directory, until

test = Tests()
directory = make_directory("service")
SERVICE = ROOT / "bridge/siembridge.service"
PATIENCE = 2  # seconds, of the watchdog
LIBC = ctypes.CDLL(None)
PR_CAPBSET_DROP = 24


class Manager:
    """The socket of the unit, and an ear for what the service says."""

    def __init__(self, name):
        self.path = directory / f"{name}.notify"
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.bind(str(self.path))
        self.heard = []
        threading.Thread(target=self.listen, daemon=True).start()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]

    def listen(self):
        while True:
            self.heard += self.ear.recv(4096).decode().splitlines()

    def has_heard(self, line, times=1):
        return self.heard.count(line) >= times


class ServiceBridge(Bridge):
    """Started as systemd does it: descriptor 3, LISTEN_PID its own."""

    def __init__(self, place, manager):
        super().__init__(place)
        self.manager = manager
        self.port = manager.port

    def launch(self, command, environment=None):
        words = [str(word) for word in command]
        if "run" not in words:
            return super().launch(command, environment)
        taken = self.manager.listener.fileno()

        def hand_down():
            if taken == 3:
                os.set_inheritable(3, True)
            else:
                os.dup2(taken, 3)

        variables = dict(os.environ, NOTIFY_SOCKET=str(self.manager.path), LISTEN_FDS="1",
                         WATCHDOG_USEC=str(PATIENCE * 1000000))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *words], stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=variables,
                close_fds=False, preexec_fn=hand_down)
        return None


def start_as_service(name):
    place = directory / name
    place.mkdir()
    manager = Manager(name)
    bridge = ServiceBridge(place, manager)
    bridge.sections["listen"]["loops"] = 3  # of one socket
    bridge.destinations.append(f"  - name: kept\n    file: {{path: {place}/kept}}\n")
    bridge.start()
    return manager, bridge


@test
def the_service_manager_hears_what_happens():
    manager, bridge = start_as_service("tells")
    try:
        until(lambda: manager.has_heard("READY=1"), "READY=1")
        until(lambda: manager.has_heard("WATCHDOG=1", 2), "WATCHDOG=1 twice")
        bridge.reload()
        until(lambda: manager.has_heard("RELOADING=1"), "RELOADING=1")
        until(lambda: manager.has_heard("READY=1", 2), "READY=1 after the reload")
        environment = Path(f"/proc/{bridge.roles()['receiver']}/environ").read_bytes()
        assert b"NOTIFY_SOCKET" not in environment and b"LISTEN_FDS" not in environment
        bridge.stop()
        assert manager.has_heard("STOPPING=1")
    finally:
        bridge.end()


@test
def a_restart_under_load_refuses_no_connection():
    manager, bridge = start_as_service("restart")
    post = Post(1, bridge.directory, bridge, 6000,
                {"rate": 2000, "connections": 8, "retry": 30})
    try:
        post.start()
        for _ in range(2):
            bridge.stop()
            bridge.start()
        figures = post.wait(60)
        assert figures["refused"] == 0 and figures["gave_up"] == 0, figures
        assert figures["accepted"] == 6000, figures
        figure(f"two restarts under {figures['rate']} posts/s: 0 connections refused")
        bridge.stop()
    finally:
        post.end()
        bridge.end()


@test
def a_child_that_hangs_is_killed_and_the_manager_sees_no_gap():
    manager, bridge = start_as_service("hangs")
    try:
        until(lambda: manager.has_heard("READY=1"), "READY=1")
        receiver = bridge.roles()["receiver"]
        os.kill(receiver, signal.SIGSTOP)
        until(lambda: "has given no sign of life" in bridge.log_text(), "it is noticed")
        until(lambda: bridge.roles().get("receiver", receiver) != receiver and bridge.answers(),
              "another receiver serves")
        bridge.stop()
    finally:
        bridge.end()


# ---- the units ----

def analyze(*arguments):
    if shutil.which("systemd-analyze") is None:
        raise Failure("systemd-analyze is not here: apt-get install systemd")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          timeout=60).stdout


@test
def the_unit_is_confined_to_a_score_of_1_5_or_better():
    report = analyze("security", "--offline=true", "--no-pager", str(SERVICE))
    score = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)[1])
    figure(f"systemd-analyze security: {score}")
    assert score <= 1.5, report


def calls_of(group):
    """Names of a group of systemd's, groups inside it opened."""
    names = set()
    for line in analyze("syscall-filter", "--no-pager", group).splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            names |= calls_of(word)
        elif word and not word.startswith("#"):
            names.add(word)
    return names


def unit_calls():
    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", SERVICE.read_text(), re.M):
        removes = line.startswith("~")
        for word in line.lstrip("~").split():
            names = calls_of(word) if word.startswith("@") else {word}
            allowed = allowed - names if removes else allowed | names
    # the manager itself needs it to start anything, and always allows it
    return sorted(allowed | {"execve"})


def load_filter(names):
    """In the child between fork and exec: as systemd would have it."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    for function in ("seccomp_rule_add", "seccomp_load"):
        getattr(library, function).argtypes = (
            [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
            if function == "seccomp_rule_add" else [ctypes.c_void_p])
    refuse, allow = 0x00050001, 0x7fff0000  # SCMP_ACT_ERRNO(EPERM), SCMP_ACT_ALLOW
    context = library.seccomp_init(refuse)
    numbers = [library.seccomp_syscall_resolve_name(name.encode()) for name in names]

    def load():
        for capability in range(64):
            LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # CapabilityBoundingSet=
        for number in numbers:
            if number != -1:
                library.seccomp_rule_add(context, allow, number, 0)
        if library.seccomp_load(context) != 0:
            os._exit(96)
    return load


class FilteredBridge(Bridge):
    def launch(self, command, environment=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            preexec_fn=load_filter(unit_calls()))


@test
def under_the_filter_of_the_unit_each_process_still_confines_itself():
    place = directory / "filtered"
    place.mkdir()
    # the filter refuses the ptrace(2) that finds leaks
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    bridge = FilteredBridge(place)
    bridge.destinations.append(f"  - name: kept\n    file: {{path: {place}/kept}}\n")
    try:
        bridge.start()
        sent = bridge.command("send", "-c", bridge.config, "key.disabled")
        assert sent.returncode == 0, sent.stderr
        until(lambda: (place / "kept").exists() and (place / "kept").read_text(),
              "the event arrives")
        for role, pid in bridge.roles().items():
            status = Path(f"/proc/{pid}/status").read_text()
            filters = int(re.search(r"Seccomp_filters:\s+(\d+)", status)[1])
            # the unit's, the supervisor's, its own
            assert filters == (3 if "sanitizers" not in bridge.log_text() else 1), (role, status)
        assert "not confined" not in bridge.log_text(), bridge.log_text()
        bridge.stop()
    finally:
        bridge.end()


if __name__ == "__main__":
    sys.exit(test.run(directory))
