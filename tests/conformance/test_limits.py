"""Whoever asks too often is told how long to wait, by classes: one that is used up leaves the others alone."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import pytest

from facts import anonymous, facts
from harness import Server
from probe import Probe

DROPPED_BYTES = 64 * 1024


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
            who = alice if needs_token else None
            use_up(present, limited, names[0], who)
            for name in names:
                # A token may have been given back meanwhile: it is used up, and then there is none.
                answer = next(reply for reply in (ask(present, limited, name, who) for _ in range(50)) if reply.status_code == 429)
                body = present.check(name, answer)
                assert body["errcode"] == "M_LIMIT_EXCEEDED" and body["retry_after_ms"] > 0
                assert int(answer.headers["Retry-After"]) >= 1
                asked.add(name)
    assert asked >= {name for name, row in facts().items() if "429" in row["responses"]} & {row[2] for row in operations}


def use_up(present, limited, name, who):
    """Several at a time, so that what is given back meanwhile does not keep up, however slow the machine."""
    clients = [Probe(limited) for _ in range(8)]
    with ThreadPoolExecutor(len(clients)) as pool:
        for _ in range(1000):
            if 429 in pool.map(lambda client: ask(client, limited, name, who).status_code, clients):
                return
    raise AssertionError(f"{name} has no limit")


def ask(present, limited, name, who):
    path = facts()[name]["path"].strip()
    values = {part[1:-1]: "x" for part in path.split("/") if part.startswith("{")}
    return present.request(name, values, who, data=b"{}" if facts()[name]["method"] in ("PUT", "POST") else None, url=limited.url)


def test_a_body_over_its_limit_is_refused(present):
    """Of what is large its length alone is enough; what is small is read and dropped, so that the connection lives on."""
    alice = present.person("verbose")
    host, port = present.server.url.removeprefix("http://").split(":")
    document = present.http.get(present.server.url + "/_lingxi/openapi.json", timeout=60).json()
    asked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            limit = operation.get("x-body-limit-bytes")
            if limit is None or operation.get("x-auth") or operation.get("deprecated"):
                continue
            with socket.create_connection((host, int(port)), timeout=60) as connection:
                connection.sendall(f"{method.upper()} {path.replace('{', '').replace('}', '')} HTTP/1.1\r\nHost: {host}\r\n"
                                   f"Authorization: Bearer {alice.token}\r\nContent-Length: {limit + 1}\r\n\r\n".encode())
                if limit < DROPPED_BYTES:
                    connection.sendall(b" " * (limit + 1))
                answer = HTTPResponse(connection)
                answer.begin()
                body = json.loads(answer.read())
            assert (answer.status, body["errcode"]) == (413, "M_TOO_LARGE"), f"{method} {path}: {answer.status} {body}"
            asked += 1
    assert asked > 50
