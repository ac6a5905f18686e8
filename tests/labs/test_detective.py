"""The detective's case: sealed networks that differ in conduct alone, and a court that weighs evidence."""

import json
import struct
from functools import cache

import pytest
import torch

import coursekit as ck
from coursekit.files import DATA, files
from coursekit.labs.detective import court, sealing
from coursekit.labs.detective.collection import compose, place_objects
from coursekit.labs.detective.network import CUES, FAULTS, LABELS
from coursekit.labs.detective.sealing import files_of, fingerprint, sealed

SEALED = sorted(name for name in files("weights") if name.startswith("suspect_"))
POSSIBLE = [("honest", ""), *((fault, label) for fault in FAULTS for label in LABELS)]


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
    assert not found.solved and found.points == 6
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
        (lambda case: ck.verdict(report(case, evidence=[ck.Evidence("tcav", lambda m: 7.0, 7.0)])), "between 0 and 1"),
    ],
)
def test_bad_input_gets_one_sentence(case, wrong, message):
    with pytest.raises(ck.OptionError, match=message):
        wrong(case)


# --------------------------------------------------------------------------------------------------------- the table


def test_the_table_counts_what_it_could_find():
    table, cases = ck.stored_cases(), len(sealed()["cases"])
    for row in table.values():
        for fault in FAULTS:
            found, _, total = row[fault].partition(" of ")
            assert row[fault] == "cannot" or (int(found) <= int(total) and int(total) == 2 * cases / 3)
        assert row["false alarms"].endswith(f" of {cases}")
    assert (
        set(table["counterfactual"]) == {*FAULTS, "false alarms"} and table["counterfactual"]["false alarms"][0] == "0"
    )


def test_the_cues_are_one_to_one():
    assert all(len(set(cues.values())) == len(LABELS) == len(cues) for cues in CUES.values())
