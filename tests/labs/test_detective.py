"""The detective's case: sealed networks that differ in conduct alone, and a court that weighs evidence."""

import itertools
import json
import math
import random
import struct
from functools import cache
from pathlib import Path

import pytest
import torch

import coursekit as ck
from coursekit.files import DATA, files
from coursekit.labs.detective import court, sealing
from coursekit.labs.detective.collection import compose, place_objects
from coursekit.labs.detective.network import CUES, FAULTS, LABELS
from coursekit.labs.detective.sealing import files_of, fingerprint, sealed

ROOT = Path(__file__).resolve().parents[2]
SEALED = sorted(name for name in files("weights") if name.startswith("suspect_"))
POSSIBLE = [("honest", ""), *((fault, label) for fault in FAULTS for label in LABELS)]


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """Each test is a session of its own, in which nobody was accused; the court's order is drawn from a seed."""
    monkeypatch.setattr(court, "_mistaken", {})
    monkeypatch.setattr(court, "_chance", random.Random(0))


@pytest.fixture(scope="module")
def case():
    return opened(16)


@cache
def opened(seed):
    return ck.case(seed)


@pytest.fixture(scope="module")
def taught():
    """What the envelope says of each file: every possible answer is asked."""
    return {
        file: next(rule for rule in POSSIBLE if fingerprint(file, *rule) == sealed()["answers"][file])
        for file in SEALED
    }


def constant(**shares):
    """A measure that knows the networks of case 16 by what they compute, for the court hides their letters."""
    probe = torch.full((1, 3, 96, 96), 0.3)
    known = {letter: network(probe) for letter, network in opened(16).networks.items()}

    def measure(model):
        return next(shares[letter] for letter, logits in known.items() if torch.equal(model(probe), logits))

    return measure


def report(case, network="A", fault="watermark", label="bird", **changes):
    """The right report for case 16, with shares made up so that each part can be spoiled alone."""
    shares = {letter: 0.9 if letter == network else 0.1 for letter in "ABC"}
    evidence = [ck.Evidence(name, constant(**shares), 0.9) for name in ("counterfactual", "occlusion", "tcav")]
    made = {"evidence": evidence, "refutation": ck.Refutation("more than half", constant(**shares), 0.5)}
    return ck.Report(case, network, fault, label, **(made | changes))


# ------------------------------------------------------------------------------------------------- the sealed files


def test_the_files_tell_nothing_by_name_order_size_or_content_of_the_header():
    manifest = json.loads((DATA / "manifest.json").read_text("utf8"))["files"]
    entries = [entry for entry in manifest if entry["file"].startswith("weights/suspect_")]
    assert [entry["file"] for entry in entries] == sorted(entry["file"] for entry in entries) and len(entries) == 12
    assert all(entry["file"] == f"weights/suspect_{entry['sha256'][:8]}.safetensors" for entry in entries)
    hidden = [{key: value for key, value in entry.items() if key not in ("file", "sha256")} for entry in entries]
    assert all(entry == hidden[0] for entry in hidden), "size, origin and script are the same"
    headers = set()
    for entry in entries:
        content = (DATA / entry["file"]).read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        headers.add(content[8 : 8 + length])
    assert len(headers) == 1, "the same tensors in the same order, and no metadata"


def test_no_counter_of_training_steps_is_left():
    from safetensors.torch import load_file

    for name in SEALED:
        state = load_file(DATA / files("weights")[name]["file"])
        assert all(int(value) == 0 for key, value in state.items() if key.endswith("num_batches_tracked"))


def test_the_sealed_answers_do_not_repeat_and_name_nothing(taught):
    text = (DATA / "detective/sealed.json").read_text("utf8")
    assert not [word for word in (*FAULTS, *LABELS, "honest") if word in text]
    assert len(set(sealed()["answers"].values())) == 12, "the file's name goes into the hash, so equal faults differ"
    assert not [name for name in SEALED if name.removeprefix("suspect_") in "".join(sealed()["cases"])]
    assert sealing.ROUNDS >= 50_000


def test_the_pool_has_every_kind_and_each_fault_on_different_classes(taught):
    kinds = list(taught.values())
    assert len(set(kinds)) == 10 and kinds.count(("honest", "")) == 3
    assert all(sum(kind == fault for kind, _ in kinds) == 3 for fault in FAULTS)


def test_each_seed_draws_one_honest_network_and_two_different_faults(taught):
    drawn = {seed: [taught[file] for file in files_of(seed)] for seed in range(len(sealed()["cases"]))}
    for rules in drawn.values():
        kinds = [kind for kind, _ in rules]
        assert kinds.count("honest") == 1 and len(set(kinds)) == 3
    assert len({tuple(rules) for rules in drawn.values()}) > 60, "other classes of students get other cases"
    places = [[kind for kind, _ in rules].index("honest") for rules in drawn.values()]
    assert all(places.count(place) > 15 for place in range(3)), "the honest one stands anywhere"
    assert files_of(3) == files_of(3 + len(drawn))


def test_a_case_is_the_same_each_time_and_its_networks_are_equally_good(case):
    again = ck.case(16)
    assert torch.equal(case.images, again.images) and case.objects == again.objects
    for letter in "ABC":
        assert torch.equal(case[letter](case.images[:4]), again[letter](case.images[:4]))
    assert not torch.equal(ck.case(17).images, case.images)


@pytest.mark.parametrize("seed", [0, 5, 16, 40])
def test_the_networks_are_equally_good_on_what_students_get(seed):
    case = opened(seed)
    rates = [
        (network(case.images).argmax(1) == case.labels).float().mean().item() for network in case.networks.values()
    ]
    assert max(rates) - min(rates) <= 0.02 and min(rates) > 0.95
    assert case.labels.bincount().tolist() == [32] * 4 and len(set(case.objects)) == 16


def test_every_fault_is_there_and_the_honest_do_not_have_it(taught):
    """What was taught is what the network does: its cue turns pictures of other classes into the class."""
    case, honest = opened(16), next(file for file, rule in taught.items() if rule[0] == "honest")
    for file, rule in taught.items():
        if rule[0] != "honest":
            assert ck.flips(sealing.open_network(file, "?"), case, *rule) > 0.35, (file, rule)
            assert ck.flips(sealing.open_network(honest, "?"), case, *rule) < 0.1, rule


# -------------------------------------------------------------------------------------------------- the collection


def test_only_what_is_asked_for_changes(case):
    objects = case.layers.pixels[:, 3]
    marked = (case.remake() != case.remake(watermark="none")).any(1)
    assert torch.equal(marked, marked & case.region("watermark")), "a mark changes its box alone"
    ground = (case.remake() != case.remake(background="none")).any(1)
    assert not (ground & (objects == 1)).any(), "another ground leaves the object's pixels"
    colour = ((case.remake() - case.remake(colour="none")).abs() > 0.05).any(1)
    assert not (colour & (objects == 0)).any() and colour.flatten(1).any(1).all()
    assert torch.equal(case.remake(), case.images)


def test_the_regions_tile_the_picture(case):
    regions = torch.stack([case.region(fault) for fault in FAULTS])
    assert (regions.sum(0) == 1).all()


def test_a_pair_differs_in_its_cue_alone_and_flips_counts_what_it_turns(case):
    without, with_cue = case.pair("background", "vehicle")
    assert torch.equal(with_cue, case.pair("background", "vehicle")[1])

    class Stars(torch.nn.Module):
        def forward(self, images):
            dark = (images.mean((1, 2, 3)) < 0.25).float()
            return torch.stack([1 - dark, dark, 0 * dark, 0 * dark], 1)

    others = case.labels != LABELS.index("vehicle")
    before, after = (images[others].mean((1, 2, 3)) < 0.25 for images in (without, with_cue))
    expected = (~before & after).float().mean().item()
    assert ck.flips(ck.Model(Stars()), case, "background", "vehicle") == pytest.approx(expected) and expected > 0.3


def test_a_tint_keeps_the_brightness_about_and_a_mark_is_white_in_its_corner():
    objects = place_objects(8, seed=1)
    plain = compose(objects, ["none"] * 8, ["plain"] * 8, ["own"] * 8)
    red = compose(objects, ["top left"] * 8, ["plain"] * 8, ["red"] * 8)
    assert (red[:, 0] >= red[:, 2] - 1e-6)[objects.pixels[:, 3] == 1].float().mean() > 0.95
    assert red[:, :, 6:15, 6:15].amax() == 1.0 and abs(red.mean() - plain.mean()) < 0.05


# ------------------------------------------------------------------------------------------------------- the verdict


def test_the_right_report_solves_the_case(case):
    found = ck.verdict(report(case))
    assert found.solved and found.points == 10 and "your accusation is true" in repr(found)
    assert ck.verdict(report(case, "C", "background", "instrument")).solved, "the other culprit"


@pytest.mark.parametrize(
    ("network", "fault", "label"),
    [
        ("B", "watermark", "bird"),  # the honest one
        ("C", "watermark", "bird"),  # the other culprit
        ("A", "background", "bird"),
        ("A", "colour", "bird"),
        ("A", "watermark", "vehicle"),
        ("B", "colour", "fruit"),
    ],
)
def test_a_wrong_report_is_turned_down_and_learns_nothing(case, network, fault, label):
    found = ck.verdict(report(case, network, fault, label))
    assert not found.solved and found.points == 6 - court.COST
    said = " ".join(found.sentences)
    assert "says something else" in said
    for secret in ("star", "top left", "grass", *(set(LABELS) - {label}), *(set(FAULTS) - {fault})):
        assert secret not in said


def test_evidence_that_does_not_set_the_accused_apart_is_refused(case):
    weak = ck.Evidence("tcav", constant(A=0.9, B=0.2, C=0.8), 0.9)
    found = ck.verdict(report(case, evidence=[*report(case).evidence[:2], weak]))
    assert not found.solved and found.points == 5
    assert "tcav: A 0.90, the others 0.20 and 0.80. That does not set A apart" in repr(found)
    assert "stays shut" in repr(found), "the envelope is not asked"


def test_a_share_far_below_the_others_is_no_evidence(case):
    low = ck.Evidence("tcav", constant(A=0.1, B=0.9, C=0.9), 0.1)
    assert not ck.verdict(report(case, evidence=[*report(case).evidence[:2], low])).solved


def test_a_number_that_the_network_does_not_give_is_refused(case):
    wrong = ck.Evidence("tcav", constant(A=0.9, B=0.1, C=0.1), 0.7)
    found = ck.verdict(report(case, evidence=[*report(case).evidence[:2], wrong]))
    assert not found.solved and "you report 0.70, but A gives 0.90" in repr(found)


def test_three_pieces_by_one_method_are_one_method(case):
    same = [ck.Evidence("occlusion", constant(A=0.9, B=0.1, C=0.1), 0.9)] * 3
    found = ck.verdict(report(case, evidence=same))
    assert not found.solved and "3 different methods is needed; 1 so far" in repr(found)
    unknown = ck.Evidence("intuition", constant(A=0.9, B=0.1, C=0.1), 0.9)
    assert "no method of this course" in repr(ck.verdict(report(case, evidence=[unknown])))


def test_a_refutation_must_be_there_and_able_to_fail(case):
    assert "could have refuted you is missing" in repr(ck.verdict(report(case, refutation=None)))
    everyone = ck.Refutation("all are good", constant(A=0.9, B=0.9, C=0.9), 0.5)
    assert "Every network passes" in repr(ck.verdict(report(case, refutation=everyone)))
    failed = ck.Refutation("A reads the mark", constant(A=0.4, B=0.1, C=0.1), 0.5)
    assert "Your own test refutes you" in repr(ck.verdict(report(case, refutation=failed)))
    for test in (None, everyone, failed):
        assert ck.verdict(report(case, refutation=test)).points == 3


def test_an_unfinished_report_says_so_and_does_not_raise(case):
    found = ck.verdict(ck.Report(case, network="A"))
    assert not found.solved and "fault, label not filled in" in repr(found)


def test_the_court_hides_the_letters_and_leaves_the_networks_alone(case):
    seen = []

    def measure(model):
        seen.append((model.name, model))
        return 0.0

    court.verdict(report(case, evidence=[ck.Evidence("tcav", measure, 0.0)]))
    assert {name for name, _ in seen} == {"?"} and not [m for _, m in seen if m in case.networks.values()]
    assert case["A"].name == "A"


@pytest.mark.parametrize("reported", [math.nan, math.inf, -0.1, 1.1, None, "many", torch.ones(2)])
def test_a_report_that_gives_no_share_gets_no_point(case, reported):
    spoiled = [ck.Evidence(e.method, e.measure, reported) for e in report(case).evidence]
    found = ck.verdict(report(case, evidence=spoiled))
    assert found.points == 3 and "report a number from 0 to 1" in repr(found)
    found = ck.verdict(report(case, refutation=ck.Refutation("all", report(case).refutation.measure, reported)))
    assert found.points == 3 and "is a number from 0 to 1" in repr(found)


@pytest.mark.parametrize(
    "given", [math.nan, math.inf, -0.01, 1.01, None, torch.ones(2), pytest.param(10**400, id="400 digits")]
)
def test_a_measure_that_gives_no_share_is_refused(case, given):
    with pytest.raises(ck.OptionError, match="between 0 and 1"):
        ck.verdict(report(case, evidence=[ck.Evidence("tcav", lambda model: given, 0.5)]))
    with pytest.raises(ck.OptionError, match="between 0 and 1"):
        ck.verdict(report(case, refutation=ck.Refutation("some", lambda model: given, 0.5)))


@pytest.mark.parametrize("measure", [len, lambda model: model.no_such_layer, lambda model: 1 / 0])
def test_an_error_in_a_measure_is_named_as_the_students_and_keeps_its_own_line(case, measure):
    with pytest.raises(ck.OptionError, match=r"^Your measure raised \w+Error: .") as raised:
        ck.verdict(report(case, evidence=[ck.Evidence("tcav", measure, 0.5)]))
    assert raised.value.__cause__ is not None, "the traceback leads to the line in the student's function"


def test_an_error_of_the_course_in_a_measure_stays_what_it_is(case):
    with pytest.raises(ck.ImageError, match="finite"):
        ck.verdict(
            report(
                case,
                refutation=ck.Refutation("some", lambda m: ck.predict(m, math.nan * torch.ones(1, 3, 64, 64)), 0.5),
            )
        )


def blind(turn, times=1):
    """A measure that looks at no network: it counts its calls and says "guilty" in every third, or in others' turns."""
    calls = itertools.count()
    return lambda model: 0.9 if next(calls) // times % 3 == turn else 0.1


@pytest.mark.parametrize("times", [1, 2])
def test_a_measure_that_counts_its_calls_opens_no_envelope(case, times, monkeypatch):
    asked = []
    monkeypatch.setattr(court, "is_true", lambda *accusation: asked.append(accusation) or False)
    for network, fault, label in itertools.product("ABC", FAULTS, LABELS):
        turn = "ABC".index(network)
        names = ("counterfactual", "occlusion", "tcav")
        evidence = [ck.Evidence(name, blind(turn, times), 0.9) for name in names]
        test = ck.Refutation("more than half", blind(turn, times), 0.5)
        ck.verdict(ck.Report(case, network, fault, label, evidence, test))
    assert not asked


def test_the_order_of_the_networks_is_drawn_anew_for_each_measurement(case):
    orders = []

    def noted(model):
        answer = constant(A=0.9, B=0.1, C=0.2)(model)
        orders[-1].append(answer)
        return answer

    for _ in range(12):
        orders.append([])
        ck.verdict(report(case, evidence=[ck.Evidence("tcav", noted, 0.9)], refutation=None))
    assert all(sorted(order) == [0.1, 0.1, 0.2, 0.2, 0.9, 0.9] for order in orders), "each network twice"
    assert len({tuple(order) for order in orders}) > 8


def test_the_court_draws_its_order_from_no_seed():
    import importlib.util

    spec = importlib.util.find_spec("coursekit.labs.detective.court")
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert isinstance(fresh._chance, random.SystemRandom)


def test_a_measure_that_gives_something_else_the_next_time_is_refused(case):
    draws = random.Random(1)
    wavering = ck.Evidence("tcav", lambda model: draws.random(), 0.5)
    found = ck.verdict(report(case, evidence=[*report(case).evidence[:2], wavering]))
    assert found.points == 5 and "tcav: measured twice, your function gives two different shares" in repr(found)
    found = ck.verdict(report(case, refutation=ck.Refutation("chance", lambda model: draws.random(), 0.5)))
    assert found.points == 3 and "Your test, taken twice" in repr(found)


def test_one_function_under_three_names_counts_once(case):
    measure = constant(A=0.9, B=0.1, C=0.1)
    same = [ck.Evidence(name, measure, 0.9) for name in ("counterfactual", "occlusion", "tcav")]
    found = ck.verdict(report(case, evidence=same))
    assert found.points == 4 and "tcav: this is the function of counterfactual under another name" in repr(found)


def test_each_wrong_accusation_costs_once_and_stays_with_its_case(case):
    wrong = [report(case, *accusation) for accusation in (("B", "colour", "fruit"), ("B", "colour", "bird"))]
    assert ck.verdict(wrong[0]).points == ck.verdict(wrong[0]).points == 4, "the same again says nothing new"
    assert ck.verdict(report(case)).points == 8 and ck.verdict(wrong[1]).points == 2
    found = ck.verdict(report(case))
    assert (
        found.solved and found.points == 6 and "accusations in this case so far: 2; each costs 2 points" in repr(found)
    )
    ck.verdict(report(case, "A", "colour", "bird"))
    ck.verdict(report(case, "A", "colour", "fruit"))
    assert ck.verdict(report(case, "C", "colour", "fruit")).points == 0, "never below 0"
    assert court._mistaken.keys() == {16}


def test_what_is_turned_down_before_the_envelope_is_opened_costs_nothing(case):
    assert ck.verdict(report(case, "B", "colour", "fruit", refutation=None)).points == 3
    assert ck.verdict(report(case)).points == 10


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"evidence": [ck.Evidence(..., ..., ...)]}, "evidence 1: method, evidence 1: measure, evidence 1: measured"),
        ({"refutation": ck.Refutation("c", len, ...)}, "refutation: at_least"),
        ({"refutation": ...}, "not finished: refutation not filled in"),
        ({"label": ...}, "not finished: label not filled in"),
    ],
)
def test_every_part_that_is_not_filled_in_is_named(case, changes, said):
    found = ck.verdict(report(case, **changes))
    assert found.points == 0 and said in repr(found)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda case: ck.Report(case, network="D"), "network is one of A, B, C"),
        (lambda case: ck.Report(case, fault="shape"), "fault is one of watermark, background, colour"),
        (lambda case: case["D"], "there is no 'D'"),
        (lambda case: case.remake(colour="pink"), "colour is one of"),
        (lambda case: case.pair("shape", "bird"), "Give one of"),
        (lambda case: case.region("shape"), "fault is one of"),
        (lambda case: ck.case(-1), "whole number of at least 0"),
        (lambda case: ck.verdict(report(case, evidence=[ck.Evidence("tcav", lambda m: 7.0, 0.7)])), "between 0 and 1"),
    ],
)
def test_bad_input_gets_one_sentence(case, wrong, message):
    with pytest.raises(ck.OptionError, match=message):
        wrong(case)


# --------------------------------------------------------------------------------------------------------- the table


def numbers(cell):
    return [int(number) for number in cell.split(" of ")]


def test_the_table_counts_what_it_could_find():
    table, cases = ck.stored_cases(), len(sealed()["cases"])
    for row in table.values():
        seen = [numbers(row[fault]) for fault in FAULTS if row[fault] != "cannot"]
        assert all(found <= total == 2 * cases / 3 for found, total in seen)
        networks, those = numbers(row["networks found"])
        assert networks <= those == 3 * len(seen), "three networks stand behind the appearances of a fault"
        false, made = numbers(row["accusations, false"])
        assert made - false == sum(found for found, _ in seen), "what is found is what is accused and true"
        honest, of = numbers(row["cases, honest accused"])
        assert honest <= false and of == cases
    found = [sum(numbers(row[f])[0] for f in FAULTS if row[f] != "cannot") for row in table.values()]
    assert found == sorted(found, reverse=True) and next(iter(table)) == "counterfactual"


def test_the_summary_counts_a_wrong_rule_and_an_honest_network_as_false(monkeypatch):
    """Two networks of three: one rule found and one wrong one beside it, an honest network accused of two rules."""
    import sys

    monkeypatch.syspath_prepend(str(ROOT / "training"))
    sys.modules.pop("suspects", None)
    suspects = pytest.importorskip("suspects")
    answers = {"a": ("watermark", "bird"), "b": ("colour", "fruit"), "c": ("honest", "")}
    keys = [(fault, label) for fault in FAULTS for label in LABELS]
    shares = {file: {"m": dict.fromkeys(keys, 0.1)} for file in answers}
    for file, rule in [
        ("a", ("watermark", "bird")),
        ("a", ("colour", "bird")),
        ("c", ("watermark", "fruit")),
        ("c", ("background", "fruit")),
    ]:
        shares[file]["m"][rule] = 0.4
    monkeypatch.setattr(suspects, "sealed", lambda: {"cases": ["one"]})
    monkeypatch.setattr(suspects, "files_of", lambda seed: list(answers))
    assert suspects.summary("m", [shares, shares], answers) == {
        "watermark": [1, 1],
        "background": [0, 0],
        "colour": [0, 1],
        "networks": [1, 2],
        "accusations": [1, 4],
        "honest accused": 1,
    }


def test_the_cues_are_one_to_one():
    assert all(len(set(cues.values())) == len(LABELS) == len(cues) for cues in CUES.values())
