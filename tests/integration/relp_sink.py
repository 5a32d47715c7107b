"""A RELP server that does what a test tells it, and remembers what it was sent.

    sink = RelpSink(script)      script(connection, number, txnr, message) for each `syslog`:
                                 its answer is the script's to give, by connection.answer()
    sink.messages                [(connection number from 1, txnr, message)]

Its reader is strict: a frame that is none, or numbers with a gap, end the test.
"""
import re
import socket
import struct
import threading

GREETING = b"200 OK\nrelp_version=0\nrelp_software=sink\ncommands=syslog"
HEADER = re.compile(rb"^(\d{1,9}) ([A-Za-z]{1,32}) (\d{1,9})([ \n])")


def accept_all(connection, number, txnr, message):
    connection.answer(txnr)


class Connection:
    def __init__(self, sink, plain, number):
        self.sink = sink
        self.socket = plain
        self.number = number
        self.received = b""
        self.limit = None   # bytes after which the connection is reset
        self.expected = 1   # the next TXNR

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, txnr, text=b"200 OK"):
        self.send(b"%d rsp %d" % (txnr, len(text)) + (b" " + text if text else b"") + b"\n")

    def reset(self):
        """As a kernel does with bytes unread."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.socket.close()
        raise ConnectionAbortedError

    def more(self):
        """At least one more byte; at the limit, the end."""
        size = 65536
        if self.limit is not None:
            size = min(size, self.limit)
            if size == 0:
                self.reset()
        data = self.socket.recv(size)
        if not data:
            self.close()
        if self.limit is not None:
            self.limit -= len(data)
        self.received += data

    def frame(self):
        """(txnr, command, data) of the next one."""
        while b"\n" not in self.received and not HEADER.match(self.received):
            self.more()
        header = HEADER.match(self.received)
        if not header or (header[4] == b"\n") != (int(header[3]) == 0):
            raise ValueError(f"no RELP frame: {self.received[:60]!r}")
        end = header.end() + int(header[3])
        if int(header[3]) == 0:
            end -= 1
        while len(self.received) <= end:
            self.more()
        data = self.received[header.end():end]
        if self.received[end:end + 1] != b"\n":
            raise ValueError(f"no line feed behind the data: {self.received[:60]!r}")
        self.received = self.received[end + 1:]
        if int(header[1]) != self.expected:
            raise ValueError(f"command {int(header[1])} where {self.expected} is next")
        self.expected += 1
        return int(header[1]), header[2], data

    def serve(self):
        txnr, command, _ = self.frame()
        if command != b"open":
            raise ValueError(f"{command} where open is expected")
        self.answer(txnr, GREETING)
        number = 0
        while True:
            txnr, command, data = self.frame()
            if command == b"close":
                self.sink.goodbyes += 1
                self.answer(txnr, b"")
                self.send(b"0 serverclose 0\n")
                self.close()
            number += 1
            self.sink.messages.append((self.number, txnr, data))
            self.sink.script(self, number, txnr, data)


class RelpSink:
    def __init__(self, script=accept_all):
        self.script = script
        self.messages = []
        self.connections = 0
        self.goodbyes = 0
        self.failure = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                Connection(self, plain, self.connections).serve()
            except ValueError as problem:
                self.failure = str(problem)
            except OSError:
                pass
            finally:
                plain.close()

    def must_be_well(self):
        assert self.failure is None, self.failure

    def of_connection(self, number):
        """[(txnr, message)]"""
        return [(txnr, data) for which, txnr, data in self.messages if which == number]

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
