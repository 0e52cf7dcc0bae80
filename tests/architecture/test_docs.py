"""What the documents name is there: files, settings, test groups."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True,
                       check=True).stdout.split("\n")
DOCUMENTS = [name for name in FILES if name.endswith(".md")]
MADE_WHEN_RUN = re.compile(r"^(build|data|demo-data|core|gateway|run)/|lingxi\.toml$|gateway\.toml$|processes\.json$")


def named_in(text):
    """Paths in backticks that look like files of the project; `a.{h,cc}` names two."""
    for quoted in re.findall(r"`([^`\n]+)`", text):
        for word in quoted.split():
            word = word.rstrip(",;:")
            if re.fullmatch(r"[\w./{},-]+\.(cc|h|py|md|mjs|ts|tsx|css|cmake|sql|sh|txt|json|html|toml|\{[\w,]+\})", word):
                braces = re.search(r"\{([\w,]+)\}", word)
                for end in braces.group(1).split(",") if braces else [""]:
                    yield word.replace(braces.group(0), end) if braces else word


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_is_there(document):
    text = (ROOT / document).read_text()
    folder = str(Path(document).parent)
    missing = [name for name in named_in(text) if not MADE_WHEN_RUN.search(name) and "NNN" not in name and not name.startswith(("/", "*", "http")) and
               not any(file == name or file.endswith("/" + name.removeprefix("./")) for file in FILES) and
               not (ROOT / folder / name).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_between_documents_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", (ROOT / document).read_text()):
        assert (ROOT / Path(document).parent / target).exists(), target


@pytest.mark.parametrize("document", ["README.md", "README.zh.md", "CONTRIBUTING.md", "docs/operations.md"])
def test_every_flag_that_a_document_names_is_a_setting(document):
    settings = (ROOT / "docs" / "settings.md").read_text()
    own = {"help", "version", "list", "markdown", "demo"}  # of lingxi and ./test themselves
    own |= {"now", "grep"}  # of systemctl and journalctl
    for flag in set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", (ROOT / document).read_text())):
        assert flag in own or f"`--{flag}`" in settings, flag


def test_every_variable_that_a_script_reads_is_let_pass_by_the_server():
    settings = (ROOT / "docs" / "settings.md").read_text()
    reads = re.compile(r"""\b(?:environ|env)\b[^\n]{0,9}?\b(LINGXI_[A-Z0-9_]+)|getenv\("(LINGXI_[A-Z0-9_]+)|\$\{?(LINGXI_[A-Z0-9_]+)|"""
                       r"""\b(LINGXI_[A-Z0-9_]+)=""")
    found = set()
    for name in FILES:
        if (name.startswith(("scripts/", "tests/", "bench/", "evals/", ".ci/", "web/")) or name in ("run", "test", "CONTRIBUTING.md") or
                re.fullmatch(r"server/.*/tests/.*[.]cc", name)):
            text = (ROOT / name).read_text(errors="replace")
            found |= {next(filter(None, groups)) for groups in reads.findall(text)}
    assert {"LINGXI_BUILD", "LINGXI_BACKEND", "LINGXI_LINT_JOBS", "LINGXI_WEB_ROOT", "LINGXI_RENDER"} <= found
    assert not {name for name in found if f"`{name}`" not in settings}


MODULES = [str(Path(name).parent) for name in FILES if re.fullmatch(r"server/.+/CMakeLists\.txt", name)]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module):
    assert (ROOT / module / "README.md").exists()


def test_the_assistant_lists_the_codes_that_it_answers():
    module = ROOT / "server" / "modules" / "assistant"
    code = r"IM\.LINGXI\.[A-Z_]+"
    answered = {found for file in module.glob("src/**/*") if file.is_file() for found in re.findall(f'"({code})"', file.read_text())}
    assert set(re.findall(code, re.search(r"^Errors: .*?^Metrics", (module / "README.md").read_text(), re.M | re.S).group(0))) == answered


# How the table of modules calls a library: the beginning of its headers' names (cmake/CheckIncludes.cmake), and how its CMake
# targets begin (of headers alone there is none to link).
LIBRARIES = {
    "libsodium": ("sodium", "PkgConfig::sodium"),
    "toml++": ("toml[+][+]/", "PkgConfig::tomlplusplus"),
    "spdlog": ("spdlog/", "spdlog::spdlog"),
    "libseccomp": ("seccomp", "PkgConfig::seccomp"),
    "sqlite3": ("sqlite3", "SQLite::SQLite3"),
    "Boost.Beast": ("boost/beast", None),
    "OpenSSL": ("openssl/", "OpenSSL::"),
    "zlib": ("zlib[.]h", "ZLIB::ZLIB"),
    "libcurl": ("curl/", "CURL::libcurl"),
    "libvips": ("vips/", "PkgConfig::vips"),
    "ICU": ("unicode/", "PkgConfig::icu"),
}


def table_of_modules():
    """module → the outside libraries that the table in docs/ARCHITECTURE.md gives it"""
    rows = re.findall(r"^\| ((?:`[\w/]+`(?:, )?)+) \| .* \| (.*) ?\|$", (ROOT / "docs" / "ARCHITECTURE.md").read_text(), re.M)
    return {module: {name for name in LIBRARIES if name in libraries}
            for modules, libraries in rows for module in re.findall(r"`([\w/]+)`", modules)}


def test_the_table_of_modules_names_them_all():
    assert set(table_of_modules()) == {module.removeprefix("server/") for module in MODULES}


def test_the_table_of_modules_gives_each_the_libraries_that_its_rules_allow():
    rules = dict(re.findall(r'^  "([^"]+)" +"([^"]+)"', (ROOT / "cmake" / "CheckIncludes.cmake").read_text(), re.M))
    owners = {name: set(rules[header].split("|")) for name, (header, _) in LIBRARIES.items()}
    assert owners == {name: {module for module, has in table_of_modules().items() if name in has} for name in LIBRARIES}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_links_what_the_table_gives_it_and_no_other(module):
    targets = re.findall(r"\w+::\w+", re.search(r"lingxi_module\((.*?)\)", (ROOT / module / "CMakeLists.txt").read_text(), re.S).group(1))
    given = table_of_modules()[module.removeprefix("server/")]
    linked = {name for name, (_, beginning) in LIBRARIES.items() for target in targets if beginning and target.startswith(beginning)}
    assert linked == {name for name in given if LIBRARIES[name][1]}
    assert all(any(beginning and target.startswith(beginning) for _, beginning in LIBRARIES.values()) for target in targets)
