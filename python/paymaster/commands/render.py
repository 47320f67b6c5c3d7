"""paymaster render."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from paymaster.commands.options import with_map
from paymaster.experiments.config import TaskConfig

__all__ = ["Render"]


@dataclass(frozen=True)
class Render:
    """Draw an episode: a film (.gif, or .mp4 with imageio-ffmpeg), or with --step or a .png one picture of it.

    Shows the world, who the followers are, what each is offered and answers, the episode on a time line, payments and
    gain so far, and a trained leader's attention. A legend explains the signs. The games are those of `paymaster
    evaluate` with the same seed.

    Attributes:
        leader: run directory of a trained leader, or one of random, fixed, preference, full_information.
        task: name of a preset; by default a trained leader's own.
        out: file to write; by default TASK-LEADER-seedS.gif, or .png with --step.
        step: draw one picture, after this many steps; what comes later is faded. By default, in a .png, the last.
        episodes: to play, one after the other.
        seed: of the games and the leader's draws.
        greedy: a trained leader's most likely offers instead of draws. Only for a trained leader.
        fps: steps a second.
        width: of the picture, in pixels.
        options: departures from the task's preset, or from the training run's.
    """

    leader: tyro.conf.Positional[str]
    task: str | None = None
    out: Path | None = None
    step: int | None = None
    episodes: int = 1
    seed: int = 0
    greedy: bool = False
    fps: float = 4.0
    width: int = 1280
    options: Annotated[TaskConfig, tyro.conf.arg(name="")] = field(default_factory=TaskConfig)

    def run(self, console: Console) -> None:
        """Plays, draws and writes."""
        from paymaster.experiments.render import open_leader, render

        options = with_map(self.options).options()
        env, leader, title = open_leader(self.leader, self.task, self.seed, greedy=self.greedy, options=options)
        ending = "gif" if self.step is None else "png"
        out = self.out or Path(f"{env.task}-{Path(self.leader).resolve().name}-seed{self.seed}.{ending}")
        played = render(env, leader, title, out, episodes=self.episodes, step=self.step, fps=self.fps, width=self.width)
        gains = ", ".join(f"{sum(step.reward for step in episode.record.steps):g}" for episode in played)
        console.print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB); gain {gains}", highlight=False)
