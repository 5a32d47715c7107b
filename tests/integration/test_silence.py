#!/usr/bin/env python3
"""The dead-man's switch: a source that falls silent is told of once, and when it comes back."""
import json
import sys

from stage import Bridge, Tests, make_directory, until

test = Tests()
D = make_directory("silence")


class Case:
    def __init__(self, name, silence):
        directory = make_directory(f"silence/{name}")
        self.bridge = Bridge(directory)
        self.events = directory / "own.json"
        self.bridge.destinations = [
            f"  - {{name: own, format: json, sources: [siembridge], file: {{path: {self.events}}}}}\n"]
        self.bridge.write_config()
        text = self.bridge.config.read_text()
        self.bridge.config.write_text(text.replace(
            "    signature: standard", f"    silence: {silence}\n    signature: standard", 1))

    def __enter__(self):
        self.bridge.start()
        return self

    def __exit__(self, *_):
        self.bridge.end()

    def send(self):
        result = self.bridge.command("send", "-c", self.bridge.config, "key.created")
        assert result.returncode == 0, result.stderr

    def told(self):
        lines = self.events.read_text().splitlines() if self.events.exists() else []
        return [json.loads(line) for line in lines]

    def has(self, *types, within=10):
        until(lambda: len(self.told()) >= len(types), f"{len(types)} events", within)
        first = self.told()[:len(types)]  # the clock may have brought more
        assert [event["type"] for event in first] == list(types), first


@test
def silence_is_told_once_and_its_end_too():
    with Case("once", "2s") as case:
        case.send()
        case.has("source.silent")
        silent = case.told()[0]
        assert silent["severity"] == "high" and silent["source"] == "siembridge", silent
        assert silent["resource"]["id"] == "anyint", silent
        assert "anyint has sent nothing for 2s; its last event came at 2" in silent["message"]
        case.send()
        case.has("source.silent", "source.heard_again")
        case.has("source.silent", "source.heard_again", "source.silent")
        case.bridge.stop()


@test
def a_source_that_was_never_heard_is_silent_too():
    with Case("never", "1s") as case:
        case.has("source.silent")
        assert "no event is known" in case.told()[0]["message"]


@test
def what_was_told_is_not_told_again_after_a_kill():
    with Case("kill", "1s") as case:
        case.send()
        case.has("source.silent")
        for _ in range(2):
            case.bridge.kill("receiver")
            until(lambda: "receiver" in case.bridge.roles(), "a receiver again")
        until(case.bridge.answers, "it answers")
        case.send()  # and its end is told although another process told of it
        case.has("source.silent", "source.heard_again")


@test
def the_time_goes_on_over_a_restart():
    case = Case("restart", "1h")
    with case:
        case.send()
        case.bridge.stop()
        case.bridge.start()
        until(lambda: "listen" in case.bridge.log_text(), "it runs")
        assert case.told() == []  # far from an hour
        assert "has sent nothing" not in case.bridge.log_text()


@test
def who_is_on_call_is_told_by_default():
    import vendors
    vendor = vendors.Vendors()
    case = Case("page", "2s")
    case.bridge.destinations.append(
        f"  - {{name: page, alertmanager: {{url: '{vendor.url('/hook')}'}}}}\n")
    text = case.bridge.config.read_text()
    case.bridge.config.write_text(text + case.bridge.destinations[1])
    with case:
        case.send()
        until(lambda: len(vendor.taken) >= 1, "it pages")
        case.send()
        until(lambda: len(vendor.taken) >= 2, "and says that it is over")
        assert [r.json["status"] for r in vendor.taken[:2]] == ["firing", "resolved"]
        assert {r.json["groupKey"] for r in vendor.taken[:2]} == {"siembridge::source:anyint"}
    vendor.close()


@test
def check_knows_where_it_would_go():
    case = Case("check", "0s")
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert result.returncode == 1 and "allowed: 1s to 365d" in result.stderr, result.stderr
    text = case.bridge.config.read_text().replace("silence: 0s", "silence: 1h")
    case.bridge.config.write_text(text.replace("sources: [siembridge]", 'events: ["key.*"]'))
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert "source siembridge: no destination wants source.silent" in result.stderr, result.stderr
    told = [line for line in result.stderr.splitlines() if "source anyint" in line]
    assert told and "source.silent" not in told[0], told


if __name__ == "__main__":
    sys.exit(test.run(D))
