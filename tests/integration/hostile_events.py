"""What each format makes of an event, said a second time and in another language.

An oracle for test_hostile.py: from the event as it was before (tests/tools/hostile.c) to
the values that a parser has to give back.  The rules are those of the headers in formats/.
"""
import ipaddress
import re

# utf8.h: what may not be shown.
HIDDEN_CLASS = "\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff"
HIDDEN = re.compile(f"\r\n|[{HIDDEN_CLASS}]")
HIDDEN_NO_LINE_END = re.compile(f"[{HIDDEN_CLASS}]")
BLANK = "".join(chr(code) for code in range(0x10000)
                if chr(code) == " " or HIDDEN_NO_LINE_END.match(chr(code)))


def plain(value):
    """Each hidden character, and CR LF, is a space."""
    # no hidden character is printable to Python, and it sees that faster
    return value if value.isprintable() else HIDDEN.sub(" ", value)


def trim(value):
    return value.strip(BLANK)


def cut(value, limit):
    if 4 * len(value) <= limit:
        return value
    data = value.encode()
    return value if len(data) <= limit else data[:limit].decode(errors="ignore")


def trim_and_cut(value, limit):
    value = trim(value)
    shorter = cut(value, limit)
    return value if shorter == value else trim(shorter)


def address_of(text):
    """(version, address, port) as address.h has it; version 0: it is none."""
    port = ""
    host = text
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::([1-9]\d{0,4}))?", text)
    if bracketed:
        host, port = bracketed[1], bracketed[2] or ""
    elif text.count(":") == 1:
        host, port = text.split(":")
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return 0, text, ""
    return version, host, port


def own_resource(event):
    resource = event.get("resource.id")
    others = [event.get(name) for name in ("key.id", "target.id", "invoice.id", "alert.id")]
    return None if resource in others else resource


# ---- CEF ----

CEF_SEVERITY = {"info": "1", "low": "3", "medium": "5", "high": "8", "critical": "10"}

# key, limit, kind, field, the one instead of it, label, versions
CEF_ROWS = [
    ("reason", 1023, "text", "reason", None, None, "01"),
    ("suid", 1023, "text", "actor.id", None, None, "01"),
    ("suser", 1023, "text", "actor.email", "actor.name", None, "01"),
    ("spriv", 1023, "text", "actor.role", None, None, "01"),
    ("src", 45, "ipv4", "actor.ip", None, None, "01"),
    ("c6a2", 45, "ipv6", "actor.ip", None, "Source IPv6 Address", "01"),
    ("spt", 5, "port", "actor.ip", None, None, "01"),
    ("requestClientApplication", 1023, "text", "actor.user_agent", None, None, "01"),
    ("duid", 1023, "text", "target.id", None, None, "01"),
    ("duser", 1023, "text", "target.email", "target.name", None, "01"),
    ("dpriv", 1023, "text", "target.role", None, None, "01"),
    ("cs1", 4000, "text", "organization.id", None, "organizationId", "01"),
    ("cs2", 4000, "text", "key.id", None, "keyId", "0"),
    ("cs3", 4000, "text", "key.name", None, "keyName", "0"),
    ("reportedResourceID", 256, "text", "key.id", None, None, "1"),
    ("reportedResourceName", 64, "text", "key.name", None, None, "1"),
    ("reportedResourceGroupName", 128, "text", "project.name", None, None, "1"),
    ("cs4", 4000, "text", "usage.metric", None, "usageMetric", "01"),
    ("cs4", 4000, "text", "original_type", None, "originalType", "01"),
    ("cs5", 4000, "text", "alert.id", None, "alertId", "01"),
    ("cs5", 4000, "text", "invoice.id", None, "invoiceId", "01"),
    ("cs6", 4000, "text", "alert.rule", None, "ruleId", "01"),
    ("cs6", 4000, "text", "invoice.currency", None, "currency", "01"),
    ("cn1", 20, "integer", "usage.value", None, "usageValue", "01"),
    ("cn2", 20, "integer", "usage.limit", None, "usageLimit", "01"),
    ("cfp1", 64, "number", "invoice.amount", None, "amount", "01"),
    ("cfp2", 64, "decimal", "usage.value", None, "usageValue", "01"),
    ("cfp3", 64, "decimal", "usage.limit", None, "usageLimit", "01"),
    ("cfp4", 64, "number", "usage.percent", None, "usagePercent", "01"),
    ("flexString1", 1023, "text", "status", None, "resourceStatus", "01"),
    ("flexString2", 1023, "text", "project.id", None, "projectId", "01"),
    ("msg", 1023, "text", "message", "title", None, "01"),
]


def cef_value(value):
    if value.isprintable():
        return value
    return HIDDEN_NO_LINE_END.sub(lambda found: found[0] if found[0] in "\r\n" else " ",
                                  value.replace("\r\n", "\n"))


def number_kind(value):
    if re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        return "integer"
    return "decimal" if re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII) else "none"


def cef_part(kind, value):
    if kind == "text":
        return value
    if kind in ("integer", "decimal"):
        return value if number_kind(value) == kind else ""
    if kind == "number":
        return value if number_kind(value) != "none" else ""
    version, address, port = address_of(value)
    if kind == "port":
        return port if version else ""
    return address if version == (4 if kind == "ipv4" else 6) else ""


def cef(event, version="0"):
    """(header, extension)"""
    header = {"DeviceVendor": "AnyInt", "DeviceProduct": "AI Gateway", "DeviceVersion": "1",
              "SignatureID": event["type"], "Name": plain(trim_and_cut(event["name"], 512)),
              "Severity": CEF_SEVERITY[event["severity"]]}
    extension = {}

    def add(key, limit, value, label=None):
        value = trim_and_cut(value or "", limit)
        if not value:
            return False
        extension[key] = cef_value(value)
        if label:
            extension[key + "Label"] = label
        return True

    add("rt", 20, str(event["time"]))
    if len(event["event id"].encode()) <= 40:
        add("externalId", 40, event["event id"])
    else:
        add("devicePayloadId", 128, event["event id"])
    add("cat", 1023, event["family"])
    add("act", 63, event.get("action"))
    add("outcome", 63, event.get("outcome"))
    for key, limit, kind, field, otherwise, label, versions in CEF_ROWS:
        if version in versions and key not in extension:
            value = event.get(field) or event.get(otherwise)
            if value:
                add(key, limit, cef_part(kind, value), label)
    if version == "1" and event.get("key.id"):
        add("reportedResourceType", 64, "API Key")
    add("cn3", 20, str(event["number"]), "sequenceNumber")
    if event["replayed"]:
        add("flexNumber1", 1, "1", "replayed")
    return header, extension


# ---- RFC 5424 ----

SD_ROWS = [
    ("event", "originalType", "original_type"), ("event", "reason", "reason"),
    ("event", "status", "status"), ("event", "message", "message"),
    ("actor", "id", "actor.id"), ("actor", "name", "actor.name"),
    ("actor", "role", "actor.role"), ("actor", "ip", "actor.ip"),
    ("actor", "ua", "actor.user_agent"), ("target", "id", "target.id"),
    ("target", "name", "target.name"), ("target", "role", "target.role"),
    ("key", "id", "key.id"), ("key", "name", "key.name"), ("alert", "id", "alert.id"),
    ("alert", "rule", "alert.rule"), ("alert", "title", "title"),
    ("org", "id", "organization.id"), ("org", "name", "organization.name"),
    ("project", "id", "project.id"), ("project", "name", "project.name"),
    ("usage", "metric", "usage.metric"), ("usage", "value", "usage.value"),
    ("usage", "limit", "usage.limit"), ("usage", "percent", "usage.percent"),
    ("invoice", "id", "invoice.id"), ("invoice", "amount", "invoice.amount"),
    ("invoice", "currency", "invoice.currency"), ("invoice", "due", "invoice.due"),
]


def structured_data(event):
    """{element: {parameter: value}}, the number of ours left out of the element's name."""
    data = {"meta": {"sequenceId": str(event["number"])}, "event": {"type": event["type"]}}

    def add(element, parameter, value):
        if value:
            data.setdefault(element, {})[parameter] = plain(value)

    add("event", "id", event["event id"])
    if event.get("outcome") == "failure":
        add("event", "outcome", "failure")
    add("event", "resource", own_resource(event))
    if event["replayed"]:
        add("event", "replayed", "1")
    for element, parameter, field in SD_ROWS:
        add(element, parameter, event.get(field))
    for who in ("actor", "target"):
        if event.get(f"{who}.name"):
            add(who, "email", event.get(f"{who}.email"))
        else:
            add(who, "name", event.get(f"{who}.email"))
    return data


# ---- LEEF ----

LEEF_SEVERITY = {"info": "1", "low": "3", "medium": "5", "high": "8", "critical": "10"}

LEEF_ROWS = [
    ("usrName", 255, "actor.email", "actor.name"), ("src", 0, "actor.ip", None),
    ("resource", 0, "key.id", "resource.id"), ("groupID", 0, "organization.id", None),
    ("accountName", 255, "target.email", "target.name"), ("role", 0, "actor.role", None),
    ("policy", 0, "alert.rule", None), ("userId", 0, "actor.id", None),
    ("userAgent", 0, "actor.user_agent", None), ("accountId", 0, "target.id", None),
    ("accountRole", 0, "target.role", None), ("keyName", 0, "key.name", None),
    ("groupName", 0, "organization.name", None), ("projectId", 0, "project.id", None),
    ("projectName", 0, "project.name", None), ("usageMetric", 0, "usage.metric", None),
    ("usageValue", 0, "usage.value", None), ("usageLimit", 0, "usage.limit", None),
    ("usagePercent", 0, "usage.percent", None), ("invoiceId", 0, "invoice.id", None),
    ("amount", 0, "invoice.amount", None), ("currency", 0, "invoice.currency", None),
    ("due", 0, "invoice.due", None), ("alertId", 0, "alert.id", None),
    ("originalType", 0, "original_type", None), ("status", 0, "status", None),
    ("reason", 0, "reason", None), ("msg", 0, "message", "title"),
]


def leef(event, delimiter):
    """(header, attributes)"""
    attributes = {}

    def add(key, value):
        if not value:
            return
        value = plain(trim(value)).replace("|", "/")
        if delimiter != "\t":
            value = value.replace(delimiter, "_")
        if value:
            attributes[key] = value

    add("cat", event["family"])
    add("devTime", str(event["time"]))
    add("sev", LEEF_SEVERITY[event["severity"]])
    for key, limit, field, otherwise in LEEF_ROWS:
        value = event.get(field) or event.get(otherwise)
        if not value:
            continue
        if key == "src":
            version, address, port = address_of(value)
            if version:
                add("src", address)
                add("srcPort", port)
        else:
            add(key, cut(value, limit) if limit else value)
    add("name", event["name"])
    add("action", event.get("action"))
    add("outcome", event.get("outcome"))
    add("eventUid", event["event id"])
    add("sequence", str(event["number"]))
    if event["replayed"]:
        add("replayed", "1")
    return ["AnyInt", "AI Gateway", "1", event["type"]], attributes


# ---- RFC 3164 ----

BARE = re.compile(r"[A-Za-z0-9._@:/+%-]+")
RFC3164_FIELDS = [
    "id", "original_type", "title", "message", "reason", "status", "actor.id", "actor.name",
    "actor.email", "actor.role", "actor.ip", "actor.user_agent", "target.id", "target.name",
    "target.email", "target.role", "organization.id", "organization.name", "project.id",
    "project.name", "key.id", "key.name", "usage.metric", "usage.value", "usage.limit",
    "usage.percent", "invoice.id", "invoice.amount", "invoice.currency", "invoice.due",
    "alert.id", "alert.rule"]


def rfc3164(event):
    """(the name in front, {name: value} behind it)"""
    pairs = {}

    def add(name, value):
        value = value and plain(trim(value))
        if value:
            pairs[name] = value

    add("type", event["type"])
    add("event_id", event["event id"])
    add("severity", event["severity"])
    add("action", event.get("action"))
    add("outcome", event.get("outcome"))
    add("sequence", str(event["number"]))
    if event["replayed"]:
        add("replayed", "1")
    for field in RFC3164_FIELDS:
        add(field, event.get(field))
    add("resource.id", own_resource(event))
    return plain(trim(event["name"])), pairs


# ---- JSON ----

def json_number(value):
    """As json_write.h has it: a number where a double keeps its digits, else text."""
    good = re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value, re.ASCII)
    return bool(good) and sum(digit.isdigit() for digit in value) <= 15


NUMBERS = ("usage.value", "usage.limit", "usage.percent")


def leaf(event, field, numbers):
    value = event[field]
    return ("number", value) if field in numbers and json_number(value) else value


def rfc3339(milliseconds):
    import datetime
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z"


def add_present(found, event, places, numbers=()):
    for path, *fields in places:
        for field in fields:
            if field in event and (event[field] or field == fields[-1]):
                found[path] = leaf(event, field, numbers)
                break


def plain_json(event):
    found = {"time": rfc3339(event["time"]), "sequence": ("number", str(event["number"])),
             "id": event["event id"], "source": "hostile"}
    names = ["type", "family", "name", "severity", "action", "outcome"]
    names += [name for name in RFC3164_FIELDS if name != "id"] + ["resource.id"]
    add_present(found, event, [(name, name) for name in names], NUMBERS)
    if event["replayed"]:
        found["replayed"] = True
    return found


def ecs(event):
    found = {"@timestamp": rfc3339(event["time"]), "event.id": event["event id"],
             "event.sequence": ("number", str(event["number"]))}
    add_present(found, event, [
        ("message", "message", "title"), ("event.code", "type"), ("event.outcome", "outcome"),
        ("event.reason", "reason"), ("event.dataset", "family"), ("user.id", "actor.id"),
        ("user.name", "actor.name", "actor.email"), ("user.email", "actor.email"),
        ("user.target.id", "target.id"), ("user.target.name", "target.name", "target.email"),
        ("user.target.email", "target.email"), ("user_agent.original", "actor.user_agent"),
        ("organization.id", "organization.id"), ("organization.name", "organization.name"),
        ("rule.id", "alert.rule"), ("rule.name", "title"),
        *[(f"siembridge.{name}", name) for name in
          ("key.id", "key.name", "project.id", "project.name", "usage.metric", "usage.value",
           "usage.limit", "usage.percent", "invoice.id", "invoice.amount", "invoice.currency",
           "invoice.due", "alert.id", "original_type")],
        ("siembridge.resource.status", "status")])
    for who, path in (("actor", "user.roles.0"), ("target", "user.target.roles.0")):
        if event.get(f"{who}.role"):
            found[path] = event[f"{who}.role"]
    if own_resource(event) is not None:
        found["siembridge.resource.id"] = own_resource(event)
    version, address, port = address_of(event.get("actor.ip", ""))
    if version:
        found["source.ip"] = found["related.ip.0"] = address
        if port:
            found["source.port"] = ("number", port)
    elif event.get("actor.ip"):
        found["source.address"] = event["actor.ip"]
    people = []
    for who in ("actor", "target"):
        person = event.get(f"{who}.email") or event.get(f"{who}.name")
        if person and person not in people:
            people.append(person)
    found.update({f"related.user.{i}": person for i, person in enumerate(people)})
    if event["replayed"]:
        found["siembridge.replayed"] = True
    return found


# What stands there is the format's and not the event's.
ECS_OWN = ("ecs.version", "event.kind", "event.category", "event.type", "event.action",
           "event.severity", "event.provider", "observer.")


def ocsf(event):
    found = {"time": ("number", str(event["time"])), "metadata.event_code": event["type"],
             "metadata.original_event_uid": event["event id"],
             "metadata.sequence": ("number", str(event["number"]))}
    group = event["family"] == "member"
    who = "users.0" if group else None
    add_present(found, event, [
        ("status_detail", "reason"), ("metadata.tenant_uid", "organization.id"),
        ("actor.user.uid", "actor.id"), ("actor.user.name", "actor.name"),
        ("actor.user.email_addr", "actor.email"), ("http_request.user_agent", "actor.user_agent"),
        *[(f"unmapped.{name}", name) for name in
          ("actor.role", "target.role", "organization.name", "project.id", "project.name",
           "usage.metric", "usage.value", "usage.limit", "usage.percent", "invoice.id",
           "invoice.amount", "invoice.currency", "invoice.due", "original_type")],
        ("unmapped.resource.status", "status")], NUMBERS)
    found["message"] = event.get("message") or event["name"]
    if group:
        add_present(found, event, [(f"{who}.uid", "target.id"), (f"{who}.name", "target.name"),
                                   (f"{who}.email_addr", "target.email"),
                                   ("group.uid", "organization.id"),
                                   ("group.name", "organization.name")])
        if not event.get("organization.id") and not event.get("organization.name"):
            found["group.name"] = "Unknown"
    elif event["family"] == "key":
        add_present(found, event, [("entity.uid", "key.id"), ("entity.name", "key.name")])
        if not event.get("key.id") and not event.get("key.name"):
            found["entity.name"] = "Unknown"
    elif event["family"] == "security":
        found["finding_info.uid"] = event.get("alert.id") or event["event id"]
        found["finding_info.title"] = event["name"]
        add_present(found, event, [("finding_info.desc", "message")])
        if event.get("alert.rule"):
            found["finding_info.analytic.uid"] = event["alert.rule"]
    version, address, port = address_of(event.get("actor.ip", ""))
    if version:
        found["src_endpoint.ip"] = address
        if port:
            found["src_endpoint.port"] = ("number", port)
    if event["replayed"]:
        found["unmapped.replayed"] = True
    return found


OCSF_OWN = ("activity_", "category_uid", "class_uid", "type_uid", "severity", "status_id",
            "status", "metadata.version", "metadata.product.", "metadata.log_provider",
            "entity.type", "is_alert", "finding_info.analytic.type")


def hec(event):
    number = str(event["number"])
    found = {"time": ("number", f"{event['time'] // 1000}.{event['time'] % 1000:03}"),
             "host": "gw1.example.com", "source": "siembridge",
             "sourcetype": f"siembridge:{event['family']}", "fields.event_id": event["event id"],
             "fields.event_type": event["type"], "fields.sequence": number,
             "event.event.id": event["event id"], "event.event.source": "hostile"}
    add_present(found, event, [
        ("event.user_agent", "actor.user_agent"), ("event.src", "actor.ip"),
        ("event.vendor_account", "organization.id"),
        *[(f"event.event.{name}", name) for name in
          ("type", "family", "name", "severity", "action", "outcome", "reason", "status",
           "message")],
        *[(f"event.{name}", name) for name in
          ("actor.id", "actor.name", "actor.email", "actor.role", "actor.ip", "actor.user_agent",
           "target.id", "target.name", "target.email", "target.role", "organization.id",
           "organization.name", "project.id", "project.name", "key.id", "key.name",
           "usage.metric", "usage.value", "usage.limit", "usage.percent", "invoice.id",
           "invoice.amount", "invoice.currency", "invoice.due", "alert.id", "alert.rule",
           "resource.id")],
        ("event.alert.title", "title")], (*NUMBERS, "invoice.amount"))
    if event["replayed"]:
        found["fields.replayed"] = "true"
    return found


# CIM's own names stand at the top of the event; what they say is in tests/vectors/hec.txt.
HEC_OWN = tuple(f"event.{name}" for name in
                ("vendor_product", "change_type", "object", "result", "user", "src_user",
                 "type", "signature", "description"))
HEC_CIM = ("event.action", "event.status", "event.reason", "event.severity", "event.id")
