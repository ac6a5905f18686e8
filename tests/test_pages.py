"""What people look for at the top of a project is there, and says what is true."""

import os
import re
import subprocess
import tomllib
from inspect import signature
from operator import attrgetter
from pathlib import Path

import pytest
import yaml

import coursekit as ck

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/reference.md"]
PAGES += ["docs/instructors.md"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def read(path):
    return (ROOT / path).read_text("utf8")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", read(page)) if "://" not in link]
    assert links
    for link in links:
        assert ((ROOT / page).parent / link).exists(), f"{page} links to {link}"


def test_make_help_names_every_target_that_is_not_a_file():
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.M).group(1).split()
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in shown.splitlines()] == phony
    assert all(len(line.split()) > 1 for line in shown.splitlines())


def test_readme_and_contributing_name_only_targets_that_exist():
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
    for page in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", ".pre-commit-config.yaml"):
        assert set(re.findall(r"(?:^|`)make ([a-z]+)", read(page), re.M)) <= targets


def test_the_readme_has_a_line_for_each_folder():
    told = re.findall(r"^\| \[(\w+)\]\(coursekit/(\w+)/\) \| (.+?) \|", read("README.md"), re.M)
    assert [(name, folder) for name, folder, _ in told] == [(name, name) for name in ck.FOLDERS]


def test_the_workflow_calls_what_continuous_integration_runs():
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))
    job = workflow["jobs"]["test"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == ".ci/run" and os.access(ROOT / commands[-1], os.X_OK)
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert PROJECT["requires-python"] == ">=3.11"


def test_the_hooks_are_local_and_call_what_make_lint_calls():
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", read("Makefile"), re.M).group(1)
    lint = [line.strip().replace("$(RUN)", ".venv/bin/python") for line in recipe.splitlines()]
    called = [hook["entry"].replace(" --force-exclude", "") for hook in repository["hooks"]]
    assert called == [line.removesuffix(" .") for line in lint]
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}


def test_version_licence_and_authors_agree():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software" and citation["message"]
    assert citation["version"] == PROJECT["version"] == ck.__version__
    assert citation["license"] == PROJECT["license"]
    (author,) = citation["authors"]
    assert f"Copyright (c) 2026 {author['name']}" in read("LICENSE")
    assert f"## [{citation['version']}] – {citation['date-released']}" in read("CHANGELOG.md")


def test_the_changelog_names_what_exists_now():
    table = re.search(r"\| old \| new \|\n\|.*\n((?:\|.*\n)+)", read("CHANGELOG.md")).group(1)
    for row in table.splitlines():
        old, new = row.strip("| ").split(" | ")
        for name, arguments in re.findall(r"`ck\.([\w.]+)(?:\(([^`]*)\))?`", new):
            parameters = list(signature(attrgetter(name)(ck)).parameters)
            by_place = [argument for argument in arguments.split(", ") if argument and "=" not in argument]
            assert by_place == ["8"] or by_place == parameters[: len(by_place)], name
            assert set(re.findall(r"(\w+)=", arguments)) <= set(parameters), name
        for name in re.findall(r"^`ck\.(\w+)\b(?!\.)", old):
            assert name not in ck.__all__ or f"`ck.{name}" in new, name
