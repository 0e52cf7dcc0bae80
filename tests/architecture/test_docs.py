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
    for flag in set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", (ROOT / document).read_text())):
        assert flag in own or f"`--{flag}`" in settings, flag
