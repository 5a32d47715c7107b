"""What one address, or all of them, may take; and that others are served meanwhile.

The attacker (tests/tools/attack.c) comes from 127.0.0.2 and up, the honest sender from
127.0.0.1.  Times are printed, never judged.
"""
import os
import re
import socket
import ssl
import sys
import time
from pathlib import Path

from stage import (ROOT, WEBHOOK_PATH, Bridge, Failure, Program, Tests, children, figure,
                   make_directory, until)

test = Tests()
directory = make_directory("limits")
ATTACK = ROOT / "build/plain/tools/attack"
EVENT = b'{"type":"key.created","data":{"note":"%s"}}'

NOWHERE = b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
QUIET_SECONDS = 3
ATTACK_SECONDS = 6


class Sender:
    """An honest one: signed events over one connection after the other."""

    def __init__(self, bridge, per_connection=20):
        self.bridge = bridge
        self.per_connection = per_connection
        self.connection = None
        self.sent = 0
        self.times = []  # of whole posts, connecting included, in seconds

    def request(self, path=WEBHOOK_PATH, size=0):
        self.sent += 1
        body = EVENT % (b"x" * size)
        headers = self.bridge.signed_headers(body, f"good-{os.getpid()}-{id(self)}-{self.sent}")
        headers += [("host", "localhost"), ("content-type", "application/json"),
                    ("content-length", len(body))]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def post(self, **what):
        """The status."""
        began = time.monotonic()
        if self.connection is None:
            self.connection = self.bridge.connect()
        self.connection.sendall(self.request(**what))
        status, self.head, closes = read_answer(self.connection)
        self.times.append(time.monotonic() - began)
        if closes or self.sent % self.per_connection == 0:
            self.close()
        return status

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def read_answer(connection):
    raw = b""
    while b"\r\n\r\n" not in raw:
        data = connection.recv(65536)
        if not data:
            raise Failure(f"closed instead of an answer: {raw!r}")
        raw += data
    head, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return int(head.split()[1]), head, b"connection: close" in head.lower()


def ask_at_once(bridge, requests):
    """The statuses of requests sent in one go, up to the end of the connection."""
    data = b""
    with bridge.connect() as connection:
        connection.sendall(b"".join(requests))
        while True:
            heads = re.findall(rb"HTTP/1\.1 (\d{3}) [^{]*?\r\n\r\n", data)
            if len(heads) == len(requests):
                break
            try:
                more = connection.recv(65536)
            except OSError:
                break
            if not more:
                break
            data += more
    for head in re.findall(rb"HTTP/1\.1 429 [^{]*?\r\n\r\n", data):
        assert b"retry-after: 1" in head.lower(), head
    return [int(status) for status in heads]


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def run_bridge(name, listen, sources=""):
    bridge = Bridge(directory / name)
    bridge.sections["listen"] = listen
    bridge.sources.append(sources)
    bridge.destinations.append("  - name: out\n    file: {path: /dev/null}\n")
    bridge.start()
    return bridge


def with_bridge(**listen):
    """A test that is given a bridge of its own."""
    def decorate(function):
        def run():
            sources = listen.pop("sources", "")
            (directory / function.__name__).mkdir()
            bridge = run_bridge(function.__name__, listen, sources)
            try:
                function(bridge)
                bridge.stop()
            finally:
                bridge.end()
        test.add(function.__name__, run)
        return function
    return decorate


def plain_from(address, bridge):
    return socket.create_connection(("127.0.0.1", bridge.port), 10, (address, 0))


def tls_from(address, bridge):
    context = ssl.create_default_context(cafile=bridge.directory / "cert.pem")
    plain = plain_from(address, bridge)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


def is_open(connection):
    connection.settimeout(0.2)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def memory_of(pid):
    """Resident KiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


@with_bridge(max_connections_per_address="5", handshake_timeout="60s")
def an_address_has_no_more_connections_than_it_may_and_others_do(bridge):
    came = [plain_from("127.0.0.2", bridge) for _ in range(6)]
    # which of them came last is for the loops to say
    until(lambda: sum(map(is_open, came)) == 5, "one of the six is closed")
    held = [connection for connection in came if is_open(connection)]
    assert len(held) == 5, "no other"
    assert Sender(bridge).post() == 202
    held.pop().close()
    until(lambda: is_open(plain_from("127.0.0.2", bridge)), "there is room for a fifth again")
    assert "max_connections_per_address" in bridge.log_text()
    for connection in held:
        connection.close()


@with_bridge(max_connections="20", loops="1", handshake_timeout="60s")
def a_full_house_closes_the_oldest_stranger_not_the_sender_that_proved_itself(bridge):
    sender = Sender(bridge)
    assert sender.post() == 202
    strangers = [plain_from(f"127.0.0.{2 + i}", bridge) for i in range(30)]
    until(lambda: sum(map(is_open, strangers[:11])) == 0, "the oldest strangers are closed")
    assert is_open(strangers[-1]), "a new one is let in"
    assert sender.post() == 202 and len(sender.times) == 2 and sender.connection is not None
    another = Sender(bridge)
    assert another.post() == 202, "a new sender finds a place"
    for connection in strangers:
        connection.close()


@with_bridge(handshake_rate_per_address="20", handshake_timeout="500ms")
def handshakes_beyond_the_rate_wait_and_then_are_closed(bridge):
    began = time.monotonic()
    tool = start_attack(bridge, seconds=2, handshakes=300)
    sender = Sender(bridge, per_connection=1)
    while tool.is_running():
        assert sender.post() == 202
        time.sleep(0.1)  # ten a second: as fast as it may
    made = figures_of(tool)
    seconds = time.monotonic() - began
    assert made["floods"] <= 20 * (1 + seconds + 0.5) + 1, (made, seconds)
    assert made["closed"] > 0, made


@with_bridge(request_rate_per_address="5")
def requests_beyond_the_rate_of_an_address_are_429_with_retry_after(bridge):
    statuses = ask_at_once(bridge, [NOWHERE] * 40)
    assert statuses[:5] == [404] * 5 and statuses[-1] == 429 and len(statuses) < 40, statuses
    again = Sender(bridge)
    until(lambda: again.post() == 202, "it is served again")


@with_bridge(sources="  - name: slow\n    path: /slow\n    signature: standard-webhooks\n"
                     f"    secrets: [{directory}/a_source_has_a_rate_of_its_own/secret]\n"
                     "    rate: 1\n")
def a_source_has_a_rate_of_its_own(bridge):
    sender = Sender(bridge)
    forged = Sender(bridge)
    forged.bridge = type("Forger", (), {
        "connect": bridge.connect,
        "signed_headers": lambda self, body, name: bridge.signed_headers(body, name, key=b"x" * 24)
    })()
    # what is not signed does not use up the rate of those who sign
    assert [forged.post(path="/slow") for _ in range(9)] == [401] * 9
    statuses = ask_at_once(bridge, [sender.request(path="/slow") for _ in range(6)])
    assert statuses[0] == 202 and 429 in statuses and len(statuses) == 6, statuses
    assert sender.post() == 202, "another source is not meant"
    until(lambda: sender.post(path="/slow") == 202, "it is served again")


@with_bridge(refusal_rate_per_address="10")
def who_errs_too_often_is_429_and_closed_and_who_signs_is_served(bridge):
    statuses = ask_at_once(bridge, [NOWHERE] * 60)
    assert statuses[:10] == [404] * 10 and statuses[-1] == 429 and len(statuses) < 60, statuses
    assert Sender(bridge).post() == 202, "from the same address"


@with_bridge(max_body_size="1MiB", max_memory="4MiB", body_timeout="60s", loops="1")
def bodies_under_way_have_bounded_memory_and_whoever_stalls_gives_way(bridge):
    head = (b"POST " + WEBHOOK_PATH.encode() + b" HTTP/1.1\r\nHost: a\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    stalled = []
    for _ in range(12):
        connection = tls_from("127.0.0.2", bridge)
        connection.sendall(head + b"x" * 900000)
        stalled.append(connection)
    sender = Sender(bridge)
    assert sender.post(size=800000) == 202
    status, _, closes = read_answer(stalled[0])
    assert (status, closes) == (503, True), "the oldest gave way"
    assert is_open(stalled[-1]), "the newest has its place"
    for connection in stalled:
        connection.close()


def start_attack(bridge, seconds, address="127.0.0.2", **kinds):
    tool = Program(f"attack-{address}", bridge.directory)
    words = [word for kind, number in kinds.items() for word in (f"--{kind}", number)]
    tool.launch([ATTACK, "--to", f"127.0.0.1:{bridge.port}", "--from", address,
                 "--seconds", seconds, *words])
    return tool


def figures_of(tool):
    tool.process.wait(30)
    return {key: int(value) for key, value in
            (word.split("=") for word in tool.log_text().split())}


def serve(bridge, seconds, goes_on=lambda: True):
    sender = Sender(bridge)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and goes_on():
        status = sender.post()
        if status != 202:
            raise Failure(f"the honest sender got {status}")
        time.sleep(0.003)
    sender.close()
    return sender.times


@with_bridge()
def a_sender_is_served_while_an_attacker_holds_every_limit(bridge):
    quiet = serve(bridge, QUIET_SECONDS)
    receiver = children(bridge.process.pid)["receiver"]
    before = memory_of(receiver)
    tool = start_attack(bridge, ATTACK_SECONDS, silent=250, heads=300, bodies=300, readers=150,
                        handshakes=500)
    attacked = serve(bridge, ATTACK_SECONDS + 5, tool.is_running)
    during = memory_of(receiver)
    made = figures_of(tool)
    assert made["connected"] > 1000 and made["held"] > 100, made
    assert children(bridge.process.pid)["receiver"] == receiver, "the receiver was restarted"
    count = bridge.ask_spool("SELECT count(*) FROM events")[0][0]
    assert count == len(quiet) + len(attacked), f"{count} stored"
    figure(f"1,000 slow connections and 500 handshakes/s of one address ({made['connected']} "
           f"connections, {made['held']} held at once): p99 of another's posts "
           f"{percentile(attacked, 0.99) * 1000:.1f} ms, quiet "
           f"{percentile(quiet, 0.99) * 1000:.1f} ms; receiver {before // 1024} -> "
           f"{during // 1024} MiB")


if __name__ == "__main__":
    sys.exit(test.run(directory))
