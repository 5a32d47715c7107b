"""Which events go where; what goes nowhere is seen beforehand, counted and told."""
import sys

from stage import Bridge, Tests, make_directory, until

test = Tests()
bridge = Bridge(make_directory("routing"))
D = bridge.directory

EVENTS = [  # id, type, organisation, project, the sender's severity
    ("e1", "key.created", "org_1", "p_1", None),
    ("e2", "key.created", "org_2", "p_2", None),
    ("e3", "billing.paid", "org_1", None, None),
    ("e4", "security.finding", "org_2", None, "critical"),
    ("e5", "security.finding", "org_2", None, "low"),
    ("e6", "member.joined", "org_3", "p_1", None),
]
DESTINATIONS = {  # name: what it says, what it gets
    "globs": ('events: ["key.*", "security.*"], except: ["security.*"]', "e1 e2"),
    "severe": ('events: ["security.*", "key.*"], min_severity: high', "e4"),
    "tenant": ("organizations: [org_1, org_4]", "e1 e3"),
    "project": ("projects: [p_1], events: [\"key.*\"]", "e1"),
    "other": ("sources: [siembridge]", ""),
}
NOWHERE = "e5 e6"

MISTAKES = [  # what stands in a destination, what the error says
    ("events: [\"key!\"]", "events: 'key!' matches no event type"),
    ("except: [\"a b\"]", "except: 'a b' matches no event type"),
    ("min_severity: huge", "min_severity: 'huge' is unknown; known: info, low, medium, high, crit"),
    ("sources: [github]", "sources[0]: there is no source 'github'"),
]


def write_config(name, destination):
    path = D / name
    bridge.destinations = [f"  - {{name: one, file: {{path: {D}/one}}, {destination}}}\n"]
    bridge.config = path
    bridge.write_config()
    return path


def warnings(destination):
    result = bridge.command("check", "-c", write_config("check.yaml", destination))
    assert result.returncode == 0, result.stderr
    return result.stderr


def post(delivery, kind, organization, project, severity):
    data = {"organization_id": organization, "project_id": project, "severity": severity}
    bridge.must_take({"type": kind, "data": {k: v for k, v in data.items() if v is not None}},
                     delivery)


def arrived(name):
    path = D / f"{name}.events"
    text = path.read_text() if path.exists() else ""
    return [event for event, *_ in EVENTS if f"externalId={event} " in text]


@test
def each_destination_gets_what_it_wants_and_nothing_else():
    bridge.config = D / "siembridge.yaml"
    bridge.destinations = [f"  - {{name: {name}, file: {{path: {D}/{name}.events}}, {says}}}\n"
                           for name, (says, _) in DESTINATIONS.items()]
    bridge.write_config()
    bridge.start()
    for event in EVENTS:
        post(*event)
    for name, (_, expected) in DESTINATIONS.items():
        until(lambda: arrived(name) == expected.split(),  # noqa: B023
              f"{name} has {expected}, not {arrived(name)}", 5)


@test
def what_goes_nowhere_is_told():
    until(lambda: "that no destination wants" in bridge.log_text(), "it is in the log", 5)


@test
def a_batch_that_is_read_again_is_routed_and_numbered_as_before():
    before = (D / "severe.events").read_text()
    bridge.kill("forwarder")
    until(lambda: bridge.roles().get("forwarder"), "a new forwarder")
    post("e7", "security.finding", None, None, "high")
    until(lambda: "externalId=e7 " in (D / "severe.events").read_text(), "the next one")
    assert (D / "severe.events").read_text().startswith(before)
    assert "externalId=e5 " not in (D / "severe.events").read_text()
    bridge.stop()


@test
def check_is_silent_where_everything_arrives():
    assert "no destination wants" not in warnings("events: [\"*\"]")
    assert "no destination wants" not in warnings("organizations: [org_1]")


@test
def check_names_the_types_that_go_nowhere():
    told = warnings("events: [\"key.*\", \"security.*\", \"member.*\"]")
    assert "source anyint: no destination wants usage.alert, usage.limit_reached, " \
           "billing.generated, billing.paid, billing.overdue, webhook.signature_invalid, *;" in told, told


@test
def check_knows_what_is_never_severe_enough():
    told = warnings("min_severity: high")
    assert "billing.paid" in told and "member.joined" in told, told
    assert "member.removed" not in told, "one that failed is of severity high"


@test
def check_says_what_a_destination_takes():
    path = write_config("check.yaml", "events: [\"key.*\"], except: [key.deleted], "
                        "min_severity: low, sources: [anyint], organizations: [o1, o2]")
    result = bridge.command("check", "-c", path)
    assert ", events key.*, except key.deleted, severity low and above, of sources anyint, " \
           "of organizations o1 o2" in result.stdout, result.stdout


def add_mistake(number, destination, says):
    def check():
        result = bridge.command("check", "-c", write_config(f"mistake-{number}.yaml", destination))
        assert result.returncode == 1 and says in result.stderr, result.stderr
    test.add(f"mistake_{number}_is_refused", check)


def main():
    for number, (destination, says) in enumerate(MISTAKES, 1):
        add_mistake(number, destination, says)
    try:
        return test.run()
    finally:
        bridge.end()


if __name__ == "__main__":
    sys.exit(main())
