"""What one batch of whole episodes looks like to a learner: time first, padded to the longest episode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Literal, NamedTuple, TypeAlias, get_origin, get_type_hints

import torch
from torch import Tensor

__all__ = ["Episodes"]

Kind: TypeAlias = Literal["bool", "int64", "a floating dtype"]


class Axes(NamedTuple):
    """What a tensor of episodes must be: its dtype, and a letter for each of its axes."""

    dtype: Kind
    letters: str


@dataclass(frozen=True)
class Episodes:
    """B episodes of at most T steps with N followers, G goal types and K bonus levels.

    An offer is a flat index: ``goal * K + bonus``; ``G * K`` is the offer "none" of a leader that may
    abstain. In a game with ``near_goals`` the leader sees C < G goal types of each follower, and offers count these:
    ``place * K + bonus``, ``C * K``; what a follower was offered has place 0 in the next step, so ``previous`` is not
    the ``offer`` before. -1 stands for "no offer yet" and occurs in ``previous`` at t = 0 only. Entries of steps that
    were not played (``valid`` false, always a suffix of the episode) mean nothing and must be finite.

    Attributes:
        follower: float [T, B, N, F], features of each follower and of the game as seen from it.
        goal: float [T, B, N, C, D], features of each goal type as seen from each follower.
        previous: int64 [T, B, N], omega_{t-1}.
        offer: int64 [T, B, N], omega_t.
        new_offer: bool [T, B, N], e^k_t is in A_T, the new actions (:mod:`paymaster.events`).
        expired: bool [T, B, N], omega_{t-1} had run its course (:class:`paymaster.algorithms.protocol.LeaderInput`).
        explored: bool [T, B, N], the offer's goal was set by agent-wise exploration, not by the policy.
        follower_action: int64 [T, B, N], the primitive action really played.
        committed: bool [T, B, N], the follower was committed to omega_t in this step.
        completed: int64 [T, B, N], goal type of the contract completed in this step, or -1.
        payment: float [T, B, N], bonus paid in this step, in units of reward.
        valid: bool [T, B], the step was played.
        goal_reward: float [G], w, what a completed contract is worth to the leader.
        price: float [K], what bonus level b costs.
        other: float [T, B, N], what the leader was rewarded beside w and payments for what each follower did; None with
            ``common``: nothing.
        common: float [T, B], the same for what all of them did.
        explore: the exploration rate under which the offers were drawn, in [0, 1].
    """

    follower: Annotated[Tensor, Axes("a floating dtype", "TBNF")]
    goal: Annotated[Tensor, Axes("a floating dtype", "TBNCD")]
    previous: Annotated[Tensor, Axes("int64", "TBN")]
    offer: Annotated[Tensor, Axes("int64", "TBN")]
    new_offer: Annotated[Tensor, Axes("bool", "TBN")]
    expired: Annotated[Tensor, Axes("bool", "TBN")]
    explored: Annotated[Tensor, Axes("bool", "TBN")]
    follower_action: Annotated[Tensor, Axes("int64", "TBN")]
    committed: Annotated[Tensor, Axes("bool", "TBN")]
    completed: Annotated[Tensor, Axes("int64", "TBN")]
    payment: Annotated[Tensor, Axes("a floating dtype", "TBN")]
    valid: Annotated[Tensor, Axes("bool", "TB")]
    goal_reward: Annotated[Tensor, Axes("a floating dtype", "G")]
    price: Annotated[Tensor, Axes("a floating dtype", "K")]
    other: Tensor | None = None
    common: Tensor | None = None
    explore: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError on a wrong shape or ``explore``, TypeError on a wrong dtype."""
        sizes: dict[str, int] = {}
        for name, (kind, letters) in _axes().items():
            value: Tensor = getattr(self, name)
            right = value.is_floating_point() if kind == "a floating dtype" else str(value.dtype) == f"torch.{kind}"
            if not right:
                raise TypeError(f"{name}: expected {kind}, got {value.dtype}")
            if value.dim() != len(letters):
                raise ValueError(f"{name}: expected shape [{', '.join(letters)}], got {list(value.shape)}")
            for letter, size in zip(letters, value.shape, strict=True):
                if sizes.setdefault(letter, size) != size:
                    raise ValueError(
                        f"{name}: expected {letter} = {sizes[letter]} as in the fields before it, "
                        f"got shape {list(value.shape)} for [{', '.join(letters)}]"
                    )
        for name, shape in (("other", self.payment.shape), ("common", self.valid.shape)):
            rewards: Tensor | None = getattr(self, name)
            if (rewards is None) != (self.other is None) or (rewards is not None and rewards.shape != shape):
                raise ValueError(f"{name}: expected shape {list(shape)}, or neither other nor common")
        if not 0.0 <= self.explore <= 1.0:
            raise ValueError(f"explore: expected a rate in [0, 1], got {self.explore}")

    @property
    def num_steps(self) -> int:
        """T, the length of the padded episodes."""
        return self.valid.shape[0]

    @property
    def num_games(self) -> int:
        """B, the number of episodes."""
        return self.valid.shape[1]

    @property
    def num_followers(self) -> int:
        """N, the number of followers in each episode."""
        return self.previous.shape[2]

    def after(self, opening: int) -> Episodes:
        """The episodes without their first ``opening`` steps, as if they began behind those: nothing is offered yet.

        Their tensors are parts of these; episodes that were over by then have no step at all.
        """
        if opening == 0:
            return self
        played = int(self.valid[opening:].any(1).sum())
        names = [name for name, axes in _axes().items() if axes.letters.startswith("T")]
        names += () if self.other is None else ("other", "common")
        rest = {name: getattr(self, name)[opening : opening + played] for name in names}
        for name, start in (("previous", -1), ("new_offer", True)):
            rest[name] = rest[name].clone()
            rest[name][:1] = start
        return replace(self, **rest)

    def to(self, device: torch.device | str) -> Episodes:
        """The same episodes on ``device``; tensors already there are shared, not copied."""
        wanted = torch.device(device)
        if all(getattr(self, name).device == wanted for name in _axes()):
            return self
        # Not `non_blocking`: numbers on their way from a GPU could be read before they have arrived.
        names = [*_axes(), *(() if self.other is None else ("other", "common"))]
        return replace(self, **{name: getattr(self, name).to(wanted) for name in names})


@cache
def _axes() -> dict[str, Axes]:
    hints = get_type_hints(Episodes, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if get_origin(hint) is Annotated}
