"""Calls endpoints by the names that the specification gives them, and holds every answer against the facts."""

import itertools
import json
from urllib.parse import quote

import requests

from facts import answer_faults, facts, required
from openapi import spec_folder
from schemas import answer_schema_faults

LIMIT_SECONDS = 60
OLDER = (("/_matrix/client/v3/", "/_matrix/client/r0/"), ("/_matrix/media/v3/", "/_matrix/media/r0/"))
# Of e-mail addresses, identity servers, other servers, other kinds of login and moving thumbnails: not read.
UNREAD = {"address", "allow_redirect", "allow_remote", "animated", "id_access_token", "id_server", "include_all_networks", "medium",
          "third_party_instance_id", "third_party_signed", "token"}
QUERY_WRONG = {"integer": "seven", "boolean": "maybe", "words": "nonsense"}
WRONG = {"words": "nonsense", "string": 7, "integer": "seven", "number": "seven", "boolean": "yes", "object": [], "array": {}}


class Probe:
    """One way through the whole API: by the present paths, or by those of r0. Keeps what it saw."""

    def __init__(self, server, older=False):
        self.server = server
        self.older = older
        self.http = requests.Session()
        self.seen = {}  # (operation, status) -> codes
        self.types = {}  # operation -> media types of its good answers
        self.paths = set()  # (method, path as the table has it) that succeeded
        self.refused = set()  # operations whose malformed requests were tried
        self.has_spec = spec_folder() is not None
        self.counter = itertools.count()

    def person(self, name, **more):
        return self.server.register(f"{name}.{'older' if self.older else 'new'}", **more)

    def path_of(self, operation):
        path = facts()[operation]["path"]
        for new, old in OLDER if self.older else ():
            path = path.replace(new, old)
        return path

    def request(self, operation, values, who=None, query=None, data=None, headers=None, url=None):
        path = self.path_of(operation)
        for name, value in values.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        assert "{" not in path, f"{operation} wants {path}"
        sent = {"Authorization": f"Bearer {who.token}"} if who is not None else {}
        if isinstance(data, (dict, list)):
            data = json.dumps(data).encode()
            sent["Content-Type"] = "application/json"
        return self.http.request(facts()[operation]["method"], (url or self.server.url) + path, params=query, data=data,
                                 headers={**sent, **(headers or {})}, timeout=LIMIT_SECONDS, allow_redirects=False)

    def check(self, operation, answer):
        """Holds an answer against facts and schemas, notes it, and returns its body."""
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        body = answer.json() if is_json and answer.content else None
        wrong = list(answer_faults(operation, answer.status_code, body, answer.headers))
        if self.has_spec and body is not None:
            wrong += answer_schema_faults(operation, answer.status_code, body)
        if answer.headers.get("Access-Control-Allow-Origin") != "*":
            wrong.append("a page of another origin may not read this")
        assert not wrong, f"{operation} answered {answer.status_code} {answer.text[:2000]}\n" + "\n".join(map(str, wrong[:20]))
        if answer.status_code == 200:
            self.types.setdefault(operation, set()).add(answer.headers.get("Content-Type", "").split(";")[0])
        codes = self.seen.setdefault((operation, answer.status_code), set())
        if isinstance(body, dict) and answer.status_code >= 400:
            codes.add(body.get("errcode"))
        return body

    def __call__(self, operation, values=None, who=None, body=None, status=200, code=None, query=None, data=None, headers=None,
                 url=None):
        """Calls an endpoint, which must answer with `status` (and `code`); returns its body, or the answer where it has none."""
        values = values or {}
        if status < 300 and not self.older and operation not in self.refused:
            self.refused.add(operation)
            self.send_malformed(operation, values, who, body, query, headers, url)
        answer = self.request(operation, values, who, query, body if data is None else data, headers, url)
        found = self.check(operation, answer)
        assert answer.status_code == status, f"{operation}: {answer.status_code} {answer.text[:500]}"
        if code is not None:
            assert found["errcode"] == code, f"{operation}: {answer.text[:500]}"
        if status < 300:
            self.paths.add((facts()[operation]["method"], self.path_of(operation)))
        return found if found is not None else answer

    def send_malformed(self, operation, values, who, body, query, headers, url):
        """Before an endpoint first succeeds: what is malformed is refused, and must have changed nothing."""
        row = facts()[operation]

        def must_refuse(why, sent, query):
            answer = self.request(operation, values, who, query, sent, headers, url)
            assert answer.status_code == 400, f"{operation} with {why}: {answer.status_code} {answer.text[:300]}"
            return self.check(operation, answer)["errcode"]

        for name, kind in row.get("query", {}).items():
            if kind.startswith("!"):
                must_refuse(f"no {name}", body, {key: value for key, value in query.items() if key != name})
            for wrong in wrong_values(kind, QUERY_WRONG) if name not in UNREAD else ():
                must_refuse(f"?{name}={wrong}", body, {**(query or {}), name: wrong})
        if not isinstance(row.get("request"), dict) or not isinstance(body, dict):
            return
        assert must_refuse("half a body", b'{"a":', query) == "M_NOT_JSON", operation
        assert must_refuse("a list as its body", [], query) == "M_BAD_JSON", operation
        for name, _ in required(row["request"]):
            must_refuse(f"no {name}", {key: value for key, value in body.items() if key != name}, query)
        for way, kind in row["request"].items():
            if way and not UNREAD & set(way.split("/")):
                for wrong in wrong_values(kind, WRONG):
                    if (changed := with_value(body, way.split("/"), wrong)) is not None:
                        must_refuse(f"{way}: {wrong!r}", changed, query)


def wrong_values(kind, wrong):
    """Values that a field of this kind may not have."""
    kind, _, words = kind.lstrip("!").partition("{")
    return [wrong[one] for one in (kind, "words" if words else "") if one in wrong]


def with_value(body, way, value):
    """The body with another value at a place that it has, or that is directly within it; None where there is no such place."""
    name, *rest = way
    if isinstance(body, list):
        if name != "[]" or not body:
            return None
        inner = value if not rest else with_value(body[0], rest, value)
        return None if inner is None else [inner, *body[1:]]
    if not isinstance(body, dict) or name in ("*", "[]"):
        return None
    if not rest:
        return {**body, name: value}
    inner = with_value(body.get(name), rest, value)
    return None if inner is None else {**body, name: inner}
