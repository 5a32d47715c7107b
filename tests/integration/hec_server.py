#!/usr/bin/env python3
"""A Splunk HTTP Event Collector that does what a test tells it (standards.md 9).

    server = HecServer(certificate, key)    without a pair: plain HTTP
    server.script = [answer, ...]           for the next requests with events, one each;
                                            an answer: (status, body), (status, body, headers),
                                            "cut", a function(envelopes) -> answer or None
    server.health = answer                  likewise, for each look; None: healthy
    server.taken                            envelopes that it took, in the order of arrival
    server.indexed                          those that its indexer has
    server.requests                         [Request]

With use_ack each request that is taken gets an ackId, from 0 on for each channel, and
index() says when it is indexed; what is not is lost when it restarts, and so are its
numbers.  `true` is told once.  It is strict: what is no envelope is answered with the
code that Splunk has for it.

    hec_server.py --port P --token T --file F [--ack SECONDS] [--certificate C --key K]

is one in a process of its own, to be killed: an envelope is in the file once it is indexed.
"""
import argparse
import gzip
import json
import re
import socket
import ssl
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "11111111-2222-3333-4444-555555555555"
TEXTS = {0: (200, "Success"), 1: (403, "Token disabled"), 2: (401, "Token is required"),
         3: (401, "Invalid authorization"), 4: (403, "Invalid token"), 5: (400, "No data"),
         6: (400, "Invalid data format"), 7: (400, "Incorrect index"),
         8: (500, "Internal server error"), 9: (503, "Server is busy"),
         10: (400, "Data channel is missing"), 11: (400, "Invalid data channel"),
         12: (400, "Event field is required"), 13: (400, "Event field cannot be blank"),
         14: (400, "ACK is disabled"), 15: (400, "Error in handling indexed fields"),
         16: (400, "Query string authorization is not enabled"), 17: (200, "HEC is healthy"),
         18: (503, "HEC is unhealthy, queues are full"),
         19: (503, "HEC is unhealthy, ack service unavailable"),
         20: (503, "HEC is unhealthy, queues are full, ack service unavailable"),
         21: (400, "Invalid token"), 22: (400, "Token disabled"),
         23: (503, "Server is shutting down"),
         24: (200, "Queue is approaching capacity"), 25: (200, "ACK channel is approaching capacity"),
         26: (429, "Queue at capacity"), 27: (429, "ACK channel at capacity"),
         28: (400, "Data channel is missing")}
TIME = re.compile(r'"time":(\d+(?:\.\d{1,3})?)[,}]')


def code(number, **more):
    """The answer with that code."""
    status, text = TEXTS[number]
    return status, dict(text=text, code=number, **more)


@dataclass
class Request:
    path: str
    headers: dict
    length: int  # as it came
    plain: bytes
    at: float
    answer: tuple
    envelopes: list = field(default_factory=list)


class Channel:
    def __init__(self):
        self.next = 0
        self.waiting = {}  # ackId -> envelopes
        self.done = set()  # indexed, and not yet told


class HecServer:
    def __init__(self, certificate=None, key=None, port=0, token=TOKEN):
        self.pair = (certificate, key)
        self.port = port
        self.token = token
        self.use_ack = False
        self.ack_at_once = True
        self.indexes = None  # names that there are; None: any
        self.limit = None    # bytes of a request; None: any
        self.cookie = None
        self.script = []
        self.health = None
        self.taken, self.indexed, self.requests = [], [], []
        self.looks = self.polls = 0
        self.connections = 0
        self.channels = {}
        self.lock = threading.RLock()
        self.server = self.reserved = None
        self.on_indexed = None
        self.start()

    # -- its life --

    def start(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                with owner.lock:
                    owner.connections += 1
                    owner.sockets.add(self.request)
                super().setup()

            def do_GET(self):
                owner.handle(self)

            def do_POST(self):
                owner.handle(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            # a fresh port is nobody's: with it the kernel may give one that another reserves
            allow_reuse_address = self.port != 0
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.sockets = set()
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.reserved is not None:
            self.reserved.close()
        self.port = self.server.server_address[1]
        if self.pair[0] is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.pair)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """As if killed: connections break, and what is not indexed is lost."""
        self.server.shutdown()
        self.server.server_close()
        self.reserved = socket.socket()  # refuses, and keeps the port for start()
        self.reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.reserved.bind(("127.0.0.1", self.port))
        with self.lock:
            for each in self.sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.channels = {}
            lost = [e for e in self.taken if not any(e is other for other in self.indexed)]
            return lost if self.use_ack else []

    def url(self):
        scheme = "https" if self.pair[0] is not None else "http"
        return f"{scheme}://localhost:{self.port}"

    # -- a request --

    def handle(self, handler):
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        url = urlsplit(handler.path)
        request = Request(handler.path, headers, length, plain, time.monotonic(), None)
        with self.lock:
            self.requests.append(request)
            try:
                answer = self.answer(request, url)
            except Exception as problem:  # a test will see it
                answer = (500, f"stand-in: {problem!r}")
                raise
            finally:
                request.answer = answer
        if answer == "cut":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        status, text, more = (*answer, {})[:3]
        text = json.dumps(text).encode() if isinstance(text, dict) else \
            text if isinstance(text, bytes) else text.encode()
        handler.send_response(status)
        for name, value in more.items():
            handler.send_header(name, value)
        if self.cookie:
            handler.send_header("Set-Cookie", self.cookie)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def answer(self, request, url):
        if url.path == "/services/collector/health":
            self.looks += 1
            return self.health or code(17)
        given = request.headers.get("authorization")
        if given is None:
            return code(2)
        if not given.startswith("Splunk "):
            return code(3)
        if given != f"Splunk {self.token}":
            return code(4)
        channel = request.headers.get("x-splunk-request-channel") or \
            parse_qs(url.query).get("channel", [None])[0]
        if url.path == "/services/collector/ack":
            return self.acks(channel, request.plain)
        if url.path not in ("/services/collector/event", "/services/collector"):
            return 404, "<html>not here</html>"
        return self.event(channel, request)

    def event(self, channel, request):
        if self.use_ack and not is_guid(channel):
            return code(10 if channel is None else 11)
        if self.limit is not None and request.length > self.limit:
            return 413, "<html>too large</html>"
        envelopes, problem = parse(request.plain, self.indexes)
        request.envelopes = envelopes
        answer = self.script.pop(0) if self.script else None
        if callable(answer):
            answer = answer(envelopes)
        if answer is not None and (answer == "cut" or answer[0] != 200 or
                                   not isinstance(answer[1], dict)):
            return answer
        if problem is not None:
            if not self.use_ack:
                self.take(envelopes)
            return problem
        ack = self.take(envelopes, channel)
        status, text, more = (*(answer or code(0)), {})[:3]
        return status, dict(text, **ack), more

    def take(self, envelopes, channel=None):
        self.taken.extend(envelopes)
        if not self.use_ack or channel is None:
            self.index_now(envelopes)
            return {}
        state = self.channels.setdefault(channel, Channel())
        number = state.next
        state.next += 1
        state.waiting[number] = envelopes
        if self.ack_at_once:
            self.index(channel, number)
        return {"ackId": number}

    # -- acknowledgement --

    def index_now(self, envelopes):
        self.indexed.extend(envelopes)
        if self.on_indexed:
            self.on_indexed(envelopes)

    def index(self, channel, number):
        with self.lock:
            state = self.channels[channel]
            self.index_now(state.waiting.pop(number))
            state.done.add(number)

    def waiting(self):
        """[(channel, ackId)] of what is not indexed."""
        with self.lock:
            return [(name, number) for name, state in self.channels.items()
                    for number in state.waiting]

    def index_all(self):
        for channel, number in self.waiting():
            self.index(channel, number)

    def acks(self, channel, body):
        self.polls += 1
        if not self.use_ack:
            return code(14)
        if not is_guid(channel):
            return code(10 if channel is None else 11)
        state = self.channels.get(channel, Channel())
        told = {}
        for number in json.loads(body)["acks"]:
            told[str(number)] = number in state.done
            state.done.discard(number)
        return 200, {"acks": told}


def is_guid(text):
    try:
        return str(uuid.UUID(text)) == text.lower()
    except (ValueError, TypeError, AttributeError):
        return False


def check(envelope, text):
    """The code that one envelope earns, or None."""
    if not isinstance(envelope, dict):
        return 6
    if "event" not in envelope or envelope["event"] is None:
        return 12
    if envelope["event"] == "":
        return 13
    if "time" in envelope and not TIME.search(text):
        return 15
    fields = envelope.get("fields", {})
    if not isinstance(fields, dict) or not all(isinstance(value, str)
                                               for value in fields.values()):
        return 15
    return None


def parse(body, indexes):
    """The envelopes up to the first bad one; the answer to that, or None."""
    text = body.decode()
    decoder = json.JSONDecoder()
    envelopes, at = [], 0
    while True:
        while at < len(text) and text[at] in " \r\n\t":
            at += 1
        if at == len(text):
            return envelopes, None if envelopes else code(5)
        try:
            envelope, end = decoder.raw_decode(text, at)
        except ValueError:
            return envelopes, code(6, **{"invalid-event-number": len(envelopes)})
        bad = check(envelope, text[at:end])
        if bad is not None:
            return envelopes, code(bad, **{"invalid-event-number": len(envelopes)})
        if indexes is not None and envelope.get("index", "main") not in indexes:
            return envelopes, code(7, **{"invalid-event-number": len(envelopes) + 1})
        envelopes.append(envelope)
        at = end


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--file", required=True)
    parser.add_argument("--ack", type=float, help="acknowledge, after so many seconds")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    with open(arguments.file, "ab", buffering=0) as file:
        server = HecServer(arguments.certificate, arguments.key, arguments.port, arguments.token)
        server.on_indexed = lambda envelopes: file.write(
            b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in envelopes))
        server.use_ack = arguments.ack is not None
        server.ack_at_once = False
        while True:
            due = server.waiting()
            time.sleep(arguments.ack or 0.2)
            for channel, number in due:
                server.index(channel, number)
            with server.lock:  # only the file is looked at
                del server.requests[:], server.taken[:], server.indexed[:]


if __name__ == "__main__":
    sys.exit(main())
