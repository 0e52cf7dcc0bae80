"""Holds answers, and the events in them, against the specification's own schemas, where its files are at hand."""

from functools import cache

import jsonschema

from openapi import inlined, operations, resolve, spec_folder


@cache
def operation_files():
    return {operation["operationId"]: (operation, file) for _, _, operation, file in operations(spec_folder())}


@cache
def response_validator(name, status):
    operation, file = operation_files()[name]
    response = operation["responses"].get(str(status))
    if response is None:
        return None
    response, file = resolve(response, file)
    schema = response.get("content", {}).get("application/json", {}).get("schema")
    return jsonschema.Draft202012Validator(inlined(schema, file)) if schema else None


@cache
def event_validator(name):
    file = spec_folder() / "event-schemas" / "schema" / f"{name}.yaml"
    return jsonschema.Draft202012Validator(inlined({"$ref": str(file.resolve())}, file.resolve())) if file.exists() else None


def name_of(event):
    """The schema's name: a message's is that of its msgtype, where there is one."""
    if event["type"] == "m.room.message" and isinstance(event["content"].get("msgtype"), str):
        named = f"m.room.message${event['content']['msgtype']}"
        if event_validator(named):
            return named
    return event["type"]


def is_event(value):
    return isinstance(value, dict) and isinstance(value.get("type"), str) and isinstance(value.get("content"), dict)


def events_in(value, room_id=None):
    """Every event of a body; those of /sync, which leave the room to where they stand, with it put in."""
    if is_event(value):
        yield {"room_id": room_id, **value} if room_id and "event_id" in value else value
        value = value.get("unsigned", {})
    if isinstance(value, dict):
        room_id = value.get("room_id", room_id)  # of a notification
        for name, child in value.items():
            yield from events_in(child, name if name.startswith("!") else room_id)
    elif isinstance(value, list):
        for child in value:
            yield from events_in(child, room_id)


def event_faults(event):
    if "unsigned" in event and "redacted_because" in event["unsigned"]:
        return  # what redaction takes away is no longer required
    is_full = "event_id" in event
    is_stripped = not is_full and "state_key" in event
    validator = event_validator(name_of(event))
    if validator is None or is_stripped or (not is_full and "sender" in event and event["type"] != "m.presence"):
        return
    for error in validator.iter_errors(event):
        yield f"{event['type']}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def answer_schema_faults(name, status, body):
    """What is wrong with an answer, by the whole schemas."""
    validator = response_validator(name, status)
    if validator is not None:
        for error in validator.iter_errors(body):
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    if status < 300:
        for event in events_in(body):
            yield from event_faults(event)
