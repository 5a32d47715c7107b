"""What stands before a collector and is ill until it is told to be well.

    peer = FaultyPeer(fault, address, backend, ...)
    peer.address       what the bridge connects to: "127.0.0.1:PORT", or a path
    peer.attempts      connections, or datagrams, that came while it was ill
    peer.carried       bytes towards the collector, of connections that have ended
    peer.heal()        from now on it hands on all that comes

Faults: "stopped" nobody listens; "slow" one byte (or datagram) a second is taken;
"reset" each connection is reset in the midst of something, sometimes of what the bridge
says and sometimes of what it is told; "garbage" is answered; "stranger" and "refuses":
`contexts` of TLS with a certificate that nobody vouches for, and with a demand for one
that the bridge does not have.
"""
import os
import random
import select
import socket
import struct
import threading
import time
from pathlib import Path

NOISE = [bytes(random.Random(7).randbytes(300)), b"\x15\x03\x03\x00\x02\x02\x28", b"\0" * 40]
GARBAGE = {
    "relp": [*NOISE, b"1 rsp 99999999999 200 OK\n", b"1 rsp 6\n200 OK\n", b"-1 rsp 6 200 OK\n"],
    "email": [*NOISE, b"220\r\n\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"250 taken\r\n" * 3],
    "hec": [*NOISE, b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage",
            b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"text\":\"Succ",
            b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"code\":\"ok\"}"],
}
BYTES_PER_SECOND = 1
POLL = 0.1  # seconds until a connection sees that all is well


class FaultyPeer:
    def __init__(self, fault, backend, path=None, datagrams=False, garbage=None, relays=False,
                 context=None, answers=False, seed=1):
        """
        `relays`: garbage is answered, and what came is handed on all the same; `answers`:
        the collector has to say something, and a reset may be in the midst of that.
        """
        self.fault = fault
        self.backend = backend    # a port, or a path
        self.path = path
        self.datagrams = datagrams
        self.garbage = GARBAGE.get(garbage, NOISE)
        self.relays = relays
        self.context = context
        self.answers = answers
        self.random = random.Random(seed)
        self.well = threading.Event()
        self.attempts = self.carried = 0
        self.socket = None
        self.reserved = 0         # a port of datagrams, while nobody listens
        if fault != "stopped" or path is None:
            self.bind()
        port = self.reserved or (0 if path else self.socket.getsockname()[1])
        self.address = str(path) if path else f"127.0.0.1:{port}"
        if fault != "stopped":
            self.begin()

    def heal(self):
        self.well.set()
        if self.fault == "stopped":
            self.begin()

    # ---- its socket ----

    def bind(self):
        family = socket.AF_UNIX if self.path else socket.AF_INET
        kind = socket.SOCK_DGRAM if self.datagrams else socket.SOCK_STREAM
        self.socket = socket.socket(family, kind)
        if self.fault == "slow" and not self.datagrams:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if self.path:
            Path(self.path).unlink(missing_ok=True)
        self.socket.bind(str(self.path) if self.path else ("127.0.0.1", self.reserved))
        if self.fault == "stopped" and self.datagrams and not self.well.is_set():
            self.reserved = self.socket.getsockname()[1]
            self.socket.close()  # a socket that is bound takes datagrams
            self.socket = None

    def begin(self):
        if self.socket is None:
            self.bind()
        if not self.datagrams:
            self.socket.listen(64)
        threading.Thread(target=self.serve_datagrams if self.datagrams else self.accept,
                         daemon=True).start()

    def connect(self):
        family = socket.AF_UNIX if isinstance(self.backend, Path) else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_DGRAM if self.datagrams
                                   else socket.SOCK_STREAM)
        connection.connect(str(self.backend) if family == socket.AF_UNIX
                           else ("127.0.0.1", self.backend))
        return connection

    # ---- streams ----

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            if not self.well.is_set():
                self.attempts += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        carried = [0]
        try:
            if self.well.is_set() or self.fault in ("slow", "reset") or self.relays:
                with self.connect() as backend:
                    self.relay(connection, backend, carried)
            else:
                self.answer(connection)
        except (OSError, EOFError):
            pass
        finally:
            self.carried += carried[0]
            connection.close()

    def answer(self, connection):
        """Garbage to all that comes; in TLS with a context, whose own refusal may be all."""
        connection.settimeout(POLL)
        if self.context is not None:
            connection.settimeout(5)
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection:
            connection.settimeout(POLL)
            said = self.attempts
            if self.context is None:
                connection.sendall(self.garbage[said % len(self.garbage)])
            while not self.well.is_set():
                try:
                    if not connection.recv(65536):
                        return
                except TimeoutError:
                    continue
                said += 1
                connection.sendall(self.garbage[said % len(self.garbage)])
                if self.context is not None:
                    return

    def limits(self, connection, backend):
        """{source: bytes that it may say until the connection is reset}"""
        if self.answers and self.attempts % 3 == 0:
            return {backend: self.random.randrange(60, 3000)}
        return {connection: self.random.randrange(200, 30000)}

    def relay(self, connection, backend, carried):
        ill = not self.well.is_set()
        limits = self.limits(connection, backend) if ill and self.fault == "reset" else {}
        other = {connection: backend, backend: connection}
        resumes = 0
        while True:
            slow = self.fault == "slow" and not self.well.is_set()
            sources = [backend] if slow and time.monotonic() < resumes else [connection, backend]
            for source in select.select(sources, [], [], POLL)[0]:
                from_bridge = source is connection
                size = min(BYTES_PER_SECOND if slow and from_bridge else 65536,
                           limits.get(source, 65536))
                data = source.recv(size)
                if not data:
                    return
                other[source].sendall(data)
                carried[0] += len(data) if from_bridge else 0
                if slow and from_bridge:
                    resumes = time.monotonic() + 1
                if self.fault == "garbage" and ill and from_bridge and not self.well.is_set():
                    connection.sendall(self.garbage[carried[0] % len(self.garbage)])
                if source in limits and not self.well.is_set():
                    limits[source] -= len(data)
                    if limits[source] <= 0:
                        reset(connection)
                        return
                elif source in limits:
                    limits = {}

    # ---- datagrams ----

    def serve_datagrams(self):
        backend = self.connect()
        taken = 0
        while True:
            ill = not self.well.is_set()
            data, sender = self.socket.recvfrom(65536)
            backend.send(data)
            if not ill:
                continue
            self.attempts += 1
            taken += 1
            if self.fault == "slow":
                self.well.wait(1)
            if self.fault == "garbage":
                self.socket.sendto(NOISE[taken % len(NOISE)], sender)
            if self.fault == "reset" and taken % 50 == 0:
                self.socket.close()
                os.unlink(self.path)
                time.sleep(POLL)
                self.bind()


def reset(connection):
    """As a kernel does with bytes unread."""
    if connection.family == socket.AF_INET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
