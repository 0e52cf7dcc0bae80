"""What most system tests stand on: a server, a model server, and a server that knows it."""

import pytest

from assist import make_admin, put_model
from harness import ModelServer, Server


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def model():
    with ModelServer() as running:
        yield running


@pytest.fixture(scope="module")
def server_with_model(model):
    """Its administrator is `server.admin`."""
    with Server() as running:
        running.admin = make_admin(running)
        put_model(running.admin, model)
        yield running
