"""Small seeded runs of `tests/helpers/fuzz.py`; pictures and weights have theirs beside their own tests."""

import json
import random

import fuzz
import pytest

NUMBERS = {"archives": 40, "manifest": 150, "tables": 150, "lessons": 40, "notebooks": 40, "copies": 40, "reports": 40}


@pytest.mark.parametrize("reader", NUMBERS)
@pytest.mark.filterwarnings("ignore")
def test_whatever_is_in_a_file_is_read_right_or_refused_in_a_sentence(reader, tmp_path):
    counts = fuzz.READERS[reader][0](tmp_path, NUMBERS[reader], 5)
    assert counts["tried"] == NUMBERS[reader] == counts["right"] + counts["refused"], counts
    assert counts["right"] and (counts["refused"] or reader in ("copies",)), "the files are too broken, or too little"


def test_the_kept_counts_hold_no_failure():
    kept = json.loads(fuzz.KEPT.read_text("utf8"))
    assert kept.keys() <= fuzz.READERS.keys() and len(kept) >= 5
    bad = [what for runs in kept.values() for counts in runs.values() for what in counts if what.startswith("raw")]
    assert not bad and not any(counts.get("wrong") or counts["slow"] for r in kept.values() for counts in r.values())


def test_a_raw_error_and_a_slow_reader_are_seen(monkeypatch):
    counts = fuzz.Counter()
    with fuzz.counted(counts):
        raise KeyError("x")
    monkeypatch.setattr(fuzz, "SLOW", -1.0)
    with fuzz.counted(counts):
        raise fuzz.ck.OptionError("no")
    assert counts["raw"] == counts["refused"] == counts["slow"] == 1 and counts["tried"] == 2


def test_bending_leaves_the_record_and_changes_the_copy():
    record, draw = {"a": [1, {"b": 2}], "c": "x"}, random.Random(0)
    bends = [fuzz.bent(record, draw) for _ in range(50)]
    assert record == {"a": [1, {"b": 2}], "c": "x"}
    assert sum(repr(bend) != repr(record) for bend in bends) > 40
