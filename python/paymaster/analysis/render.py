"""Films and pictures of a leader's episodes, as ``paymaster render`` makes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paymaster.analysis.open_run import RunLeader, is_scripted, open_run
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.play.recorded_episode import RecordedEpisode, record_episode
from paymaster.rendering.film import write_film
from paymaster.scripted import Leader, make_scripted
from paymaster.training.seeds import evaluation_seed
from paymaster.training.setup import make_games

__all__ = ["open_leader", "render"]

_PAUSE = 2.0  # seconds that a film rests on the end of an episode


def open_leader(
    leader: str,
    task: str | None = None,
    seed: int = 0,
    *,
    greedy: bool = False,
    parameters: dict[str, Any] | None = None,
) -> tuple[LeaderVectorEnv, Leader, str]:
    """A game that training did not see, the first of the evaluation with that seed; its leader; a title.

    Args:
        leader: run directory of a trained leader, or a scripted leader's name.
        task: name of a preset; by default a trained leader's own.
        seed: of the game and the leader's draws.
        greedy: a trained leader's most likely offers instead of draws. Only for a trained leader.
        parameters: departures from the task's preset, or from the training run's.

    Raises:
        ValueError: an unknown leader, task or option, a scripted leader without a task or with ``greedy``, a run that
            cannot be read.
    """
    player: Leader
    if is_scripted(leader, task, greedy=greedy):
        assert task is not None  # is_scripted saw to it
        player = make_scripted(leader, seed)
        env = make_games(task, 1, evaluation_seed(seed), 1, **(parameters or {}))
        name = leader.replace("_", " ")
    else:
        env, algorithm = open_run(Path(leader), 1, evaluation_seed(seed), task=task, parameters=parameters)
        generator = torch.Generator(algorithm.device).manual_seed(evaluation_seed(seed))
        player, name = RunLeader(algorithm, generator, greedy=greedy), Path(leader).resolve().name
    return env, player, f"{env.task.replace('_', ' ')}   |   leader: {name}"


def render(
    env: LeaderVectorEnv,
    leader: Leader,
    title: str,
    out: Path,
    *,
    episodes: int = 1,
    step: int | None = None,
    fps: float = 4.0,
    width: int = 1280,
) -> list[RecordedEpisode]:
    """Plays and writes a film (.gif, .mp4), or a picture (.png) after ``step`` steps, by default the last.

    Returns:
        the episodes in it.

    Raises:
        ValueError: fewer than one episode, several in a picture, a step with a film or beyond the episode's last; and
            as :func:`paymaster.rendering.write_film`. OSError: the file cannot be written.
    """
    still = out.suffix.lower() == ".png"
    if episodes < 1:
        raise ValueError(f"episodes: expected at least 1, got {episodes}")
    if still and episodes != 1:
        raise ValueError(f"episodes: expected 1 for a .png, got {episodes}")
    if step is not None and not still:
        raise ValueError(f"step: expected --out FILE.png with a single step, got {out.name!r:.80}")
    if not out.parent.is_dir():
        raise ValueError(f"out: expected a file in a directory that exists, got {str(out)!r}")
    played: list[RecordedEpisode] = []
    if still:
        played.append(record_episode(env, leader, title))
        last = len(played[0].states) - 1
        write_film([played[0].frame(last if step is None else step, width=width, show_future=True)], out)
        return played

    def frames() -> Iterator[NDArray[np.uint8]]:
        for number in range(episodes):
            name = title if episodes == 1 else f"{title}   |   episode {number + 1} of {episodes}"
            played.append(record_episode(env, leader, name))
            frame = None
            for frame in played[-1].frames(width=width):
                yield frame
            assert frame is not None
            yield from repeat(frame, round(_PAUSE * fps))

    write_film(frames(), out, fps)
    return played
