"""Fixtures that several test files share."""

import os

import pytest
from browser import ARGUMENTS, NOT_RUN, find_chromium
from scratch import make_course

import coursekit as ck


def without_browser():
    """Tell whether to leave the browser tests out. CI never does: there they fail without a browser."""
    return find_chromium() is None and not os.environ.get("CI")


def pytest_collection_modifyitems(config, items):
    if without_browser():
        left_out = [item for item in items if "chromium" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter):
    if without_browser():
        terminalreporter.write_line(NOT_RUN)


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    assert path, NOT_RUN
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def lesson(tmp_path):
    """The lesson of a course with one small lab, not built yet."""
    return make_course(tmp_path / "course")


@pytest.fixture
def said(capsys, monkeypatch):
    """What the student reads below the check."""
    monkeypatch.delenv("COURSEKIT_STRICT", raising=False)

    def ask(number, *answer):
        capsys.readouterr()
        ck.check(number, *answer)
        return capsys.readouterr().out.strip()

    return ask
