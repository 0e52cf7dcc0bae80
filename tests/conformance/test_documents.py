"""What the server says about itself, and what the project keeps written about it."""

import pytest

from exceptions import OTHER_AUTH
from facts import FACTS, facts
from make_facts import as_text, facts_from
from openapi import NO_SPEC, spec_folder

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(server):
    import requests

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
            assert {entry["name"] for entry in given} == wanted and all(entry["in"] == "path" and entry["required"] for entry in given), where
            assert operation.get("deprecated") or operation["operationId"], where
            names += [operation["operationId"]] if "operationId" in operation else []
    assert len(names) == len(set(names)) > 140


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
