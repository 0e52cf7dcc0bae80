"""One server for the whole group; each scenario goes by the present paths and by those of r0."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from harness import Server  # noqa: E402

PASSWORD = "a long password"


@pytest.fixture(scope="session")
def server():
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def probes(server):
    from probe import Probe

    return {"present": Probe(server), "r0": Probe(server, older=True)}


@pytest.fixture(params=["present", "r0"])
def probe(request, probes):
    return probes[request.param]


@pytest.fixture
def present(probes):
    """What is asked once: there is nothing to it that depends on the path."""
    return probes["present"]


def pytest_collection_modifyitems(items):
    """What was seen is counted after everything was asked."""
    items.sort(key=lambda item: item.path.name == "test_coverage.py")


def confirm(user_id, password=PASSWORD, session=None):
    """The stage of a user-interactive authentication."""
    auth = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user_id}, "password": password}
    return {**auth, "session": session} if session else auth
