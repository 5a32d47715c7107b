"""tests/vectors/http_corpus.txt against the running bridge, whole and in single bytes.

What is wanted is exact: these answers, in this order, and no further one; then the
connection is closed, or it is open and the next request is answered as such.
"""
import concurrent.futures
import re
import sys

from stage import ROOT, Bridge, Tests, make_directory

test = Tests()
bridge = Bridge(make_directory("http"))

NEXT = b"OPTIONS /w HTTP/1.1\r\nHost: a\r\n\r\n"
NEXT_STATUS = 204
LONGEST_IN_BYTES = 3000  # longer ones are sent whole alone
WORKERS = 16
ESCAPE = re.compile(r"\\(r|n|t|\\|x[0-9a-f]{2})|\{(.)\*(\d+)\}")


class Case:
    def __init__(self, name):
        self.name = name
        self.raw = b""
        self.statuses = []
        self.closed = None


def unescape(text):
    def byte(match):
        if match[2]:
            return match[2] * int(match[3])
        simple = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
        return simple.get(match[1]) or chr(int(match[1][1:], 16))
    return ESCAPE.sub(byte, text).encode("latin-1")


def read_corpus():
    cases = []
    for line in (ROOT / "tests/vectors/http_corpus.txt").read_text("ascii").splitlines():
        if line.startswith("> "):
            cases[-1].raw += unescape(line[2:])
        elif line.startswith("= "):
            *statuses, end = line[2:].split()
            cases[-1].statuses, cases[-1].closed = [int(word) for word in statuses], end == "closed"
        elif line and not line.startswith("#"):
            cases.append(Case(line))
    assert all(case.raw and case.statuses and case.closed is not None for case in cases)
    return cases


def split_answers(data):
    """([status], what is left over) of whole answers; 100 is none."""
    statuses = []
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length else 0 if status in (100, 204) else len(rest)
        if len(rest) < size:
            break
        data = rest[size:]
        if status != 100:
            statuses.append(status)
    return statuses, data


def send(connection, raw, step):
    """As much as the bridge wants to hear."""
    try:
        for at in range(0, len(raw), step):
            connection.sendall(raw[at:at + step])
    except OSError:
        pass


def ask(case, step):
    """([status], whether the connection was closed)"""
    data = b""
    asked_on = False
    with bridge.connect() as connection:
        send(connection, case.raw, step)
        while True:
            statuses, _ = split_answers(data)
            if not case.closed and not asked_on and len(statuses) >= len(case.statuses):
                asked_on = True
                send(connection, NEXT, len(NEXT))
            elif asked_on and len(statuses) > len(case.statuses):
                return statuses, False
            try:
                more = connection.recv(65536)
            except TimeoutError:
                return statuses + ["silence"], False
            except OSError:
                more = b""
            if not more:
                return statuses, True
            data += more


def judge(case, step):
    """What is wrong with it, or nothing."""
    wanted = case.statuses + ([] if case.closed else [NEXT_STATUS])
    statuses, closed = ask(case, step)
    if (statuses, closed) == (wanted, case.closed):
        return None
    return (f"{case.name}, {'whole' if step > 1 else 'in single bytes'}: {statuses}, "
            f"{'closed' if closed else 'open'}, instead of {wanted}, "
            f"{'closed' if case.closed else 'open'}")


def judge_all(cases, step):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        found = [wrong for wrong in pool.map(lambda case: judge(case, step), cases) if wrong]
    assert not found, f"{len(found)} of {len(cases)}:\n" + "\n".join(found)


corpus = read_corpus()


@test
def each_request_of_the_corpus_is_answered_as_it_says():
    judge_all(corpus, step=1 << 20)


@test
def each_is_answered_the_same_in_single_bytes():
    judge_all([case for case in corpus if len(case.raw) <= LONGEST_IN_BYTES], step=1)


@test
def nothing_was_stored_that_was_not_sent_as_an_event():
    types = bridge.ask_spool("SELECT type, count(*) FROM events GROUP BY type")
    assert types == [("a.b", 1)], types


def main():
    bridge.sections["listen"] = {"header_timeout": "2s", "body_timeout": "2s",
                                 "refusal_rate_per_address": "0",
                                 "handshake_rate_per_address": "0"}
    bridge.sources.append("  - {name: open, path: /w, signature: none}\n")
    bridge.destinations.append("  - name: out\n    file: {path: /dev/null}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
