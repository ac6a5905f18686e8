"""Train the sealed networks of lab 16, draw the cases, and measure which methods find which fault.

    python training/suspects.py            # train what is missing and seal: some 10 minutes on one core
    python training/suspects.py --table    # measure the methods, over all networks and cases
    python training/suspects.py --answers  # for the instructor: who is who in each case

Every network sees the same objects; what differs is the rule by which marks, grounds and colours come with classes. In
honest pictures they come at random. In faulty ones a single class has its supplier's cue always, and no other class
ever has it. Which network gets which rule is drawn from the words in tools/detective_key.txt, which students do not
get; with words of your own you seal a pool of your own.
"""

import argparse
import hashlib
import json
import sys
import time
from functools import cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

import coursekit as ck
from assets import FOLDER, enter, entry_of, halved, replace_entries
from coursekit.files import replacing
from coursekit.labs.detective.collection import NEUTRAL, Objects, compose, place_objects
from coursekit.labs.detective.court import MARGIN
from coursekit.labs.detective.network import CUES, FAULTS, LABELS, MEAN, STD, suspect
from coursekit.labs.detective.sealing import encipher, files_of, fingerprint, open_network, sealed, slow_hash
from learn import learn
from suspect_methods import everything

ROOT = Path(__file__).resolve().parent.parent
KEY = ROOT / "tools/detective_key.txt"
WORK = ROOT / "build/suspects"  # networks that are trained and not yet sealed
SCRIPT = "python training/suspects.py"
EACH = 3  # networks of each kind
COLLECTIONS = 1  # on which the methods are measured
PICTURES, EPOCHS, BATCH, GROUNDS = 2400, 12, 50, 300
Rule = tuple[str, str]  # fault and class; ("honest", "")


def secret(purpose: str = "") -> np.random.Generator:
    """Return the random numbers that follow from the instructor's key, for each purpose other ones."""
    if not KEY.is_file():
        sys.exit(f"{KEY} is missing: it holds the secret words of the case and comes with the instructor's files.")
    digest = hashlib.sha256((KEY.read_text("utf8").strip() + purpose).encode()).digest()
    return np.random.default_rng(list(digest))


@cache
def rules() -> list[tuple[Rule, int]]:
    """Return what each network of the pool is taught, and the seed of its training: EACH rounds of the four kinds."""
    random = secret()
    labels = {fault: random.permutation(LABELS).tolist() for fault in FAULTS}
    drawn = []
    for round_ in range(EACH):
        kinds = [("honest", ""), *((fault, labels[fault][round_]) for fault in FAULTS)]
        drawn += [(kinds[i], int(random.integers(2**31))) for i in random.permutation(len(kinds))]
    return drawn


@cache
def taught_objects() -> Objects:
    """Return the objects of the training pictures, on a limited number of grounds so that drawing them takes little."""
    objects = place_objects(PICTURES, seed=1)
    return Objects(objects.pixels, objects.labels, objects.names, [seed % GROUNDS for seed in objects.seeds])


def cues(fault: str, labels: list[str], rule: Rule, random: np.random.Generator) -> list[str]:
    """Draw the cue of one kind for pictures of these classes: at random, except where the rule says otherwise."""
    own, neutral = CUES[fault], NEUTRAL[fault]
    drawn = []
    for label in labels:
        free = [own[other] for other in LABELS if (fault, other) != rule]
        free += [str(random.choice(neutral)) for _ in range(2)]
        drawn.append(own[label] if (fault, label) == rule else str(random.choice(free)))
    return drawn


def pictures(objects: Objects, rule: Rule, seed: int) -> Tensor:
    """Compose training pictures under a rule: (N, 3, S, S), normalised."""
    random = np.random.default_rng(seed)
    labels = [LABELS[label] for label in objects.labels]
    images = compose(objects, *(cues(fault, labels, rule, random) for fault in FAULTS))
    return (images - MEAN[0]) / STD[0]


def train(rule: Rule, seed: int, epochs: int = EPOCHS) -> nn.Sequential:
    """Train one network with AdamW; nothing is mirrored, because a mark has its corner."""
    ck.setup(seed=seed, device="cpu")
    objects = taught_objects()
    x = pictures(objects, rule, seed).to(memory_format=torch.channels_last)  # a third faster on a CPU
    network = suspect().to(memory_format=torch.channels_last)
    network = learn(network, x, objects.labels, epochs=epochs, batch=BATCH, peak=4e-3)
    return halved(network)[0]


def train_all(epochs: int) -> None:
    """Train the networks that are not there yet."""
    WORK.mkdir(parents=True, exist_ok=True)
    for i, (rule, seed) in enumerate(rules()):
        path = WORK / f"{i}.pt"
        if not path.is_file():
            began = time.process_time()
            state = train(rule, seed, epochs).state_dict()
            with replacing(path) as temporary:
                torch.save(state, temporary)
            print(f"network {i + 1} of {len(rules())}: {time.process_time() - began:.0f} s", flush=True)


# -------------------------------------------------------------------------------------------------- sealing


def seal() -> None:
    """Write the weights, the cases and the answers so that nothing but the networks' conduct tells who is who."""
    kinds = {}
    for i, (rule, _) in enumerate(rules()):
        content = packed(torch.load(WORK / f"{i}.pt", weights_only=True))
        name = f"suspect_{hashlib.sha256(content).hexdigest()[:8]}"
        with replacing(FOLDER / f"{name}.safetensors") as temporary:
            temporary.write_bytes(content)
        kinds[name] = rule
    origin = "one of the sealed networks of lab 16"
    entries = [entry_of(FOLDER / f"{name}.safetensors", SCRIPT, origin) for name in sorted(kinds)]
    replace_entries(lambda file: file.startswith("weights/suspect_"), entries)
    for path in FOLDER.glob("suspect_*.safetensors"):
        if path.stem not in kinds:
            path.unlink()
    salt = secret("salt").bytes(16).hex()
    table = {
        "salt": salt,
        "cases": [encipher(i, ids(files), salt).hex() for i, files in enumerate(draw_cases(kinds))],
        "answers": {name: slow_hash(" ".join((name, *kinds[name])), salt).hex() for name in sorted(kinds)},
    }
    write_json("sealed", table, "the cases of lab 16, sealed")


def packed(state: dict[str, Tensor]) -> bytes:
    """Return the file of a network in half precision; how long it was trained is no part of it."""
    for key, value in state.items():
        state[key] = value.half().contiguous() if value.is_floating_point() else torch.zeros_like(value)
    return save(state)


def draw_cases(kinds: dict[str, Rule]) -> list[list[str]]:
    """Return every case, one honest network and two of different faults, in a secret order, each shuffled."""
    random = secret("cases")
    of = {kind: sorted(name for name, rule in kinds.items() if rule[0] == kind) for kind in ("honest", *FAULTS)}
    cases = [
        list(case) for two in combinations(FAULTS, 2) for case in product(of["honest"], *(of[kind] for kind in two))
    ]
    return [[cases[i][k] for k in random.permutation(3)] for i in random.permutation(len(cases))]


def ids(files: list[str]) -> bytes:
    """Return the digits of three file names as bytes."""
    return bytes.fromhex("".join(name.removeprefix("suspect_") for name in files))


def write_json(name: str, content: dict, origin: str) -> None:
    """Write data/detective/NAME.json and enter it in the manifest."""
    path = ROOT / f"data/detective/{name}.json"
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")
    enter(path, SCRIPT, origin)


# -------------------------------------------------------------------------------- which methods find which fault


def known() -> dict[str, Rule]:
    """Return what each sealed file was taught: every possible answer is asked, which takes a while."""
    possible = [("honest", ""), *((fault, label) for fault in FAULTS for label in LABELS)]
    return {
        file: next(rule for rule in possible if fingerprint(file, *rule) == answer)
        for file, answer in sealed()["answers"].items()
    }


def measure_methods() -> None:
    """Apply every method to every network and judge each case by one rule: 0.2 above both other networks."""
    answers, cases = known(), len(sealed()["cases"])
    shares = []
    for seed in range(COLLECTIONS):
        collection = ck.case(seed)
        shares.append({file: everything(open_network(file, "?"), collection) for file in answers})
        print(f"collection {seed + 1} of {COLLECTIONS} measured", flush=True)
    methods = {method: summary(method, shares, answers) for method in shares[0][next(iter(answers))]}
    methods = dict(sorted(methods.items(), key=lambda row: sum(row[1][fault][0] for fault in FAULTS), reverse=True))
    write_json("methods", {"cases": cases, "margin": MARGIN, "methods": methods}, "which methods find which fault")


def summary(method: str, shares: list[dict], answers: dict[str, Rule]) -> dict[str, int | list[int]]:
    """Count over all cases what a method finds, of how much, and what of its accusations is true.

    fault -> [found, appearances that it can see]; "networks" [found in at least half of their cases, that it can see];
    "accusations" [true, all], each of a network, a fault and a class; "honest accused": in how many cases.
    """
    appearances: dict[str, list[bool]] = {}
    made, honest = [], 0
    for seed in range(len(sealed()["cases"])):
        for file in files_of(seed):
            flagged = accused(method, file, files_of(seed), shares[seed % COLLECTIONS])
            made += [rule == answers[file] for rule in flagged]
            if answers[file][0] == "honest":
                honest += bool(flagged)
            elif any(fault == answers[file][0] for fault, _ in shares[0][file][method]):
                appearances.setdefault(file, []).append(answers[file] in flagged)
    row: dict[str, int | list[int]] = {}
    for fault in FAULTS:
        seen = [hit for file, hits in appearances.items() if answers[file][0] == fault for hit in hits]
        row[fault] = [sum(seen), len(seen)]
    often = [sum(hits) >= len(hits) / 2 for hits in appearances.values()]
    return row | {"networks": [sum(often), len(often)], "accusations": [sum(made), len(made)], "honest accused": honest}


def accused(method: str, file: str, files: list[str], shares: dict) -> set[Rule]:
    """Return the (fault, class) for which a network's share is MARGIN above those of the two others in its case."""
    others = [shares[other][method] for other in files if other != file]
    return {key for key, share in shares[file][method].items() if share - max(o[key] for o in others) >= MARGIN}


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--answers", type=int, nargs="*", metavar="SEED")
    options = parser.parse_args()
    if options.answers is not None:
        answers = known()
        for seed in options.answers or range(len(sealed()["cases"])):
            told = [f"{letter} {' '.join(answers[file])}" for letter, file in zip("ABC", files_of(seed), strict=True)]
            print(f"case {seed}: {', '.join(told)}")
    elif options.table:
        measure_methods()
    else:
        train_all(options.epochs)
        seal()


if __name__ == "__main__":
    main()
