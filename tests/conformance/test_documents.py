"""What the server says about itself, and what the project keeps written about it."""

import re

import pytest
import requests

from assist import make_admin
from exceptions import OTHER_AUTH
from facts import FACTS, facts
from make_facts import as_text, facts_from
from openapi import NO_SPEC, spec_folder

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(server):
    answer = requests.get(server.url + "/_lingxi/openapi.json", timeout=60)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    return answer.json()


def test_the_openapi_document_is_one(document):
    assert document["openapi"].startswith("3.1") and document["info"]["title"] and document["info"]["version"]
    schemes = document["components"]["securitySchemes"]
    names = []
    for path, methods in document["paths"].items():
        assert path.startswith("/") and set(methods) <= METHODS, path
        wanted = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"].strip(), where
            assert operation["responses"] and all(answer["description"] for answer in operation["responses"].values()), where
            assert isinstance(operation["security"], list), where
            assert all(name in schemes for scheme in operation["security"] for name in scheme), where
            assert operation["x-rate-class"], where
            given = operation.get("parameters", [])
            assert {entry["name"] for entry in given if entry["in"] == "path"} == wanted, where
            assert all(entry["required"] if entry["in"] == "path" else entry["in"] == "query" for entry in given), where
            assert operation.get("deprecated") or operation["operationId"], where
            names += [operation["operationId"]] if "operationId" in operation else []
    assert len(names) == len(set(names)) > 140


WRONG = {"string": 7, "integer": "seven", "boolean": "maybe", "array": {}}


def test_what_our_own_endpoints_are_told_to_ask_for_is_what_they_ask_for(server, document):
    """Without what is required, and with another type of what is named, each of them refuses."""
    admin, asked = make_admin(server), 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items() if path.startswith("/_lingxi/") else ():
            url = server.url + re.sub(r"\{\w+\}", "x", path)

            def must_refuse(why, **sent):
                answer = requests.request(method, url, headers={"Authorization": f"Bearer {admin.token}"}, timeout=60, **sent)
                assert answer.status_code == 400, f"{method} {path}, {why}: {answer.status_code} {answer.text[:300]}"

            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            for name in schema.get("required", []):
                must_refuse(f"no {name}", json={other: "x" for other in schema["required"] if other != name})
            for name, kind in schema.get("properties", {}).items():
                must_refuse(f"{name} of another type", json={name: WRONG[kind["type"]]})
                asked += 1
            for entry in operation.get("parameters", []):
                if entry["in"] == "query" and entry["required"]:
                    must_refuse(f"no {entry['name']}")
                if entry["in"] == "query" and entry["schema"]["type"] in ("integer", "boolean"):
                    must_refuse(f"?{entry['name']} of another type", params={entry["name"]: "maybe"})
    assert asked > 30


def test_what_a_model_writes_is_told_to_come_as_events(document):
    streams = {row["operationId"] for methods in document["paths"].values() for row in methods.values()
               if "text/event-stream" in row["responses"]["200"]["content"]}
    assert streams == {"suggestReplies", "translate"}


def test_every_path_has_its_form_under_r0(document):
    missing = []
    for path, methods in document["paths"].items():
        for new, old in (("/_matrix/client/v3/", "/_matrix/client/r0/"), ("/_matrix/media/v3/", "/_matrix/media/r0/")):
            if path.startswith(new) and set(document["paths"].get(path.replace(new, old), {})) != set(methods):
                missing.append(path)
    assert not missing, missing


def test_routes_ask_for_a_token_where_the_specification_does(document):
    """Where they differ, it is with a reason."""
    found = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation.get("operationId")
            ours = "none" if not operation["security"] else "optional" if {} in operation["security"] else "required"
            if name in facts() and ours != facts()[name]["auth"]:
                found[name] = ours
    assert found == {name: ours for name, (ours, _) in OTHER_AUTH.items()}


def test_the_facts_are_those_of_the_specification():
    if spec_folder() is None:
        pytest.skip(NO_SPEC)
    assert FACTS.read_text(encoding="utf-8") == as_text(facts_from(spec_folder())), "run tests/conformance/make_facts.py"


def test_bodies_are_held_against_the_whole_schemas(present):
    if not present.has_spec:
        pytest.skip(NO_SPEC)
    with pytest.raises(AssertionError):
        checked = type("Answer", (), {"status_code": 200, "headers": {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"},
                                      "content": b"x", "text": "", "json": lambda self: {"joined_rooms": ["no room id"]}})()
        present.check("getJoinedRooms", checked)
