"""What is said when a training diverges: where, in what, and from where it could go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paymaster.storage.checkpoint import latest_checkpoint
from paymaster.training.config import TrainConfig
from paymaster.validation.finite import DivergenceError

__all__ = ["naming_divergence"]


@contextmanager
def naming_divergence(config: TrainConfig, out: Path, episode: int) -> Iterator[None]:
    """Names the run, the episode and the last good checkpoint in a DivergenceError of the block.

    Args:
        config: of the run.
        out: its directory.
        episode: episodes trained before it.
    """
    try:
        yield
    except DivergenceError as error:
        kept = "there is no checkpoint yet"
        with suppress(ValueError):
            kept = f"the last good checkpoint is kept: {latest_checkpoint(out)}"
        raise DivergenceError(
            f"training of seed {config.seed} in {out} diverged after episode {episode}: {error}; {kept}. --resume "
            "would diverge again: start a new run with other settings, such as a smaller --learner.learning-rate"
        ) from error
