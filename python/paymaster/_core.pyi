"""The C++ core. Not public: use paymaster.make_vec and friends, which check and document arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Rows = tuple[NDArray[np.int16], NDArray[np.float32]]
_Arrays = dict[str, NDArray[Any]]  # by field, [B, ...]

HISTORY_RATE: float  # of the moving averages
CRAFTING_RECIPES: dict[int, tuple[int, int]]
CRAFTING_STATIONS: dict[int, tuple[int, int]]
DEFAULT_MAP: str
MAX_FOLLOWERS: int
MAX_GOALS: int
MAX_RESERVATION: float
GOAL_FEATURES_NOW: int  # of the D features of a goal type, the first so many are of this step

def tasks() -> list[dict[str, Any]]: ...
def has_task(name: object) -> bool: ...
def task(name: str) -> dict[str, Any]: ...  # one of tasks()
def world(task: str) -> str: ...  # that plays it
def parameters(
    task: str,
) -> list[tuple[str, Any, str, Any, Any, tuple[str, ...], bool]]: ...  # as TaskParameter has them
def check_parameters(
    task: str, parameters: Mapping[str, Any], population: tuple[Any, ...] | None = None
) -> None: ...  # raises what making a batch of them would
def add_preset(name: str, meaning: str, task: str, parameters: Mapping[str, Any]) -> None: ...
def core_functions(module: str, interface: str, layout: str) -> object: ...  # a capsule
def assign(value: NDArray[np.float64], capacity: NDArray[np.int32]) -> NDArray[np.int32]: ...
def extract_events(
    actions: NDArray[np.integer], lengths: NDArray[np.int32], num_goals: int | None
) -> tuple[
    NDArray[np.bool_],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
]: ...
def recur_forward(
    batch_sizes: Sequence[int],
    x: NDArray[Any],
    start: NDArray[Any],
    weight: NDArray[Any],
    bias: NDArray[Any],
    gates: NDArray[Any],
    proposed: NDArray[Any],
    states: NDArray[Any],
) -> None: ...
def recur_backward(
    batch_sizes: Sequence[int],
    grad: NDArray[Any],
    start: NDArray[Any],
    weight: NDArray[Any],
    gates: NDArray[Any],
    proposed: NDArray[Any],
    states: NDArray[Any],
    from_x: NDArray[Any],
    from_h: NDArray[Any],
    before: NDArray[Any],
    from_start: NDArray[Any],
) -> None: ...
def remove_task(name: str) -> None: ...
def add_world(
    task: str,
    meaning: str,
    name: str,
    max_followers: int,
    max_goals: int,
    num_actions: int,
    most_available: int,
    parameters: Sequence[tuple[str, str, bool | int | float | str, float, float]],  # name, meaning, default, low, high
    preset: Mapping[str, Any],
    make: Callable[[WorldGames, dict[str, Any]], object],  # of methods reset, end, look, plan, move, restored
    features: Callable[[dict[str, Any]], Sequence[tuple[str, bool, bool, tuple[int, ...], float]]],
) -> None: ...

class WorldGames:
    """What the core and the rules of a world in Python tell each other about B games."""

    @property
    def views(self) -> _Arrays: ...
    @property
    def shows_routes(self) -> bool: ...
    def put_distance(
        self, method: str, came: object
    ) -> None: ...  # what a method returned; WorldError if no such array
    def put_available(self, method: str, came: object) -> None: ...
    def put_exhausted(self, method: str, came: object) -> None: ...
    def put_action(self, method: str, came: object) -> None: ...
    def put_reached(self, method: str, came: object) -> None: ...
    def put_rewards(self, method: str, follower: object, leader: object) -> None: ...
    def put_route(self, method: str, goal: int, came: object) -> None: ...
    def add_array(self, name: str, array: NDArray[Any], meaning: str, low: float, high: float, shown: bool) -> None: ...
    def below(self, start: bool, n: int, count: int) -> NDArray[np.int64]: ...
    def unit(self, start: bool, count: int) -> NDArray[np.float64]: ...

class CallGuard:
    """One thread at a time: ``with guard("step"):`` raises RuntimeError while another thread is inside."""

    def __init__(self) -> None: ...
    def __call__(self, name: str) -> Call: ...

class Call:
    def __init__(self, guard: CallGuard, name: str) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...

class Field:
    """A named array: its shape in one game, NumPy's name of its dtype, the values it may hold, both ends included."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def meaning(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...

class Batch:
    def __init__(
        self,
        task: str,
        parameters: dict[str, Any],
        num_envs: int,
        seed: int,
        first_index: int,
        num_threads: int,
        autoreset: str,
        population: tuple[NDArray[Any] | None, ...] | None,
        copy: bool,
    ) -> None: ...
    def reset(self, seeds: Sequence[int] | None, mask: NDArray[np.bool_] | None) -> _Rows: ...
    def step(self, actions: NDArray[Any]) -> tuple[_Rows, _Arrays, _Arrays, _Rows]: ...  # results, totals; last: final
    def offer(self, actions: NDArray[Any]) -> _Arrays: ...  # what followers know
    def act(self, actions: NDArray[Any]) -> tuple[_Rows, _Arrays, _Arrays, _Rows]: ...  # as step
    def observe(self) -> _Rows: ...
    def get_state(self, names: Sequence[str]) -> dict[str, NDArray[Any]]: ...
    def set_state(self, arrays: Mapping[str, Any]) -> None: ...
    def replace_followers(self, identities: list[int], seed: int) -> None: ...
    def snapshot(self) -> bytes: ...
    def restore(self, snapshot: bytes) -> None: ...
    def set_statistics(self, arrays: Mapping[str, NDArray[Any]]) -> None: ...
    def clear_statistics(self) -> None: ...
    frozen: bool
    @property
    def guard(self) -> CallGuard: ...
    @property
    def observation_fields(self) -> list[Field]: ...
    @property
    def state_fields(self) -> list[Field]: ...
    @property
    def result_fields(self) -> list[Field]: ...
    @property
    def total_fields(self) -> list[Field]: ...
    @property
    def follower_fields(self) -> list[Field]: ...
    @property
    def parameters(self) -> dict[str, Any]: ...
    @property
    def goal_reward(self) -> NDArray[np.float32]: ...
    @property
    def prices(self) -> NDArray[np.float32]: ...
    @property
    def num_threads(self) -> int: ...
    @property
    def num_actions(self) -> int: ...  # primitive
    @property
    def choices(self) -> int: ...
    @property
    def bytes_per_game(self) -> int: ...
    @property
    def population(self) -> tuple[NDArray[Any] | None, ...]: ...  # the last three may be None
    @property
    def statistics(self) -> dict[str, NDArray[Any]]: ...

class FeatureEncoder:
    """Of a batch's observations. Outputs: follower float32[B, N, F], goal float32[B, N, C, D], expired bool[B, N]."""

    def __init__(self, batch: Batch, all_goals: bool = False) -> None: ...
    @property
    def candidates(self) -> int: ...
    @property
    def follower_features(self) -> int: ...
    @property
    def goal_features(self) -> int: ...
    @property
    def earlier_features(self) -> int: ...
    def encode(self, observation: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    def encode_into(
        self,
        observation: Mapping[str, NDArray[Any]],
        follower: NDArray[np.float32],
        goal: NDArray[np.float32],
        expired: NDArray[np.bool_],
    ) -> None: ...

class PlaneEncoder:
    """Of a batch's observations as planes. Outputs: follower float32[B, N, F], expired bool[B, N]."""

    def __init__(self, batch: Batch, see_others: bool = False) -> None: ...
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def cell_planes(self) -> int: ...
    @property
    def constant_planes(self) -> int: ...
    @property
    def follower_features(self) -> int: ...
    def encode_into(
        self, observation: Mapping[str, NDArray[Any]], follower: NDArray[np.float32], expired: NDArray[np.bool_]
    ) -> None: ...
    def planes(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]: ...

class ActingPlanes:
    """A step of a leader on planes, with its weights by name as [inputs, outputs]."""

    def __init__(self, arrays: dict[str, NDArray[Any]], sizes: dict[str, int]) -> None: ...
    def decide(
        self, follower: NDArray[np.float32], state: NDArray[np.float32], previous: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.float32]] | None: ...
    def follow(self, offer: NDArray[np.int64], state: NDArray[np.float32], first: bool) -> NDArray[np.float32]: ...

def rms_step(
    parameter: NDArray[np.float32],
    gradient: NDArray[np.float32],
    square: NDArray[np.float32],
    rate: float,
    alpha: float,
    epsilon: float,
) -> None: ...
def absolute_sum(values: NDArray[np.float32]) -> float: ...
def record_performance(
    batch: Batch, observation: Mapping[str, NDArray[Any]], arrays: dict[str, NDArray[Any]]
) -> None: ...

class FollowerEncoder:
    """Turns what a batch's followers see into features."""

    def __init__(self, batch: Batch, all_goals: bool = False) -> None: ...
    @property
    def candidates(self) -> int: ...
    @property
    def own_features(self) -> int: ...
    @property
    def goal_features(self) -> int: ...
    def encode_into(
        self,
        observation: Mapping[str, NDArray[Any]],
        own: NDArray[np.float32],
        goal: NDArray[np.float32],
        identity: NDArray[np.int64],
    ) -> None: ...

def candidates(observation: Mapping[str, NDArray[Any]], offer: str, near_goals: int) -> NDArray[np.int64]: ...
def expired(observation: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]: ...

class LossSettings:
    def __init__(
        self,
        *,
        dense: bool,
        entropy_of_decisions: bool,
        explore: float,
        critic_weight: float,
        entropy_weight: float,
        imitation_weight: float,
        penalty_weight: float,
        clip: float,
    ) -> None: ...

class LeaderUpdate:
    """A leader network that learns: its float32 parameters, by name, lie in ``all``, and their gradient is written."""

    def __init__(
        self,
        parameters: dict[str, NDArray[np.float32]],
        all: NDArray[np.float32],
        gradient: NDArray[np.float32],
        *,
        num_goals: int,
        num_bonuses: int,
        num_actions: int,
        follower_features: int,
        goal_features: int,
        hidden: int,
        near_goals: int = 0,
    ) -> None: ...
    def take(
        self,
        batch_sizes: Sequence[int],
        follower: NDArray[np.float32],
        goal: NDArray[np.float32],
        previous: NDArray[np.int64],
        offer: NDArray[np.int64],
        held: NDArray[np.int64],
        follower_action: NDArray[np.int64],
        new_offer: NDArray[np.bool_],
        explored: NDArray[np.bool_],
    ) -> None: ...
    def encode(self) -> None: ...
    def judge(
        self, settings: LossSettings
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None, dict[str, float]]: ...
    def learn(
        self,
        settings: LossSettings,
        advantage: NDArray[np.float32],
        targets: NDArray[np.float32],
        policy: NDArray[np.float32] | None,
        termination: NDArray[np.float32] | None,
        scale: float,
    ) -> dict[str, float]: ...

class ActingLeader:
    """One step of a leader network, whose float32 parameters, by name, it holds on to."""

    def __init__(
        self,
        parameters: dict[str, NDArray[np.float32]],
        *,
        num_goals: int,
        num_bonuses: int,
        num_actions: int,
        follower_features: int,
        goal_features: int,
        hidden: int,
        near_goals: int = 0,
    ) -> None: ...
    def offer(
        self,
        follower: NDArray[np.float32],
        goal: NDArray[np.float32],
        previous: NDArray[np.int64],
        history: NDArray[np.float32],
        expired: NDArray[np.bool_] | None,
        opens: bool,
        uniform: NDArray[np.float32],
        explore: float,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """Offers drawn as by :func:`draw_offers`, attention, next history. An option ends where ``expired``, or
        everywhere if ``opens``."""
    def step(
        self,
        follower: NDArray[np.float32],
        goal: NDArray[np.float32],
        previous: NDArray[np.int64],
        history: NDArray[np.float32],
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float32] | None,
        NDArray[np.float32] | None,
        NDArray[np.float32],
        NDArray[np.float32],
    ]: ...  # log mu, beta's logits, logits of the prediction, attention, history

class FollowerUpdate:
    """A followers' network that learns: its float32 parameters lie in ``all``, and their gradient is written."""

    def __init__(
        self,
        parameters: dict[str, NDArray[np.float32]],
        all: NDArray[np.float32],
        gradient: NDArray[np.float32],
        *,
        population: int,
        num_goals: int,
        num_actions: int,
        own_features: int,
        goal_features: int,
        hidden: int,
    ) -> None: ...
    def take(
        self,
        own: NDArray[np.float32],
        goal: NDArray[np.float32],
        identity: NDArray[np.int64],
        action: NDArray[np.int64],
        acts: NDArray[np.bool_],
    ) -> None: ...
    def judge(self) -> NDArray[np.float32]: ...
    def learn(
        self,
        advantage: NDArray[np.float32],
        targets: NDArray[np.float32],
        *,
        first: bool,
        scale: float,
        explore: float,
        critic_weight: float,
        entropy_weight: float,
        clip: float,
    ) -> dict[str, float]: ...

class ActingFollowers:
    """One step of the followers' network: logits float32[B, N, A], or actions int64[B, N] drawn from them.

    ``answer`` writes what they see into the caller's arrays before it draws.
    """

    def __init__(
        self,
        parameters: dict[str, NDArray[np.float32]],
        *,
        population: int,
        num_goals: int,
        num_actions: int,
        own_features: int,
        goal_features: int,
        hidden: int,
    ) -> None: ...
    def step(
        self, own: NDArray[np.float32], goal: NDArray[np.float32], identity: NDArray[np.int64]
    ) -> NDArray[np.float32]: ...
    def draw(
        self,
        own: NDArray[np.float32],
        goal: NDArray[np.float32],
        identity: NDArray[np.int64],
        uniform: NDArray[np.float32] | None,
        explore: float,
    ) -> NDArray[np.int64]: ...
    def answer(
        self,
        encoder: FollowerEncoder,
        observation: Mapping[str, NDArray[Any]],
        own: NDArray[np.float32],
        goal: NDArray[np.float32],
        identity: NDArray[np.int64],
        uniform: NDArray[np.float32] | None,
        explore: float,
    ) -> NDArray[np.int64]: ...

def follower_advantages(
    reward: NDArray[np.float32],
    value: NDArray[np.float32],
    acts: NDArray[np.bool_],
    *,
    gamma: float,
    gae_lambda: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[float, float, float]]: ...
def draw_offers(
    log_mu: NDArray[np.float32],
    termination_logits: NDArray[np.float32] | None,
    held: NDArray[np.int64],
    uniform: NDArray[np.float32],
    explore: float,
) -> NDArray[np.int64]: ...

class ParticleWorld:
    """MPE's physics for B worlds of E bodies, apart from any game (float64)."""

    def __init__(
        self,
        num_worlds: int,
        size: NDArray[Any],
        acceleration: NDArray[Any],
        max_speed: NDArray[Any],
        movable: NDArray[Any],
        collides: NDArray[Any],
    ) -> None: ...
    def set(self, position: NDArray[Any], velocity: NDArray[Any]) -> None: ...
    def step(self, actions: NDArray[Any]) -> None: ...
    @property
    def pos(self) -> NDArray[np.float64]: ...
    @property
    def vel(self) -> NDArray[np.float64]: ...

class ParticleWorld32(ParticleWorld):
    """The same in float32."""

def arena_half_width(arena_half_width: float, num_followers: int) -> float: ...
def grid_path(
    map: str,
    position: NDArray[np.int32],
    heading: NDArray[np.int32],
    targets: NDArray[np.bool_],
    blocked: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]: ...
def steer(
    position: NDArray[np.float64],
    velocity: NDArray[np.float64],
    target: NDArray[np.float64],
    target_velocity: NDArray[np.float64] | None,
    obstacles: NDArray[np.float64] | None,
    *,
    acceleration: float,
    max_speed: float,
    reach: float,
    clearance: float,
    border: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]: ...
def brake(velocity: NDArray[np.float64], *, acceleration: float) -> NDArray[np.int32]: ...
def steering_constants() -> dict[str, dict[str, float]]: ...
