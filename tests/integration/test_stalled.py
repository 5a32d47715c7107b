"""A peer that stalls, is left for a new connection, and then reads on where it was.

What it still reads of the old connection is between the lines of the new one, and comes
there once more.  So it is no more than what its kernel had when it was left; all that is
not confirmed is on the new connection, in its order, and nothing is lost.
"""
import fcntl
import re
import socket
import struct
import sys
import termios
import threading

from stage import Bridge, Post, Tests, make_directory, until

test = Tests(at_once=4)
ID = re.compile(rb"externalId=(\d)-(\d+)\b")  # which post, and the number in it
REST = 400    # events that come while it stalls
SMALL = 4096  # bytes of its receive buffer; the kernel makes some more of it


class StallingPeer:
    """Reads lines, but none on the first connection until `reads` is set."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.sockets, self.read, self.ended = [], [], []  # of each connection
        self.was_reset = False  # the first one
        self.reads = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(connection)
            self.read.append(b"")
            self.ended.append(threading.Event())
            threading.Thread(target=self.serve, args=(len(self.sockets) - 1,),
                             daemon=True).start()

    def serve(self, number):
        connection = self.sockets[number]
        while True:
            if number == 0:
                self.reads.wait()
            try:
                data = connection.recv(1000)
            except OSError:
                self.was_reset = self.was_reset or number == 0
                break
            if not data:
                break
            self.read[number] += data
        self.ended[number].set()

    def numbers(self, connection):
        return [(int(post), int(number)) for post, number in ID.findall(self.read[connection])]

    def unread(self):
        """Bytes in its kernel, of the first connection."""
        return struct.unpack("i", fcntl.ioctl(self.sockets[0], termios.FIONREAD, b"\0" * 4))[0]

    def end(self):
        self.reads.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Scene:
    """A bridge whose collector has stalled, with more for it than its kernel takes."""

    def __init__(self, name, settle, confirmed=0):
        """`confirmed`: so many events before, which its kernel has and it did not read."""
        self.peer, self.bridge = StallingPeer(), Bridge(make_directory(f"stalled-{name}"))
        self.bridge.destinations.append(
            "  - name: siem\n    format: cef\n    heartbeat: off\n    syslog: "
            f'{{address: "127.0.0.1:{self.peer.port}", transport: tcp, settle: {settle}}}\n')
        self.confirmed = confirmed

    def __enter__(self):
        self.peer.reads.clear()
        self.bridge.start()
        if self.confirmed > 0:
            self.post(1, self.confirmed)
            self.is_confirmed(self.confirmed)
        self.post(2, REST)
        until(lambda: self.peer.unread() > SMALL // 2, "it has stalled")
        return self

    def __exit__(self, *_):
        self.bridge.end()
        self.peer.end()

    def post(self, number, count):
        post = Post(number, self.bridge.directory, self.bridge, count,
                    {"connections": 1, "as": number})
        post.start()
        post.wait(60)

    def is_confirmed(self, count):
        until(lambda: self.bridge.ask_delivery("SELECT seq FROM cursors") == [(count,)],
              f"the cursor is at {count}", 20)

    def goes_on(self):
        """Once the last event is on the new connection; the bytes that came late."""
        peer = self.peer
        until(lambda: len(peer.sockets) > 1 and peer.numbers(1)[-1:] == [(2, REST)],
              "the last one comes on the new connection")
        assert peer.numbers(1) == sorted(peer.numbers(1)), peer.numbers(1)
        peer.reads.set()
        assert peer.ended[0].wait(10), "the old connection does not end"
        self.is_confirmed(self.confirmed + REST)
        assert {*peer.numbers(0), *peer.numbers(1)} >= {(2, i + 1) for i in range(REST)}
        return len(peer.read[0])


def restart(bridge):
    bridge.stop()
    bridge.start()


def leave(name, how):
    with Scene(name, "4s") as scene:
        how(scene.bridge)
        until(lambda: len(scene.peer.sockets) > 1, "there is a new connection")
        queued = scene.peer.unread()
        late = scene.goes_on()
        assert late <= queued, f"{late} bytes came late, and its kernel had {queued}"


@test
def a_bridge_that_starts_again_leaves_nothing_behind_that_comes_late():
    leave("restart", restart)


@test
def one_that_takes_another_configuration_does_not_either():
    leave("reload", Bridge.reload)


@test
def after_twenty_seconds_the_kernel_leaves_nothing_behind_either():
    leave("timeout", lambda bridge: until(lambda: "Connection timed out" in bridge.log_text(),
                                          "TCP_USER_TIMEOUT has passed", 40))


@test
def where_something_confirmed_may_be_unread_the_connection_is_not_reset():
    with Scene("unread", "100ms", confirmed=2) as scene:
        restart(scene.bridge)
        scene.goes_on()
        assert not scene.peer.was_reset
        assert scene.peer.numbers(0)[:3] == [(1, 1), (1, 2), (2, 1)]


if __name__ == "__main__":
    sys.exit(test.run())
