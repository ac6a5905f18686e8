"""Write docs/reliability.md: what was tried to break the course, and what broke.

    python tools/reliability.py     counts the broken files that tests/helpers/fuzz.py has kept

The files were broken by `make fuzz`, in one run or several.
"""

import json
import sys
from collections import Counter

from notebooks import ROOT, write

KEPT = ROOT / "tests/helpers/fuzzed.json"
PAGE = ROOT / "docs/reliability.md"
HEAD = """# Reliability

What was tried to break the course, and what broke. `make fuzz` breaks files at random, counts, and writes this page.

## Broken files

A reader must give a right answer or one of the course's own errors, which names the file and says what to do.
*Raw* is any other exception, *wrong* an answer that is none, *slow* more than two seconds of the processor's time.
Files are broken by their bytes and, where they hold JSON, by what they hold.

| reader | files | read right | refused in a sentence | raw | wrong | slow |
|---|---:|---:|---:|---:|---:|---:|
"""
END = """
## Faults on purpose

Each of these tests injects one fault and asks for the sentence, for what is left on the disk, and for what goes
on: damaged lessons, notebooks and copies, and HTML that would swallow a deck or a page
(`tests/tools/test_damaged_files.py`); a damaged manifest, stored tables of another shape, two writers at once
(`tests/test_files.py`); pictures fetched without a network, half a folder, archives that lead outside
(`tests/images/test_public.py`); consoles that do not know the letters (`tests/test_console.py`).

Whole labs run under stress with `python tests/helpers/stress.py`, which sees a widget without a still picture, too:
each cell of lab 07 twice in a row, with no error and the same text; the student's copy of lab 13 in a read-only folder
with spaces and accents, with a read-only home, where the language is C; copies of labs 07 and 13 at once, whose kernels
took 3.8 GB at most together.

Interrupts in every long function, downloads of weights from servers that fail in many ways, hostile checkpoints and
pictures, and networks and arguments of the wrong kind have tests of their own: `tests/test_interrupts.py`,
`tests/networks/test_weights.py`, `tests/images/test_loading.py`, `tests/test_arguments_everywhere.py`.
[SECURITY.md](../SECURITY.md) says what is protected, and what is not.
"""


def table_of_files(kept: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    """Return the rows of the first table and their sum."""
    columns = ("tried", "right", "refused", "raw", "wrong", "slow")
    sums = {reader: sum((Counter(counts) for counts in runs.values()), Counter()) for reader, runs in kept.items()}
    rows = [f"| {reader} | {' | '.join(f'{counts[c]:,}' for c in columns)} |" for reader, counts in sums.items()]
    total = sum(sums.values(), Counter())
    return [*rows, f"| **all** | {' | '.join(f'**{total[c]:,}**' for c in columns)} |"]


def main() -> int:
    """Write the page."""
    rows = table_of_files(json.loads(KEPT.read_text("utf8")))
    write(PAGE, HEAD + "\n".join(rows) + "\n" + END)
    print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
