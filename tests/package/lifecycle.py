"""The package in a fresh Debian 12 under a real systemd: installed, configured, upgraded with a
spool that is not empty, removed, installed again, purged.  `make test-package`; root.
"""
import re
import shutil
import sys

from machine import HOME, ROOT, Machine, call
from stage import Tests, until

test = Tests()
machine = Machine("machine")
CONFIG = "/etc/siembridge/siembridge.yaml"
EVENTS = "/var/log/siembridge/events.log"
UNITS = ("siembridge.socket", "siembridge.service")


def package(version=None):
    """The .deb as built, or the same under another version; its path inside."""
    [path] = (ROOT / "build").glob("siembridge_*.deb")
    if version is not None:
        tree = HOME / "other-version"
        shutil.rmtree(tree, ignore_errors=True)
        call(["dpkg-deb", "-R", path, tree])
        control = tree / "DEBIAN/control"
        control.write_text(re.sub("(?m)^Version: .*$", f"Version: {version}",
                                  control.read_text()))
        path = HOME / f"siembridge_{version}.deb"
        call(["dpkg-deb", "--root-owner-group", "-b", tree, path])
    shutil.copy(path, machine.root / "root")
    return f"/root/{path.name}"


def state(unit, name):
    return machine.run("systemctl", "show", "--value", f"--property={name}", unit).strip()


def remains():
    """All that is named after us or belongs to our user, but for what dpkg and apt note."""
    found = machine.run("find", "/", "-xdev", "(", "-path", "/root", "-o", "-path", "/var/cache",
                        "-o", "-path", "/var/log", "-o", "-path", "/var/lib/apt", ")", "-prune",
                        "-o", "(", "-iname", "*siembridge*", "-o", "-user", "siembridge", "-o",
                        "-group", "siembridge", ")", "-print").split()
    return found + machine.run("find", "/var/log", "-iname", "*siembridge*").split()


def port_is_open():
    """443 in the machine's own network."""
    return re.search(":01BB [0-9A-F:]+ 0A ",
                     machine.run("cat", "/proc/net/tcp", "/proc/net/tcp6")) is not None


def send():
    return machine.run("siembridge", "send", "-c", CONFIG, "key.disabled")


def arrived():
    return machine.says("cat", EVENTS).count("key.disabled")


def contents(*paths):
    return machine.run("sha256sum", *paths)


# ---- without systemd: a plain chroot ----

@test
def it_is_installed_with_what_it_depends_on():
    machine.run("apt-get", "update", "-q")
    machine.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "systemd")
    machine.run("apt-get", "install", "-y", "-q", "--no-install-recommends", package())
    assert machine.run("siembridge", "--version").startswith("siembridge ")


@test
def user_and_directories_are_there():
    name, _, uid, _, _, home, shell = machine.run("getent", "passwd", "siembridge").strip().split(":")
    assert name == "siembridge" and int(uid) < 1000 and home == "/var/lib/siembridge", home
    assert shell.endswith("nologin"), shell
    rows = machine.run("stat", "-c", "%a %U %G %n", "/etc/siembridge", "/etc/siembridge/secrets",
                       "/var/lib/siembridge", "/var/log/siembridge").splitlines()
    assert rows == ["750 root siembridge /etc/siembridge",
                    "750 root siembridge /etc/siembridge/secrets",
                    "700 siembridge siembridge /var/lib/siembridge",
                    "750 siembridge siembridge /var/log/siembridge"], rows


@test
def both_units_are_enabled():
    for unit in UNITS:
        assert machine.run("systemctl", "is-enabled", unit).strip() == "enabled", unit


@test
def purged_before_any_use_nothing_is_left():
    machine.run("dpkg", "--purge", "siembridge")
    assert not remains(), remains()


@test
def it_is_installed_again():
    machine.run("dpkg", "-i", package())
    assert machine.run("dpkg-query", "-W", "-f", "${Status}", "siembridge") == "install ok installed"
    assert not machine.says("dpkg", "--verify", "siembridge")


# ---- booted ----

@test
def booted_nothing_runs_before_it_is_configured():
    machine.boot()
    for unit in UNITS:
        assert state(unit, "ActiveState") == "inactive", machine.says("systemctl", "status", unit)
    assert state("siembridge.service", "ConditionResult") == "no"
    assert not port_is_open()
    assert not machine.says("systemctl", "--failed", "--plain", "--no-legend")


@test
def init_and_start_are_all_it_takes():
    machine.run("siembridge", "init", "--yes", "--directory", "/etc/siembridge", "--spool",
                "/var/lib/siembridge", "--host", "localhost", "--port", "443", "--file", EVENTS)
    machine.run("siembridge", "check", "-c", CONFIG)
    machine.run("systemctl", "start", "siembridge")
    assert state("siembridge.service", "ActiveState") == "active"
    assert state("siembridge.socket", "ActiveState") == "active" and port_is_open()
    users = machine.run("sh", "-c", "stat -c %U /proc/$(systemctl show --value "
                        "--property=MainPID siembridge.service)").split()
    assert users == ["siembridge"], users
    send()
    until(lambda: arrived() == 1, "the event arrives")


@test
def under_the_unit_no_process_says_that_it_is_not_confined():
    journal = machine.run("journalctl", "--no-pager", "-o", "cat")
    assert "ready: every role serves" in journal and "not confined" not in journal, journal


@test
def an_upgrade_keeps_configuration_and_spool_and_restarts_with_the_socket_open():
    files = [CONFIG, *machine.run("find", "/etc/siembridge", "-type", "f").split()]
    before = contents(*files)
    process = state("siembridge.service", "MainPID")
    socket = state("siembridge.socket", "InvocationID")
    machine.run("dpkg", "-i", package("9.0.0"))
    assert contents(*files) == before
    assert state("siembridge.service", "ActiveState") == "active"
    assert state("siembridge.service", "MainPID") != process
    assert state("siembridge.socket", "InvocationID") == socket, "the socket was closed"
    send()
    until(lambda: arrived() == 2, "another event arrives")
    machine.run("siembridge", "verify", "-c", CONFIG)


@test
def an_upgrade_with_a_configuration_that_does_not_pass_says_so_and_is_done():
    machine.run("sh", "-c", f"cp -p {CONFIG} /root/kept && echo 'nonsense: 1' >>{CONFIG}")
    machine.run("dpkg", "-i", package("9.0.1"))
    assert machine.run("dpkg-query", "-W", "-f", "${Status}", "siembridge") == "install ok installed"
    machine.run("sh", "-c", f"cp -p /root/kept {CONFIG} && systemctl restart siembridge")
    send()
    until(lambda: arrived() == 3, "the next event arrives")


@test
def who_disabled_it_finds_it_disabled_after_an_upgrade():
    machine.run("systemctl", "disable", "--now", *UNITS)
    machine.run("dpkg", "-i", package("9.0.2"))
    for unit in UNITS:
        assert machine.says("systemctl", "is-enabled", unit) == "disabled", unit
        assert state(unit, "ActiveState") == "inactive", unit
    machine.run("systemctl", "enable", "--now", *UNITS)


@test
def removed_it_stops_and_what_is_the_operators_stays():
    before = contents(CONFIG, "/var/lib/siembridge/spool.db")
    machine.run("dpkg", "--remove", "siembridge")
    assert not port_is_open()
    for unit in UNITS:
        assert state(unit, "ActiveState") == "inactive", unit
    assert "siembridge" not in machine.says("sh", "-c", "cat /proc/[0-9]*/comm")
    assert machine.says("sh", "-c", "command -v siembridge") == ""
    assert contents(CONFIG)[:64] in before
    machine.run("test", "-s", "/var/lib/siembridge/spool.db")


@test
def installed_again_it_goes_on_where_it_was():
    machine.run("dpkg", "-i", package())
    assert state("siembridge.service", "ActiveState") == "active"
    send()
    until(lambda: arrived() == 4, "the next event arrives, none twice")
    shown = machine.run("siembridge", "events", "-c", CONFIG)
    assert shown.count("key.disabled") == 4, shown


@test
def purged_nothing_is_left_but_the_user():
    said = machine.run("dpkg", "--purge", "siembridge")
    assert "not delivered" in said, said
    assert not port_is_open()
    assert not remains(), remains()
    machine.run("getent", "passwd", "siembridge")
    for unit in UNITS:
        assert state(unit, "LoadState") == "not-found", unit
    assert not machine.says("systemctl", "--failed", "--plain", "--no-legend")


if __name__ == "__main__":
    try:
        status = test.run()
        if status == 0:
            machine.remove()
        sys.exit(status)
    finally:
        machine.end()
