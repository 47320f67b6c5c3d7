"""paymaster render."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from annotated_types import Interval
from rich.console import Console

from paymaster.commands.options import GamesSeed, expanded, with_map
from paymaster.terminal.printing import say
from paymaster.training.config import TaskParameters

__all__ = ["Render"]


@dataclass(frozen=True)
class Render:
    """Draw an episode: a film (.gif, or .mp4 with imageio-ffmpeg), or with --step or a .png one picture of it.

    Shows the world, who the followers are, what each is offered and answers, the episode on a time line, payments and
    gain so far, and a trained leader's attention. A legend explains the signs. The games are those of `paymaster
    evaluate` with the same seed. The parameters of the task are options, too: paymaster render DIR --help, or with
    --task TASK, lists them.

    Attributes:
        leader: a scripted leader's name, module:Class of one of your own, or run directory of a trained leader.
        task: its name, or a file that defines it; by default a trained leader's own.
        out: file to write; by default TASK-LEADER-seedS.gif, or .png with --step.
        step: draw one picture, after this many steps; what comes later is faded. By default, in a .png, the last.
        episodes: to play, one after the other.
        seed: of the games and the leader's draws.
        greedy: a trained leader's most likely offers instead of draws. Only for a trained leader.
        fps: steps a second of a film, 4 unless given.
        width: of the picture, in pixels.
        parameters: of the task, in place of its own, or of the training run's.
    """

    leader: tyro.conf.Positional[str]
    task: str | None = None
    out: Path | None = None
    step: Annotated[int, Interval(ge=0, le=10_000)] | None = None
    episodes: Annotated[int, Interval(ge=1, le=1_000)] = 1
    seed: GamesSeed = 0
    greedy: bool = False
    fps: Annotated[float, Interval(ge=0.1, le=60)] | None = None
    width: Annotated[int, Interval(ge=320, le=4_096)] = 1280
    parameters: Annotated[TaskParameters, tyro.conf.arg(name="")] = field(default_factory=dict)

    def run(self, console: Console) -> None:
        """Plays, draws and writes."""
        from paymaster.analysis.render import open_leader, render

        ending = "gif" if self.step is None else "png"
        suffix = f".{ending}" if self.out is None else self.out.suffix.lower()
        if self.fps is not None and suffix == ".png":
            raise ValueError(f"fps: expected it only for a film, got {self.fps:g} for a picture")
        parameters = with_map(self.parameters)
        chosen = expanded(self.leader)
        env, leader, title = open_leader(chosen, self.task, self.seed, greedy=self.greedy, parameters=parameters)
        name = Path(chosen).resolve().name.replace(":", "-")  # of one's own, module:Class
        out = self.out or Path(f"{env.task}-{name}-seed{self.seed}.{ending}")
        fps = 4.0 if self.fps is None else self.fps
        played = render(env, leader, title, out, episodes=self.episodes, step=self.step, fps=fps, width=self.width)
        gains = ", ".join(f"{sum(step.reward for step in episode.record.steps):g}" for episode in played)
        say(console, f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB); gain {gains}")
