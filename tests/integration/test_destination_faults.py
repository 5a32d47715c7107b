#!/usr/bin/env python3
"""Every kind of destination, ill in every way at once, for the length of 5,000 events.

One bridge has a destination for each kind and each fault (faulty_peer.py), with the real
collector of that kind behind it, and two healthy ones.  What is shown of each: nobody
well waits for them; once they are well all is there, in the spool's order, and what is
there twice is within what README.md states.
"""
import re
import ssl
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from faulty_peer import FaultyPeer
from hec_collector import HecCollector
from mail_servers import Authority, Scripted, parse
from stage import Bridge, Collector, Post, Tests, figure, make_directory, until

EVENTS = 5000
LATER = 200         # that come when all are well
MAILS_ARE = 10      # every tenth event is one to review
RELP_WINDOW = 128   # messages that may be unconfirmed
HEC_BATCH = 200     # events of a request
SHORTEST = 250      # bytes of a message
PLAIN = ("stopped", "slow", "reset", "garbage")
SECURE = (*PLAIN, "stranger", "refuses")
KINDS = {  # name: (transport, faults)
    "tcp": ("tcp", PLAIN), "tcp-lf": ("tcp", PLAIN), "tls": ("tls", SECURE),
    "relp": ("relp", PLAIN), "relp-tls": ("relp-tls", SECURE),
    "udp": ("udp", ("stopped", "slow", "garbage")),
    "unix": ("unix", ("stopped", "slow", "reset")), "unix-stream": ("unix-stream", PLAIN),
    "hec": ("hec", SECURE), "hec-ack": ("hec-ack", SECURE),
    "email": ("email", (*PLAIN, "stranger")),
}
PATIENCE = 60       # seconds for all of them together, once they are well
CONFIRMS_NOTHING = ("udp", "unix")  # README.md, "What it promises", 4

test = Tests()
D = make_directory("destination_faults")
short = Path(tempfile.mkdtemp(prefix="peers-"))  # a socket's path holds 107 bytes
authority, stranger = Authority(D, "authority"), Authority(D, "stranger")
good = authority.issue("good", "localhost")
wrong = stranger.issue("wrong", "localhost")
bridge = Bridge(D)
collectors, peers = {}, {}
deadline = 0
mails = {"good": Scripted(good), "stranger": Scripted(wrong)}


def server_context(pair, demands=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if demands:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(stranger.certificate)
    return context


def context_of(kind, fault, collector):
    """What the peer itself speaks in TLS, if anything."""
    if fault == "stranger" and kind != "email":
        return server_context(wrong)
    own = (collector.certificate, collector.key) if isinstance(collector, Collector) else good
    if fault == "refuses":
        return server_context(own, demands=True)
    return server_context(own) if fault == "garbage" and kind.startswith("hec") else None


def make_peer(kind, fault, collector):
    local = kind.startswith("unix")
    backend = mails["stranger" if fault == "stranger" else "good"].port if kind == "email" else \
        collector.socket if local else collector.port
    return FaultyPeer(
        fault, backend, short / f"{kind}-{fault}" if local else None,
        datagrams=kind in CONFIRMS_NOTHING, context=context_of(kind, fault, collector),
        garbage={"hec-ack": "hec"}.get(kind, kind), seed=f"{kind}-{fault}",
        answers=kind.startswith(("relp", "hec", "email")),
        relays=kind in ("tcp", "tcp-lf", "unix-stream") or (kind, fault) == ("email", "stranger"))


def keys_of(kind, name, peer, collector):
    """What the destination has to say."""
    port = peer.address.rpartition(":")[2]
    if kind == "email":
        return "email", {"server": f'"localhost:{port}"', "from": "bridge@example.com",
                         "to": f"[{name}@example.com]", "ca_file": authority.certificate,
                         "text": '"{id}"', "timeout": "1s"}
    if kind.startswith("hec"):
        return "splunk_hec", {**collector.destination_keys(), "url": f'"https://localhost:{port}"',
                              "ca_file": authority.certificate, "source": name,
                              "batch_events": HEC_BATCH, "ack_interval": "1s"}
    keys = {**collector.destination_keys(), "address": f'"{peer.address}"', "app_name": name}
    if kind == "tcp-lf":
        keys["framing"] = "lf"
    return "syslog", keys


def add_destination(name, kind, section, keys):
    text = ", ".join(f"{key}: {value}" for key, value in keys.items())
    form = "format: rfc5424, " if section in ("syslog", "file") else ""
    wants = '["billing.*"]' if kind == "email" else '["*"]'
    bridge.destinations.append(f"  - {{name: {name}, {form}events: {wants}, heartbeat: off, "
                               f"hold_retry: 500ms, {section}: {{{text}}}}}\n")


def start():
    for transport in {transport for transport, _ in KINDS.values()} - {"email"}:
        kind = HecCollector if transport.startswith("hec") else Collector
        more = (good,) if kind is HecCollector else ()
        collectors[transport] = kind(transport, D, transport, *more)
        collectors[transport].start()
    add_destination("reference", "file", "file", {"path": D / "reference"})
    add_destination("beside", "tcp", "syslog",
                    {**collectors["tcp"].destination_keys(), "app_name": "beside"})
    for kind, (transport, faults) in KINDS.items():
        for fault in faults:
            peer = make_peer(kind, fault, collectors.get(transport))
            peers[kind, fault] = peer
            add_destination(f"{kind}-{fault}", kind,
                            *keys_of(kind, f"{kind}-{fault}", peer, collectors.get(transport)))
    bridge.start()


class Arrivals:
    """What came, by destination: {name: [id]} of whole messages, in their order."""

    ID = re.compile(rb'(?:\[event@32473 id="|"event_id":")(\w+-\d{8})')
    NAME = re.compile(rb'^<\d+>1 \S+ \S+ (\S+) |"source":"([a-z-]+)","sourcetype"')
    ENDINGS = (b"API key disabled", b"nvoice overdue", b"}")

    def __init__(self):
        self.offsets = Counter()
        self.ids = {}

    def read(self):
        for path in [*(each.records.path for each in collectors.values()), D / "reference"]:
            if path.exists():
                self.take(path)
        for server in mails.values():
            for recipients, message in server.mails[self.offsets[server]:]:
                self.offsets[server] += 1
                self.ids.setdefault(recipients[0].partition("@")[0], []).append(
                    parse(message).get_content().split()[0])
        return self

    def take(self, path):
        with open(path, "rb") as file:
            file.seek(self.offsets[path])
            added = file.read()
        added = added[:added.rfind(b"\n") + 1]
        self.offsets[path] += len(added)
        for line in added.splitlines():
            found, name = self.ID.findall(line), self.NAME.search(line)
            if len(found) == 1 and name and line.endswith(self.ENDINGS):
                who = "reference" if path == D / "reference" else (name[1] or name[2]).decode()
                self.ids.setdefault(who, []).append(found[0].decode())

    def count(self, name):
        return len(set(self.ids.get(name, ())))


arrivals = Arrivals()


def wanted_by(kind):
    ids = arrivals.ids["reference"]
    return [each for each in ids if int(each[-8:]) % MAILS_ARE == 9] if kind == "email" else ids


def post(prefix, count, **options):
    sender = Post(prefix, D, bridge, count, {
        "as": prefix, "connections": 8,
        "type": ",".join(["key.disabled"] * (MAILS_ARE - 1) + ["billing.overdue"]), **options})
    sender.start()
    figures = sender.wait(60)
    assert figures["accepted"] == count, figures


def cursor(name):
    database = sqlite3.connect(f"file:{D}/spool/delivery.db?mode=ro", uri=True)
    try:
        row = database.execute("select seq from cursors where destination = ?", (name,)).fetchone()
        return row[0] if row else 0
    finally:
        database.close()


def watch_them_ill():
    post("a", EVENTS)
    until(lambda: arrivals.read().count("beside") == EVENTS, "the healthy one has all", 20)
    assert arrivals.count("reference") == EVENTS
    for (kind, fault), peer in peers.items():
        if fault != "stopped":
            until(lambda: peer.attempts > (fault != "slow" and not peer.relays),  # noqa: B023
                  f"{kind}-{fault} was tried, {peer.attempts} times so far", 20)
    done = [name for name in (f"{kind}-{fault}" for kind, fault in peers)
            if arrivals.count(name) >= len(wanted_by(name.partition("-")[0]))]
    figure(f"{len(peers)} destinations ill for {EVENTS} events; the one beside them has all; "
           f"through in spite of it: {', '.join(done)}")
    # Of each attempt those are lost that are on their way until the refusal is back.
    figure(f"udp: {cursor('udp-stopped')} of {EVENTS} went out while nobody listened")
    assert cursor("udp-stopped") < EVENTS // 10
    assert all(name.endswith(("garbage", "reset")) for name in done), done


@test
def who_is_well_has_all_while_the_others_are_ill():
    global deadline
    start()
    try:
        watch_them_ill()
    finally:
        for (kind, _), peer in peers.items():
            if kind == "email":
                peer.backend = mails["good"].port
            peer.heal()
        deadline = time.monotonic() + PATIENCE


def left():
    return max(deadline - time.monotonic(), 0)


def bound_of(kind, peer):
    """How many may be there twice: README.md."""
    breaks = peer.attempts + 1
    if kind.startswith("relp"):
        return RELP_WINDOW * breaks
    if kind.startswith("hec"):
        return HEC_BATCH * breaks
    if kind == "email":
        return breaks
    return peer.carried // SHORTEST


def is_complete(kind, fault):
    peer, name = peers[kind, fault], f"{kind}-{fault}"
    wanted = wanted_by(kind)
    until(lambda: arrivals.read().count(name) >= len(wanted), f"{name} has all", left())
    ids = arrivals.ids[name]
    # What the collector had not read of a connection that we gave up may still come.
    ordered = fault != "slow" or peer.attempts == 1
    wrong = ordered and [pair for pair in zip(dict.fromkeys(ids), wanted) if pair[0] != pair[1]]
    assert not wrong, f"{name}: not in the spool's order: {wrong[:3]}"
    twice = len(ids) - len(set(ids))
    assert twice <= bound_of(kind, peer), (twice, bound_of(kind, peer))
    return f"{fault} {twice} of at most {bound_of(kind, peer)}"


def complete(kind):
    def function():
        told = [is_complete(kind, fault) for fault in KINDS[kind][1]]
        figure(f"{kind}: there twice after it was {', '.join(told)}")
    test.add(f"{kind.replace('-', '_')}_nothing_lost_and_in_order", function)


for each in KINDS:
    if each not in CONFIRMS_NOTHING:
        complete(each)


@test
def unix_and_udp_lose_what_the_kernel_took_and_nothing_later():
    post("b", LATER, rate=400)
    arrivals.read()
    for kind in CONFIRMS_NOTHING:
        told = []
        for fault in KINDS[kind][1]:
            name = f"{kind}-{fault}"
            until(lambda: sum(each.startswith("b-") for each in  # noqa: B023
                              set(arrivals.read().ids.get(name, ()))) == LATER,  # noqa: B023
                  f"{name} has what came later", left())
            ids = arrivals.ids[name]
            told.append(f"{fault} {EVENTS + LATER - len(set(ids))}")
            assert (kind, fault) != ("unix", "stopped") or len(set(ids)) == EVENTS + LATER, ids
            assert (kind, fault) != ("unix", "slow") or len(set(ids)) == EVENTS + LATER, ids
            assert [i for i in wanted_by(kind) if i in set(ids)] == ids, "order"
        figure(f"{kind} confirms nothing; lost of {EVENTS} after it was {', '.join(told)}")


@test
def nothing_is_a_dead_letter():
    result = bridge.command("dead", "-c", bridge.config)
    assert "no dead letters" in result.stdout.lower() or not result.stdout.strip(), result.stdout
    bridge.stop()
    for each in collectors.values():
        each.stop()


if __name__ == "__main__":
    try:
        status = test.run(D)
    finally:
        bridge.end()
        for each in collectors.values():
            each.end()
        shutil.rmtree(short, ignore_errors=True)
    sys.exit(status)
