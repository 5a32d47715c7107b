"""The ledger as people ask it: events, dead letters, replays; while it runs and not."""
import json
import signal
import subprocess
import sys
import time

from stage import SIEMBRIDGE, Bridge, Collector, Post, Records, Tests
from stage import kill_quietly, make_directory, until

test = Tests()
D = make_directory("ledger-commands")
bridge = Bridge(D)
send = bridge.post
collector = Collector("collector", D)
keys = Records(D / "keys.events")

LONG = "x" * 120  # a type that with a device as long does not fit into 480 bytes


def ask(*arguments, status=0):
    verb, *rest = arguments
    result = bridge.command(verb, *rest, "-c", bridge.config)
    assert result.returncode == status, (arguments, result.returncode, result.stderr)
    return result.stdout


def events(*arguments):
    return [json.loads(line) for line in ask("events", "--json", *arguments).splitlines()]


@test
def a_status_for_each_destination_and_filters_that_must_all_hold():
    assert send({"id": "e1", "type": "key.disabled", "timestamp": "2026-10-01T12:00:00Z",
                 "data": {"api_key": {"id": "key_7"}}}, "msg_1") == 202
    assert send({"id": "e2", "type": "member.joined", "data": {}}, "msg_2") == 202
    everywhere = {"siem": "delivered", "keys": "delivered", "tiny": "delivered"}
    until(lambda: [e["destinations"] for e in events()] ==
          [everywhere, everywhere | {"keys": "not-routed"}], "both are delivered", 10)
    first, second = events()
    assert first["destinations"] == everywhere
    assert second["destinations"]["keys"] == "not-routed", second
    assert first["occurred_at"] == "2026-10-01T12:00:00.000Z", first
    assert [e["id"] for e in events("--type", "key.*")] == ["msg_1"]
    assert [e["id"] for e in events("--resource", first["resource"])] == ["msg_1"]
    assert [e["id"] for e in events("--status", "not-routed")] == ["msg_2"]
    assert [e["id"] for e in events("--status", "delivered")] == ["msg_1", "msg_2"]
    assert [e["id"] for e in events("--status", "delivered", "-d", "keys")] == ["msg_1"]
    assert [e["id"] for e in events("-d", "keys")] == ["msg_1"]
    assert [e["id"] for e in events("--id", "msg_2", "--type", "member.*")] == ["msg_2"]
    assert events("--id", "msg_2", "--type", "key.*") == []
    assert events("--until", "1h") == [] and len(events("--since", "1h")) == 2
    assert [e["id"] for e in events("--limit", "1")] == ["msg_2"]
    assert events("--source", "other") == []


@test
def show_prints_the_body_the_proof_and_the_course_and_masks_keys():
    secret = "sk-live-" + "aB3dE6gH9jK2mN5pQ8sT1vW4" + "x7Qf"
    assert send({"id": "e3", "type": "key.created", "data": {"api_key": {"id": "key_8"},
                 "message": f"made {secret} \x1b[31m"}}, "msg_3") == 202
    until(lambda: events("--id", "msg_3"), "it is there")
    text = ask("events", "show", "msg_3")
    assert "webhook-signature: v1," in text and "webhook-id: msg_3" in text, text
    assert "key.id: key_8" in text and '"type": "key.created"' in text, text
    assert secret not in text and "\x1b" not in text, text
    whole = json.loads(ask("events", "show", "msg_3", "--json"))
    assert whole["intact"] and whole["fields"]["key.id"] == "key_8", whole
    assert len(whole["destinations"]) == 3, whole
    assert secret not in json.dumps(whole)
    ask("events", "show", "nobody", status=1)


@test
def what_cannot_be_delivered_is_a_dead_letter_and_is_replayed_when_it_can():
    assert send({"id": "e4", "type": LONG, "data": {}}, "msg_4") == 202
    until(lambda: "tiny" in ask("dead", "list"), "it is a dead letter", 10)
    letter = json.loads(ask("dead", "list", "--json"))
    assert letter["id"] == "msg_4" and letter["destination"] == "tiny", letter
    assert "max_message_size" in letter["reason"], letter
    assert events("--id", "msg_4")[0]["destinations"]["tiny"] == "dead"
    assert [e["id"] for e in events("--status", "dead")] == ["msg_4"]
    assert "dead letter" in ask("dead", "show", letter["number"])
    # mend the configuration, and try again: the same event, marked
    bridge.config.write_text(bridge.config.read_text().replace("max_message_size: 480",
                                                               "max_message_size: 2KiB"))
    bridge.process.send_signal(signal.SIGHUP)
    until(lambda: "done: every role" in bridge.log_text(), "reloaded")
    ask("dead", "replay", letter["number"])
    until(lambda: ask("dead", "list") == "", "the letter is gone", 20)
    assert events("--id", "msg_4")[0]["destinations"]["tiny"] == "delivered"


@test
def a_rejected_body_is_listed_shown_and_dropped_with_a_reason():
    raw = b'{"no": "type"}'
    for number in range(3):
        assert 400 <= send(raw, f"msg_r{number}") < 500
    until(lambda: "r1" in ask("dead", "list"), "it is listed")
    assert '{"no": "type"}' in ask("dead", "show", "r1")
    assert "times     3" in ask("dead", "show", "r1")
    ask("dead", "drop", "r1", status=1)  # without a reason
    ask("dead", "drop", "r1", "--reason", "a test of mine")
    until(lambda: ask("dead", "list") == "", "it is gone")


@test
def a_range_is_replayed_marked_and_no_faster_than_allowed():
    post = Post(1, D, bridge, 1000, {"type": "key.disabled"})
    post.start()
    post.wait(30)
    until(lambda: len(keys.read().first) == 1000, "all are delivered", 20)
    before = len(keys.read().ids)
    first = events("--limit", "0", "--type", "key.disabled")[-300]["sequence"]
    began = time.monotonic()
    ask("replay", "-d", "keys", "--from", str(first), "--to", str(first + 199), "--rate", "100")
    until(lambda: len(keys.read().ids) == before + 200, "the range came again", 20)
    assert time.monotonic() - began > 1.5, "faster than 100 a second"
    assert keys.count_lines('replayed="1"') == 200
    assert send({"id": "e5", "type": "key.disabled", "data": {}}, "msg_5") == 202


@test
def a_replay_goes_on_after_the_forwarder_was_killed():
    before = keys.count_lines('replayed="1"')
    ask("replay", "-d", "keys", "--since", "1h", "--type", "key.disabled", "--rate", "400")
    until(lambda: keys.count_lines('replayed="1"') > before + 100, "it has begun", 20)
    bridge.kill("forwarder")
    total = len(events("--limit", "0", "--type", "key.disabled"))
    until(lambda: keys.count_lines('replayed="1"') >= before + total, "it has ended", 30)
    assert keys.count_lines('replayed="1"') < before + 2 * total, "it began anew"


@test
def all_of_it_can_be_asked_when_nothing_runs_and_orders_wait():
    before = keys.count_lines('id="msg_1"')
    bridge.stop()
    assert len(events("--id", "msg_1")) == 1
    assert "siem: delivered" in ask("events", "show", "msg_1")
    assert "noted" in ask("replay", "-d", "keys", "--from", "1", "--to", "1")
    bridge.start()
    until(lambda: keys.count_lines('id="msg_1"') == before + 1, "the order is carried out", 20)
    assert not list((D / "spool/requests").iterdir())


@test
def follow_shows_what_comes():
    with subprocess.Popen([SIEMBRIDGE, "events", "-c", bridge.config, "--follow", "-n", "1",
                           "--json"], stdout=subprocess.PIPE, text=True) as tail:
        try:
            tail.stdout.readline()
            assert send({"id": "e6", "type": "key.disabled", "data": {}}, "msg_6") == 202
            assert json.loads(tail.stdout.readline())["id"] == "msg_6"
        finally:
            kill_quietly(tail.pid, signal.SIGTERM)


@test
def heartbeats_say_how_many_went_before():
    until(lambda: collector.records.count_lines("siembridge.heartbeat") >= 2, "two of them", 10)


@test
def wrong_words_are_refused():
    ask("events", "--status", "lost", status=1)
    ask("events", "--since", "yesterday", status=1)
    ask("events", "-d", "nowhere", status=1)
    ask("replay", "-d", "keys", status=2)
    ask("replay", "-d", "keys", "--from", "999999999", status=1)
    ask("dead", "drop", "77", "--reason", "x", status=1)
    ask("dead", status=2)


def main():
    address = f'"{collector.address()}"'
    device = ", ".join(f"{name}: {'d' * 60}" for name in ("vendor", "product"))
    bridge.destinations += [
        f"  - name: siem\n    format: cef\n    heartbeat: 1s\n"
        f"    syslog: {{address: {address}, transport: tcp}}\n",
        f'  - name: keys\n    format: rfc5424\n    events: ["key.*"]\n'
        f"    file: {{path: {D}/keys.events}}\n",
        f"  - name: tiny\n    format: cef\n    heartbeat: off\n    device: {{{device}}}\n"
        f"    syslog: {{address: {address}, transport: tcp, max_message_size: 480}}\n"]
    try:
        collector.start()
        bridge.start()
        return test.run()
    finally:
        bridge.end()
        collector.end()


if __name__ == "__main__":
    sys.exit(main())
