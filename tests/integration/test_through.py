"""`siembridge test`: an event through the running bridge, and what it says of each hop."""
import json
import sys

from stage import Bridge, Collector, Tests, make_directory, until

test = Tests()
bridge = Bridge(make_directory("through"))
D = bridge.directory
collector = Collector("tcp", D, "tcp")


def through(*options):
    return bridge.command("test", "-c", bridge.config, *options)


def hops(result):
    """{hop: (ok or FAILED, the rest)}"""
    rows = [line.split(None, 2) for line in result.stdout.splitlines()[1:]]
    return {row[0]: (row[1], row[2]) for row in rows}


@test
def without_a_daemon_the_first_hop_fails_and_says_why():
    result = through()
    assert result.returncode == 1, result
    assert hops(result)["accepted"][0] == "FAILED" and "does the daemon run?" in result.stdout, result


@test
def what_all_destinations_confirm_is_0():
    bridge.start()
    result = through("--type", "key.disabled")
    assert result.returncode == 0, result
    said = hops(result)
    assert [said[name][0] for name in ("accepted", "stored", "tcp", "log", "narrow")] == ["ok"] * 5, said
    assert "answered 202" in said["accepted"][1] and "confirmed" in said["tcp"][1], said
    mark = result.stdout.split()[1]
    assert mark.startswith("test_"), mark
    until(lambda: collector.records.count_lines(mark) == 1, "the collector has it")


@test
def one_that_does_not_want_it_is_no_failure():
    result = through()
    assert result.returncode == 0, result
    assert "not routed: it wants key.disabled" in hops(result)["narrow"][1], result.stdout


@test
def as_json_it_says_the_same():
    result = through("--json")
    said = json.loads(result.stdout)
    assert said["ok"] and said["accepted"]["status"] == 202 and said["stored"]["sequence"] == 3, said
    rows = {row["name"]: row for row in said["destinations"]}
    assert rows["tcp"]["confirmed"] and rows["tcp"]["milliseconds"] >= 0, said
    assert not rows["narrow"]["routed"] and not rows["narrow"]["confirmed"], said


@test
def a_type_that_is_not_subscribed_is_not_stored():
    result = through("--source", "small")
    assert result.returncode == 1, result
    assert hops(result)["stored"][0] == "FAILED" and "sources[].events" in result.stdout, result


@test
def each_kind_of_sender_can_be_played():
    for name in ("github", "stripe", "shopify"):
        result = through("--source", name)
        assert result.returncode == 0, (name, result)


@test
def a_wrong_secret_is_told_with_the_answer():
    kept = bridge.secret.read_text()
    bridge.secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    result = through()
    bridge.secret.write_text(kept)
    assert result.returncode == 1 and "answered 401" in hops(result)["accepted"][1], result


@test
def a_collector_that_is_away_is_named_with_its_reason():
    collector.stop()
    result = through("--timeout", "2")
    assert result.returncode == 1, result
    said = hops(result)
    assert said["tcp"][0] == "FAILED" and "not confirmed" in said["tcp"][1], said
    assert said["log"][0] == "ok", said


def main():
    keys = ", ".join(f"{k}: {v}" for k, v in collector.destination_keys().items())
    bridge.sources = [
        f"  - {{name: small, path: /small, signature: standard-webhooks, secrets: [{bridge.secret}],"
        " events: [usage.*]}\n"] + [
        f"  - {{name: {name}, path: /{name}, signature: {name}, secrets: [{bridge.secret}],"
        f" profile: {profile}{more}}}\n"
        for name, profile, more in (("github", "github", ""), ("stripe", "generic", ""),
                                    ("shopify", "generic", ", type: shopify.event"))]
    bridge.destinations = [
        f"  - {{name: tcp, syslog: {{{keys}}}}}\n",
        f"  - {{name: log, file: {{path: {D}/log}}}}\n",
        f"  - {{name: narrow, events: [key.disabled], file: {{path: {D}/narrow}}}}\n"]
    bridge.write_config()
    try:
        collector.start()
        return test.run(D)
    finally:
        collector.end()
        bridge.end()


if __name__ == "__main__":
    sys.exit(main())
