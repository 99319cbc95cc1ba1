"""What must stay true of the repository itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:  # pytest brings it there
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
WORKFLOWS = ROOT / ".github" / "workflows"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
FENCE = re.compile(r"^```python(?P<info>.*)\n(?P<code>(?:.*\n)*?)```$", re.MULTILINE)


def test_the_malicious_releases_of_lightning_are_refused() -> None:
    """No release named in GHSA-w37p-236h-pfx3 satisfies what the package or its tests ask for."""
    tests = [need for need in PYPROJECT["dependency-groups"]["tests"] if isinstance(need, str)]
    asked = map(Requirement, PROJECT["dependencies"] + tests)
    found = {need.name: need.specifier for need in asked if "lightning" in need.name}

    assert {"lightning", "pytorch-lightning"} <= found.keys()
    for specifier in found.values():
        assert not list(specifier.filter(["2.6.2", "2.6.3"]))
        assert list(specifier.filter(["2.4.0", "2.6.1", "2.6.4", "2.6.6"])) != []


def test_ci_runs_every_python_that_is_promised() -> None:
    """The workflow's matrix and the classifiers name the same versions."""
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    matrix = re.search(r"python: \[(.*)\]", (WORKFLOWS / "ci.yml").read_text("utf-8"))

    assert matrix is not None
    assert re.findall(r"3\.\d+", matrix[1]) == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_a_fork_never_runs_on_our_machines() -> None:
    """No workflow with a self-hosted runner starts on a pull request."""
    texts = [re.sub("#.*", "", path.read_text("utf-8")) for path in WORKFLOWS.glob("*.yml")]
    ours = [text for text in texts if "self-hosted" in text]

    assert ours
    assert not [text for text in ours if "pull_request" in text]


# Each option of the callback is named four times: documented, an attribute, an argument, a part's.
# All of it belongs where a reader looks an option up.
LONGER = {"src/lightning_gapmon/monitor/callback.py": 440}


@pytest.mark.parametrize(("folder", "limit"), [("src", 300), ("tests", 400)])
def test_modules_stay_readable(folder: str, limit: int) -> None:
    """No module is longer than a reader keeps in mind."""
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }

    assert lines
    assert not {path: n for path, n in lines.items() if n > LONGER.get(path, limit)}


def test_every_example_is_run_by_a_test() -> None:
    """Each file in examples/ is named in a test."""
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    examples = [path.name for path in (ROOT / "examples").glob("*.py")]

    assert [name for name in examples if name not in tests] == []


def _script(page: str) -> str:
    """Keep the Python fences of a page, each on its own lines, so that tracebacks point there."""
    lines = [""] * len(page.splitlines())
    for fence in FENCE.finditer(page):
        word, _, reason = fence["info"].strip().partition(" ")
        if word == "notest":
            assert reason, f"say why this fence is not run: {fence[0]}"
        elif ">>>" not in fence["code"]:  # else it is run as a doctest
            start = page.count("\n", 0, fence.start("code"))
            code = fence["code"].splitlines()
            lines[start : start + len(code)] = code
    return "\n".join(lines)


def _run(page: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    script = folder / "page.py"
    script.write_text(_script(page), "utf-8")
    return subprocess.run(  # noqa: S603
        [sys.executable, script.name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_the_code_on_a_page_runs(page: Path, tmp_path: Path) -> None:
    """The Python fences of a page run one after the other in a fresh interpreter and folder."""
    run = _run(page.read_text("utf-8"), tmp_path)

    assert run.returncode == 0, run.stderr


def test_fences_share_names_and_fail_with_their_line(tmp_path: Path) -> None:
    """A later fence sees an earlier one, and an error names the line of the page."""
    page = "Text.\n\n```python\nx = 1\n```\n\nMore.\n\n```python\nassert x == 2, x\n```\n"
    run = _run(page, tmp_path)

    assert run.returncode == 1
    assert 'File "' in run.stderr
    assert "line 10, in <module>" in run.stderr
    assert "AssertionError: 1" in run.stderr


def test_a_fence_is_left_out_only_with_a_reason() -> None:
    """`notest` keeps a fence from running when words follow it; alone it is refused."""
    kept_out = _script("```python notest needs a GPU\n1 / 0\n```\n")

    assert kept_out.strip() == ""
    with pytest.raises(AssertionError, match="say why this fence is not run"):
        _script("```python notest\n1 / 0\n```\n")
