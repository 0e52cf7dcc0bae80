#!/usr/bin/env python3
"""Makes facts.json from the specification's OpenAPI files: what is to be sent and answered, without any of its prose.

    LINGXI_SPEC=…/spec tests/conformance/make_facts.py

A field is written as its way through the body ("chunk/[]/event_id"; [] is each item, * each member of a map) and its
type; "!" before the type says that it is there whenever what holds it is, and braces after it hold what it may be.
"""

import json
import re
import sys
from pathlib import Path

from openapi import NO_SPEC, operations, resolve, spec_folder

FACTS = Path(__file__).with_name("facts.json")
DEPTH = 9
ERRCODE = re.compile(r"\bM_[A-Z0-9_]+\b")


def type_of(schema):
    kind = schema.get("type")
    if isinstance(kind, list):
        return "|".join(kind)
    if kind == "string" and schema.get("enum"):
        return f"string{{{','.join(schema['enum'])}}}"
    if kind:
        return kind
    if schema.get("properties") or "additionalProperties" in schema:
        return "object"
    return "any"


def merged(schema, path):
    """A schema with its allOf taken together; what it holds further in is (schema, file of its references)."""
    schema, path = resolve(schema, path)
    whole = {"properties": {}, "required": []}
    for part in schema.get("allOf", []):
        inner = merged(part, path)
        whole = {**whole, **inner, "properties": {**whole["properties"], **inner["properties"]},
                 "required": whole["required"] + inner["required"]}
    for name, value in (schema.get("properties") or {}).items():
        whole["properties"][name] = (value, path)
    patterns = list((schema.get("patternProperties") or {}).values())
    for name, value in (("items", schema.get("items")), ("members", schema.get("additionalProperties")), *(("members", one) for one in patterns)):
        if isinstance(value, dict) and value:
            whole[name] = (value, path)
    whole["required"] = whole["required"] + schema.get("required", [])
    whole.update({name: schema[name] for name in ("type", "enum") if name in schema})
    return whole


def fields(schema, path, way="", depth=0, needed=True):
    """Yields (way, type) of a schema and everything in it."""
    whole = merged(schema, path)
    yield way, ("!" if needed else "") + type_of(whole)
    if depth >= DEPTH:
        return
    inner = [(name, child, name in whole["required"]) for name, child in whole["properties"].items()]
    inner += [(mark, whole[name], False) for name, mark in (("items", "[]"), ("members", "*")) if name in whole]
    for name, (child, child_path), is_needed in inner:
        yield from fields(child, child_path, f"{way}/{name}".lstrip("/"), depth + 1, is_needed)


def json_schema(content):
    return content.get("application/json", {}).get("schema")


def body_facts(holder, path):
    holder, path = resolve(holder, path)
    content = holder.get("content", {})
    schema = json_schema(content)
    if schema is None:
        return "binary" if content else None
    return dict(sorted(fields(schema, path)))


def errcodes(response):
    found = set(ERRCODE.findall(response.get("description", "")))
    for media in response.get("content", {}).values():
        found.update(ERRCODE.findall(json.dumps(media.get("examples", {}), default=str)))
    return sorted(found)


def operation_facts(method, path, operation, file):
    facts = {"operation": operation["operationId"], "method": method, "path": path.strip()}
    security = operation.get("security")
    facts["auth"] = "none" if not security else "optional" if {} in security else "required"
    if operation.get("deprecated"):
        facts["deprecated"] = True
    query = {}
    for parameter in operation["parameters"]:
        parameter, _ = resolve(parameter, file)
        if parameter["in"] == "query":
            query[parameter["name"]] = ("!" if parameter.get("required") else "") + type_of(parameter["schema"])
    if query:
        facts["query"] = query
    if "requestBody" in operation:
        facts["request"] = body_facts(operation["requestBody"], file)
    facts["responses"] = {}
    for status, response in sorted(operation["responses"].items()):
        response, response_file = resolve(response, file)
        entry = {}
        if status.startswith("2"):
            entry["body"] = body_facts(response, response_file)
            headers = [name for name, header in response.get("headers", {}).items() if header.get("required")]
            if headers:
                entry["headers"] = headers
        else:
            body = body_facts(response, response_file)
            # Errors have one form; what is written here is where there is more to it.
            if isinstance(body, dict) and set(body) - {"", "errcode", "error", "retry_after_ms"}:
                entry["body"] = body
            if codes := errcodes(response):
                entry["errcodes"] = codes
        facts["responses"][status] = entry
    return facts


def facts_from(folder):
    return sorted((operation_facts(*row) for row in operations(folder)), key=lambda row: (row["path"], row["method"], row["operation"]))


def as_text(facts):
    """One operation a line: a change of the specification is a change of its lines."""
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in facts) + "\n]\n"


if __name__ == "__main__":
    if spec_folder() is None:
        sys.exit(NO_SPEC)
    FACTS.write_text(as_text(facts_from(spec_folder())), encoding="utf-8")
