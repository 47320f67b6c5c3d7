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
        learning_rate: alpha, the share by which a value moves towards a target, at least: the n-th target of a value
            counts 1/n, so that the first few make their mean.
        gamma: discount of their own rewards; below 1, so that the nearer of two ways to the same reward is better.
        explore: epsilon: with this probability a decision is a uniform one, throughout training.
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
    """Values of all followers' answers, ``value`` float32 [P, S, A], 0 at first, and how many targets each has had.

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
        self.count: Tensor
        self.register_buffer("value", torch.zeros(shape))
        self.register_buffer("count", torch.zeros(shape))


class QActor:
    """What followers are at in the current episodes: the state in which each decided, and its answer, int64 [B, N]."""

    def __init__(self) -> None:
        self.state: Tensor | None = None
        self.answer: Tensor | None = None


class QFollowers:
    """A population's table and the two things done with it, as :class:`.FollowerActorCritic` has them.

    A follower's state is one number, which takes the place of its features: ``own`` [..., 1]. It decides when its state
    changes, and keeps to its answer until then: a goal is steps away, and steps on the way to it that were changed at
    random, or for a difference between values that is noise, would add up to never getting there. So this is Q-learning
    of a semi-Markov decision process (Bradtke & Duff 1994): a decision is worth the discounted rewards up to the next
    one, and the value of the best answer then.

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

    def actor(self) -> QActor:
        """Return what remembers the decisions of a batch of episodes."""
        return QActor()

    def act(
        self,
        seen: FollowerInput,
        actor: QActor | None = None,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> Tensor:
        """Return what each chooses, int64 [B, N]: the answer of the highest value, the first of several, or what it has
        decided before.

        Args:
            seen: the step.
            actor: from :meth:`actor`, of the episodes; None: all decide now.
            explore: epsilon.
            generator: the only source of randomness; not used without exploring.
            greedy: do not explore.
        """
        state = seen.own[..., 0].long()
        answer: Tensor = self.network.value[seen.identity, state].argmax(-1)
        if not greedy and explore > 0.0:
            uniform = torch.rand(answer.shape, generator=generator, dtype=torch.float32)
            other = torch.randint(self.network.config.choices, answer.shape, generator=generator)
            answer = torch.where(uniform < explore, other, answer)
        if actor is not None:
            if actor.state is not None and actor.answer is not None:
                answer = torch.where(state == actor.state, actor.answer, answer)
            actor.state, actor.answer = state, answer
        return answer

    @usual_torch()
    @torch.no_grad()
    def update(self, episodes: FollowerEpisodes) -> dict[str, float]:
        """Learn from a batch of whole episodes, each follower from its own rewards.

        The decisions are taken from the last to the first, so that a reward reaches all before it in one update. A
        value with n targets at once moves towards their mean as far as it would by n single moves of alpha; or by n of
        all targets that it has had, where that is farther.

        Returns:
            ``follower_td_error``: mean distance of the values from their targets before they moved.
        """
        alpha, gamma = self.config.learning_rate, self.config.gamma
        sizes, value = self.network.config, self.network.value.view(-1, self.network.config.choices)
        flat, count = value.view(-1), self.network.count.view(-1)
        row = episodes.identity * sizes.states + episodes.own[..., 0].long()  # [T, B, N]
        decides = torch.ones_like(episodes.acts)
        decides[1:] = row[1:] != row[:-1]
        visits, error = torch.zeros(2, flat.numel()), torch.zeros(2)
        following = torch.zeros(row.shape[1:])  # what a step is worth to the one before it
        for step in reversed(range(len(row))):
            acts = episodes.acts[step]
            worth = torch.where(acts, episodes.reward[step] + gamma * following, 0.0)
            deciding = acts & decides[step]
            target, entry = worth[deciding], (row[step] * sizes.choices + episodes.action[step])[deciding]
            visits.zero_()
            visits[0].index_add_(0, entry, torch.ones_like(target))
            visits[1].index_add_(0, entry, target)
            error += torch.stack(((target - flat[entry]).abs().sum(), deciding.sum()))
            self.ranks.add_up([visits])
            new, total = visits
            count += new
            share = torch.maximum(1 - (1 - alpha) ** new, new / count.clamp(min=1))
            flat += share * (total / new.clamp(min=1) - flat)
            following = torch.where(deciding, value[row[step]].max(-1).values, worth)
        self.ranks.add_up([error])
        return {"follower_td_error": float(error[0] / error[1].clamp(min=1))}

    def twin(self) -> QFollowers:
        """Return others with a table that holds the same."""
        made = QFollowers(self.network.config, self.config)
        made.network.load_state_dict(self.network.state_dict())
        return made

    def modules(self) -> dict[str, nn.Module]:
        """The table, under the name checkpoints store it by."""
        return {"followers": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """None: what it needs to continue is in the table."""
        return {}
