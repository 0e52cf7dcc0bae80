"""The build refuses what the architecture forbids: shown on a small project that uses the real CMake files."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
list(APPEND CMAKE_MODULE_PATH "{ROOT}/cmake")
include(Toolchain)
project(sample LANGUAGES C CXX)
include(Compiler)
set(LINGXI_TESTS OFF)
add_library(lingxi_boost INTERFACE)
include(Module)
add_subdirectory(server/low)
add_subdirectory(server/middle)
add_subdirectory(server/high)
"""


def sample(tmp_path, high_uses="middle", high_source="#include <middle/middle.h>\nint high() { return middle(); }\n",
           middle_source="#include <low/low.h>\nint middle() { return low(); }\n", low_uses=""):
    """Three modules in a row: low, middle (uses low), high (uses what the test says)."""
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    (tmp_path / "cmake").mkdir()
    for name in ("Module.cmake", "CheckIncludes.cmake"):
        (tmp_path / "cmake" / name).write_text((ROOT / "cmake" / name).read_text())
    (tmp_path / "cmake" / "prelude.h").write_text("#include <string>\n")
    uses = {"low": low_uses, "middle": "low", "high": high_uses}
    sources = {"low": '#include <low/low.h>\nint low() { return 1; }\n', "middle": middle_source, "high": high_source}
    for name in ("low", "middle", "high"):
        folder = tmp_path / "server" / name
        (folder / "include" / name).mkdir(parents=True)
        (folder / "src").mkdir()
        (folder / "include" / name / f"{name}.h").write_text(f"#pragma once\nint {name}();\n")
        (folder / "src" / f"{name}_private.h").write_text("#pragma once\n")
        (folder / "src" / f"{name}.cc").write_text(sources[name])
        listed = f" USES {uses[name]}" if uses[name] else ""
        (folder / "CMakeLists.txt").write_text(f"lingxi_module({name}{listed})\n")
    return tmp_path


def build(folder, *options):
    configured = subprocess.run(["cmake", "-G", "Ninja", "-S", folder, "-B", folder / "out", *options],
                                capture_output=True, text=True)
    if configured.returncode != 0:
        return configured.returncode, configured.stdout + configured.stderr
    built = subprocess.run(["ninja", "-C", folder / "out"], capture_output=True, text=True)
    return built.returncode, built.stdout + built.stderr


def test_modules_in_order_build_and_a_second_build_compiles_nothing(tmp_path):
    code, output = build(sample(tmp_path))
    assert code == 0, output
    code, output = build(tmp_path)
    assert code == 0 and "Building" not in output and "Precompiling" not in output, output


def test_a_use_of_a_later_module_is_refused(tmp_path):
    code, output = build(sample(tmp_path, low_uses="high"))
    assert code != 0
    assert "not declared before it" in output


def test_a_header_of_a_module_that_is_not_used_is_unreachable(tmp_path):
    code, output = build(sample(tmp_path, high_uses="low"))
    assert code != 0
    assert "middle/middle.h" in output


def test_a_private_header_of_another_module_is_unreachable(tmp_path):
    code, output = build(sample(tmp_path, high_source="#include <low_private.h>\nint high() { return 0; }\n"))
    assert code != 0
    assert "low_private.h" in output


@pytest.mark.parametrize("header", ["<boost/beast/http.hpp>", "<sqlite3.h>", '"sqlite3.h"', "<curl/curl.h>", "<vips/vips.h>",
                                    "<spdlog/spdlog.h>"])
def test_an_outside_library_stays_in_the_folder_that_owns_it(tmp_path, header):
    code, output = build(sample(tmp_path, middle_source=f"#include {header}\nint middle() {{ return 0; }}\n"))
    assert code != 0
    assert "forbidden include" in output


def test_another_compiler_is_refused_with_the_reason(tmp_path):
    code, output = build(sample(tmp_path), "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_C_COMPILER=gcc")
    assert code != 0
    assert "co_await" in output
