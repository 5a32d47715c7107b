"""What no webhook brought is found in the sender's list, stored once, marked and counted."""
import re
import sys
import time

from list_server import ListServer
from stage import Bridge, Tests, make_certificate, make_directory, until
from stage import write_private

test = Tests()
bridge = Bridge(make_directory("polling"))
D = bridge.directory
TOKEN = "list-token-0123456789abcdef"
make_certificate(D / "list.pem", D / "list.key")
sender = ListServer(D / "list.pem", D / "list.key", TOKEN)
write_private(D / "token", TOKEN + "\n")
FOUND = re.compile(r"anyint: (\d+) in its list, (\d+) had been missed and are stored now, "
                   r"(\d+) were known")


def event(number, minutes_ago, kind="key.disabled"):
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60 * minutes_ago))
    return {"id": f"msg_{number}", "timestamp": at, "type": kind,
            "data": {"id": f"key_{number}", "note": f"n{number}"}}


def poll(**keys):
    """A poll: section, one line."""
    given = {"url": f"{sender.origin}/v1/events?since={{since}}&cursor={{cursor}}",
             "token_file": D / "token", "ca_file": D / "list.pem", "items": "/data/list",
             "id": "/id", "next": "/next", "interval": "1h", **keys}
    return "    poll: {" + ", ".join(f'{k}: "{v}"' for k, v in given.items()
                                     if v is not None) + "}\n"


def configure(section):
    bridge.config.unlink(missing_ok=True)
    bridge.write_config()
    text = bridge.config.read_text()
    bridge.config.write_text(text.replace(f"secrets: [{bridge.secret}]\n",
                                          f"secrets: [{bridge.secret}]\n{section}"))


def post(item):
    bridge.must_take(item, item["id"])


def backfill(*options, status=0):
    result = bridge.command("backfill", "-c", bridge.config, *options)
    assert result.returncode == status, result.stdout + result.stderr
    return result


def numbers(result):
    return tuple(map(int, FOUND.search(result.stdout).groups()))


def stored():
    path = D / "out"
    return re.findall(r"externalId=(\S+)", path.read_text()) if path.exists() else []


@test
def only_what_the_ledger_does_not_have_is_stored():
    sender.events = [event(n, 60 - n) for n in range(8)]
    post(sender.events[2])
    post(sender.events[5])
    assert numbers(backfill()) == (8, 6, 2)
    until(lambda: len(stored()) == 8, f"eight events have arrived: {stored()}")
    assert sorted(stored()) == [f"msg_{n}" for n in range(8)]
    assert len(sender.asked) == 3, sender.asked


@test
def a_second_look_finds_nothing_and_a_late_webhook_is_a_duplicate():
    assert numbers(backfill()) == (8, 0, 8)
    post(sender.events[7])
    assert numbers(backfill()) == (8, 0, 8)
    assert len(stored()) == 8


@test
def they_say_that_they_were_polled_and_where():
    shown = bridge.command("events", "show", "-c", bridge.config, "msg_3")
    assert f"siembridge-polled: {sender.origin}" in shown.stdout, shown.stdout + shown.stderr
    by_webhook = bridge.command("events", "show", "-c", bridge.config, "msg_2")
    assert "siembridge-polled" not in by_webhook.stdout, by_webhook.stdout


@test
def the_ledger_still_verifies():
    result = bridge.command("verify", "-c", bridge.config)
    assert result.returncode == 0, result.stdout + result.stderr


@test
def what_is_young_may_still_come_and_what_is_asked_for_is_taken():
    sender.events = [event("young", 2), event("older", 30)]
    result = backfill()
    assert numbers(result) == (2, 1, 0) and "1 may still come" in result.stdout, result.stdout
    assert numbers(backfill("--since", "1h", "--until", "1m")) == (2, 1, 1)


@test
def a_wrong_token_is_said_and_loses_nothing():
    sender.events = [event("kept", 30)]
    sender.token = "another"
    result = backfill(status=1)
    assert "401" in result.stderr and "token_file" in result.stderr, result.stderr
    assert TOKEN not in result.stderr + result.stdout + bridge.log_text()
    sender.token = TOKEN
    assert numbers(backfill()) == (1, 1, 0)


@test
def pages_may_be_addresses_but_of_nobody_else():
    sender.style = "address"
    sender.events = [event(f"a{n}", 40 - n) for n in range(7)]
    assert numbers(backfill()) == (7, 7, 0)
    sender.style = "stranger"
    result = backfill(status=1)
    assert "at another scheme, host or port" in result.stderr, result.stderr
    sender.style = "cursor"


@test
def the_daemon_asks_by_itself_and_tells_what_had_been_missed():
    sender.events = [event("byitself", 30)]
    configure(poll(interval="1s"))
    bridge.reload()
    until(lambda: "msg_byitself" in stored(), "it was found")
    until(lambda: "1 event(s) in its list that no webhook had brought" in bridge.log_text(),
          "it is told")
    assert bridge.roles().get("poller"), bridge.roles()


@test
def a_list_that_is_away_is_told_once_and_asked_again():
    sender.status = 503
    asked = len(sender.asked)
    until(lambda: len(sender.asked) > asked + 2, "it is asked again")
    assert bridge.log_text().count("answers 503") == 1
    sender.status = 200
    until(lambda: "anyint answers again" in bridge.log_text(), "it is told")


@test
def pages_may_be_led_on_by_time_alone():
    sender.style = "time"
    sender.events = [event(f"t{n}", 50 - n) for n in range(10)]
    configure(poll(url=f"{sender.origin}/v1/events?since={{since}}", items="/events", next=None))
    assert numbers(backfill("--since", "2h", "--until", "0s")) == (10, 10, 0)


@test
def without_a_poll_there_is_no_backfill():
    configure("")
    result = backfill(status=1)
    assert "has a `poll`, which says" in result.stderr, result.stderr
    result = bridge.command("backfill", "-c", bridge.config, "--source", "anyint")
    assert "source anyint has no `poll`" in result.stderr, result.stderr


def add_mistake(section, says):
    def check():
        configure(section)
        result = bridge.command("check", "-c", bridge.config)
        assert result.returncode == 1 and says in result.stderr, result.stderr
    test.add(f"it_says_{re.sub('[^a-z]+', '_', says.lower()).strip('_')}", check)


add_mistake(poll(url="https://a.example/{when}"), "it is none")
add_mistake(poll(url="ftp://a.example/"), "is no address like")
add_mistake(poll(url="https://a.example/list", next=None), "needs {since}")
add_mistake(poll(items="data"), "is no pointer like")
add_mistake(poll(grace="2h", lookback="1h"), "must be shorter than lookback")


def main():
    bridge.destinations = [f"  - {{name: out, file: {{path: {D}/out}}}}\n"]
    configure(poll())
    bridge.start()
    try:
        return test.run(D)
    finally:
        bridge.end()
        sender.end()


if __name__ == "__main__":
    sys.exit(main())
