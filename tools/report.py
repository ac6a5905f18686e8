"""Say at the end of `make test` how long each lab took, and how many tests passed in all.

python tools/report.py build/test    reads the JUnit files and the start time that `make test` left there
"""

import sys
import time
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

LIMIT = 90  # seconds a lab may take with one thread


def main(folder: Path) -> int:
    """Print the report; the exit status is 1 when a test failed."""
    cases = [case for file in sorted(folder.glob("*.xml")) for case in ElementTree.parse(file).iter("testcase")]
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)

    labs = defaultdict(float)
    for case in ElementTree.parse(folder / "nbval.xml").iter("testcase"):
        name = case.get("classname").removeprefix("notebooks.").removesuffix(".ipynb")
        labs[name] += float(case.get("time"))
    print("Seconds per lab, one thread each:")
    for name, seconds in sorted(labs.items()):
        print(f"  {name:32}{seconds:6.1f}" + (f"  over the limit of {LIMIT}" if seconds > LIMIT else ""))

    total = time.time() - int((folder / "started").read_text())
    counts = f"{len(cases) - failed - skipped} passed" + (f", {skipped} skipped" if skipped else "")
    print(f"===== {counts}, {failed} failed in {total:.2f}s =====")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
