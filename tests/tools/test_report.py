"""What is printed at the end of `make test`, and the pictures for the README."""

import time

import pytest

import report
from gallery import write_gallery
from notebooks import update

NBVAL = """<testsuites><testsuite>
<testcase classname="notebooks.03_occlusion.ipynb" name="Cell 0" time="1.5"/>
<testcase classname="notebooks.03_occlusion.ipynb" name="Cell 1" time="100"/>
<testcase classname="notebooks.04_saliency.ipynb" name="Cell 0" time="2.25"/>
</testsuite></testsuites>"""
UNIT = '<testsuites><testsuite><testcase classname="tests.a" name="b" time="1">{}</testcase></testsuite></testsuites>'


@pytest.mark.parametrize(("inside", "failed"), [("", 0), ("<failure/>", 1), ("<error/>", 1)])
def test_the_report_adds_up_and_a_failure_fails_it(tmp_path, capsys, inside, failed):
    (tmp_path / "nbval.xml").write_text(NBVAL)
    (tmp_path / "unit.xml").write_text(UNIT.format(inside))
    (tmp_path / "started").write_text(str(int(time.time()) - 60))
    assert report.main(tmp_path) == failed
    *labs, last = capsys.readouterr().out.splitlines()
    assert labs[1].split() == ["03_occlusion", "101.5", "over", "the", "limit", "of", "90"]
    assert labs[2].split() == ["04_saliency", "2.2"]
    assert last.startswith(f"===== {4 - failed} passed, {failed} failed in 6")


def test_the_gallery_takes_the_tagged_picture_and_its_words(lesson):
    text = lesson.read_text("utf8").replace('# %% id="figure"', '# %% id="figure" tags=["gallery"]')
    lesson.write_text(text, "utf8")
    update(lesson)
    root = lesson.parent.parent
    assert write_gallery(root, root / "gallery") == ["![A grey field.](gallery/99_scratch.png)"]
    assert (root / "gallery" / "99_scratch.png").read_bytes().startswith(b"\x89PNG")
