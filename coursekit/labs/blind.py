"""A blind trial: maps without names, one choice for each, the tally with its interval, and only then the names."""

import html
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import ipywidgets as widgets

from coursekit.arguments import check_count, is_whole, shown
from coursekit.errors import OptionError
from coursekit.explorers.explorer import Explorer
from coursekit.figures.charts import show_dots
from coursekit.figures.figure import Picture


class Trial(NamedTuple):
    """One picture without names, and what is to be chosen: `choices[answer]` is right.

    `group` says what is compared, such as a method, and `names` what was to be seen; both stay hidden to the end.
    """

    draw: Callable[[], Picture]
    choices: Sequence[str]
    answer: int
    group: str
    names: str = ""


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share: (low, high), 95 % for z = 1.96; it is not empty at 0 of n or n of n.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n) with p = hits / n (Wilson 1927).

    Raises OptionError.

    >>> [round(end, 2) for end in wilson(10, 10)]
    [0.72, 1.0]
    """
    check_count("n", n)
    if not is_whole(hits) or hits > n:
        raise OptionError(f"hits must be a whole number from 0 to n = {n}, but is {shown(hits)}.")
    if isinstance(z, bool) or not isinstance(z, int | float) or not 0 < z < math.inf:
        raise OptionError(f"z must be a positive number, but is {shown(z)}.")
    share, spread = hits / n, z * z / n
    middle, half = share + spread / 2, math.sqrt(spread * (share * (1 - share) + spread / 4))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


class BlindTrial(Explorer):
    """One trial after the other, a button for each choice; after the last one the tally and the names; see `tally`."""

    def __init__(self, trials: Sequence[Trial], question: str):
        self.trials, self.question = list(trials), question
        self.given: list[int] = []  # the choices so far
        super().__init__(self._picture)
        self.buttons = [widgets.Button() for _ in range(max(len(trial.choices) for trial in self.trials))]
        self.again = widgets.Button(description="start again")
        for i, button in enumerate(self.buttons):
            button.on_click(lambda _, i=i: self.choose(i))
        self.again.on_click(lambda _: self.restart())
        self.box.children = [self.message, widgets.HBox([*self.buttons, self.again]), self.image]
        self.box.add_class("coursekit-blind")
        self._tell()

    def choose(self, choice: int) -> None:
        """Give the answer to the trial that is shown, as its button does: 0 is the first choice."""
        if len(self.given) == len(self.trials):
            raise OptionError("All trials are answered; restart() begins again.")
        choices = self.trials[len(self.given)].choices
        if not is_whole(choice) or choice >= len(choices):
            raise OptionError(f"Choose one of 0 to {len(choices) - 1}, {', '.join(choices)}, not {shown(choice)}.")
        self.given.append(choice)
        self._next()

    def restart(self) -> None:
        """Forget all answers."""
        self.given.clear()
        self._next()

    def _next(self) -> None:
        self.message.value = "computing …"
        if self._show(self._values()):  # else the message says why the picture could not be drawn
            self._tell()

    def tally(self) -> dict[str, tuple[int, int, float, float]]:
        """Count the answers so far: group -> (hits, trials, and the two ends of Wilson's 95 % interval)."""
        found: dict[str, list[bool]] = {}
        for trial, choice in zip(self.trials, self.given, strict=False):
            found.setdefault(trial.group, []).append(choice == trial.answer)
        return {group: (sum(hits), len(hits), *wilson(sum(hits), len(hits))) for group, hits in found.items()}

    def _values(self) -> dict:
        return {"given": len(self.given)}  # what a new picture depends on, though there is no control

    def _picture(self, given: int) -> Picture:
        if given < len(self.trials):
            return self.trials[given].draw()
        shares = {group: (hits / n, low, high) for group, (hits, n, low, high) in self.tally().items()}
        chance = sum(1 / len(trial.choices) for trial in self.trials) / len(self.trials)
        shares["chance"] = (chance, chance, chance)
        panels = {"your hits": dict(sorted(shares.items(), key=lambda item: -item[1][0]))}
        return show_dots(
            panels, grey=["chance"], line="chance", xlabel="share", interval="Wilson's 95 % interval", limits=(0, 1.02)
        )

    def _tell(self) -> None:
        """Write the question, or at the end the tally and the names; and label the buttons."""
        number, count = len(self.given), len(self.trials)
        choices = [] if number == count else self.trials[number].choices
        for i, button in enumerate(self.buttons):
            button.description, button.disabled = (choices[i], False) if i < len(choices) else ("", True)
        if number < count:
            self.message.value = f"<b>Trial {number + 1} of {count}.</b> {html.escape(self.question)}"
            return
        lines = [
            f"{html.escape(group)}: {hits} of {n} right, {low:.2f} to {high:.2f}"
            for group, (hits, n, low, high) in self.tally().items()
        ]
        names = [
            f"{i}. {html.escape(trial.names or trial.group)}: {html.escape(trial.choices[trial.answer])}, "
            f"{'✓' if choice == trial.answer else '✗'}"
            for i, (trial, choice) in enumerate(zip(self.trials, self.given, strict=True), 1)
        ]
        self.message.value = f"<b>{'<br>'.join(lines)}</b><br>The right answers: {'; '.join(names)}"

    def __repr__(self) -> str:
        if not self.given:
            return f"<BlindTrial: {len(self.trials)} trials>"
        told = ", ".join(
            f"{group} {hits} of {n} [{low:.2f}, {high:.2f}]" for group, (hits, n, low, high) in self.tally().items()
        )
        return f"<BlindTrial: {len(self.given)} of {len(self.trials)} answered; {told}>"


def blind_trial(trials: Sequence[Trial], question: str) -> BlindTrial:
    """Ask about pictures without names: one choice for each, then the tally by group with its interval, then the names.

    Without a browser the first trial stands there as a still; `choose` answers as the buttons do.

    Parameters
    ----------
    trials : in the order in which they are shown; mix it by a seed, so that nothing can be guessed from it.
    question : what is asked each time.

    Raises
    ------
    OptionError

    References
    ----------
    Selvaraju et al., *Grad-CAM*, ICCV 2017, sec. 5.1 and 5.2, fig. 5; Borowski et al., *Exemplary natural images
    explain CNN activations better than state-of-the-art feature visualization*, ICLR 2021, who ask people in this way.

    Examples
    --------
    >>> import torch
    >>> import coursekit as ck
    >>> trial = ck.Trial(lambda: ck.show_images(torch.rand(1, 3, 8, 8)), ("left", "right"), 1, "Grad-CAM")
    >>> game = ck.blind_trial([trial], "Which one?")
    >>> game.choose(1)
    >>> game.tally()["Grad-CAM"][:2]
    (1, 1)
    """
    if not isinstance(question, str) or not isinstance(trials, Sequence) or not trials:
        raise OptionError("A blind trial needs at least one ck.Trial, and a question in words.")
    for trial in trials:
        if not isinstance(trial, Trial) or not callable(trial.draw) or len(trial.choices) < 2:
            raise OptionError(f"Each trial must be a ck.Trial with two choices or more, but one is {shown(trial)}.")
        if not is_whole(trial.answer) or trial.answer >= len(trial.choices):
            raise OptionError(f"answer must be a place in the {len(trial.choices)} choices, not {shown(trial.answer)}.")
    return BlindTrial(trials, question)
