"""The vendors' own libraries as senders: what they sign is accepted, and nothing else.

npm fetches them once into build/npm, as tests/integration/npm/package-lock.json names
them; where its registry cannot be reached the tests fail and say so.
"""
import base64
import json
import secrets
import subprocess
import sys
import time

from node_packages import install
from stage import ROOT, Bridge, Failure, Records, Tests, make_directory, until, write_private

test = Tests()
bridge = Bridge(make_directory("senders"))
arrived = Records(bridge.directory / "kept.events")

PACKAGES = ROOT / "tests/integration/npm"
INSTALLED = ROOT / "build/npm"


def whsec():
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


# library -> (signature of the source, its secret, does it name an id in a header?)
LIBRARIES = {
    "standardwebhooks": ("standard-webhooks", whsec(), True),
    "svix": ("svix", whsec(), True),
    "stripe": ("stripe", whsec(), False),
    "github": ("github", secrets.token_hex(20), True),
}


def send(library, **changes):
    """The status of one event of that library; the changes are of send.mjs's order."""
    order = {"library": library, "secret": LIBRARIES[library][1], "now": int(time.time() * 1000),
             "url": f"https://localhost:{bridge.port}/{library}",
             "ca": str(bridge.directory / "cert.pem"), **changes}
    result = subprocess.run(["node", INSTALLED / "send.mjs"], input=json.dumps(order) + "\n",
                            capture_output=True, text=True, timeout=30)
    if result.returncode != 0:
        raise Failure(f"{library}:\n{result.stderr[-2000:]}")
    return int(result.stdout)


def body_of(mark):
    # With what a signature over parsed JSON would stumble over.
    return json.dumps({"type": "key.created", "created": int(time.time()), "number": 1.50,
                       "name": "Zo\u00eb \u2028", "data": {"reason": mark}}, ensure_ascii=False)


def expect(status, library, **changes):
    answer = send(library, **changes)
    if answer != status:
        raise Failure(f"{library}: {answer} instead of {status}")


@test
def the_libraries_are_installed_from_their_registry():
    install(PACKAGES, INSTALLED, "send.mjs")


def add_tests(library):
    names_id = LIBRARIES[library][2]
    is_timed = library != "github"

    def what_it_signs_arrives():
        expect(202, library, id=f"{library}-1", body=body_of(f"{library}-mark"))
        until(lambda: arrived.count_lines(f"{library}-mark") == 1, "the event in the file")
        if names_id:
            assert arrived.count_lines(f"{library}-1") == 1

    def a_changed_body_is_refused():
        body = body_of("before")
        expect(401, library, id=f"{library}-2", signs=body, body=body.replace("before", "behind"))

    def another_secret_is_refused():
        expect(401, library, id=f"{library}-3", body="{}",
               secret=whsec() if library != "github" else secrets.token_hex(20))

    def another_time_is_refused():
        for seconds in (-310, 310):
            expect(401, library, id=f"{library}-4", body="{}",
                   now=int((time.time() + seconds) * 1000))

    test.add(f"{library}: what it signs arrives", what_it_signs_arrives)
    test.add(f"{library}: a changed body is refused", a_changed_body_is_refused)
    test.add(f"{library}: another secret is refused", another_secret_is_refused)
    if is_timed:
        test.add(f"{library}: another time is refused", another_time_is_refused)


def main():
    for library, (signature, secret, _) in LIBRARIES.items():
        write_private(bridge.directory / f"{library}.secret", secret + "\n")
        bridge.sources.append(f"  - name: {library}\n    path: /{library}\n"
                              f"    signature: {signature}\n"
                              f"    secrets: [{bridge.directory}/{library}.secret]\n")
        add_tests(library)
    bridge.destinations.append(
        f"  - name: kept\n    format: rfc5424\n    file: {{path: {arrived.path}}}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
