"""What the daemon logs: each form, and never what an event holds."""
import json
import re
import sys

from stage import SIEMBRIDGE, Bridge, Tests, free_port, make_directory, until

test = Tests()
bridge = Bridge(make_directory("log"))
D = bridge.directory
MARK = "Marker4711"


def start(*options, environment=None):
    bridge.log.unlink(missing_ok=True)
    bridge.launch([SIEMBRIDGE, "run", "-c", bridge.config, *options], environment)
    until(lambda: bridge.must_run() and bridge.answers(), "the bridge answers")


def post(body):
    with open(D / "body", "w") as file:
        file.write(body)
    return bridge.command("send", "-c", bridge.config, "--data", D / "body")


def make_trouble():
    """Good and bad events, a dead collector, a wrong signature, an event nobody wants."""
    data = {"actor": {"email": f"{MARK}@example.com"}, "reason": MARK, "api_key": {"name": MARK}}
    for n in range(5):
        assert post(json.dumps({"type": "key.created", "id": f"evt_{n}", "data": data})).returncode == 0
    post(json.dumps({"type": "unwanted.type", "data": data}))
    post(json.dumps({"data": data}))
    post('{"type": "key.created", "' + MARK)
    kept = bridge.secret.read_text()
    bridge.secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    post(json.dumps({"type": "key.created", "data": data}))
    bridge.secret.write_text(kept)
    until(lambda: "destination" in bridge.log_text() and "no destination wants" in bridge.log_text(),
          "it is told that the collector is away, and of what nobody wants", 30)


@test
def what_events_hold_is_in_no_line():
    start()
    make_trouble()
    bridge.stop()
    text = bridge.log_text()
    assert MARK not in text, [line for line in text.splitlines() if MARK in line]
    assert "connection refused" in text.lower(), text
    assert bridge.secret.read_text().strip() not in text


@test
def as_json_every_line_is_a_document():
    start("--log-format", "json")
    bridge.reload()
    bridge.stop()
    lines = [json.loads(line) for line in bridge.log_text().splitlines() if line[0] != "w"]
    assert {"supervisor", "receiver", "forwarder"} <= {line["role"] for line in lines}, lines
    assert all(line["time"] and line["level"] and line["message"] for line in lines), lines


@test
def the_configuration_says_it_as_well():
    bridge.config.write_text(bridge.config.read_text() + "log: {format: logfmt, level: warning}\n")
    start()
    until(lambda: "level=warning" in bridge.log_text(), "there is a warning")
    bridge.stop()
    lines = [line for line in bridge.log_text().splitlines() if not line.startswith("warning:")]
    assert all(re.match(r'time=\S+ level=(warning|error) role=\w+ \w+="[^"]*" msg="', line)
               for line in lines), lines


@test
def a_wrong_word_is_an_error_with_its_line():
    text = bridge.config.read_text()
    bridge.config.write_text(text.replace("logfmt", "xml"))
    result = bridge.command("check", "-c", bridge.config)
    bridge.config.write_text(text.replace("log: {format: logfmt, level: warning}\n", ""))
    assert result.returncode == 1 and "log.format" in result.stderr and "logfmt" in result.stderr, result
    assert bridge.command("run", "--log-format", "xml").returncode == 2


@test
def to_a_journal_that_is_not_ours_nothing_goes():
    """$JOURNAL_STREAM of somebody above us: stderr is another file, so it is text."""
    start(environment={"JOURNAL_STREAM": "1:2"})
    bridge.stop()
    assert " supervisor " in bridge.log_text(), bridge.log_text()


def main():
    bridge.destinations = [
        f'  - {{name: away, events: ["key.*"], syslog: {{address: "127.0.0.1:{free_port()}"}}}}\n',
        f'  - {{name: log, events: ["key.*"], file: {{path: {D}/events}}}}\n']
    bridge.write_config()
    try:
        return test.run(D)
    finally:
        bridge.end()


if __name__ == "__main__":
    sys.exit(main())
