"""The reference page lists every public name with its sentence, and says what keeps it from doing so."""

import pytest

import reference

PACKAGE = {
    "__init__": '"""A package."""\nFOLDERS = ("low",)\nPUBLIC = {"ground": "Earth dig"}',
    "ground": '''"""The ground. It is brown."""

class Earth:
    """Soil. It is
    brown."""

    @property
    def colour(self) -> str:
        """Brown."""

    def turn(self, times: int = 1) -> None:
        """Turn it over: so often."""

    def _hidden(self): ...

def dig(where: str, *, depth=2) -> "Earth":
    """Dig a hole of
    some depth. Nothing else."""

def buried(): ...
''',
    "low/__init__": '"""Low?\n\nYes, `ck.stone`.\n"""\nPUBLIC = {"stone": "", "sand": ""}\nMODULES = "stone"',
    "low/stone": '"""Stones."""\n\ndef throw(far, *names: str, **more):\n    """Throw one."""\n\ndef _own(): ...',
    "low/sand": '"""Sand."""',
}
LINES = """\
## [coursekit/](../coursekit/)

A package.

### [ground.py](../coursekit/ground.py)

The ground.

- `ck.Earth`<br>Soil.
  - `.colour`<br>Brown.
  - `.turn(times=1)`<br>Turn it over: so often.
- `ck.dig(where, *, depth=2) -> 'Earth'`<br>Dig a hole of some depth.

## [coursekit/low/](../coursekit/low/)

Low?

Yes, `ck.stone`.

### [stone.py](../coursekit/low/stone.py)

Stones.

- `ck.stone.throw(far, *names, **more)`<br>Throw one.
"""


@pytest.fixture
def project(tmp_path):
    """Write a small package, with some of its files replaced: project({file: source}) -> its root."""

    def build(changes):
        for name, source in (PACKAGE | changes).items():
            path = tmp_path / "coursekit" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf8")
        (tmp_path / "docs").mkdir()
        return tmp_path

    return build


def test_the_page_has_folder_file_name_signature_and_sentence(project):
    assert reference.page(project({})) == reference.HEAD + "\n" + LINES


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("low/stone", '"""Stones."""\n\ndef throw(): ...', "coursekit/low/stone.py: throw has no docstring"),
        ("ground", PACKAGE["ground"].replace('"""Brown."""', "..."), "ground.py: Earth.colour has no docstring"),
        (
            "ground",
            PACKAGE["ground"].replace("def dig", "def dug"),
            "ground.py: dig is public, but no function or class",
        ),
    ],
)
def test_a_public_name_without_docstring_or_definition_is_named(project, capsys, file, source, complaint):
    root = project({file: source})
    assert reference.main(root, check=False) == reference.main(root, check=True) == 1
    assert complaint in capsys.readouterr().err
    assert not (root / reference.PAGE).exists()


def test_a_page_that_is_out_of_date_is_named_and_left_alone(project, capsys):
    root = project({})
    assert reference.main(root, check=True) == 1
    assert reference.main(root, check=False) == reference.main(root, check=True) == 0
    stone = root / "coursekit" / "low" / "stone.py"
    stone.write_text(stone.read_text("utf8").replace("Throw one", "Throw two"), "utf8")
    capsys.readouterr()
    assert reference.main(root, check=True) == 1
    said = capsys.readouterr().err
    assert "Throw two" in said and "run `make docs`" in said
    assert "Throw one" in (root / reference.PAGE).read_text("utf8")
