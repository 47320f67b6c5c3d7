"""Followers that learn by tabular Q-learning (Watkins 1989): a table each, for a whole population at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor, nn

from paymaster.algorithms.followers import FollowerEpisodes, FollowerInput
from paymaster.algorithms.process_group import SINGLE_PROCESS, Ranks
from paymaster.networks.torch_defaults import usual_torch
from paymaster.validation.quantities import Share
from paymaster.validation.ranges import check_fields

__all__ = ["QFollowers", "QLearning", "QSizes", "QTable"]

_MOST_ENTRIES = 2**26  # of a table, 256 MiB


@dataclass(frozen=True)
class QLearning:
    """How followers learn by Q-learning.

    Attributes:
        learning_rate: alpha, the share by which a value moves towards a target.
        gamma: discount of their own rewards; below 1, so that the nearer of two ways to the same reward is better.
        explore: epsilon: with this probability an answer is a uniform one, throughout training.
    """

    learning_rate: Annotated[float, Interval(gt=0, le=1)] = 0.1
    gamma: Share = 0.95
    explore: Share = 0.1

    def validate(self) -> None:
        """Raises ValueError naming the first field that makes no sense, what was expected and what came."""
        check_fields(self)


@dataclass(frozen=True)
class QSizes:
    """Sizes of the table.

    Attributes:
        population: P, followers.
        states: S, states that a follower tells apart.
        choices: A, answers.
    """

    population: int
    states: int
    choices: int


class QTable(nn.Module):
    """Values of all followers' answers, ``value`` float32 [P, S, A], 0 at first.

    Args:
        config: its sizes.

    Raises:
        ValueError: more than 2^26 entries.
    """

    def __init__(self, config: QSizes) -> None:
        super().__init__()
        self.config = config
        shape = (config.population, config.states, config.choices)
        entries = config.population * config.states * config.choices
        if entries > _MOST_ENTRIES:
            raise ValueError(f"followers: expected a table of at most {_MOST_ENTRIES} values for 'q', got {shape}")
        self.value: Tensor
        self.register_buffer("value", torch.zeros(shape))


class QFollowers:
    """A population's table and the two things done with it, as :class:`.FollowerActorCritic` has them.

    A follower's state is one number, which takes the place of its features: ``own`` [..., 1].

    Args:
        network: sizes.
        config: how they learn.
        device: unused; the table lies on the CPU, where it is as fast and its sums are always added up in one order.
        seed: unused: all values are 0 at first.

    Attributes:
        ranks: with whom they learn, each from games of its own: every mean is over all of theirs.
    """

    device = torch.device("cpu")

    def __init__(
        self, network: QSizes, config: QLearning | None = None, device: torch.device | str = "cpu", seed: int = 0
    ) -> None:
        self.config = QLearning() if config is None else config
        self.config.validate()
        self.ranks: Ranks = SINGLE_PROCESS
        self.network = QTable(network)

    def actor(self) -> None:
        """Return nothing: the table is read as it is."""

    def act(
        self,
        seen: FollowerInput,
        actor: None = None,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> Tensor:
        """Return what each chooses, int64 [B, N]: the answer of the highest value, the first of several.

        Args:
            seen: the step.
            actor: unused.
            explore: epsilon.
            generator: the only source of randomness; not used without exploring.
            greedy: do not explore.
        """
        best: Tensor = self.network.value[seen.identity, seen.own[..., 0].long()].argmax(-1)
        if greedy or explore == 0.0:
            return best
        uniform = torch.rand(best.shape, generator=generator, dtype=torch.float32)
        other = torch.randint(self.network.config.choices, best.shape, generator=generator)
        return torch.where(uniform < explore, other, best)

    @usual_torch()
    @torch.no_grad()
    def update(self, episodes: FollowerEpisodes) -> dict[str, float]:
        """Learn from a batch of whole episodes, each follower from its own rewards.

        The steps are taken from the last to the first, so that a reward reaches all steps before it in one update. A
        value that n steps have visited at once moves by 1 - (1 - alpha)^n towards the mean of their targets
        r + gamma max Q: as far as n single steps would move it.

        Returns:
            ``follower_td_error``: mean distance of the values from their targets before they moved.
        """
        alpha, gamma = self.config.learning_rate, self.config.gamma
        sizes, value = self.network.config, self.network.value.view(-1, self.network.config.choices)
        row = episodes.identity * sizes.states + episodes.own[..., 0].long()  # [T, B, N]
        visits = torch.zeros(2, value.numel())
        error = torch.zeros(2)
        following = torch.zeros(row.shape[1:])
        for step in reversed(range(len(row))):
            acts = episodes.acts[step]
            target = (episodes.reward[step] + gamma * following)[acts]
            entry = (row[step] * sizes.choices + episodes.action[step])[acts]
            visits.zero_()
            visits[0].index_add_(0, entry, torch.ones_like(target))
            visits[1].index_add_(0, entry, target)
            self.ranks.add_up([visits])
            flat = value.view(-1)
            error += torch.stack(((target - flat[entry]).abs().sum(), acts.sum()))
            count, total = visits
            flat += (1 - (1 - alpha) ** count) * (total / count.clamp(min=1) - flat)
            following = torch.where(acts, value[row[step]].max(-1).values, 0.0)
        self.ranks.add_up([error])
        return {"follower_td_error": float(error[0] / error[1].clamp(min=1))}

    def twin(self) -> QFollowers:
        """Return others with the same table."""
        made = QFollowers(self.network.config, self.config)
        made.network.load_state_dict(self.network.state_dict())
        return made

    def modules(self) -> dict[str, nn.Module]:
        """The table, under the name checkpoints store it by."""
        return {"followers": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """None: what it needs to continue is in the table."""
        return {}
