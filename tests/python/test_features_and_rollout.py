"""What the networks see, and whole episodes as they learn from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

import paymaster
from paymaster.algorithms import LeaderAlgorithm
from paymaster.algorithms.protocol import LeaderStep
from paymaster.envs.features import FeatureEncoder, _others_best, offers_from_flat
from paymaster.episodes import Episodes
from paymaster.rollout import Rollout
from reference.scenes import offers, stage
from worlds import TASKS, fitting

RC, MB = "resource_collection", "multi_bonus_resource_collection"

# Few goals close together: most games end before the horizon, at different steps.
SMALL = {"map": "######\n#....#\n#....#\n#....#\n######", "num_resources": 2, "num_followers": 2, "horizon": 11}


def make(task: str = RC, num_envs: int = 6, seed: int = 0, **options: Any) -> Any:
    return paymaster.make_vec(task, num_envs, seed, 1, **{"autoreset_mode": "Disabled", **options})


def random_offers(env: Any, rng: np.random.Generator) -> NDArray[np.int64]:
    goals = env.options["num_goals"] + env.options["abstain"]
    return rng.integers([goals, env.options["num_bonuses"]], size=(env.num_envs, env.num_followers, 2))


def in_mid_episode(env: Any, steps: int = 7, seed: int = 0) -> Any:
    """The observation after some steps, half of them of an earlier episode that filled the statistics."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(2):
        for t in range(steps):
            if t % 4 == 0:
                actions = random_offers(env, rng)
            seen, *_ = env.step(actions)
        env.reset()
    for _ in range(steps):
        seen, *_ = env.step(actions)
    return seen


# ---- features


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_followers": 1},
        {"abstain": True, "noise": 0.5, "num_followers": 16},
        {"num_goals": 1, "num_bonuses": 1, "skills_per_follower": 1},
        {"horizon": 1},
        {"horizon": 3, "num_goals": 8, "num_resources": 1},
        SMALL,
    ],
    ids=["default", "alone", "sixteen", "one goal", "one step", "three steps", "small"],
)
def test_shapes_and_finite_values(task: str, options: dict[str, Any]) -> None:
    env = make(task, **fitting(task, options))
    encoder = FeatureEncoder(env)
    n, goals = env.num_followers, env.options["num_goals"]
    rng = np.random.default_rng(0)
    for _ in range(2):
        seen, _ = env.reset()
        for _ in range(env.options["horizon"] + 1):
            before = {name: array.copy() for name, array in seen.items()}
            follower, goal = encoder.encode(seen)
            assert (follower.dtype, goal.dtype) == (np.float32, np.float32)
            assert follower.shape == (6, n, encoder.follower_features)
            assert goal.shape == (6, n, goals, encoder.goal_features)
            for features in (follower, goal):
                assert np.isfinite(features).all()
                assert np.abs(features).max() <= max(goals, 2.0), "features of about 1 make for good learning"
            np.testing.assert_equal(seen, before)
            follower[:], goal[:] = np.nan, np.nan  # the next ones are fresh arrays
            seen, *_ = env.step(random_offers(env, rng))


@pytest.mark.parametrize("task", TASKS)
def test_traits_stay_hidden(task: str) -> None:
    """Two games that differ in nothing but the followers' traits look the same."""
    env = make(task)
    in_mid_episode(env)
    seen, rng = env.observe(), np.random.default_rng(1)
    features = FeatureEncoder(env).encode(seen)
    state = env.state()
    for _ in range(5):
        env.set_state(
            skill=rng.random(state["skill"].shape) < 0.5,
            preference=rng.integers(4, size=state["preference"].shape),
            reservation=rng.random(state["reservation"].shape) * 5,
        )
        assert not np.array_equal(env.state("skill")["skill"], state["skill"])
        np.testing.assert_equal(env.observe(), seen)
        np.testing.assert_equal(FeatureEncoder(env).encode(env.observe()), features)


def test_another_population_looks_the_same_at_the_start() -> None:
    env = make(MB)
    people = env.population
    other = make(MB, population={**people, "preference": 3 - people["preference"], "reservation": np.full(40, 7.5)})
    seen, _ = env.reset()
    np.testing.assert_equal(other.reset()[0], seen)
    np.testing.assert_equal(FeatureEncoder(other).encode(seen), FeatureEncoder(env).encode(seen))


def test_what_is_known_is_shown() -> None:
    """Every field of the observation that a decision may hang on makes a difference."""
    env = make(abstain=True)
    seen = in_mid_episode(env)
    encoder = FeatureEncoder(env)
    features = encoder.encode(seen)
    changes = {
        "identity": (seen["identity"] + 1) % 40,
        "action": (seen["action"] + 1) % 5,
        "offer": np.where(seen["offer"] > 0, 0, 1),
        "committed": 1 - seen["committed"],
        "contract_running": 1 - seen["contract_running"],
        "contract_age": seen["contract_age"] + 3,
        "completed": np.where(seen["completed"] < 0, 2, -1),
        "distance": np.where(seen["distance"] < 0, 4, -1),
        "available": seen["available"] + 1,
        "step": seen["step"] + 1,
        "heading": (seen["heading"] + 1) % 4,
    }
    for name, value in changes.items():
        changed = encoder.encode({**seen, name: value.astype(np.int16)})
        assert not all(np.array_equal(a, b) for a, b in zip(changed, features, strict=True)), name


def test_statistics_are_shown_to_the_follower_they_are_of() -> None:
    env = make()
    seen, _ = env.reset()
    who = seen["identity"][2, 1]
    _, before = FeatureEncoder(env).encode(seen)
    for name, entry in (("acceptance", (who, 3, 1)), ("completion", (who, 3, 29)), ("outcome", (who, 3))):
        table = env.statistics.arrays()[name]
        table[entry] = 0.5
        env.statistics.set(**{name: table})
        _, after = FeatureEncoder(env).encode(seen)
        different = (after != before).any(-1)
        np.testing.assert_array_equal(different, (seen["identity"] == who)[..., None] & (np.arange(4) == 3))
        env.statistics.clear()
    counts = np.zeros((40, 4), dtype=int)
    counts[who, 0] = 10**9
    env.statistics.set(outcome_count=counts)
    _, after = FeatureEncoder(env).encode(seen)
    assert np.abs(after - before).max() == 1  # "a hundred times or more"


def test_statistics_are_read_as_they_are_at_that_moment() -> None:
    """Also those of a table that was frozen, changed while frozen, restored, or freed and frozen again."""
    env = make()
    seen = in_mid_episode(env)
    encoder = FeatureEncoder(env)

    def shown() -> None:
        np.testing.assert_equal(encoder.encode(seen), FeatureEncoder(env).encode(seen))

    shown()
    snapshot = env.snapshot()
    env.statistics.frozen = True
    shown()
    env.statistics.set(outcome=np.full((40, 4), 0.9))
    shown()
    env.statistics.clear()
    shown()
    env.statistics.frozen = False
    env.statistics.set(outcome=np.full((40, 4), 0.3))
    env.statistics.frozen = True
    shown()
    env.restore(snapshot)
    env.statistics.frozen = True
    shown()


def test_features_by_hand() -> None:
    """Follower 0 is two actions from a and cannot reach c; b is near follower 1."""
    drawing = """
        ##########
        #0..a.b.1#
        ##########
        #...c....#
        ##########"""
    env = stage(paymaster.make_vec, drawing, "><", horizon=8)
    env.step(offers("a1", "b0"))  # both come one nearer
    seen = env.observe()
    follower, goal = FeatureEncoder(env).encode(seen)
    assert seen["distance"][0].tolist() == [[1, -1, -1, -1], [-1, 0, -1, -1]]
    reachable, near, in_time, slack, left, others_offered, others_near, offered, price, committed = range(10)
    a, b, c = 0, 1, 2
    assert goal[0, 0, :, reachable].tolist() == [1, 0, 0, 0]
    assert goal[0, 1, :, reachable].tolist() == [0, 1, 0, 0]
    assert goal[0, 0, a, near] == np.float32(10 / 11)
    assert goal[0, 1, b, near] == 1
    assert goal[0, 0, :, others_near].tolist() == [0, 1, 0, 0]
    assert goal[0, 1, :, others_near].tolist() == [np.float32(10 / 11), 0, 0, 0]
    assert goal[0, 0, a, in_time] == 1
    assert goal[0, 0, a, slack] == np.float32((7 - 1 - 1) / 8)
    assert goal[0, :, c, [reachable, near, in_time, slack]].tolist() == [[0, 0]] * 4
    assert goal[0, 0, :, left].tolist() == [np.float32(1 / max(1, 3 / 4))] * 3 + [0]
    assert goal[0, 0, :, others_offered].tolist() == [0, 0.5, 0, 0]
    assert goal[0, 1, :, others_offered].tolist() == [0.5, 0, 0, 0]
    assert goal[0, 0, :, offered].tolist() == [1, 0, 0, 0]
    assert goal[0, :, [a, b], price].tolist() == [[1, 0], [0, 0.5]]
    assert goal[0, 0, :, committed].tolist() == [1, 0, 0, 0]
    assert follower[0, :, 0].tolist() == [1 / 8] * 2  # time
    assert follower[0, :, 1:7].tolist() == [[1, 0, 0, 0, 0, 0]] * 2  # both moved
    assert follower[0, :, 7:11].tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]  # right, left
    assert follower[0, :, 11:15].tolist() == [[1, 1, 1 / 8, 0]] * 2  # committed, running for a step, nothing completed
    env.step(offers("a1", "b0"))
    follower, goal = FeatureEncoder(env).encode(env.observe())
    assert follower[0, 1, 11:15].tolist() == [1, 0, 0, 1]  # follower 1 has completed b
    assert goal[0, 1, :, reachable].tolist() == [1, 0, 0, 0]  # and the way to a is free
    assert goal[0, 1, a, near] == np.float32(10 / 12)


def test_too_late_to_dig() -> None:
    env = stage(paymaster.make_vec, "########\n#0...a.#\n########", ">", horizon=5)
    in_time = []
    for _ in range(4):
        _, goal = FeatureEncoder(env).encode(env.observe())
        in_time.append(goal[0, 0, 0, 2])
        env.step(offers("b0"))  # there is no b: it stays where it is
    assert env.observe()["distance"][0, 0, 0] == 3
    assert in_time == [1, 1, 0, 0]  # three moves and the dig fit into the last four steps, not into the last three


@settings(max_examples=100, deadline=None)
@given(data=st.data(), n=st.integers(1, 5))
def test_best_of_the_others(data: st.DataObject, n: int) -> None:
    values = st.sampled_from([0.0, 0.25, 0.5, 1.0])
    near = np.array(data.draw(st.lists(values, min_size=4 * n, max_size=4 * n))).reshape(2, n, 2)
    best = _others_best(near)
    for b, k, g in np.ndindex(near.shape):
        assert best[b, k, g] == max([near[b, j, g] for j in range(n) if j != k], default=0.0)


def test_offers_from_flat_indices() -> None:
    for goals, bonuses in ((4, 2), (3, 5), (1, 1)):
        flat = np.arange(goals * bonuses + 1).reshape(1, -1)
        actions = offers_from_flat(flat, bonuses)
        assert actions.shape == (1, goals * bonuses + 1, 2)
        assert actions.dtype == np.int64
        expected = [[g, b] for g in range(goals) for b in range(bonuses)]
        assert actions[0].tolist() == [*expected, [goals, 0]]  # the last one is "none"


def test_abstaining_is_no_offer() -> None:
    env = make(abstain=True)
    seen, _ = env.reset()
    encoder = FeatureEncoder(env)
    _, fresh = encoder.encode(seen)
    seen, _, _, _, info = env.step(offers_from_flat(np.full((6, 4), 8), 2))
    assert not info["committed"].any()
    assert (seen["offer"] == -1).all()
    _, after = encoder.encode(seen)
    np.testing.assert_array_equal(after[..., [5, 7, 8, 9]], np.zeros_like(after[..., :4]))
    np.testing.assert_array_equal(fresh[..., [5, 7, 8, 9]], np.zeros_like(fresh[..., :4]))


# ---- rollout


class Scripted:
    """A leader that draws uniform offers from its generator, and remembers what it was shown."""

    def __init__(self, env: Any, hold: int = 3) -> None:
        self.size = env.options["num_goals"] * env.options["num_bonuses"] + env.options["abstain"]
        self.hold = hold
        self.device = torch.device("cpu")
        self.calls: list[dict[str, Any]] = []

    def initial_state(self, num_games: int, num_followers: int) -> Tensor:
        return torch.zeros(num_games, num_followers, dtype=torch.int64)

    def act(
        self,
        follower: Tensor,
        goal: Tensor,
        previous: Tensor,
        state: Tensor,
        *,
        explore: float = 0.0,
        generator: torch.Generator | None = None,
        greedy: bool = False,
    ) -> LeaderStep:
        self.calls.append({"previous": previous, "state": state, "explore": explore, "greedy": greedy})
        fresh = torch.randint(self.size, previous.shape, generator=generator)
        offer = torch.where(state % self.hold == 0, fresh, previous)
        return LeaderStep(offer, state + 1)

    def update(self, episodes: Episodes) -> dict[str, float]:
        raise NotImplementedError

    def exploration_rate(self, episodes_done: int) -> float:
        raise NotImplementedError

    def modules(self) -> dict[str, nn.Module]:
        return {}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {}


def rollout(env: Any, seed: int = 0) -> tuple[Rollout, Scripted]:
    leader = Scripted(env)
    assert isinstance(leader, LeaderAlgorithm)
    return Rollout(env, leader, torch.Generator().manual_seed(seed)), leader


OPTIONS = [
    pytest.param(RC, {}, id="default"),
    pytest.param(RC, {**SMALL, "abstain": True}, id="small"),
    pytest.param(MB, {**SMALL, "num_resources": 3, "noise": 0.1}, id="small, advance"),
    pytest.param(RC, {"num_followers": 1, "goal_reward": 2.5, "payment": "advance", "horizon": 7}, id="alone"),
]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_other_autoreset_modes_are_refused(mode: str) -> None:
    env = make(autoreset_mode=mode)
    with pytest.raises(ValueError, match=f"env: expected autoreset_mode 'Disabled', got '{mode}'"):
        rollout(env)


@pytest.mark.parametrize(("task", "options"), OPTIONS)
def test_an_episode_is_what_the_environment_played(task: str, options: dict[str, Any]) -> None:
    """Every tensor against a twin that is stepped by hand with the same offers."""
    env, twin = (make(task, num_envs=32, **options) for _ in range(2))
    player, leader = rollout(env)
    lengths: set[int] = set()
    for episode in range(2):
        leader.calls.clear()
        episodes, totals = player.play(explore=0.25)
        seen, _ = twin.reset()
        encoder, ended = FeatureEncoder(twin), np.zeros(32, dtype=np.bool_)
        sums, completions = np.zeros((3, 32)), np.zeros((32, 4), dtype=int)
        for t in range(episodes.num_steps):
            follower, goal = encoder.encode(seen)
            actions = offers_from_flat(episodes.offer[t].numpy(), env.options["num_bonuses"])
            seen, reward, terminated, _, info = twin.step(actions)
            np.testing.assert_array_equal(episodes.follower[t], follower)
            np.testing.assert_array_equal(episodes.goal[t], goal)
            np.testing.assert_array_equal(episodes.valid[t], ~ended)
            np.testing.assert_array_equal(episodes.completed[t], info["completed"])
            np.testing.assert_array_equal(episodes.payment[t], info["payment"])
            played = info["follower_action"][~ended]
            np.testing.assert_array_equal(episodes.follower_action[t][~ended], played)
            sums += [reward, info["payment"].sum(-1), info["follower_reward"].sum(-1)]
            for g in range(4):
                completions[:, g] += (info["completed"] == g).sum(-1)
            ended = terminated
        assert ended.all(), "until the last has ended"
        np.testing.assert_equal(vars(totals), info["totals"])
        np.testing.assert_allclose([totals.gain, totals.payments, totals.follower_reward], sums, rtol=1e-6)
        np.testing.assert_array_equal(totals.completions, completions)
        np.testing.assert_array_equal(episodes.valid.sum(0), totals.length)
        np.testing.assert_equal(env.statistics.arrays(), twin.statistics.arrays())
        assert (env.state("episode")["episode"] == episode).all()
        lengths |= set(totals.length.tolist())
    if "map" in options:
        assert len(lengths) > 3, "the games were to end at different steps"


@pytest.mark.parametrize(("task", "options"), OPTIONS)
def test_tensors_fit_together(task: str, options: dict[str, Any]) -> None:
    env = make(task, num_envs=32, **options)
    player, leader = rollout(env)
    episodes, totals = player.play(explore=0.25)
    n, k = env.num_followers, env.options["num_bonuses"]
    assert episodes.follower.shape == (episodes.num_steps, 32, n, player.encoder.follower_features)
    assert episodes.goal.shape == (episodes.num_steps, 32, n, 4, player.encoder.goal_features)
    assert episodes.num_steps == totals.length.max()
    assert (episodes.previous[0] == -1).all()
    assert torch.equal(episodes.previous[1:], episodes.offer[:-1])
    changed = episodes.offer != episodes.previous
    assert torch.equal(episodes.new_offer, changed & episodes.valid[..., None])
    np.testing.assert_array_equal(episodes.new_offer.sum((0, 2)), totals.events)  # as the core counts them in play
    assert [call["explore"] for call in leader.calls] == [0.25] * episodes.num_steps
    assert torch.equal(torch.stack([call["previous"] for call in leader.calls]), episodes.previous)
    assert [int(call["state"][0, 0]) for call in leader.calls] == list(range(episodes.num_steps))
    assert episodes.explore == 0.25
    assert episodes.price.tolist() == [b + 1.0 for b in range(k)]
    assert episodes.goal_reward.tolist() == [env.goal_reward] * 4
    assert bool((episodes.valid[1:] <= episodes.valid[:-1]).all()), "what is not played is a suffix"
    rest = ~episodes.valid
    assert (episodes.completed[rest] == -1).all()
    assert not episodes.payment[rest].any()
    assert episodes.offer.min() >= 0
    assert episodes.offer.max() <= 4 * k - 1 + env.options["abstain"]
    assert episodes.follower_action.min() >= 0
    assert episodes.follower_action.max() <= 4
    reached = (episodes.completed >= 0).double() * env.goal_reward - episodes.payment
    np.testing.assert_allclose((reached.sum(-1) * episodes.valid).sum(0), totals.gain, rtol=1e-6, atol=1e-6)
    if env.options["payment"] == "completion":
        price = torch.cat((episodes.price.repeat(4), torch.zeros(1)))[episodes.offer]
        assert torch.equal(episodes.payment, torch.where(episodes.completed >= 0, price, 0.0))


def test_abstaining_leader() -> None:
    env = make(num_envs=16, abstain=True)
    player, _ = rollout(env)
    episodes, _ = player.play()
    none = episodes.offer == 8
    assert none.any()
    assert (episodes.completed[none] == -1).all()
    assert not episodes.payment[none].any()


def test_greedy_and_totals_only() -> None:
    env, twin = make(), make()
    player, leader = rollout(env)
    nothing, totals = player.play(greedy=True, keep=False)
    assert nothing is None
    assert all(call["greedy"] and call["explore"] == 0.0 for call in leader.calls)
    _, expected = rollout(twin)[0].play()
    np.testing.assert_equal(vars(totals), vars(expected))


def test_same_generator_same_episodes() -> None:
    plays = [rollout(make(noise=0.2), seed)[0].play()[0] for seed in (4, 4, 5)]
    assert torch.equal(plays[0].offer, plays[1].offer)
    assert torch.equal(plays[0].goal, plays[1].goal)
    assert not torch.equal(plays[0].offer, plays[2].offer)


def test_episodes_do_not_change_when_the_next_are_played() -> None:
    player, _ = rollout(make(MB, num_envs=16, **SMALL))
    episodes, totals = player.play()
    before = {name: value.clone() for name, value in vars(episodes).items() if isinstance(value, Tensor)}
    sums = {name: value.copy() for name, value in vars(totals).items()}
    player.play()
    for name, value in before.items():
        assert torch.equal(getattr(episodes, name), value), name
    np.testing.assert_equal(vars(totals), sums)


def test_environments_that_reuse_their_arrays_give_the_same_episodes() -> None:
    plays = [rollout(make(MB, num_envs=16, copy=copy, **SMALL))[0].play() for copy in (True, False)]
    (episodes, totals), (reused, reused_totals) = plays
    for name, value in vars(episodes).items():
        if isinstance(value, Tensor):
            assert torch.equal(getattr(reused, name), value), name
    np.testing.assert_equal(vars(reused_totals), vars(totals))
