"""What pyproject.toml cannot say: a wheel carries data/ and the sheets of gallery/ inside the package.

An editable install (`pip install -e .`) copies nothing; `coursekit/files.py` finds both beside the package there.
"""

from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree

from setuptools import setup
from setuptools.command.build_py import build_py


class WithData(build_py):
    """Copy the modules, and then what they read."""

    def run(self) -> None:
        """Build the package as it is here now: nothing of an earlier build stays."""
        rmtree(Path(self.build_lib, "coursekit"), ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for folder, left_out in {"data": (), "gallery": ("[!fp]*",)}.items():
                copytree(folder, Path(self.build_lib, "coursekit", folder), ignore=ignore_patterns(*left_out))


setup(cmdclass={"build_py": WithData})
