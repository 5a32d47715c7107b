"""A bridge with Splunk's HTTP Event Collector as its one destination, and a stand-in."""
import sqlite3

from hec_server import TOKEN, HecServer, code
from stage import Bridge, until, write_private


class Case:
    """A bridge with one destination, a stand-in of its own; `others`: further urls of it."""

    def __init__(self, directory, name, server=None, pair=(), heartbeat="off", others=(), **keys):
        self.directory = directory / name
        self.directory.mkdir()
        self.server = server or HecServer(*pair)
        self.bridge = Bridge(self.directory)
        self.token = self.directory / "token"
        write_private(self.token, TOKEN + "\n")
        where = {"url": f'"{self.server.url()}"'} if not others else \
            {"urls": [each.url() for each in (self.server, *others)]}
        keys = {**where, "token_file": self.token, **keys}
        text = ", ".join(f"{key}: {value}" for key, value in keys.items())
        self.bridge.destinations = [f"  - {{name: splunk, hold_retry: 150ms, heartbeat: "
                                    f"{heartbeat}, splunk_hec: {{{text}}}}}\n"]
        self.posted = 0

    def __enter__(self):
        self.bridge.start()
        return self

    def __exit__(self, *_):
        self.bridge.end()
        self.server.stop()

    def post(self, *names, kind="member.joined"):
        """An event each; its id has the name in it."""
        connection = self.bridge.sender()
        for name in names:
            self.bridge.must_take({"type": kind, "data": {"member": {"name": name}}}, f"e-{name}",
                                  connection=connection)
        connection.close()

    def backlog(self, *names):
        """Posted while the collector answers that it is not well: then all are there at once."""
        self.server.health = code(18)
        self.post(*names)
        self.server.health = None

    def names(self, envelopes=None):
        return [e["event"]["target"]["name"] for e in
                (self.server.taken if envelopes is None else envelopes)]

    def arrived(self, *names, within=15):
        until(lambda: self.names() == list(names), f"{names} arrived", within)

    def log_has(self, text, within=10):
        until(lambda: text in self.bridge.log_text(), f"{text!r} is in the log", within)

    def query(self, sql):
        return self.bridge.ask_delivery(sql)

    def dead(self):
        return [row[0] for row in self.query("select id from dead order by seq")]

    def cursor(self):
        try:
            rows = self.query("select seq from cursors")
        except sqlite3.OperationalError:  # the forwarder has not made it yet
            return 0
        return rows[0][0] if rows else 0

    def event_requests(self):
        return [r for r in self.server.requests if r.path.endswith("/event")]
