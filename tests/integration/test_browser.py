"""The console's page in a real Chromium: empty, busy, with a dead destination, after.

Pictures of each are left in build/browser.
"""
import json
import subprocess
import sys

from node_packages import install
from stage import ROOT, Bridge, Collector, Failure, Post, Tests
from stage import free_port, make_directory, until, write_private

test = Tests()
D = make_directory("browser")
bridge = Bridge(D)
send = bridge.must_take
collector = Collector("collector", D)
PORT = free_port()
PASSWORD = "correct horse battery staple"
PICTURES = ROOT / "build/browser"
EVIL = '<img src=x onerror="document.title=1">'


class Browser:
    def __init__(self):
        script = install(ROOT / "tests/browser", ROOT / "build/npm-browser", "page.mjs")
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.log = open(D / "browser.log", "w")
        self.process = subprocess.Popen(
            ["node", script, f"http://127.0.0.1:{PORT}/", PICTURES],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def __getattr__(self, step):
        def ask(**words):
            self.process.stdin.write(json.dumps({"step": step, **words}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            if not line:
                raise Failure("no browser (sh .ci/packages test):\n"
                              + (D / "browser.log").read_text()[-2000:])
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(answer["error"])
            return answer["value"]
        return ask

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


def pictures(name):
    """By day, by night, and on a phone."""
    for suffix, look in (("", {}), ("-dark", {"dark": True}), ("-phone", {"phone": True})):
        browser.look(**look)
        browser.run(script="scrollTo(0, 0)")
        browser.picture(name=name + suffix, whole=suffix != "-phone")
        overflow = browser.overflow()
        assert overflow <= 0, f"{name}{suffix} is {overflow} pixels wider than the window"
    browser.look()


@test
def a_stranger_sees_the_sign_in_and_nothing_else():
    browser.open()
    browser.wait(of="#sign-in")
    assert not browser.visible(of="#content")
    assert browser.focused() == "password"
    browser.picture(name="sign-in")
    browser.fill(of="#password", **{"with": "wrong"})
    browser.press(key="Enter")
    browser.wait(of="#sign-in-error", has="not the password")


@test
def the_password_opens_it_and_an_empty_bridge_says_so():
    browser.fill(of="#password", **{"with": PASSWORD})
    browser.press(key="Enter")
    browser.wait(of="#health", has="All well")
    browser.wait(of="#events-note", has="No events yet")
    assert browser.count(of="#destinations tr") == 2
    pictures("empty")


@test
def a_busy_bridge_shows_rates_and_events_and_what_is_foreign_stays_text():
    post = Post(1, D, bridge, 2000, {"type": "member.joined", "rate": 400})
    post.start()
    post.wait(30)
    send({"id": "e1", "type": "key.disabled", "data": {"api_key": {"id": EVIL, "name": "key_7"}}},
         "msg_foreign")
    send({"id": "e2", "type": "x" * 120, "data": {}}, "msg_too_long")
    browser.wait(of="#events", has="onerror")
    browser.wait(of="#dead", has="max_message_size")
    assert browser.count(of="#events img") == 0
    assert not browser.text(of="#cards .card:first-child .value").startswith("0.0")
    pictures("busy")


@test
def an_event_is_found_and_shown_with_its_lines_by_keyboard_alone():
    browser.run(script="document.getElementById('f-type').focus()")
    browser.fill(of="#f-type", **{"with": "key.*"})
    browser.press(key="Enter")
    until(lambda: browser.count(of="#events tr") == 1, "one is found")
    browser.run(script="document.querySelector('#events button').focus()")
    browser.press(key="Enter")
    browser.wait(of="#event[open]")
    body = browser.text(of="#event-body")
    assert "CEF:0|" in body and "key_7" in body and "webhook-signature" in body, body
    assert browser.count(of="#event img") == 0
    browser.picture(name="event")
    browser.press(key="Escape")
    assert not browser.visible(of="#event")
    browser.click(of="#search button[type=reset]")
    until(lambda: browser.count(of="#events tr") > 1, "all are shown again")


@test
def a_dead_destination_is_seen_with_its_reason_and_its_lag():
    collector.end()
    for i in range(5):
        send({"id": f"d{i}", "type": "key.disabled", "data": {"api_key": {"id": "key_9"}}},
             f"msg_dead_{i}")
    browser.wait(of="#health", has="1 of 2 destinations in trouble")
    browser.wait(of="#destinations .why", has="refused")
    browser.wait(of="#events", has="siem: pending")
    pictures("dead-destination")


@test
def after_the_outage_what_is_left_is_the_dead_letter():
    collector.start()
    browser.wait(of="#health", has="1 dead letter")
    until(lambda: "siem: pending" not in browser.text(of="#events"), "all are delivered")
    pictures("after")


@test
def a_replay_is_ordered_from_the_page():
    browser.click(of="#destinations tr:nth-child(2) button")
    browser.wait(of="#replay[open]")
    browser.fill(of="#r-from", **{"with": "1"})
    browser.fill(of="#r-to", **{"with": "10"})
    browser.picture(name="replay")
    browser.click(of="#replay-go")
    browser.wait(of="#replays", has="Replay 1 to log")


@test
def a_screen_reader_is_told_what_there_is():
    tree = browser.tree()
    for line in ('heading "Destinations" [level=2]', 'button "Replay to siem"', 'search "Search events"',
                 'columnheader "Pending"', "status: 1 dead letter", 'button "Live" [pressed]'):
        assert line in tree, f"{line} is not in:\n{tree[:3000]}"


@test
def nothing_came_from_elsewhere_and_nothing_was_blocked():
    seen = browser.complaints()
    assert seen == {"complaints": [], "foreign": []}, seen


def main():
    global browser
    write_private(D / "password", PASSWORD + "\n")
    bridge.destinations += [
        f"  - name: siem\n    format: cef\n    heartbeat: off\n"
        f"    device: {{vendor: {'d' * 60}, product: {'d' * 60}}}\n"
        f'    syslog: {{address: "{collector.address()}", transport: tcp, max_message_size: 480}}\n',
        f"  - name: log\n    format: rfc5424\n    file: {{path: {D}/events.log}}\n"
        f"console:\n  address: 127.0.0.1:{PORT}\n  password_file: {D}/password\n"]
    browser = None
    try:
        collector.start()
        bridge.start()
        browser = Browser()
        return test.run()
    finally:
        if browser is not None:
            browser.end()
        bridge.end()
        collector.end()


if __name__ == "__main__":
    sys.exit(main())
