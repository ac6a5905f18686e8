"""What the course prints arrives on every console."""

import io
from contextlib import redirect_stdout

import pytest

import coursekit as ck
from coursekit import machine
from coursekit.console import say


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_checks_claims_progress_and_the_doctor_are_told_in_plain_letters(encoding, monkeypatch):
    """As Windows writes into a file, or LC_ALL=C."""
    monkeypatch.delenv("COURSEKIT_STRICT", raising=False)
    monkeypatch.setattr(machine, "_CHECKS", {"Machine ✓": [machine._python]})
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    with redirect_stdout(stream):
        ck.check("03.1", 625)
        ck.check("03.1", "wörter 猫")
        ck.check("03.1")
        ck.claim("share of windows", 0.7, above=0.5)
        ck.progress()
        ck.doctor()
    stream.flush()
    said = stream.buffer.getvalue().decode(encoding)
    assert "[right] 03.1 right." in said and "[wrong] 03.1 not yet" in said and "[open] 03.1 not done yet." in said
    assert "share of windows: 0.70 (more than 0.5) [right]" in said and "Lab 03: " in said and "[right] Ready." in said


def test_on_a_console_that_knows_all_letters_nothing_changes(capsys):
    say("✓ 猫 → ○")
    assert capsys.readouterr().out == "✓ 猫 → ○\n"
