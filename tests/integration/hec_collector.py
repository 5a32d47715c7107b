"""hec_server.py in a process of its own, that a story can kill."""
import re
import signal
import sys
from pathlib import Path

from hec_server import TOKEN
from stage import Program, Records, free_port, until, write_private


class HecCollector(Program):
    """hec: what it answered 200 is in its file; hec-ack: only once it is acknowledged."""

    def __init__(self, name, directory, transport, pair=None):
        """`pair`: a certificate and its key; None: plain HTTP."""
        super().__init__(name, directory)
        self.pair = pair
        self.acknowledges = transport == "hec-ack"
        self.port = free_port()
        self.token = directory / f"{name}.token"
        self.records = Records(directory / f"{name}.events")
        write_private(self.token, TOKEN)

    def destination_keys(self):
        return {"url": f'"http://127.0.0.1:{self.port}"', "token_file": self.token,
                "acknowledge": str(self.acknowledges).lower()}

    def start(self):
        self.launch([sys.executable, Path(__file__).with_name("hec_server.py"), "--port", self.port,
                     "--file", self.records.path, *(("--ack", "0.3") if self.acknowledges else ()),
                     *(("--certificate", self.pair[0], "--key", self.pair[1]) if self.pair else ())])
        wanted = re.compile(rf": 0100007F:{self.port:04X} [0-9A-F:]+ 0A ")
        until(lambda: self.must_run() and wanted.search(Path("/proc/net/tcp").read_text()),
              f"{self.name} listens")

    def stop(self):
        self.signal(signal.SIGTERM)
