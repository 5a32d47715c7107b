"""Secrets of every kind are in no output, no database, no argument and no environment;
and every real process has given up what confine.c says."""
import base64
import re
import secrets
import sys
from pathlib import Path

from stage import IS_SANITIZED, Bridge, Tests, make_directory, until, write_private

test = Tests()
bridge = Bridge(make_directory("secrets"))
CANARIES = {}


def canary(name):
    """A file with a secret that stands nowhere else; its path."""
    text = "canary" + secrets.token_hex(16)
    path = bridge.directory / f"{name}.canary"
    write_private(path, text + "\n")
    CANARIES[name] = text.encode()
    return path


def source(name, signature):
    bridge.sources.append(f"  - name: {name}\n    path: /{name}\n    signature: {signature}\n"
                          f"    secrets: [{canary(name)}]\n")


for scheme in ("stripe", "github", "slack", "shopify", "bearer"):
    source(scheme, scheme)
bridge.destinations += [
    f"  - name: kept\n    file: {{path: {bridge.directory}/kept.events}}\n",
    f"  - name: hec\n    splunk_hec: {{url: 'https://127.0.0.1:9', token_file: {canary('hec')}}}\n",
    "  - name: pager\n    events: ['*']\n"
    f"    pagerduty: {{routing_key_file: {canary('pager')}}}\n",
    "  - name: mail\n    email: {server: '127.0.0.1:9', from: a@example.com, "
    f"to: [b@example.com], username: u, password_file: {canary('mail')}}}\n"]
OUTPUT = []


def run(*arguments):
    done = bridge.command(*arguments)
    OUTPUT.append((done.stdout + done.stderr).encode())
    return done


def forms(secret):
    return {secret, base64.b64encode(secret).rstrip(b"="), secret.hex().encode()}


@test
def a_whole_run_with_every_kind_of_secret():
    CANARIES["anyint"] = bridge.key
    key = (bridge.directory / "key.pem").read_text().splitlines()
    CANARIES["private key"] = key[1].encode()
    assert run("check", "-c", bridge.config).returncode == 0, OUTPUT
    assert run("send", "-c", bridge.config, "key.disabled").returncode == 0, OUTPUT
    until(lambda: (bridge.directory / "kept.events").exists(), "the event arrives")
    until(lambda: "destination=hec" in bridge.log_text() and "destination=mail" in
          bridge.log_text(), "the destinations complain")
    bridge.reload()
    bridge.kill("forwarder")
    until(lambda: bridge.roles().get("forwarder"), "a new forwarder")
    run("events", "-c", bridge.config, "--json")
    run("dead", "-c", bridge.config)


@test
def no_secret_is_in_any_output_database_argument_or_environment():
    places = {"bridge.log": bridge.log.read_bytes(), "commands": b"\n".join(OUTPUT)}
    for path in bridge.directory.glob("spool/**/*"):
        if path.is_file():
            places[str(path)] = path.read_bytes()
    for role, pid in [("supervisor", bridge.process.pid), *bridge.roles().items()]:
        for name in ("cmdline", "environ", "comm"):
            places[f"{role} {name}"] = Path(f"/proc/{pid}/{name}").read_bytes()
    assert any(b"key.disabled" in content for content in places.values()), "nothing was looked at"
    found = [(name, place) for name, secret in CANARIES.items() for form in forms(secret)
             for place, content in places.items() if form in content]
    assert not found, found


@test
def every_process_has_given_up_what_it_does_not_need():
    if "sanitizers" in bridge.log_text():
        return
    for role, pid in [("supervisor", bridge.process.pid), *bridge.roles().items()]:
        status = Path(f"/proc/{pid}/status").read_text()
        for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapPrm:\t" + "0" * 16,
                     "CapEff:\t" + "0" * 16):
            assert line in status, (role, line, status)
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0", limits), (role, limits)


@test
def what_is_secret_is_locked_into_memory():
    status = Path(f"/proc/{bridge.roles()['receiver']}/status").read_text()
    if not IS_SANITIZED:  # their mlock(2) does nothing
        assert int(re.search(r"VmLck:\s+(\d+)", status)[1]) > 0, status


if __name__ == "__main__":
    sys.exit(test.run_against(bridge))
