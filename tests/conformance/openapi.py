"""Reads the specification's OpenAPI and event-schema files where they are at hand; resolves references between files."""

import os
from functools import cache
from pathlib import Path
from urllib.parse import urldefrag

import yaml

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def spec_folder():
    """The folder that holds client-server/ and event-schemas/: LINGXI_SPEC, or beside the checkout; None where it is not."""
    places = [os.environ.get("LINGXI_SPEC"), ROOT.parent / "shared" / "spec"]
    for place in places:
        for folder in (Path(place), Path(place) / "matrix") if place else ():
            if (folder / "client-server").is_dir():
                return folder
    return None


NO_SPEC = ("the specification's files are not at hand (LINGXI_SPEC, or ../shared/spec beside the checkout): "
           "bodies were held against the table of facts alone")


@cache
def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def at_pointer(document, pointer):
    for name in pointer.strip("/").split("/") if pointer.strip("/") else ():
        document = document[name.replace("~1", "/").replace("~0", "~")]
    return document


def beside(path, file):
    """The file that a reference means. Those between folders count from where these files stand in the specification's
    own repository; None where they lead to an API that is not here (identity servers)."""
    for place in (path.parent / file, spec_folder() / file.replace("../", "")):
        if place.exists():
            return place.resolve()
    return None


def resolve(node, path):
    """The node that `node` refers to, and the file in which its own references are to be read."""
    while isinstance(node, dict) and "$ref" in node:
        file, pointer = urldefrag(node["$ref"])
        if file:
            path = beside(path, file)
            if path is None:
                return {}, Path()
        node = at_pointer(load(path), pointer)
    return node, path


def operations(folder):
    """(method, path, operation, file) of each endpoint of the Client-Server API."""
    for file in sorted((folder / "client-server").glob("*.yaml")):
        document = load(file.resolve())
        base = document["servers"][0]["variables"]["basePath"]["default"].rstrip("/")
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method in METHODS:
                    shared = methods.get("parameters", [])
                    yield method.upper(), base + path, {**operation, "parameters": shared + operation.get("parameters", [])}, file.resolve()


def inlined(node, path, depth=0):
    """The schema with all its references put in, for a validator that reads no files."""
    node, path = resolve(node, path)
    if depth > 40:
        return {}
    if isinstance(node, dict):
        # "Either any object, or an event" is said with oneOf, though an event is an object as well.
        if {"type": "object"} in node.get("oneOf", ()):
            node = {key: value for key, value in node.items() if key != "oneOf"}
        return {key: inlined(value, path, depth + 1) for key, value in node.items() if key not in ("example", "examples", "description", "title")
                or (key in ("title", "description") and isinstance(value, dict))}
    if isinstance(node, list):
        return [inlined(value, path, depth + 1) for value in node]
    return node
