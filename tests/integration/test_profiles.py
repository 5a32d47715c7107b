"""A destination that names its collector gets what that collector wants, byte for byte on the wire;
what is written beside it counts before it."""
import re
import socket
import sys
import threading

from stage import Bridge, Tests, make_directory, until

test = Tests()
bridge = Bridge(make_directory("profiles"))
D = bridge.directory

RFC5424 = r"<109>1 \d{4}-\d\d-\d\dT[\d:.]+Z gw1\.example\.com siembridge - key\.disabled "
RFC3164 = r"<109>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d gw1 "
COUNTED = r"(?P<count>\d+) "

# profile and what is written beside it: what is seen on the wire, what `check` says
PROFILES = {
    "none": ("", COUNTED + RFC5424 + r"\[meta [^]]*\] CEF:0\|",
             "header rfc5424, bom auto, framing octet-counting, up to 8KiB, facility 13, "
             "cef_time milliseconds"),
    "rsyslog": ("profile: rsyslog", COUNTED + RFC5424 + r"\[meta [^]]*\]\[event@32473 ",
                "profile rsyslog: header rfc5424, bom never, framing octet-counting, up to 8KiB"),
    "syslog-ng": ("profile: syslog-ng", COUNTED + RFC5424 + r"\[meta [^]]*\]\[event@32473 ",
                  "profile syslog-ng: header rfc5424, bom auto, framing octet-counting, up to 64KiB"),
    "sc4s": ("profile: sc4s", RFC5424 + r"\[meta [^]]*\] CEF:0\|.*\|rt=[A-Z][a-z]{2} \d\d \d{4} .* UTC ",
             "profile sc4s: header rfc5424, bom never, framing lf, up to 64KiB, facility 13, "
             "cef_time text"),
    "splunk": ("profile: splunk", RFC3164 + r"CEF:0\|.*\|rt=[A-Z]",
               "profile splunk: header rfc3164 UTC, framing lf, up to 10000 bytes"),
    "sentinel": ("profile: sentinel", RFC3164.replace("109", "165") + r"CEF:0\|.*\|rt=\d{13} ",
                 "profile sentinel: header rfc3164 UTC, framing lf, up to 8KiB, facility 20"),
    "qradar": ("profile: qradar", RFC3164 + r"LEEF:1\.0\|.*\|cat=key\tdevTime=",
               "profile qradar: header rfc3164 UTC, framing lf, up to 4KiB"),
    "arcsight": ("profile: arcsight", RFC3164 + r"CEF:0\|.*\|rt=\d{13} ",
                 "profile arcsight: header rfc3164 UTC, framing lf, up to 8KiB"),
    "elastic": ("profile: elastic", RFC5424 + r'\[meta [^]]*\] \{"@timestamp":',
                "profile elastic: header rfc5424, bom never, framing lf, up to 64KiB"),
    "mixed": ("profile: sentinel, format: json, cee: true, time_zone: '+02:00', "
              "syslog: {facility: 13, framing: octet-counting, ",
              COUNTED + RFC3164 + r"siembridge: @cee: \{",
              "profile sentinel: header rfc3164 +02:00, framing octet-counting, up to 8KiB, "
              "facility 13, cee true"),
}


class Listener:
    """Keeps what one peer after the other sends."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.data = b""
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            with connection:
                for block in iter(lambda c=connection: c.recv(65536), b""):
                    self.data += block

    def message(self):
        """The first whole one that is no heartbeat; a counted one with its count."""
        end = self.data.find(b"\n")
        count = re.match(rb"(\d+) ", self.data)
        if count:
            end = count.end() + int(count[1])
            return self.data[:end].decode() if len(self.data) >= end else None
        return self.data[:end].decode() if end >= 0 else None


listeners = {name: Listener() for name in PROFILES}


def add_destination(name, keys):
    syslog = f'address: "127.0.0.1:{listeners[name].port}", hostname: gw1.example.com}}'
    text = keys + syslog if "syslog: {" in keys else ", ".join(
        filter(None, [keys, "syslog: {" + syslog]))
    bridge.destinations.append(f'  - {{name: {name}, heartbeat: "off", {text}}}\n')


for profile_name, (written, _, _) in PROFILES.items():
    add_destination(profile_name, written)


@test
def check_shows_what_came_out_of_profile_and_keys():
    result = bridge.command("check", "-c", bridge.config)
    # the bridge runs: what stands beside that is all the same
    assert result.returncode == 0, result.stderr
    for name, (_, _, says) in PROFILES.items():
        block = result.stdout.partition(f"destination  {name}: ")[2].splitlines()
        assert says in block[1], f"{name}: {block[:2]}"


def add_row(name, pattern):
    def arrives():
        message = until(listeners[name].message, f"{name} gets it")
        found = re.match(pattern, message)
        assert found, f"{message!r} is not {pattern}"
        if "count" in found.groupdict():
            assert len(message.partition(" ")[2].encode()) == int(found["count"]), message
    test.add(f"{name}_gets_what_it_wants", arrives)


for profile_name, (_, wire, _) in PROFILES.items():
    add_row(profile_name, wire)

if __name__ == "__main__":
    bridge.start()
    try:
        sent = bridge.command("send", "-c", bridge.config, "key.disabled")
        assert sent.returncode == 0, sent.stderr
        status = test.run(D)
    finally:
        bridge.end()
    sys.exit(status)
