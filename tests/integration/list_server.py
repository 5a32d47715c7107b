"""A sender's list of events over HTTPS: pages by cursor, by address or by time.

What it lists is set from the test; so are a status to answer instead, and what was asked.
"""
import http.server
import json
import ssl
import threading
from urllib.parse import parse_qs, urlsplit

PAGE = 3


class ListServer:
    def __init__(self, certificate, key, token):
        self.events = []     # dictionaries with id, timestamp (ISO text) and type
        self.token = token
        self.style = "cursor"
        self.status = 200
        self.headers = {}
        self.asked = []      # targets
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802, the library's name
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.origin = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        self.asked.append(request.path)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            self.reply(request, 401, {"error": "unauthorized"})
        elif self.status != 200:
            self.reply(request, self.status, {"error": "as the test wants it"})
        else:
            self.reply(request, 200, self.page(parse_qs(urlsplit(request.path).query)))

    def page(self, query):
        def first(name):
            return query.get(name, [""])[0]

        since = first("since")
        events = sorted((e for e in self.events if e["timestamp"] >= since),
                        key=lambda e: e["timestamp"])
        if self.style == "time":
            events = [e for e in events if e["timestamp"] > since] if since else events
            return {"events": events[:PAGE]}
        start = int(first("cursor") or 0)
        page = {"data": {"list": events[start:start + PAGE]}}
        if start + PAGE < len(events):
            following = str(start + PAGE)
            page["next"] = following if self.style == "cursor" else \
                f"{self.origin}/v1/events?since={since}&cursor={following}"
            if self.style == "stranger":
                page["next"] = f"https://127.0.0.2:{self.port}/v1/events?cursor={following}"
        return page

    def reply(self, request, status, document):
        body = json.dumps(document).encode()
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(body)))
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def end(self):
        self.server.shutdown()
        self.server.server_close()
