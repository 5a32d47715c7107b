"""A bridge with one destination, `oncall`, and the stand-in for who is told (vendors.py)."""
import shutil

import vendors as v
from stage import Bridge, make_directory, until, write_private

FILES = {"key": v.ROUTING_KEY, "api": v.API_KEY, "topic": v.TOPIC}


class Case:
    """A vendor, and a bridge with one destination, `oncall`, that tells it."""

    def __init__(self, name, kind="pagerduty", around="", authority=None, **keys):
        """`name` may have a directory in front; with an authority it speaks TLS."""
        self.directory = make_directory(name)
        pair = authority.issue("server", "localhost") if authority else None
        self.vendor = v.Vendors(pair)
        self.bridge = Bridge(self.directory)
        for file, text in FILES.items():
            write_private(self.directory / file, text + "\n")
        write_private(self.directory / "address", self.vendor.url(v.SLACK_PATH) + "\n")
        defaults = {"pagerduty": {"routing_key_file": "./key", "url": self.vendor.url()},
                    "opsgenie": {"api_key_file": "./api", "url": self.vendor.url()},
                    "alertmanager": {"url": self.vendor.url("/hook/alerts")},
                    "slack": {"url_file": "./address"},
                    "ntfy": {"url": self.vendor.url(), "topic_file": "./topic"},
                    "http": {"url": self.vendor.url("/hook/own")}}[kind]
        if authority:
            shutil.copy(authority.certificate, self.directory / "ca.pem")
            defaults["ca_file"] = "ca.pem"
        text = ", ".join(f"{key}: {value}" for key, value in {**defaults, **keys}.items())
        self.bridge.destinations = [
            f"  - {{name: oncall, hold_retry: 300ms, {around}{kind}: {{{text}}}}}\n"]
        self.number = 0

    def __enter__(self):
        self.bridge.start()
        return self

    def __exit__(self, *_):
        self.bridge.end()
        self.vendor.close()

    def post(self, kind="key.disabled", **data):
        self.number += 1
        self.bridge.must_take({"type": kind, "data": data}, f"e-{self.number}")

    def key(self, name, kind="key.disabled", **more):
        self.post(kind, api_key={"id": name}, organization={"id": "org_1"}, **more)

    def finding(self, name, kind="security.alert", **alert):
        self.post(kind, alert={"id": name, **alert}, organization={"id": "org_1"},
                  severity=alert.get("severity", "high"))

    def taken(self, count, within=10):
        until(lambda: len(self.vendor.taken) >= count, f"{count} were told", within)
        assert len(self.vendor.taken) == count, [r.json for r in self.vendor.taken]
        return [request.json for request in self.vendor.taken]

    def delivered(self, sequence, within=10):
        """Confirmed, so whatever was to be told of it has been told."""
        until(lambda: self.cursor() >= sequence, f"{sequence} is confirmed", within)

    def query(self, sql):
        rows = self.bridge.ask_delivery(sql)
        return rows[0] if rows else None

    def cursor(self):
        row = self.query("select seq from cursors where destination = 'oncall'")
        return row[0] if row else 0

    def dead(self):
        row = self.query("select count(*) from dead")
        return row[0] if row else 0

    def log_has(self, text, within=10):
        until(lambda: text in self.bridge.log_text(), f"{text!r} is in the log", within)
