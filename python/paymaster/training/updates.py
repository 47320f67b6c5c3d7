"""What is learned from a batch of episodes: by the leader, and by followers that learn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.followers import FollowerEpisodes
from paymaster.algorithms.protocol import ForeseesFollowers
from paymaster.networks.torch_defaults import threads_of_torch
from paymaster.training.cores import available_cores
from paymaster.training.run_state import RunParts

__all__ = ["Updates"]


class Updates:
    """The updates of a run's parts, which know nothing of each other: on a second core, where there is one, the
    followers' beside the leader's. The numbers are the same on any number of cores.

    Use :meth:`of`.
    """

    def __init__(self, parts: RunParts, threads: int, beside: Executor | None) -> None:
        self._parts, self._threads, self._beside = parts, threads, beside

    @staticmethod
    @contextmanager
    def of(parts: RunParts, threads: int, cores: int | None = None) -> Iterator[Updates]:
        """Keep a thread for the followers while this lasts, if they have a core.

        Ranks exchange sums in one order, and kernels of one GPU wait for each other: there all is done in turn.

        Args:
            parts: leader and followers.
            threads: of torch, in an update.
            cores: for this process; None: all that the system lets it use.
        """
        on_cpu = all(learner.device.type == "cpu" for learner in parts.learners)
        cores = available_cores() if cores is None else cores
        if parts.followers is None or not on_cpu or parts.ranks.size > 1 or cores == 1:
            yield Updates(parts, threads, None)
            return
        with ThreadPoolExecutor(1, "followers") as beside:
            yield Updates(parts, threads, beside)

    def learn(self, episodes: Episodes, progress: float) -> dict[str, float]:
        """Learn from episodes, and from what followers have lived through in them; return the metrics of both.

        Args:
            episodes: of the leader.
            progress: share of the training that is behind it.
        """
        lived = None if self._parts.followers is None else self._parts.followers.lived()
        if (
            self._parts.followers is not None
            and lived is not None
            and isinstance(self._parts.leader, ForeseesFollowers)
        ):
            self._parts.leader.foresee(self._parts.followers.followers, lived)
        if self._beside is None:
            return self._of_leader(episodes, progress) | self._of_followers(lived)
        followers = self._beside.submit(self._of_followers, lived)
        try:
            metrics = self._of_leader(episodes, progress)
        finally:
            followers.exception()  # waits: nothing learns on after an error
        return metrics | followers.result()

    def _of_leader(self, episodes: Episodes, progress: float) -> dict[str, float]:
        with threads_of_torch(self._threads):
            return self._parts.leader.update(episodes, progress)

    def _of_followers(self, lived: FollowerEpisodes | None) -> dict[str, float]:
        learning = self._parts.followers
        if learning is None or lived is None:
            return {}
        with threads_of_torch(self._threads):
            return learning.followers.update(lived)
