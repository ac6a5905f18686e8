"""What `tests/helpers/stress.py` must see: it is run by hand on whole labs, and here on a small one."""

import stress
from scratch import LESSON, make_course

PLACE = '# %% [markdown] id="exercise"'
COUNTS = '# %% id="counts"\ntry:\n    count += 1\nexcept NameError:\n    count = 1\nprint(count)\n\n'
SAVES = '# %% id="saves"\nopen("here.txt", "w").close()\n\n'
HOME = '# %% id="home"\nfrom pathlib import Path\n(Path.home() / "x").touch()\n\n'
LETTERS = '# %% id="letters"\nimport locale, os\nprint(locale.getpreferredencoding(False), os.getcwd())\n\n'
LIVE = '# %% id="live"\ndisplay(widgets.IntSlider())\n\n'


def lab(folder, *cells):
    assert PLACE in LESSON
    return make_course(folder, LESSON.replace(PLACE, "".join(cells) + PLACE))


def test_a_lab_that_can_be_run_anywhere_passes(tmp_path):
    lesson = lab(tmp_path, LETTERS)
    for run in (stress.twice(lesson), stress.elsewhere(lesson), *stress.together([lesson, lesson])):
        assert run.failed == [] and run.seconds > 0 and 2e7 < run.peak < 2e9, run


def test_a_cell_that_says_something_else_the_second_time_is_named_and_a_widget_without_a_picture(tmp_path):
    failed = stress.twice(lab(tmp_path, COUNTS, LIVE)).failed
    widget = "live: a widget without a still picture"
    assert failed == [widget, widget, "counts: at first '1\\n', then '2\\n'"]


def test_a_cell_that_writes_into_the_folder_or_the_home_is_named(tmp_path):
    failed = stress.elsewhere(lab(tmp_path, SAVES, HOME)).failed
    assert [line.split(":")[:2] for line in failed] == [["saves", " PermissionError"], ["home", " PermissionError"]]
