#!/usr/bin/env python3
"""Plays one story: tests/scenario/runner.py FILE.scenario

A story starts with prose that says what it proves; then a step a line:

    configure  collector NAME tcp|tls|udp|relp|relp-tls|unix|unix-stream
    configure  collector NAME hec|hec-ack
    configure  destination NAME hec splunk_hec to COLLECTOR [KEY VALUE]...
    configure  destination NAME FORMAT syslog [to COLLECTOR] [KEY VALUE]...
    configure  destination NAME FORMAT file
    configure  listen|spool KEY VALUE
    start      NAME...                   bridge, collectors
    stop       NAME...                   SIGTERM: ends in 5 s and leaves no process behind
    reload     bridge                    SIGHUP: a new generation of children
    kill       NAME...                   SIGKILL: collectors, bridge (the supervisor), receiver,
                                         forwarder, all (of the bridge)
    post       COUNT TYPE[,TYPE] [connections N] [rate N] [retry SECONDS] [as PREFIX] [in background]
    send       TYPE...|every             a sample each by `siembridge send`
    when       NAME has COUNT [more] [within T]
                                         NAME: collector, file destination, post (accepted so far)
    wait       post [within T]           for posts in the background
    repeat     COUNT ... end
    expect     NAME has-each COUNT|accepted [within T]
                                         COUNT were accepted, and each is there
    expect     NAME in-order             first deliveries, as far as the senders waited
    expect     NAME duplicates <=|=|>= COUNT
    expect     NAME lines "TEXT" <=|=|>= COUNT [within T]
    expect     NAME alive [within T]     one more event arrives
    expect     log "TEXT" <=|=|>= COUNT [within T]
    expect     post FIGURE <=|=|>= COUNT        a figure of tests/tools/post, all posts together
    expect     bridge gone [within T]    no process of it is left

A destination goes to the collector `collector` where it does not say to whom; "to A,B"
gives it several addresses.  "A+B" in an expectation is what both have between them,
of has-each and duplicates.
The directory of a story that failed stays: build/stage/NAME.
"""
import operator
import re
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from hec_collector import HecCollector  # noqa: E402
from stage import Bridge, Collector, Failure, Post, Records  # noqa: E402
from stage import figure, make_directory, note, until        # noqa: E402

RELATIONS = {"<=": operator.le, "=": operator.eq, ">=": operator.ge}
WITHIN = 30  # seconds, where a step says nothing
SYSLOG_KEYS = ("transport", "framing", "settle", "facility", "max_message_size")


class Together:
    """What several collectors have between them."""

    def __init__(self, parts):
        self.ids = [event for part in parts for event in part.ids]
        self.first = {event: None for event in self.ids}
        self.malformed = sum(part.malformed for part in parts)

    def duplicates(self):
        return len(self.ids) - len(self.first)


class Story:
    def __init__(self, file):
        self.name = file.stem
        self.steps = []  # (line number, text, words)
        for number, text in enumerate(file.read_text().splitlines(), 1):
            words = shlex.split(text, comments=True)
            if words:
                self.steps.append((number, text.strip(), words))
        self.directory = make_directory(self.name)
        self.bridge = Bridge(self.directory)
        self.collectors = {}
        self.files = {}  # file destinations: name -> Records
        self.posts = []
        self.more = {}   # what a `when` has seen last
        self.journal = Records(self.directory / "journal")
        self.journal.ID = re.compile(rb"^(\S+)$")

    # -- names --

    def collector(self, name):
        if name not in self.collectors:
            if name != "collector":
                raise Failure(f"no collector {name} is configured")
            self.collectors[name] = Collector(name, self.directory)
        return self.collectors[name]

    def records(self, name):
        if "+" in name:
            return Together([self.records(part) for part in name.split("+")])
        if name in self.files:
            return self.files[name].read()
        return self.collector(name).records.read()

    def accepted(self):
        """The ids that the bridge owes."""
        path = self.journal.path
        return path.read_text().split() if path.exists() else []

    def amount(self, name):
        return len(self.accepted()) if name == "post" else len(self.records(name).first)

    # -- steps --

    def configure(self, what, name, *words):
        if what == "collector":
            kind = HecCollector if words[0].startswith("hec") else Collector
            self.collectors[name] = kind(name, self.directory, words[0])
        elif what == "destination":
            self.configure_destination(name, *words)
        else:
            self.bridge.sections[what][name] = words[0]

    def configure_destination(self, name, form, kind, *words):
        options = dict(zip(words[::2], words[1::2], strict=True))
        text = f"  - name: {name}\n    format: {form}\n"
        if kind == "file":
            self.files[name] = Records(self.directory / f"{name}.events")
            text += f"    file: {{path: {self.files[name].path}}}\n"
        else:
            names = options.pop("to", "collector").split(",")
            keys = {**self.collector(names[0]).destination_keys(), **options}
            if len(names) > 1:
                addresses = [f'"{self.collector(name).address()}"' for name in names]
                keys = {"addresses": f"[{', '.join(addresses)}]", **keys}
                del keys["address"]
            text += f"    {kind}: {{" + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"
        self.bridge.destinations.append(text)

    def start(self, *names):
        for name in names:
            (self.bridge if name == "bridge" else self.collector(name)).start()

    def stop(self, *names):
        for name in names:
            if name == "bridge":
                note(f"the bridge stopped in {self.bridge.stop():.2f} s")
            else:
                self.collector(name).stop()

    def reload(self, _bridge):
        self.bridge.reload()

    def kill(self, *names):
        for name in names:
            if name in self.collectors:
                self.collectors[name].signal(signal.SIGKILL)
            else:
                self.bridge.kill(name)

    def post(self, count, types, *words):
        words = list(words)
        background = words[-2:] == ["in", "background"]
        if background:
            del words[-2:]
        options = dict(zip(words[::2], words[1::2], strict=True), type=types)
        post = Post(len(self.posts) + 1, self.directory, self.bridge, int(count), options)
        self.posts.append(post)
        post.start()
        if not background:
            self.wait("post")

    def wait(self, _post, *words):
        for post in self.posts:
            if not post.figures:
                post.wait(within(words, 90))
                note(f"{post.name}: {post.log_text().strip()}")

    def send(self, *types):
        if types == ("every",):
            types = self.bridge.command("send", "--list").stdout.split()
        for kind in types:
            result = self.bridge.command("send", "-c", self.bridge.config, kind)
            if result.returncode != 0:
                raise Failure(f"siembridge send {kind}: {result.stderr.strip()}")

    def when(self, name, _has, count, *words):
        goal = int(count)
        if words[:1] == ("more",):
            goal += self.more.get(name, 0)
        until(lambda: self.amount(name) >= goal, f"{name} has {goal}", within(words))
        self.more[name] = self.amount(name)

    def expect(self, name, what, *words):
        if name == "log":
            relation, count = words[:2]
            self.compare(lambda: self.bridge.log_text().count(what), f'"{what}" in the log',
                         relation, count, words)
        elif name == "post":
            relation, count = words[:2]
            self.compare(lambda: sum(post.figures.get(what, 0) for post in self.posts),
                         f"post's {what}", relation, count, words)
        else:
            getattr(self, "expect_" + what.replace("-", "_"))(name, *words)

    def expect_has_each(self, name, count, *words):
        owed = set(self.accepted())
        if count != "accepted" and len(owed) != int(count):
            raise Failure(f"{len(owed)} were accepted, not {count}")
        began = time.monotonic()
        try:
            until(lambda: owed <= self.records(name).first.keys(), name, within(words))
        except Failure:
            missing = sorted(owed - self.records(name).first.keys())
            raise Failure(f"{name} lacks {len(missing)} of {len(owed)}: {missing[:3]} ..."
                          f" {missing[-1]}") from None
        note(f"{name}: the last one was there {time.monotonic() - began:.2f} s after asking")
        self.expect_true(name)

    def expect_true(self, name):
        """Nothing is there that was not posted, and each line is its id's."""
        records = self.records(name)
        posted = {post.prefix: max(p.count for p in self.posts if p.prefix == post.prefix)
                  for post in self.posts}
        for event in records.first:
            prefix, _, number = event.rpartition("-")
            if not 1 <= int(number) <= posted.get(prefix, 0):
                raise Failure(f"{name} has {event}, which nobody posted")
        if records.malformed:
            raise Failure(f"{name}: {records.malformed} lines do not hold what belongs to their id")

    def expect_in_order(self, name):
        """Each connection posted its numbers one after the other: so they must arrive."""
        position = self.records(name).first
        for post in self.posts:
            for row in range(1, post.connections + 1):
                ids = [f"{post.prefix}-{number:08}"
                       for number in range(row, post.count + 1, post.connections)]
                places = [position[event] for event in ids if event in position]
                if places != sorted(places):
                    raise Failure(f"{name}: connection {row} of {post.name} is out of order")

    def expect_duplicates(self, name, relation, count, *words):
        self.compare(lambda: self.records(name).duplicates(), f"duplicates at {name}",
                     relation, count, words)

    def expect_lines(self, name, text, relation, count, *words):
        self.compare(lambda: self.records(name).count_lines(text), f'lines with "{text}" at {name}',
                     relation, count, words)

    def expect_alive(self, name, *words):
        before = len(self.records(name).first)
        self.post("1", "key.disabled", "as", f"alive{len(self.posts)}", "retry", "5")
        until(lambda: len(self.records(name).first) > before, f"one more event at {name}",
              within(words, 5))

    def expect_gone(self, _bridge, *words):
        until(self.bridge.gone, "no process of the bridge is left", within(words, 5))

    def compare(self, value, what, relation, count, words):
        """Now, or at the latest `within`."""
        def holds():
            return RELATIONS[relation](value(), int(count))
        if "within" in words:
            until(holds, f"{what} {relation} {count}", within(words))
        elif not holds():
            raise Failure(f"{what}: {value()}, expected {relation} {count}")

    # -- the whole --

    def play(self, first, last):
        position = first
        while position < last:
            number, text, words = self.steps[position]
            try:
                if words[0] == "repeat":
                    end = next(i for i in range(position, last) if self.steps[i][2] == ["end"])
                    for _ in range(int(words[1])):
                        self.play(position + 1, end)
                    position = end
                else:
                    VERBS[words[0]](self, *words[1:])
            except Failure as problem:
                raise Failure(str(problem) if str(problem).startswith("line ")
                              else f"line {number}: {text}\n{problem}") from None
            position += 1

    def report(self):
        for name, records in [*self.files.items(),
                              *((n, c.records) for n, c in self.collectors.items())]:
            records.read()
            if records.ids:
                figure(f"{name}: {len(records.ids)} deliveries of {len(records.first)} events, "
                       f"{records.duplicates()} duplicates")

    def end(self):
        for program in [*self.posts, self.bridge, *self.collectors.values()]:
            program.end()


VERBS = {name: getattr(Story, name) for name in
         ("configure", "start", "stop", "reload", "kill", "post", "wait", "send", "when", "expect")}


def within(words, otherwise=WITHIN):
    """The seconds of "... within 20s"."""
    words = list(words)
    if "within" not in words:
        return otherwise
    return float(words[words.index("within") + 1].removesuffix("s"))


def main():
    story = Story(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print("1..1")
    try:
        story.play(0, len(story.steps))
        story.report()
        print(f"ok 1 - {story.name}")
    except Failure as problem:
        story.report()
        print(f"not ok 1 - {story.name}")
        note(problem)
        note(f"the bridge's log ends:\n{story.bridge.log_tail()}")
        note(f"all of it: {story.directory}")
        return 1
    finally:
        story.end()
    shutil.rmtree(story.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
