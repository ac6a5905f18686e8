"""Print on any console: where one does not know ✓, its place is taken by plain letters."""

import sys

_PLAIN = str.maketrans(
    {"✓": "[right]", "✗": "[wrong]", "○": "[open]", "·": "-", "→": "->", "—": "-", "–": "-", "×": "x"}
)


def say(text: str) -> None:
    """Print a text; what the console cannot show is said in plain letters, and nothing is raised for it.

    >>> say("✓ 03.1 right.")
    ✓ 03.1 right.
    """
    try:
        print(text)
    except UnicodeEncodeError:  # Windows writing into a file, LC_ALL=C
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        print(text.translate(_PLAIN).encode(encoding, "replace").decode(encoding))
