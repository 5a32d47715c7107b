"""Mail to people: through a real server, and what is done about every kind of no."""
import shutil
import sys

from mail_servers import PASSWORD, Authority, Exim, Scripted
from stage import ROOT, Bridge, Tests, make_directory, until, write_private

test = Tests()
D = make_directory("email")
good = Authority(D, "good-ca")
other = Authority(D, "other-ca")
server_pair = good.issue("server", "localhost")
exim = Exim(D, *server_pair)

REVIEWED = ["member.invited", "member.joined", "member.removed", "usage.alert",
            "usage.limit_reached", "billing.generated", "billing.paid", "billing.overdue",
            "security.login_anomaly"]


class Case:
    """A bridge with one destination for mail."""

    def __init__(self, name, server, **keys):
        self.directory = D / name
        self.directory.mkdir()
        self.bridge = Bridge(self.directory)
        self.ca = self.directory / "ca.pem"
        self.password = self.directory / "password"
        shutil.copy(good.certificate, self.ca)
        write_private(self.password, PASSWORD + "\n")
        settings = {"server": f"localhost:{server}", "from": '"Gateway, <bridge@example.com>"',
                    "to": "[ann@example.com, bob@example.com]", "ca_file": self.ca, **keys}
        text = ", ".join(f"{key}: {value}" for key, value in settings.items())
        self.bridge.destinations = [
            f"  - {{name: mail, hold_retry: 200ms, email: {{{text}}}}}\n"]
        self.number = 0

    def __enter__(self):
        self.bridge.start()
        return self

    def __exit__(self, *_):
        self.bridge.end()

    def login(self):
        return {"username": "bridge", "password_file": self.password}

    def send(self, *types):
        for kind in types:
            result = self.bridge.command("send", "-c", self.bridge.config, kind)
            assert result.returncode == 0, result.stderr

    def post(self, name, kind="member.joined"):
        """An event whose member has that name."""
        self.number += 1
        self.bridge.must_take({"type": kind, "data": {"member": {"name": name}}},
                              f"e-{self.number}")

    def log_has(self, text, within=10):
        until(lambda: text in self.bridge.log_text(), f"{text!r} is in the log", within)

    def dead(self):
        return len(self.bridge.ask_delivery("select 1 from dead"))


def golden_subject(kind):
    text = (ROOT / f"tests/vectors/golden/{kind}.notice").read_text(encoding="utf-8")
    return text.splitlines()[0].removeprefix("Subject: ")


def with_login(name, **keys):
    """A case against exim; its password file is where the case keeps it."""
    return Case(name, exim.starttls, username="bridge", password_file=D / name / "password", **keys)


@test
def each_type_to_review_arrives_by_starttls_and_reads_well():
    with with_login("starttls") as case:
        case.send("key.created", *REVIEWED)
        until(lambda: len(exim.mails()) >= len(REVIEWED), "all arrived", 20)
        mails = exim.mails()
        assert len(mails) == len(REVIEWED), "what nobody reviews was sent too"
        for kind, mail in zip(REVIEWED, mails, strict=True):
            assert mail["Subject"] == golden_subject(kind), mail["Subject"]
            assert mail["From"] == '"Gateway," <bridge@example.com>', mail["From"]
            assert mail["To"] == "ann@example.com, bob@example.com", mail["To"]
            assert mail["Envelope-to"] == "ann@example.com, bob@example.com"
            assert mail["Auto-Submitted"] == "auto-generated"
            assert mail["Date"].datetime is not None
            assert "TLS1.3" in mail["Received"], mail["Received"]
            assert "\nOrganization  Acme (org_acme)\n" in mail.get_content()
            assert not mail.defects and not mail["Subject"].defects, mail.defects
        assert len({mail["Message-ID"] for mail in mails}) == len(mails)
        assert mails[5]["References"] == mails[7]["References"], "one invoice is one thread"
        assert mails[0]["References"] != mails[5]["References"]
        case.bridge.stop()


@test
def tls_from_the_first_byte_works_too():
    before = len(exim.mails())
    case = with_login("implicit", security="tls")
    case.bridge.destinations = [case.bridge.destinations[0].replace(str(exim.starttls),
                                                                    str(exim.tls))]
    with case:
        case.send("billing.overdue")
        until(lambda: len(exim.mails()) == before + 1, "it arrived")


@test
def a_wrong_password_holds_all_until_it_is_mended():
    before = len(exim.mails())
    case = with_login("password")
    write_private(case.password, "wrong-horse-battery\n")
    with case:
        case.send("billing.overdue", "billing.paid")
        case.log_has("held, and nothing is dropped")
        case.log_has("535")
        assert "wrong-horse" not in case.bridge.log_text()
        write_private(case.password, PASSWORD)
        until(lambda: len(exim.mails()) == before + 2, "both arrived")
        assert case.dead() == 0


@test
def a_certificate_of_a_stranger_is_refused_until_it_is_mended():
    before = len(exim.mails())
    case = with_login("stranger")
    shutil.copy(other.certificate, case.ca)
    with case:
        case.send("billing.overdue")
        case.log_has("held, and nothing is dropped")
        case.log_has("certificate")
        assert len(exim.mails()) == before
        shutil.copy(good.certificate, case.ca)
        until(lambda: len(exim.mails()) == before + 1, "it arrived")


@test
def a_certificate_for_another_name_is_refused():
    server = Scripted(good.issue("elsewhere", "mail.elsewhere.example"))
    with Case("name", server.port) as case:
        case.post("x")
        case.log_has("held, and nothing is dropped")
        assert not any(line.startswith((b"MAIL", b"AUTH")) for line in server.seen), server.seen
    server.close()


@test
def nothing_is_said_where_starttls_is_not_offered():
    server = Scripted(server_pair, offers=())
    with Case("stripped", server.port) as case:
        case.post("x")
        case.log_has("held, and nothing is dropped")
        assert not any(line.startswith((b"MAIL", b"AUTH")) for line in server.seen), server.seen
    server.close()


@test
def a_name_makes_no_header_and_no_recipient():
    server = Scripted(server_pair)
    with Case("injection", server.port) as case:
        for name in ("x\r\nBcc: evil@example.com", "x\n.\r\nMAIL FROM:<evil@example.com>",
                     "\r\n.\r\nQUIT\r\n", "=?UTF-8?Q?=0D=0ABcc:_evil=40example.com?="):
            case.post(name)
        until(lambda: len(server.mails) == 4, "all arrived")
        for recipients, message in server.mails:
            assert recipients == ["ann@example.com", "bob@example.com"], recipients
            assert b"\r\nBcc" not in message and b"\nMAIL" not in message, message
        assert server.subjects()[3].endswith("=?UTF-8?Q?=0D=0ABcc:_evil=40example.com?=")
    server.close()


@test
def four_hundreds_are_tried_again():
    server = Scripted(server_pair)
    server.answers = {"greeting": ["421 busy"], "RCPT": ["450 greylisted", "250 OK", "451 later"],
                      "body": ["452 no room", "cut", "421 going down"], "MAIL": ["421 no"]}
    with Case("later", server.port) as case:
        case.post("one")
        case.post("two")
        until(lambda: len(server.mails) >= 2, "both arrived", 60)
        assert server.subjects() == ["Member joined: one", "Member joined: two"]
        assert case.dead() == 0
    server.close()


@test
def a_message_that_is_sent_again_can_be_known():
    server = Scripted(server_pair)
    server.answers = {"body": ["cut"]}
    with Case("again", server.port) as case:
        case.post("one")
        until(lambda: len(server.mails) == 1, "it arrived", 30)
        ids = [line for message in server.tried for line in message.split(b"\r\n")
               if line.endswith(b"@example.com>") and line.startswith(b" <") and b"mail" in line]
        assert len(ids) == 2 and ids[0] == ids[1], ids
    server.close()


@test
def a_message_that_is_refused_takes_no_other_with_it():
    server = Scripted(server_pair)
    server.answers = {"body": lambda message: "554 no spam" if b"bad" in message else None}
    with Case("refused", server.port) as case:
        for name in ("one", "bad", "two"):
            case.post(name)
        until(lambda: len(server.mails) == 2, "the others arrived")
        assert server.subjects() == ["Member joined: one", "Member joined: two"]
        until(lambda: case.dead() == 1, "it is a dead letter")
        case.log_has("554 no spam")
    server.close()


@test
def a_recipient_that_is_refused_holds_all_and_drops_nothing():
    server = Scripted(server_pair)
    gone = [True]
    server.answers = {"RCPT": lambda line: "550 no such user" if gone[0] and b"bob" in line
                      else None}
    with Case("recipient", server.port) as case:
        case.post("one")
        case.log_has("held, and nothing is dropped")
        case.log_has("550 no such user")
        assert not server.mails and case.dead() == 0
        gone[0] = False
        until(lambda: len(server.mails) == 1, "it arrived")
    server.close()


@test
def a_digest_has_all_of_its_interval():
    server = Scripted(server_pair)
    with Case("digest", server.port, digest="2s") as case:
        case.send("member.joined", "security.login_anomaly", "billing.paid")
        until(lambda: server.mails, "it arrived")
        assert server.subjects() == ["3 events: [high] Security alert: Two continents within an "
                                     "hour (Acme), and 2 more"], server.subjects()
        text = server.mails[0][1].decode()
        for subject in ("1. Member joined: Bob Zo=C3=AB (Acme)", "3. Invoice paid: in_2026_10"):
            assert text.count(subject) == 2, text
    server.close()


@test
def a_digest_outlives_a_restart():
    server = Scripted(server_pair)
    with Case("restart", server.port, digest="5s") as case:
        case.post("one")
        case.bridge.kill("forwarder")
        case.post("two")
        until(lambda: server.mails, "it arrived", 20)
        assert server.subjects() == ["2 events: Member joined: one, and 1 more"]
    server.close()


@test
def a_digest_that_is_refused_goes_out_one_by_one():
    server = Scripted(server_pair)
    server.answers = {"body": lambda message: "554 no spam" if b"bad" in message else None}
    with Case("split", server.port, digest="1s") as case:
        for name in ("one", "bad", "two"):
            case.post(name)
        until(lambda: len(server.mails) == 2, "the others arrived", 20)
        assert server.subjects() == ["Member joined: one", "Member joined: two"]
        until(lambda: case.dead() == 1, "it is a dead letter")
        case.post("three")
        until(lambda: len(server.mails) == 3, "and it goes on", 20)
    server.close()


@test
def subject_and_text_may_be_ones_own():
    server = Scripted(server_pair)
    with Case("template", server.port, subject='"{type}: {target.name}"',
              text="'{severity} {name}\\nby {source}\\n'") as case:
        case.post("one\r\ntwo")
        until(lambda: server.mails, "it arrived")
        assert server.subjects() == ["member.joined: one  two"], server.subjects()
        assert b"low Member joined\r\nby anyint\r\n" in server.mails[0][1], server.mails
    server.close()


MISTAKES = [  # what is written, what the error says
    ("server: mail", "email.server: 'mail' has no port"),
    ("from: nobody", "email.from: 'nobody' is no address"),
    ("to: [ann@example.com, \"Bob <bob@example.com>\"]", "email.to[1]: 'Bob <bob@example.com>' "
     "has a name; here stands the address alone"),
    ("security: ssl", "'ssl' is unknown; known: starttls, tls, none"),
    ("username: bridge", "email.username: username and password_file go together"),
    ("security: none, username: bridge, password_file: /x",
     "email.username: a password is not sent in the clear"),
    ("digest: 2d", "email.digest: '2d' is out of range; allowed: 0s to 1d"),
    ("subject: \"{actor.nmae}\"", "email.subject: {actor.nmae} is no field"),
]


@test
def mistakes_are_refused_with_their_place():
    case = Case("mistakes", 25)
    good_keys = {"server": "\"localhost:25\"", "from": "a@b", "to": "[a@b]"}
    for text, says in MISTAKES:
        keys = {k: v for k, v in good_keys.items() if not text.startswith(k + ":")}
        keys = ", ".join([text, *(f"{key}: {value}" for key, value in keys.items())])
        case.bridge.destinations = [f"  - {{name: mail, email: {{{keys}}}}}\n"]
        case.bridge.write_config()
        result = case.bridge.command("check", "-c", case.bridge.config)
        assert result.returncode == 1 and says in result.stderr, result.stderr


@test
def check_warns_of_mail_in_the_clear():
    case = Case("clear", 25)
    case.bridge.destinations = ["  - {name: mail, email: {server: \"localhost:25\", from: a@b, "
                                "to: [c@d], security: none, digest: 15m}}\n"]
    case.bridge.write_config()
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert "on the way to localhost:25 can read" in result.stderr, result.stderr
    assert "email by localhost:25 (none) to c@d, a digest every 15m, events billing.* usage.*" \
        in result.stdout, result.stdout


def main():
    exim.start()
    try:
        return test.run()
    finally:
        exim.end()


if __name__ == "__main__":
    sys.exit(main())
