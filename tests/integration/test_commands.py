"""The verbs of the command line that need no running bridge."""
import json
import subprocess
import sys

from stage import SIEMBRIDGE, Tests, must_be_sane

test = Tests()

EVENT = {"id": "evt_1", "type": "key.disabled", "created_at": "2026-10-01T12:00:00Z",
         "data": {"actor": {"email": "alice@example.com"}, "api_key": {"id": "key_01"}}}


def siembridge(*arguments, text=""):
    result = subprocess.run([SIEMBRIDGE, *arguments], input=text, capture_output=True, text=True,
                            timeout=20)
    must_be_sane(f"siembridge {arguments[:1]}", result.stderr)
    return result


@test
def help_and_version_are_given_on_stdout():
    for arguments in (["--help"], *([verb, "--help"] for verb in ("run", "check", "send", "render"))):
        result = siembridge(*arguments)
        assert result.returncode == 0 and "siembridge" in result.stdout, (arguments, result)
        assert result.stderr == "", (arguments, result.stderr)
    version = siembridge("--version")
    assert version.returncode == 0 and version.stdout.startswith("siembridge "), version


@test
def a_wrong_call_is_one_line_on_stderr_and_not_0():
    for arguments in ([], ["sing"], ["run", "--loud"], ["check"], ["render", "--format", "xml"]):
        result = siembridge(*arguments, text=json.dumps(EVENT))
        assert result.returncode != 0 and result.stderr and not result.stdout, (arguments, result)


@test
def render_writes_one_line_in_each_format():
    for name, part in (("cef", "CEF:0|"), ("rfc5424", "[event@32473 ")):
        result = siembridge("render", "--format", name, text=json.dumps(EVENT))
        assert result.returncode == 0, result
        assert part in result.stdout and result.stdout.count("\n") == 1, result.stdout
        assert "alice@example.com" in result.stdout and "key_01" in result.stdout, result.stdout


@test
def render_refuses_what_is_no_event():
    for text in ("", "{", "[]", '{"data":{}}', '{"type":"a"} x', '{"type":"a","type":"b"}'):
        result = siembridge("render", "--format", "cef", text=text)
        assert result.returncode == 1 and result.stdout == "", (text, result)
        assert len(result.stderr.splitlines()) == 1, (text, result.stderr)


@test
def render_names_the_line_of_what_is_wrong_and_renders_the_others():
    lines = '{"type":"a.a"}\n{"type" 1}\n{"type":"b.b"\n{"type":"c.c"}\n\n{\n "type":\n "d.d"\n}\n{'
    result = siembridge("render", "--id", "i1", "--hostname", "h1", "-f", "rfc5424", text=lines)
    assert result.returncode == 1, result
    assert [line.rpartition(" ")[2] for line in result.stdout.splitlines()] == ["a.a", "c.c", "d.d"], result.stdout
    assert all(' h1 ' in line and 'id="i1"' in line for line in result.stdout.splitlines()), result.stdout
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == [" line 2", " line 3", " line 10"], result.stderr


@test
def render_takes_the_settings_of_a_destination():
    rows = (
        (("-f", "leef2", "--leef_delimiter", "~"), "|~|cat=key~"),
        (("-f", "cef", "--cef_time", "text"), "rt=Oct 01 2026 12:00:00 UTC"),
        (("-f", "json", "--cee", "true"), '@cee: {"time"'),
        (("-f", "ocsf", "--ocsf_version", "1.1"), '"type_uid":300403'),
        (("-f", "ocsf", "--ocsf_version", "1.9"), '"type_uid":300409'),
        (("-f", "cef", "--syslog", "--facility", "local4", "--hostname", "gw1"),
         "<165>1 2026-10-01T12:00:00.000Z gw1 siembridge - key.disabled - CEF:0|"),
        (("--collector", "sentinel", "-s", "--hostname", "gw1.example.com", "--time_zone", "+02:00"),
         "<165>Oct  1 14:00:00 gw1 CEF:0|"),
        (("--collector", "qradar", "-s", "--vendor", "V"), "- LEEF:1.0|V|"),
        (("-f", "json", "-s", "--header", "rfc3164", "--app_name", "hooks"), " hooks: {"),
    )
    for arguments, part in rows:
        result = siembridge("render", *arguments, text=json.dumps(EVENT))
        assert result.returncode == 0 and part in result.stdout, (arguments, result)


@test
def a_setting_that_makes_no_sense_is_one_line_and_2():
    for arguments in (["--bom", "x"], ["--time_zone", "CET"], ["--collector", "x"],
                      ["--max_message_size", "much"], ["--leef_delimiter", "|"]):
        result = siembridge("render", *arguments, text=json.dumps(EVENT))
        assert result.returncode == 2 and not result.stdout, (arguments, result)
        assert len(result.stderr.splitlines()) == 1, result.stderr


if __name__ == "__main__":
    sys.exit(test.run())
