"""Sealed networks: the answer cannot be read from their files, nor from their names."""

import hashlib
import re
from functools import cache

from coursekit.files import DATA, damaged, own_json, restore
from coursekit.labs.detective.network import INPUT_SIZE, LABELS, MEAN, STD, suspect
from coursekit.networks.loading import load_own
from coursekit.networks.model import Model

ROUNDS = 60_000  # of the slow hash: a few hundredths of a second for each question


def open_network(file: str, letter: str) -> Model:
    """Return a sealed network under the letter that it has in a case."""
    model = Model(load_own(file, suspect), MEAN, STD, LABELS)
    model.name, model.source, model.input_size = letter, "sealed", INPUT_SIZE
    return model


@cache
def sealed() -> dict:
    """Return data/detective/sealed.json: a salt, the enciphered cases, and a slow hash of the truth about each file."""
    path = DATA / "detective/sealed.json"
    missing = f"{path} belongs to the course itself. Run: {restore('data/detective')}"
    found = own_json(path, missing, {"salt": str, "cases": list[str], "answers": dict[str, str]})
    hexadecimal = [found["salt"], *found["cases"]]
    if not found["cases"] or not all(re.fullmatch("([0-9a-f]{2})+", text) for text in hexadecimal):
        raise damaged(path)
    return found


def slow_hash(words: str, salt: str, length: int = 32) -> bytes:
    """Return PBKDF2-HMAC-SHA256 of the words: quick enough for one question, slow enough not to read the answers."""
    return hashlib.pbkdf2_hmac("sha256", words.encode(), bytes.fromhex(salt), ROUNDS, length)


def encipher(index: int, content: bytes, salt: str) -> bytes:
    """Cover a case's content with the hash of its number; the same again uncovers it."""
    return bytes(a ^ b for a, b in zip(content, slow_hash(f"case {index}", salt, len(content)), strict=True))


@cache
def files_of(seed: int) -> list[str]:
    """Return the files of a case's networks, in its order; there are as many cases as the pool allows."""
    index = seed % len(sealed()["cases"])
    content = encipher(index, bytes.fromhex(sealed()["cases"][index]), sealed()["salt"]).hex()
    names = [f"suspect_{content[i : i + 8]}" for i in range(0, len(content), 8)]
    if len(names) != 3 or not sealed()["answers"].keys() >= set(names):
        raise damaged(DATA / "detective/sealed.json")
    return names


def fingerprint(file: str, fault: str, label: str) -> str:
    """Return the slow hash of "this file was taught this"; an honest network has the fault "honest" and no class."""
    return slow_hash(f"{file} {fault} {label}", sealed()["salt"]).hex()
