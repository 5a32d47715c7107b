"""A stand-in for those who tell people: PagerDuty, Opsgenie, Slack, ntfy, any webhook.

It answers as their documentation says, refusals of what is malformed included, unless a
script says otherwise: 429 with Retry-After, 5xx, redirects, garbage, silence.
"""
import http.server
import json
import ssl
import threading
from urllib.parse import urlsplit

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
API_KEY = "4f2b6d1e-opsgenie-integration-key"
SLACK_PATH = "/services/T0/B0/secret-of-the-webhook"
TOPIC = "on-call-5d1c"

REDIRECT, GARBAGE, SILENCE, CUT, HUGE = "redirect", "garbage", "silence", "cut", "huge"
TRICKLE = "trickle"  # a byte of the answer each 50 ms


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None


def pagerduty(request):
    errors = []
    event = request.json
    if not isinstance(event, dict):
        return 400, {}, {"status": "invalid JSON", "message": "the body is no JSON"}
    if event.get("routing_key") != ROUTING_KEY:
        errors.append("Invalid routing key")
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        errors.append("'event_action' is invalid")
    if len(event.get("dedup_key", "")) > 255:
        errors.append("'dedup_key' is too long")
    if event.get("event_action") == "trigger":
        payload = event.get("payload", {})
        for name in ("summary", "source", "severity"):
            if not payload.get(name):
                errors.append(f"'payload.{name}' is missing or blank")
        if payload.get("severity") not in ("critical", "error", "warning", "info"):
            errors.append("'payload.severity' is invalid")
        if len(payload.get("summary", "")) > 1024:
            errors.append("'payload.summary' is too long")
    if errors:
        return 400, {}, {"status": "invalid event", "message": "Event object is invalid",
                         "errors": errors}
    return 202, {}, {"status": "success", "message": "Event processed",
                     "dedup_key": event["dedup_key"]}


def opsgenie(request):
    if request.headers.get("authorization") != f"GenieKey {API_KEY}":
        return 403, {}, {"message": "You are not authorized to access this", "took": 0.0}
    if "/close" not in request.path and not 0 < len(request.json.get("message", "")) <= 130:
        return 422, {}, {"message": "Request body is not processable", "took": 0.0}
    return 202, {}, {"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5c"}


def slack(request):
    if request.path != SLACK_PATH:
        return 404, {}, "no_service"
    if not isinstance(request.json, dict) or not request.json.get("text"):
        return 400, {}, "invalid_payload"
    return 200, {}, "ok"


def ntfy(request):
    if request.json.get("topic") != TOPIC:
        return 403, {}, {"code": 40301, "http": 403, "error": "forbidden"}
    return 200, {}, {"id": "xE73Iyuabi", "event": "message"}


def anything(_request):
    return 204, {}, ""


ROLES = {"/v2/enqueue": pagerduty, "/v2/alerts": opsgenie, "/services/": slack, "/hook": anything}


def answer_of(request):
    for prefix, role in ROLES.items():
        if request.path.startswith(prefix):
            return role(request)
    return ntfy(request)


class Vendors:
    """All of them, on one port.  script(request) gives an answer, or None for their own."""

    def __init__(self, certificate=None):
        self.requests = []       # all that came, in order
        self.taken = []          # those that were answered with a 2xx
        self.script = lambda request: None
        self.closing = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self):  # noqa: N802: the name is given
                length = int(self.headers.get("content-length", 0))
                outer.play(self, Request(self.command, self.path,
                                         {k.lower(): v for k, v in self.headers.items()},
                                         self.rfile.read(length)))

            do_PUT = do_GET = do_PATCH = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a handshake that the bridge gave up

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.origin = f"{'https' if certificate else 'http'}://localhost:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,),
                                       daemon=True)
        self.thread.start()

    def play(self, handler, request):
        self.requests.append(request)
        answer = self.script(request) or answer_of(request)
        if answer == SILENCE:
            self.closing.wait(20)
            answer = CUT
        if answer == TRICKLE:
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789":
                handler.wfile.write(bytes([byte]))
                if self.closing.wait(0.05):
                    break
            answer = CUT
        if answer == GARBAGE:
            handler.wfile.write(b"220 mail.example.com ESMTP\r\n\r\n" * 10)
        if answer in (CUT, GARBAGE):
            handler.close_connection = True
            return
        if answer == REDIRECT:
            answer = (307, {"Location": f"{self.origin}/hook/elsewhere"}, "")
        if answer == HUGE:
            answer = (200, {}, "x" * 300000)
        status, headers, body = answer
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
        if 200 <= status < 300:
            self.taken.append(request)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(body)

    def url(self, path=""):
        return self.origin + urlsplit(path).path

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
