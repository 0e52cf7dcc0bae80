"""The table of facts (facts.json), and what it says about one answer."""

import json
from functools import cache
from pathlib import Path

FACTS = Path(__file__).with_name("facts.json")

# Codes that any endpoint may answer with, beside those that the specification names for it.
COMMON = {
    400: {"M_BAD_JSON", "M_NOT_JSON", "M_MISSING_PARAM", "M_INVALID_PARAM", "M_UNKNOWN"},
    401: {"M_MISSING_TOKEN", "M_UNKNOWN_TOKEN", "M_FORBIDDEN", "M_UNKNOWN", "M_UNAUTHORIZED", "M_UNRECOGNIZED"},
    403: {"M_FORBIDDEN", "M_THREEPID_DENIED", "IM.LINGXI.SETUP_NEEDED"},
    404: {"M_NOT_FOUND"},
    405: {"M_UNRECOGNIZED"},
    413: {"M_TOO_LARGE"},
    429: {"M_LIMIT_EXCEEDED"},
}

CHECKS = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
    "any": lambda value: True,
}


@cache
def facts():
    return {row["operation"]: row for row in json.loads(FACTS.read_text(encoding="utf-8"))}


def anonymous(path):
    """Names of parameters are ours to choose."""
    return "/".join("{}" if part.startswith("{") else part for part in path.strip().split("/"))


def has_type(value, kind):
    kind, _, words = kind.lstrip("!").partition("{")
    return any(CHECKS[one](value) for one in kind.split("|")) and (not words or value in words.rstrip("}").split(","))


def required(fields, way=""):
    """The names that are needed directly within what stands at `way`."""
    prefix = f"{way}/" if way else ""
    for place, kind in fields.items():
        name = place[len(prefix):]
        if place.startswith(prefix) and name and "/" not in name and kind.startswith("!"):
            yield name, kind[1:]


def faults(value, fields, way=""):
    """Yields what is wrong with a body, by its fields: a wrong type, a missing member."""
    if way in fields and not has_type(value, fields[way]):
        yield f"{way or 'the body'} is {json.dumps(value)[:80]}, not {fields[way].lstrip('!')}"
        return
    prefix = f"{way}/" if way else ""
    if isinstance(value, dict):
        for name, _ in required(fields, way):
            if name not in value:
                yield f"{prefix}{name} is missing"
        for name, child in value.items():
            for place in (prefix + name, prefix + "*"):
                if place in fields:
                    yield from faults(child, fields, place)
                    break
    elif isinstance(value, list) and prefix + "[]" in fields:
        for child in value:
            yield from faults(child, fields, prefix + "[]")


ERROR = {"": "!object", "errcode": "!string", "error": "!string", "retry_after_ms": "integer"}


def answer_faults(operation, status, body, headers):
    """What is wrong with an answer, by the facts; `body` is None where it is no JSON."""
    row = facts()[operation]
    entry = row["responses"].get(str(status), {})
    if status < 300:
        if str(status) not in row["responses"]:
            yield f"{status} is no success of {operation}"
        fields = entry.get("body")
        if isinstance(fields, dict):
            yield from faults(body, fields)
        for name in entry.get("headers", []):
            if name not in headers:
                yield f"the header {name} is missing"
        return
    # The challenge of a user-interactive authentication has an errcode after a failure alone.
    challenge = status == 401 and isinstance(body, dict) and "flows" in body
    yield from faults(body, entry.get("body") if challenge and "body" in entry else ERROR)
    if isinstance(body, dict) and "errcode" in body:
        allowed = set(entry.get("errcodes", ())) | COMMON.get(status, set())
        if body["errcode"] not in allowed:
            yield f"{body['errcode']} is no code of {operation}'s {status}: {sorted(allowed)}"
    if status == 429:
        if "retry_after_ms" not in body:
            yield "retry_after_ms is missing"
        if not headers.get("Retry-After", "").isdigit():
            yield "Retry-After is no number of seconds"
