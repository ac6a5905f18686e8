"""The command `coursekit`: `coursekit doctor` looks at this machine, `coursekit fetch NAME…` brings networks in.

torch is imported where it is needed, so that the doctor can speak when torch is missing.
"""

import sys

from coursekit.errors import CoursekitError
from coursekit.machine import report


def doctor() -> None:
    """Say whether this machine is fit for the course, and what to do where it is not."""
    raise SystemExit(0 if report() else 1)


def fetch(names: list[str]) -> None:
    """Download the weights of networks ahead of a class, and verify them."""
    from coursekit.networks.loading import blueprint
    from coursekit.networks.weights import expected_path, obtain

    failed = False
    for name in names:
        try:
            checkpoint = blueprint(name).checkpoint
            if checkpoint is None:
                raise CoursekitError(f"Nobody published ImageNet weights of {name} that this course can read.")
            obtain(checkpoint)
            print(f"✓ {name}: {expected_path(checkpoint)}")
        except CoursekitError as error:
            failed = True
            print(f"✗ {error}", file=sys.stderr)
    raise SystemExit(1 if failed else 0)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # Windows consoles may not know ✓
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        import typer
    except ImportError:  # then there is one thing worth doing
        doctor()
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.command()(doctor)
    app.command(no_args_is_help=True)(fetch)
    app()


if __name__ == "__main__":
    main()
