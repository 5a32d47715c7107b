"""Nothing in an event can forge a line: 100,000 hostile events a format, written by us, read by
parsers that are not ours, and the same values come back.

    CEF              liblognorm's type cef (lognormalizer)
    RFC 5424         rsyslogd's mmpstrucdata, and syslog-ng's syslog-protocol parser
    JSON, @cee       rsyslogd's mmjsonparse; all JSON formats Python's json
    CEF in RFC 3164  rsyslogd's own parser: host, tag and text
    LEEF, RFC 3164   parsers below, written after the specification

An event that had to be shortened says so; its values are beginnings of what they were.
What a parser cannot represent is said where it is read.
"""
import concurrent.futures
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import hostile_events as oracle
from stage import ROOT, Failure, Program, Tests, free_port, make_directory, until

COUNT = int(os.environ.get("HOSTILE_EVENTS", "100000"))
SEED = 20261001
WITHIN = 120
TOOL = ROOT / "build/plain/tools/hostile"

test = Tests()
D = make_directory("hostile")


# ---- making and comparing ----

EVENTS = D / "events"


def make(form):
    """The file of messages, and that of the events they were made of."""
    messages = D / f"{form}.{os.getpid()}"  # two checks may want the same at once
    subprocess.run([TOOL, form, str(COUNT), str(SEED), messages], check=True)
    return messages, EVENTS


def lines_of(path):
    with open(path, "rb") as file:
        for line in file:
            yield line.removesuffix(b"\n").decode()


def pairs_of(left, right):
    """Line by line; as many in one as in the other."""
    left, right = list(lines_of(left)), list(lines_of(right))
    if len(left) != COUNT or len(right) != COUNT:
        raise Failure(f"of {COUNT} events there are {len(left)} and {len(right)}")
    return zip(left, right)


def texts_of(event):
    return [value for value in event.values() if isinstance(value, str)]


def check_values(number, found, expected, event, truncated, read=lambda value: value):
    """The same names and values; of a shortened event nothing that was not there."""
    if not truncated:
        if found != expected:
            differ = {name for name in found.keys() | expected.keys()
                      if found.get(name) != expected.get(name)}
            raise Failure(f"event {number}: " + "; ".join(
                f"{name}: {found.get(name)!r:.300} and not {expected.get(name)!r:.300}"
                for name in sorted(differ)[:3]))
        return
    texts = [read(text) for text in texts_of(event)]
    for name, value in found.items():
        # OCSF wants a name of each group; a label is ours
        if value in (expected.get(name), "", "Unknown") or name.endswith("Label"):
            continue
        if not isinstance(value, str) or not any(text.startswith(value) for text in texts):
            raise Failure(f"event {number}, shortened: {name} is {value!r:.300}")


def check_shortened(count):
    """The long ones are few, and they are there."""
    if not 0 < count < COUNT / 2:
        raise Failure(f"{count} of {COUNT} were shortened: the generator has changed")


# ---- CEF ----

def check_cef(form, version):
    messages, events = make(form)
    rules, parsed = D / f"{form}.rules", D / f"{form}.parsed"
    rules.write_text("version=2\nrule=:%f:cef%\n")
    if version != "0":
        # liblognorm knows CEF:0 alone
        messages.write_bytes(re.sub(rb"(?m)^CEF:1\|", b"CEF:0|", messages.read_bytes()))
    with open(messages, "rb") as lines, open(parsed, "wb") as output:
        subprocess.run(["lognormalizer", "-r", rules, "-e", "json"], stdin=lines, stdout=output,
                       check=True)
    shortened = 0
    for line, was in pairs_of(parsed, events):
        event, read = json.loads(was), json.loads(line).get("f")
        if read is None:
            raise Failure(f"event {event['number']}: not CEF: {line:.500}")
        header, extension = oracle.cef(event, version)
        found = read.pop("Extensions")
        # liblognorm 2.0.6 loses the first byte of the first key
        found["rt"] = found.pop("t", None)
        truncated = found.pop("siembridgeTruncated", None) == "1"
        shortened += truncated
        check_values(event["number"], found, extension, event, truncated,
                     lambda value: oracle.cef_value(oracle.trim(value)))
        check_values(event["number"], read, header, event, truncated,
                     lambda value: oracle.plain(oracle.trim(value)))
    check_shortened(shortened)


def cef_comes_back_from_liblognorm():
    check_cef("cef", "0")


def cef_1_comes_back_from_liblognorm():
    check_cef("cef1", "1")


# ---- collectors ----

RSYSLOG = """
global(workDirectory="{D}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="on")
main_queue(queue.workerThreads="1")
module(load="imptcp")
module(load="mmpstrucdata")
module(load="mmjsonparse")
template(name="out" type="string"
         string="{{\\"host\\":\\"%hostname:::json%\\",\\"tag\\":\\"%syslogtag:::json%\\",\\"app\\":\\"%app-name:::json%\\",\\"msg\\":\\"%msg:::json%\\",\\"data\\":{data}}}\\n")
ruleset(name="in") {{
    {action}
    action(type="omfile" file="{output}" template="out" ioBufferSize="1m")
}}
input(type="imptcp" port="{port}" address="127.0.0.1" ruleset="in")
"""

SYSLOG_NG = """@version: 3.38
options {{ log-msg-size(65536); keep-hostname(yes); chain-hostnames(no); use-dns(no);
          stats-freq(0); log-fifo-size(200000); }};
source s {{ syslog(ip(127.0.0.1) port({port}) transport("tcp") log-iw-size(50000)
           log-fetch-limit(1000)); }};
destination d {{ file("{output}" flush-lines(1000)
    template("$(format-json host=$HOST app=$PROGRAM msg=$MSG --key .SDATA.*)\\n")); }};
log {{ source(s); destination(d); flags(flow-control); }};
"""


class Lines:
    """How many a growing file has; each byte is looked at once."""

    def __init__(self, path):
        self.path, self.at, self.count = path, 0, 0

    def reach(self, count):
        if self.path.exists():
            with open(self.path, "rb") as file:
                file.seek(self.at)
                for block in iter(lambda: file.read(1 << 20), b""):
                    self.count += block.count(b"\n")
                    self.at += len(block)
        return self.count >= count


def through(name, command, port, messages, output):
    """All messages by TCP to a collector, until it has written as many lines."""
    collector = Program(name, D)
    collector.launch(command, {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    try:
        def connected():
            collector.must_run()
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                return None
        with until(connected, f"{name} listens") as connection, open(messages, "rb") as file:
            connection.sendfile(file)
        lines = Lines(output)
        until(lambda: collector.must_run() and lines.reach(COUNT), f"{name} has written all",
              WITHIN)
    finally:
        collector.end()


def through_rsyslog(form, messages, action):
    port, output = free_port(), D / f"{form}.rsyslog"
    configuration = D / f"{form}.conf"
    configuration.write_text(RSYSLOG.format(D=D, port=port, output=output, action=action,
                                            data="%$!%" if action else "{}"))
    through(f"rsyslog-{form}", ["rsyslogd", "-n", "-f", configuration, "-i", D / f"{form}.pid"],
            port, messages, output)
    return output


def through_syslog_ng(messages):
    port, output, configuration = free_port(), D / "syslog-ng.out", D / "syslog-ng.conf"
    program = subprocess.run(["sh", ROOT / ".ci/syslog-ng"], capture_output=True, text=True,
                             check=True).stdout.strip()
    configuration.write_text(SYSLOG_NG.format(port=port, output=output))
    through("syslog-ng", [program, "-F", "--no-caps", "-f", configuration, "-R",
                          D / "syslog-ng.persist", "-c", D / "syslog-ng.ctl",
                          "-p", D / "syslog-ng.pid"], port, messages, output)
    return output


def without_number(data):
    """The structured data with its elements' names alone."""
    return {name.removesuffix("@32473"): values for name, values in data.items()}


def check_structured_data(event, data, message, truncated):
    expected = oracle.structured_data(event)
    found = {f"{element} {name}": value for element, values in data.items()
             for name, value in values.items()}
    wanted = {f"{element} {name}": value for element, values in expected.items()
              for name, value in values.items()}
    check_values(event["number"], found, wanted, event, truncated, oracle.plain)
    name = oracle.plain(event["name"])
    if message != name and not (truncated and name.startswith(message)):
        raise Failure(f"event {event['number']}: the text is {message!r:.300}, not {name!r:.300}")


def rfc_5424_comes_back_from_rsyslogs_mmpstrucdata():
    messages, events = make("rfc5424+syslog")
    parsed = through_rsyslog("rfc5424", messages,
                             'action(type="mmpstrucdata" sd_name.lowercase="off")')
    shortened = 0
    for line, was in pairs_of(parsed, events):
        event, read = json.loads(was), json.loads(line)
        if (read["host"], read["app"]) != ("gw1.example.com", "siembridge"):
            raise Failure(f"event {event['number']}: the header has moved: {line:.300}")
        data = without_number(read["data"]["rfc5424-sd"])
        truncated = data["event"].pop("truncated", None) == "1"
        shortened += truncated
        # rsyslog leaves the BOM in the text
        check_structured_data(event, data, read["msg"].removeprefix("\ufeff"), truncated)
    check_shortened(shortened)


def rfc_5424_comes_back_from_syslog_ng():
    messages, events = make("rfc5424+syslog")
    for line, was in pairs_of(through_syslog_ng(messages), events):
        event, read = json.loads(was), json.loads(line)
        if (read["host"], read["app"]) != ("gw1.example.com", "siembridge"):
            raise Failure(f"event {event['number']}: the header has moved: {line:.300}")
        data = without_number(read["_SDATA"])
        truncated = data["event"].pop("truncated", None) == "1"
        check_structured_data(event, data, read.get("msg", ""), truncated)


def cef_behind_rfc_3164_keeps_its_place_in_rsyslog():
    """CEF: is the tag, and all behind it the message, as Sentinel's agent wants it."""
    messages, _ = make("cef-3164+syslog")
    alone, _ = make("cef")
    for line, written in pairs_of(through_rsyslog("cef-3164", messages, ""), alone):
        read = json.loads(line)
        # written without a header there was more room for it
        if "siembridgeTruncated" in read["msg"] + written:
            continue
        if (read["host"], read["tag"] + read["msg"]) != ("gw1", written):
            raise Failure(f"{read!r:.500} and not {written!r:.500}")


# ---- JSON ----

def no_twins(members):
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        raise Failure(f"a name twice: {names}")
    return dict(members)


DECODER = json.JSONDecoder(object_pairs_hook=no_twins, parse_int=lambda text: ("number", text),
                           parse_float=lambda text: ("number", text))


def flatten(value, prefix, found):
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(member, (dict, list)):
            flatten(member, f"{prefix}{name}.", found)
        else:
            found[f"{prefix}{name}"] = member
    return found


def check_json(form, expect, own, exact=()):
    messages, events = make(form)
    shortened = 0
    for line, was in pairs_of(messages, events):
        event = json.loads(was)
        if not line.isprintable() and oracle.HIDDEN.search(line):
            raise Failure(f"event {event['number']}: hidden characters: {line:.300}")
        found = flatten(DECODER.decode(line.removeprefix("@cee: ")), "", {})
        expected = expect(event)
        for path in [path for path in found if path not in expected]:
            if path in exact or path.startswith(own):
                del found[path]
        truncated = found.pop("truncated", None) or found.pop("siembridge.truncated", None) or \
            found.pop("unmapped.truncated", None) or found.pop("event.event.truncated", None)
        shortened += truncated is True
        check_values(event["number"], found, expected, event, truncated)
    check_shortened(shortened)


def json_comes_back():
    check_json("json", oracle.plain_json, ("\0",))


def ecs_comes_back():
    check_json("ecs", oracle.ecs, oracle.ECS_OWN)


def ocsf_comes_back():
    check_json("ocsf", oracle.ocsf, oracle.OCSF_OWN)


def hec_comes_back():
    check_json("hec", oracle.hec, oracle.HEC_OWN, oracle.HEC_CIM)


def as_double(value):
    return float(value[1]) if isinstance(value, tuple) else value


def json_comes_back_from_rsyslogs_mmjsonparse():
    messages, events = make("json+syslog")
    for line, was in pairs_of(through_rsyslog("json", messages, 'action(type="mmjsonparse")'),
                              events):
        event = json.loads(was)
        found = flatten(DECODER.decode(line)["data"], "", {})
        truncated = found.pop("truncated", None)
        # what comes through rsyslog is the number, not its digits: -0 is 0
        expected = {path: as_double(value) for path, value in oracle.plain_json(event).items()}
        found = {path: as_double(value) for path, value in found.items()}
        check_values(event["number"], found, expected, event, truncated)


# ---- LEEF and RFC 3164 ----

def parse_leef(line):
    """IBM's guide: a header between pipes, then attributes between delimiters, each split at its
    first =; in 2.0 the delimiter stands in the header, as itself or in hexadecimal."""
    fields = 6 if line.startswith("LEEF:2.0|") else 5
    *header, rest = line.split("|", fields)
    delimiter = "\t"
    if fields == 6:
        named = header.pop()
        delimiter = chr(int(named.removeprefix("0")[1:], 16)) if len(named) > 1 else named or "\t"
    attributes = {}
    for pair in rest.split(delimiter):
        key, equals, value = pair.partition("=")
        if not equals or not key.isalnum() or key in attributes:
            raise Failure(f"not an attribute: {pair!r:.200}")
        attributes[key] = value
    return header, attributes


def check_leef(form, delimiter):
    messages, events = make(form)
    shortened = 0
    for line, was in pairs_of(messages, events):
        event = json.loads(was)
        (version, *header), found = parse_leef(line)
        expected_header, expected = oracle.leef(event, delimiter)
        if header != expected_header or not version.startswith("LEEF:"):
            raise Failure(f"event {event['number']}: the header is {header}")
        truncated = found.pop("truncated", None) == "1"
        shortened += truncated
        check_values(event["number"], found, expected, event, truncated,
                     lambda value: oracle.plain(oracle.trim(value)).replace("|", "/")
                     .replace(delimiter, "_"))
    check_shortened(shortened)


def leef_1_comes_back():
    check_leef("leef", "\t")


def leef_2_comes_back():
    check_leef("leef2", "^")


PAIR = re.compile(r' ([a-z_.]+)=(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9._@:/+%-]+))')


def unquote(text):
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


def rfc_3164_comes_back():
    """The name in front is free text, so where it ends is known from the event alone."""
    messages, events = make("rfc3164")
    shortened = 0
    for line, was in pairs_of(messages, events):
        event = json.loads(was)
        name, expected = oracle.rfc3164(event)
        header = re.match(r"<\d{1,3}>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d gw1 siembridge: ", line)
        rest = line[header.end():]
        at = len(name) if rest.startswith(name) else rest.index(" type=" + event["type"])
        truncated = not rest.startswith(name)
        found = {}
        for pair in PAIR.finditer(rest, at):
            if pair.start() != at or pair[1] in found:
                raise Failure(f"event {event['number']}: not a pair: {rest[at:at + 200]!r}")
            at = pair.end()
            found[pair[1]] = pair[3] if pair[2] is None else unquote(pair[2])
        if at != len(rest):
            raise Failure(f"event {event['number']}: not a pair: {rest[at:at + 200]!r}")
        truncated = found.pop("truncated", None) == "1" or truncated
        shortened += truncated
        check_values(event["number"], found, expected, event, truncated,
                     lambda value: oracle.plain(oracle.trim(value)))
    check_shortened(shortened)


CHECKS = [cef_comes_back_from_liblognorm, cef_1_comes_back_from_liblognorm,
          rfc_5424_comes_back_from_rsyslogs_mmpstrucdata, rfc_5424_comes_back_from_syslog_ng,
          cef_behind_rfc_3164_keeps_its_place_in_rsyslog,
          json_comes_back_from_rsyslogs_mmjsonparse, json_comes_back, ecs_comes_back,
          ocsf_comes_back, hec_comes_back, leef_1_comes_back, leef_2_comes_back,
          rfc_3164_comes_back]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    make("events")[0].rename(EVENTS)
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for check in CHECKS:
            if not wanted or check.__name__ in wanted:
                test.add(check.__name__, pool.submit(check).result)
        status = test.run()
    if status == 0:
        shutil.rmtree(D, ignore_errors=True)
    sys.exit(status)
