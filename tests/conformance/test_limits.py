"""Whoever asks too often is told how long to wait, by classes: one that is used up leaves the others alone."""

import pytest

from facts import anonymous, facts
from harness import Server
from raw import Connection

DROPPED_BYTES = 64 * 1024
IN_ONE_WRITE = 500
MOST_WRITES = 10


@pytest.fixture(scope="module")
def limited():
    with Server("--rate-limits", "on") as running:
        yield running


def served(present):
    """(route class, needs a token, operation) of everything served that the specification knows."""
    document = present.http.get(present.server.url + "/_lingxi/openapi.json", timeout=60).json()
    routes = {(method.upper(), anonymous(path)): operation for path, methods in document["paths"].items() for method, operation in methods.items()}
    for name, row in facts().items():
        if operation := routes.get((row["method"], anonymous(row["path"]))):
            yield operation["x-rate-class"], bool(operation["security"]), name


def test_every_class_has_a_limit_of_its_own(present, limited):
    alice = limited.register("hasty")
    operations = sorted(served(present))
    asked = set()
    for rate in sorted({row[0] for row in operations} - {"none"}):
        for needs_token in (True, False):
            of_class = [row[2] for row in operations if row[:2] == (rate, needs_token)]
            # Those that the specification says it of; where it is said of none of a class, one of them.
            names = [name for name in of_class if "429" in facts()[name]["responses"]] or of_class[:1]
            if not names:
                continue
            for name in names:
                allowed, answer = refused(limited, name, alice if needs_token else None)
                assert allowed > 0 or name != names[0], f"{rate} was used up by another class"
                body = present.check(name, answer)
                assert body["errcode"] == "M_LIMIT_EXCEEDED" and body["retry_after_ms"] > 0
                assert int(answer.headers["Retry-After"]) >= 1
                asked.add(name)
    assert asked >= {name for name, row in facts().items() if "429" in row["responses"]} & {row[2] for row in operations}


def refused(limited, name, who):
    """How many were let through, and the first answer that says to wait. Many requests stand in one write, so that they come faster than what they take is
    given back, however slow the machine."""
    row = facts()[name]
    path = "/".join("x" if part.startswith("{") else part for part in row["path"].strip().split("/"))
    allowed = 0
    for _ in range(MOST_WRITES):
        with Connection(limited.url) as connection:
            body = b"{}" if row["method"] in ("PUT", "POST") else b""
            connection.send((connection.head(row["method"], path, who, len(body)) + body) * IN_ONE_WRITE)
            while (answer := connection.read()) is not None and answer.status_code != 429:
                allowed += 1
                if answer.headers.get("Connection") == "close":
                    break
        if answer is not None and answer.status_code == 429:
            return allowed, answer
    raise AssertionError(f"{name} has no limit")


def test_a_body_over_its_limit_is_refused(present):
    """Of what is large its length alone is enough; what is small is read and dropped, so that the connection lives on."""
    alice = present.person("verbose")
    document = present.http.get(present.server.url + "/_lingxi/openapi.json", timeout=60).json()
    asked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            limit = operation.get("x-body-limit-bytes")
            if limit is None or operation.get("x-auth") or operation.get("deprecated"):
                continue
            with Connection(present.server.url) as connection:
                connection.send(connection.head(method.upper(), path.replace("{", "").replace("}", ""), alice, limit + 1))
                if limit < DROPPED_BYTES:
                    connection.send(b" " * (limit + 1))
                answer = connection.read()
            assert (answer.status_code, answer.json()["errcode"]) == (413, "M_TOO_LARGE"), f"{method} {path}: {answer}"
            asked += 1
    assert asked > 50
