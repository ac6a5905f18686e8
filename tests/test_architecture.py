"""The tree of coursekit is the one that docs/architecture.md describes, and keeps its six rules.

Each checker takes a page or a package and returns one sentence for each thing that is wrong. Below it stands a small
tree that breaks the rule on purpose, to show that the checker sees it.
"""

import ast
import re
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import pytest
from code_lines import count_file, count_functions

import coursekit as ck
from reference import definitions, folders, parse, public_names

ROOT = Path(__file__).resolve().parent.parent
DOORS = {"cli", "machine"}  # files of row 0 that may import from every folder but labs, and that nobody imports
HOOKS = re.compile(r"register_\w*hook|__torch_function__|TorchFunctionMode")
TENSOR_HOOK = "register_hook"  # a judge of labs/ may need it, where the exercise is to write one


@dataclass(frozen=True)
class Law:
    """What the page says: the row of each folder, the files in it, and the budgets."""

    rows: dict[str, int]  # "" is the package itself
    files: dict[str, list[str]]
    budgets: dict[str, int]


def read_law(page: str) -> Law:
    """The tables between the marks of docs/architecture.md."""
    table = page.split("<!-- folders")[1].split("<!-- end of folders")[0]
    rows = {folder: int(row) for row, folder in re.findall(r"^\| (\d+) \| `(\S+)/` \|", table, re.M)}
    files = {}
    for section in table.split("\n### ")[1:]:
        folder, *lines = section.splitlines()
        items = [line.removeprefix("- ").split(":")[0] for line in lines if line.startswith("- ")]
        files[folder.strip("`/")] = [name for item in items for name in re.findall(r"`(\S+)`", item)]
    budgets = page.split("<!-- budgets")[1].split("<!-- end of budgets")[0]

    def inside(named):
        return {name.removeprefix("coursekit").lstrip("/"): value for name, value in named.items()}

    amounts = {name: int(most) for name, most in re.findall(r"^\| (\D.*) \| (\d+) \|", budgets, re.M)}
    return Law(inside(rows), inside(files), amounts)


def sources(package):
    """(folder, file, path) of every Python file: ("networks/nets", "coursenet", …)."""
    for path in sorted(package.rglob("*.py")):
        folder = path.parent.relative_to(package).as_posix()
        yield "" if folder == "." else folder, path.stem, path


# ---------------------------------------------------------------------------------------- the table is the tree


def differences(law, package):
    """Folders and files that only the page or only the tree has."""
    found = {}
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            folder = path.parent.relative_to(package).as_posix()
            name = path.stem if path.suffix == ".py" else path.name
            found.setdefault("" if folder == "." else folder, set()).add(name)
    wrong = [f"{folder}/ has a row or a list, but not both" for folder in law.rows.keys() ^ law.files.keys()]
    for folder in sorted(found.keys() | law.files.keys()):
        here, listed = found.get(folder, set()) - {"__init__"}, law.files.get(folder, [])
        wrong += [f"{folder}/{name} is not on the page" for name in sorted(here - set(listed))]
        wrong += [f"{folder}/{name} is on the page, but not in the tree" for name in sorted(set(listed) - here)]
        wrong += [f"{folder}/{name} is on the page twice" for name in sorted(set(listed)) if listed.count(name) > 1]
    return wrong


# ---------------------------------------------------------------------------------------- who imports whom


def imports(path, known):
    """(module, name or None) of all that a file imports from the package, wherever in the file it stands."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.split(".")[0] == "coursekit")
        elif isinstance(node, ast.ImportFrom) and (node.level or node.module.split(".")[0] == "coursekit"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield ("." * node.level + whole, None) if node.level or whole in known else (node.module, alias.name)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value.split(".")[0] == "coursekit":
                yield first.value, None


def upward_imports(law, package):
    """Imports that do not lead to a folder above, or that open a door."""
    homes = {}  # dotted module -> (folder, file)
    for folder, file, _ in sources(package):
        dotted = ".".join(["coursekit", *filter(None, folder.split("/")), *([file] if file != "__init__" else [])])
        homes[dotted] = (folder, file)
    wrong = []
    for folder, file, path in sources(package):
        for module, _ in imports(path, homes):
            here = f"{folder}/{file}".lstrip("/")
            if module not in homes or homes[module] == ("", "__init__"):
                wrong.append(f"{here} imports {module}: name the file in full")
                continue
            other, target = homes[module]
            if not other and target in DOORS and not (not folder and file == "cli"):
                wrong.append(f"{here} imports {module}, which is a door")
            elif other.split("/")[0] == "labs" != folder.split("/")[0]:
                wrong.append(f"{here} imports {module} from labs")
            elif (not folder and file in DOORS) or other.split("/")[0] == folder.split("/")[0]:
                continue
            elif law.rows[other] >= law.rows[folder]:
                wrong.append(f"{here} (row {law.rows[folder]}) imports {module} (row {law.rows[other]})")
    return wrong


def private_imports(package):
    """Names with an underscore that one file takes from another."""
    modules = {path.stem for _, _, path in sources(package)}
    wrong = []
    for folder, file, path in sources(package):
        taken = {name for _, name in imports(path, set()) if name}
        used = {
            f"{node.value.id}.{node.attr}"
            for node in ast.walk(parse(path))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if node.value.id in taken & modules and re.match(r"_[^_]", node.attr)
        }
        private = {name for name in taken - modules if name.startswith("_")} | used
        wrong += [f"{folder}/{file} uses {name} of another file" for name in sorted(private)]
    return wrong


def misplaced_hooks(package):
    """Files that hook or intercept outside probe/, networks/receptive.py and networks/fast.py."""
    return [
        f"{folder}/{file} holds {match.group()}"
        for folder, file, path in sources(package)
        if folder != "probe" and (folder, file) not in {("networks", "receptive"), ("networks", "fast")}
        for match in HOOKS.finditer(path.read_text("utf8"))
        if not (folder == "labs" and match.group() == TENSOR_HOOK)
    ]


# ---------------------------------------------------------------------------------------- budgets


def over_budget(law, package):
    """Folders, files, functions and rows that are larger than the page allows."""
    rows, count, wrong = dict.fromkeys(law.rows.values(), 0), dict.fromkeys(law.rows, 0), []
    most = law.budgets
    for folder, file, path in sources(package):
        lines = count_file(path)
        rows[law.rows[folder]] += lines
        count[folder] += file != "__init__"
        if lines > most["lines of code in a file"]:
            wrong.append(f"{folder}/{file} has {lines} lines of code")
        for name, size in count_functions(path).items():
            if size > most["lines of code in a function"]:
                wrong.append(f"{folder}/{file}: {name} has {size} lines of code")
    for folder, files in count.items():
        if files > most["files in a folder, `labs/` apart"] and folder != "labs":
            wrong.append(f"{folder}/ has {files} files")
    for budget, limit in most.items():
        if named := re.findall(r"\d", budget):
            lines = sum(rows.get(int(row), 0) for row in named)
            if lines > limit:
                wrong.append(f"the rows {' '.join(named)} have {lines} lines of code")
    return wrong


# ---------------------------------------------------------------------------------------- public names


def wrong_names(package):
    """Public names that are listed twice or not defined, files that no list has, and folders that hide a name."""
    wrong, home = [], {}
    for folder in folders(package):
        listed = public_names(folder)
        inside = folder.glob("*.py") if folder == package else folder.rglob("*.py")
        files = {path for path in inside if path.stem != "__init__"}
        short = {path: path.relative_to(package).with_suffix("").as_posix() for path in files | listed.keys()}
        wrong += [f"{short[path]} is listed, but there is no such file" for path in listed.keys() - files]
        if folder != package:
            wrong += [f"{short[path]} is in no list" for path in sorted(files - listed.keys())]
        for path in sorted(listed.keys() & files):
            defined = definitions(path)
            for name in listed[path]:
                if name.rpartition(".")[2] not in defined:
                    wrong.append(f"{short[path]} does not define {name}")
                if name in home:
                    wrong.append(f"{name} is public in {home[name]} and in {short[path]}")
                home[name] = short[path]
    beside = {path.stem for path in package.glob("*.py")} | {path.name for path in package.iterdir() if path.is_dir()}
    hidden = sorted(beside & {name.split(".")[0] for name in home})
    return wrong + [f"coursekit/{name} hides ck.{name}" for name in hidden]


# ---------------------------------------------------------------------------------------- the course's own tree

PACKAGE = ROOT / "coursekit"
LAW = read_law((ROOT / "docs" / "architecture.md").read_text("utf8"))


def test_the_page_has_the_folders_and_files_of_the_tree():
    assert differences(LAW, PACKAGE) == []


def test_a_folder_imports_only_from_folders_above_it():
    assert upward_imports(LAW, PACKAGE) == []


def test_no_file_uses_a_private_name_of_another():
    assert private_imports(PACKAGE) == []


def test_hooks_live_in_probe():
    assert misplaced_hooks(PACKAGE) == []


def test_everything_stays_within_the_budgets():
    assert over_budget(LAW, PACKAGE) == []


def test_each_public_name_stands_in_one_list_and_is_defined_there():
    assert wrong_names(PACKAGE) == []


def test_ck_has_what_the_lists_say():
    listed = [name for folder in folders(PACKAGE) for names in public_names(folder).values() for name in names]
    assert set(ck.__all__) == {name.split(".")[0] for name in listed} == set(dir(ck))
    for name in listed:
        assert callable(attrgetter(name)(ck)), name


def test_the_folders_stand_in_the_order_of_the_table():
    assert [folder for folder in LAW.rows if folder and "/" not in folder] == list(ck.FOLDERS)


# ---------------------------------------------------------------------------------------- trees that break a rule

PAGE = """
<!-- budgets -->
| budget | at most |
|---|---|
| files in a folder, `labs/` apart | 3 |
| lines of code in a file | 6 |
| lines of code in a function | 3 |
| lines of code in the rows 1 3 | 9 |
<!-- end of budgets -->
<!-- folders -->
| row | folder | its question |
|---|---|---|
| 0 | `coursekit/` | ground? |
| 1 | `low/` | low? |
| 2 | `left/` | left? |
| 2 | `right/` | right? |
| 3 | `probe/` | how? |
| 9 | `labs/` | which? |

### `coursekit/`

- `ground` `cli` `machine`: ground

### `low/`

- `stone`: a stone

### `left/`

- `hand`: a hand

### `right/`

- `hand`: a hand

### `probe/`

- `look`: a look

### `labs/`

- `lab00`: a lab
<!-- end of folders -->
"""

TREE = {
    "__init__": 'FOLDERS = ("low", "left", "right", "probe", "labs")\nPUBLIC = {"ground": "dig"}',
    "ground": "def dig(): ...",
    "cli": "from coursekit.machine import report\n\ndef run():\n    from coursekit.left.hand import wave",
    "machine": "def report(): ...",
    "low/__init__": 'PUBLIC = {"stone": "throw"}',
    "low/stone": "from coursekit.ground import dig\n\ndef throw(): ...",
    "left/__init__": 'PUBLIC = {"hand": "wave"}',
    "left/hand": "from coursekit.low import stone\n\ndef wave():\n    stone.throw()",
    "right/__init__": 'PUBLIC = {"hand": "write"}',
    "right/hand": "def write(): ...",
    "probe/__init__": 'PUBLIC = {"look": ""}',
    "probe/look": "def look(module):\n    module.register_forward_hook(print)",
    "labs/__init__": 'PUBLIC = {"lab00": ""}',
    "labs/lab00": "from coursekit.probe.look import look",
}


@pytest.fixture
def broken(tmp_path):
    """A sound little package, with some of its files replaced: broken({file: source}) -> its folder."""

    def build(changes):
        for name, source in (TREE | changes).items():
            path = tmp_path / "coursekit" / (name if "." in name else f"{name}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf8")
        return tmp_path / "coursekit"

    return build


SMALL = read_law(PAGE)


def test_a_sound_tree_passes_every_check(broken):
    package = broken({})
    assert differences(SMALL, package) == upward_imports(SMALL, package) == over_budget(SMALL, package) == []
    assert private_imports(package) == misplaced_hooks(package) == wrong_names(package) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"low/pebble": ""}, "low/pebble is not on the page"),
        ({"low/pebble.js": ""}, "low/pebble.js is not on the page"),
        ({"under/mud": ""}, "under/mud is not on the page"),
    ],
)
def test_a_file_that_the_page_lacks_is_found(broken, change, complaint):
    assert differences(SMALL, broken(change)) == [complaint]


def test_a_file_that_the_tree_lacks_is_found(broken):
    page = PAGE.replace("- `look`: a look", "- `look`: a look\n- `hear`: an ear\n- `look`: again")
    page = page.replace("| 9 | `labs/`", "| 8 | `sky/` | where? |\n| 9 | `labs/`")
    assert differences(read_law(page), broken({})) == [
        "sky/ has a row or a list, but not both",
        "probe/hear is on the page, but not in the tree",
        "probe/look is on the page twice",
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"low/stone": "import coursekit.probe.look"}, "low/stone (row 1) imports coursekit.probe.look (row 3)"),
        ({"ground": "from coursekit.low.stone import throw"}, "ground (row 0) imports coursekit.low.stone (row 1)"),
        (
            {"low/stone": "def throw():\n    from coursekit.left import hand"},
            "low/stone (row 1) imports coursekit.left.hand (row 2)",
        ),
        (
            {"low/stone": "if TYPE_CHECKING:\n    from coursekit.left.hand import wave"},
            "low/stone (row 1) imports coursekit.left.hand (row 2)",
        ),
        (
            {"low/stone": 'import importlib\nimportlib.import_module("coursekit.left.hand")'},
            "low/stone (row 1) imports coursekit.left.hand (row 2)",
        ),
        (
            {"right/hand": "from coursekit.left.hand import wave"},
            "right/hand (row 2) imports coursekit.left.hand (row 2)",
        ),
        ({"probe/look": "from coursekit.labs import lab00"}, "probe/look imports coursekit.labs.lab00 from labs"),
        ({"machine": "import coursekit.labs.lab00"}, "machine imports coursekit.labs.lab00 from labs"),
        ({"low/stone": "import coursekit.machine"}, "low/stone imports coursekit.machine, which is a door"),
        ({"machine": "from coursekit import cli"}, "machine imports coursekit.cli, which is a door"),
        ({"probe/look": "import coursekit as ck"}, "probe/look imports coursekit: name the file in full"),
        ({"probe/look": "from coursekit import dig"}, "probe/look imports coursekit: name the file in full"),
        ({"probe/look": "from . import seen"}, "probe/look imports .None.seen: name the file in full"),
    ],
)
def test_an_import_that_does_not_lead_upwards_is_found(broken, change, complaint):
    assert upward_imports(SMALL, broken(change)) == [complaint]


@pytest.mark.parametrize(
    "source", ["from coursekit.low.stone import _s", "from coursekit.low import stone\nstone._s()"]
)
def test_a_private_name_of_another_file_is_found(broken, source):
    (complaint,) = private_imports(broken({"left/hand": source}))
    assert complaint.startswith("left/hand uses ") and complaint.endswith("_s of another file")


@pytest.mark.parametrize("hook", ["register_hook", "register_forward_hook", "TorchFunctionMode", "__torch_function__"])
def test_a_hook_outside_probe_is_found(broken, hook):
    assert misplaced_hooks(broken({"left/hand": f"def wave(m):\n    m.{hook}(0)"})) == [f"left/hand holds {hook}"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"left/hand": "\n".join("abcdefg")}, "left/hand has 7 lines of code"),
        ({"left/hand": "def f():\n    def g():\n        a\n        b\n"}, "left/hand: f (line 1) has 4 lines of code"),
        ({"low/a": "", "low/b": "", "low/c": ""}, "low/ has 4 files"),
        ({"low/a": "\n".join("abcdef")}, "the rows 1 3 have 12 lines of code"),
    ],
)
def test_what_is_too_large_is_found(broken, change, complaint):
    assert over_budget(SMALL, broken(change)) == [complaint]


def test_blanks_comments_and_docstrings_are_no_lines_of_code(broken):
    source = '"""One.\n\nTwo."""\n\n\ndef f():\n    """Three."""\n    # four\n    return (\n        5\n    )  # six\n'
    path = broken({"left/hand": source}) / "left" / "hand.py"
    assert count_file(path) == 4
    assert count_functions(path) == {"f (line 6)": 4}


def lists(**names):
    """A list of public names for right/."""
    return {"right/__init__": f"PUBLIC = {names}"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lists(hand="write draw"), "right/hand does not define draw"),
        (lists(hand="wave") | {"right/hand": "def wave(): ..."}, "wave is public in left/hand and in right/hand"),
        (lists(hand="write", foot=""), "right/foot is listed, but there is no such file"),
        ({"low/pebble": ""}, "low/pebble is in no list"),
        (lists(hand="left") | {"right/hand": "def left(): ..."}, "coursekit/left hides ck.left"),
        (lists(hand="cli") | {"right/hand": "def cli(): ..."}, "coursekit/cli hides ck.cli"),
    ],
)
def test_a_wrong_list_of_public_names_is_found(broken, change, complaint):
    assert wrong_names(broken(change)) == [complaint]


def test_two_files_of_small_functions_may_use_one_word(broken):
    made = 'PUBLIC = {"hand": ""}\nMODULES = "hand"'
    package = broken({"right/__init__": made, "right/hand": "def wave(): ..."})
    assert public_names(package / "right") == {package / "right" / "hand.py": ["hand.wave"]}
    assert wrong_names(package) == []
