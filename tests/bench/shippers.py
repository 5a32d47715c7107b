"""The peers of drain.py: an rsyslogd and a syslog-ng that forward a backlog of their own.

Relays hand on text that was rendered before they got it: the limit of a forwarder.
The others get the JSON bodies that the bridge's spool holds, parse each, and render the
CEF line of its members, in an RFC 5424 message counted by octets.  What they are spared
of the bridge's work: no catalogue says the event's name and severity (its type is its
name, the severity a constant), nothing is checked, normalised, masked or cut, and there is
no account of each event's delivery.  rsyslog's templates cannot escape for CEF, and the
values go as they are; syslog-ng's format-cef-extension escapes, for about a third of
the row's time where it parses, and more than half where that was done before.
"""
import itertools
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stage import ROOT, Failure, Program, free_port, until  # noqa: E402

PATIENCE = 600  # seconds

# The bridge's keys, each with the member of the body that it holds or, as a label, its text.
MEMBERS = {
    "externalId": "id", "reason": "data/reason", "suid": "data/actor/id",
    "suser": "data/actor/email", "src": "data/actor/ip",
    "requestClientApplication": "data/actor/user_agent", "cs1": "data/organization/id",
    "cs2": "data/api_key/id", "cs3": "data/api_key/name", "flexString2": "data/project/id",
}
LABELS = {"cs1Label": "organizationId", "cs2Label": "keyId", "cs3Label": "keyName",
          "flexString2Label": "projectId"}


def cef(member, seconds, extension="{}"):
    """A template: member(PATH) is how the peer writes one, seconds its time as a number."""
    kind = member("type")
    pairs = [f"rt={seconds}000", *(f"{key}={member(path)}" for key, path in MEMBERS.items()),
             *(f"{key}={text}" for key, text in LABELS.items())]
    return f"CEF:0|AnyInt|AI Gateway|1|{kind}|{kind}|3|{extension.format(' '.join(pairs))}"


class Shipper(Program):
    """What forwards from a disk queue before the collector."""

    NAME = WORK = DOES = None  # whose, which kind of row, and what is in its time
    BACKLOG = "bodies"         # of which file

    def __init__(self, directory, collector):
        super().__init__(f"{self.NAME} {self.WORK}", directory)
        self.directory = directory
        self.collector = collector
        self.port = free_port()
        self.work = directory / f"{self.name}.work".replace(" ", "-")
        self.work.mkdir()
        self.config = self.work / "peer.conf"
        self.config.write_text(self.configuration())

    def prepare(self, count):
        """While the collector is away: the backlog is in the queue."""
        self.start()
        until(lambda: self.must_run() and f":{self.port:04X} 00000000:0000 0A" in
              Path("/proc/net/tcp").read_text(), f"{self.name} listens")
        self.take(count)
        sizes = []

        def is_quiet():
            sizes.append(sum(file.stat().st_size for file in self.work.iterdir()))
            time.sleep(0.5)
            return len(sizes) > 3 and sizes[-1] == sizes[-4]
        until(is_quiet, "all is in the queue", PATIENCE)

    def take(self, count):
        """So many of its file, by octet counting."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, \
                open(self.directory / self.BACKLOG, "rb") as lines:
            for line in itertools.islice(lines, count):
                line = self.message(line[:-1])
                connection.sendall(b"%d %s" % (len(line), line))

    def message(self, line):
        return line

    def release(self):
        """The collector is there."""


# ---- rsyslog ----

RSYSLOG = """
global(workDirectory="{work}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
       {certificates})
module(load="imtcp")
module(load="omrelp")
module(load="mmjsonparse")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="ship")
template(name="line" type="string" string="{template}")
"""

RSYSLOG_QUEUE = """queue.type="Disk" queue.filename="backlog"
           queue.size="100000000" queue.maxDiskSpace="100g" queue.maxFileSize="64m"
           queue.dequeueBatchSize="1024" queue.timeoutEnqueue="60000" """


class Rsyslog(Shipper):
    NAME = "rsyslog"

    def start(self):
        self.launch(["rsyslogd", "-n", "-f", self.config, "-i", self.work / "pid"],
                    {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})

    def configuration(self):
        collector = self.collector
        certificates = ""
        action = f'target="127.0.0.1" port="{collector.port}" template="line" '
        if collector.transport == "relp":
            # With its own 128 it was 700 events a second, of rsyslog 8.2302.
            action += 'type="omrelp" windowSize="1024"'
        else:
            action += 'type="omfwd" protocol="tcp" TCP_Framing="octet-counted"'
        if collector.transport == "tls":
            certificates = (f'defaultNetstreamDriver="ossl" '
                            f'defaultNetstreamDriverCAFile="{collector.certificate}" '
                            f'defaultNetstreamDriverCertFile="{collector.client}" '
                            f'defaultNetstreamDriverKeyFile="{collector.client_key}"')
            action += (' StreamDriver="ossl" StreamDriverMode="1" '
                       'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"')
        action += ' action.resumeRetryCount="-1" action.resumeInterval="1"'
        return RSYSLOG.format(work=self.work, port=self.port, certificates=certificates,
                              template=self.template()) + self.ruleset(action)


class RsyslogRelay(Rsyslog):
    WORK = "relays text"
    DOES = "finished lines, read from its disk queue, sent"
    BACKLOG = "messages"

    def template(self):
        return "%rawmsg%"

    def ruleset(self, action):
        return f'ruleset(name="ship" queue.type="Direct") {{ action({action} {RSYSLOG_QUEUE}) }}\n'


class RsyslogWork(Rsyslog):
    WORK = "same work"
    DOES = "bodies, read from its disk queue; behind it mmjsonparse, parse_time, template, sent"

    def message(self, line):
        return b"<13>1 - - - - - - " + line

    def template(self):
        return ("<109>1 %$!created_at% gw1 rsyslog - %$!type% - " +
                cef(lambda path: f"%$!{path.replace('/', '!')}%", "%$.seconds%"))

    def ruleset(self, action):
        return (f'ruleset(name="ship" {RSYSLOG_QUEUE}) {{\n'
                '    action(type="mmjsonparse" cookie="")\n'
                '    set $.seconds = parse_time($!created_at);\n'
                f'    action({action})\n}}\n')


# ---- syslog-ng ----

SYSLOG_NG = """
@version: 3.38
options {{ stats-freq(0); time-reopen(1); keep-hostname(yes); log-msg-size(65536); }};
source s {{ {source}; }};
parser json {{
    json-parser(prefix(".json."));
    date-parser(format("%Y-%m-%dT%H:%M:%S%z") template("${{.json.created_at}}"));
}};
destination d {{ {driver}("127.0.0.1" port({port}) {transport} {queue} flush-lines(1000)
    template("{template}")); }};
log {{ source(s); {parser} destination(d); flags(flow-control); }};
"""


class SyslogNg(Shipper):
    NAME = "syslog-ng"
    DRIVER = "syslog"  # writes the header of RFC 5424 and counts octets
    PARSER = "parser(json);"

    def start(self):
        unpacked = subprocess.run(["sh", ROOT / ".ci/syslog-ng"], capture_output=True, text=True,
                                  check=False)
        if unpacked.returncode != 0:
            raise Failure(unpacked.stderr)
        self.launch([unpacked.stdout.strip(), "-F", "--no-caps", "-f", self.config,
                     f"--persist-file={self.work}/persist", f"--control={self.work}/control",
                     f"--pidfile={self.work}/pid"])

    def configuration(self):
        collector = self.collector
        transport = f'transport("{collector.transport}")'
        if collector.transport == "tls":
            transport += (f' tls(ca-file("{collector.certificate}") '
                          f'cert-file("{collector.client}") key-file("{collector.client_key}"))')
        return SYSLOG_NG.format(source=self.source(), driver=self.DRIVER, port=collector.port,
                                transport=transport, queue=self.queue(),
                                template=self.template(), parser=self.PARSER)

    def source(self):
        return (f'syslog(ip("127.0.0.1") port({self.port}) transport("tcp") flags(no-parse) '
                "log-iw-size(100000) log-fetch-limit(1000))")

    def queue(self):
        return ("disk-buffer(reliable(yes) disk-buf-size(100000000000) mem-buf-size(10000000) "
                f'dir("{self.work}"))')

    def template(self):
        return cef(lambda path: f"${{.json.{path.replace('/', '.')}}}", "${UNIXTIME}",
                   "$(format-cef-extension {})")


class SyslogNgRelay(SyslogNg):
    WORK = "relays text"
    DOES = "finished lines, read from its disk-buffer, sent"
    BACKLOG = "messages"
    DRIVER = "network"  # adds no header; its frames end in a line feed
    PARSER = ""

    def template(self):
        return r"${MESSAGE}\n"


class SyslogNgRender(SyslogNg):
    WORK = "renders"
    DOES = ("members, read from its disk-buffer, template, sent; json-parser and date-parser "
            "ran before the queue, outside of the time")


class SyslogNgWork(SyslogNg):
    """Its disk-buffer stands behind every parser: the backlog is the file of the bodies."""

    WORK = "same work"
    DOES = "bodies, read from a file (no disk-buffer); json-parser, date-parser, template, sent"

    def prepare(self, count):
        """Nothing: parsing begins when it starts."""

    def release(self):
        self.start()

    def source(self):
        return (f'file("{self.directory / self.BACKLOG}" read-old-records(yes) follow-freq(1) '
                "flags(no-parse) log-iw-size(100000) log-fetch-limit(1000))")

    def queue(self):
        return "log-fifo-size(200000)"


def shippers_for(transport):
    """Debian's syslog-ng speaks no RELP; neither of the two speaks to a HEC."""
    if transport == "hec":
        return ()
    if transport == "relp":
        return (RsyslogRelay, RsyslogWork)
    return (RsyslogRelay, SyslogNgRelay, RsyslogWork, SyslogNgWork, SyslogNgRender)
