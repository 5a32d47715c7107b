"""Reload after reload: nothing is left behind.  RELOADS=1000 for the long run."""
import os
import re
import sys
from pathlib import Path

from stage import IS_SANITIZED, Bridge, Tests, figure, make_directory, until

test = Tests()
bridge = Bridge(make_directory("reloads"))
RELOADS = int(os.environ.get("RELOADS", 12))
WARM_UP = 3  # reloads after which what is allocated once has been


def state_of(pid):
    """(open descriptors, resident KiB)"""
    status = Path(f"/proc/{pid}/status").read_text()
    return len(os.listdir(f"/proc/{pid}/fd")), int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@test
def descriptors_and_memory_stay_what_they_were():
    for _ in range(WARM_UP):
        bridge.reload()
    until(bridge.answers, "it answers")
    before = {"supervisor": state_of(bridge.process.pid),
              **{role: state_of(pid) for role, pid in bridge.roles().items()}}
    for _ in range(RELOADS):
        bridge.reload()
    until(bridge.answers, "it answers")
    after = {"supervisor": state_of(bridge.process.pid),
             **{role: state_of(pid) for role, pid in bridge.roles().items()}}
    figure(f"{RELOADS} reloads: " + ", ".join(
        f"{role} {before[role][0]} -> {after[role][0]} descriptors, {before[role][1]} -> "
        f"{after[role][1]} KiB" for role in after))
    # only the supervisor lives through them
    descriptors, resident = before["supervisor"]
    assert after["supervisor"][0] == descriptors, (before, after)
    # one step of the heap is no leak; a leak makes one after the other
    if not IS_SANITIZED:  # these keep what was freed for a while, and look for leaks themselves
        assert after["supervisor"][1] <= resident + 2048, (before, after)


if __name__ == "__main__":
    bridge.destinations.append("  - name: out\n    file: {path: /dev/null}\n")
    sys.exit(test.run_against(bridge))
