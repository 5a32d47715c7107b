#!/usr/bin/env python3
"""Who is on call is away, slow or mad, and the bridge is killed: nothing is lost."""
import itertools
import sys

import vendors as v
from oncall_case import Case
from stage import Post, Tests, figure, make_directory, until

test = Tests()
D = make_directory("oncall_outages")


@test
def kills_lose_no_page():
    """Three kills, a vendor that fails every tenth time, a flood among many."""
    with Case("oncall_outages/kills", around='events: ["*"], ', fold="1h", rate=0) as case:
        asked = itertools.count()
        failures = (v.CUT, (503, {}, ""), v.GARBAGE, (429, {}, ""))

        def script(_request):
            number = next(asked)
            return failures[number // 10 % 4] if number % 10 == 9 else None

        case.vendor.script = script
        for number in range(60):
            before = len(case.vendor.taken)
            case.key(f"k{number}")
            case.key("flood")
            if number % 20 == 10:
                until(lambda: len(case.vendor.taken) > before, "some more is told", 20)  # noqa: B023
                case.bridge.kill("forwarder")
        wanted = {f"k{number}" for number in range(60)} | {"flood"}
        until(lambda: {r.json["dedup_key"].split(":")[-1] for r in case.vendor.taken} >= wanted,
              "each is told", 40)
        case.vendor.script = lambda request: None
        case.bridge.stop()  # what is gathered of the flood leaves
        told = [r.json for r in case.vendor.taken]
        floods = [e for e in told if e["dedup_key"].endswith(":flood")]
        assert len(floods) <= 12, len(floods)  # of sixty, and again after each kill
        assert case.cursor() == 120 and case.dead() == 0, case.cursor()


def outage(name, answer):
    """`answer` to all while 5,000 events come; each is taken once all the same."""
    def function():
        with Case(f"oncall_outages/{name}", "http", timeout="300ms") as case:
            ill = [True]
            case.vendor.script = lambda request: answer if ill[0] else None
            post = Post(1, case.directory, case.bridge, 5000, {"connections": 8})
            post.start()
            post.wait(60)
            assert post.figures["accepted"] == 5000, post.figures
            until(lambda: len(case.vendor.requests) >= 2, "it was tried again", 20)
            ill[0] = False
            case.delivered(5000, within=60)
            taken = [request.headers["webhook-id"] for request in case.vendor.taken]
            assert len(taken) == len(set(taken)) == 5000, (len(taken), len(set(taken)))
            assert case.dead() == 0
            figure(f"{name}: {len(case.vendor.requests)} requests for 5000 events")
    test.add(f"nothing_is_lost_where_it_{name}", function)


outage("is_silent", v.SILENCE)
outage("cuts_the_connection", v.CUT)
outage("answers_garbage", v.GARBAGE)
outage("trickles", v.TRICKLE)


if __name__ == "__main__":
    sys.exit(test.run(D))
