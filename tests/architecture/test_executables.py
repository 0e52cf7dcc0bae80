"""What each executable is linked with is what it may do: no database in the gateway, no way out in core."""

import os
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ["LINGXI_BUILD"])

# The libraries of power, and the only executables that may have them.
OWNERS = {
    "libsqlite3": {"lingxi"},
    "libssl": {"lingxi"},
    "libicuuc": {"lingxi"},
    "libz": {"lingxi"},
    "libcurl": {"lingxi-gateway"},
    "libvips": {"lingxi-render"},
    "libpq": set(),
}
# A function of our own whose presence shows that a module was linked.
MODULES = {
    "storage::Database::open(": {"lingxi"},
    "net::Server::start(": {"lingxi"},
    "chat::Chat::start(": {"lingxi"},
    "identity::Identity::start(": {"lingxi"},
    "gateway::ProviderStore::": {"lingxi-gateway"},
    "render::": {"lingxi-render"},
}
EXECUTABLES = ["lingxi", "lingxi-gateway", "lingxi-render"]


def linked(executable):
    """The libraries that it asks for itself (not those that these bring along), by name without version."""
    output = subprocess.run(["readelf", "--dynamic", "--wide", BUILD / "bin" / executable], capture_output=True, text=True,
                            check=True).stdout
    return {line.split("[")[1].split(".so")[0] for line in output.splitlines() if "(NEEDED)" in line}


def functions(executable):
    return subprocess.run(["nm", "--demangle", "--defined-only", BUILD / "bin" / executable], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_an_executable_links_no_library_that_is_anothers(executable):
    have = linked(executable)
    assert {library for library in have if library in OWNERS} == {
        library for library, owners in OWNERS.items() if executable in owners}


@pytest.mark.parametrize("executable", EXECUTABLES)
def test_an_executable_holds_no_module_that_is_anothers(executable):
    have = functions(executable)
    assert {name for name in MODULES if name in have} == {
        name for name, owners in MODULES.items() if executable in owners}
