"""Networks that act by the C++ core, against the same networks by torch.

One long file, because leaders and followers share the networks and how they are compared.
"""

from __future__ import annotations

import itertools
import pickle
import weakref
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hostile import refused
from paymaster import _core
from paymaster.algorithms import EBPG, LEADERS, process
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.process import OptionRules, draw_offers, held_offers, sample_offers
from paymaster.networks import LeaderConfig, LeaderNetwork, LeaderOutput
from paymaster.networks import acting as networks_acting
from paymaster.networks.acting import FollowerActor, LeaderActor
from paymaster.networks.follower_policy import FollowerConfig, FollowerNetwork
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader
from rest_slow import rest_slow

CONFIG = LeaderConfig(
    num_goals=3, num_bonuses=2, num_actions=5, follower_features=6, goal_features=5, hidden=16, abstain=True
)
FOLLOWERS = FollowerConfig(
    population=7, num_goals=3, num_actions=4, meta=True, own_features=6, goal_features=5, hidden=8
)
KINDS = list(
    itertools.product(
        ("follower-specific", "mean"), ("learned", "none"), ("sequential", "independent"), *3 * [(True, False)]
    )
)


def leader_inputs(config: LeaderConfig, games: int, n: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    """Features, the last offers, -1 and the last of all included, and h."""
    previous = torch.randint(-1, config.num_offers, (games, n))
    previous[0, 0], previous[-1, -1] = -1, config.num_offers - 1
    return (
        torch.randn(games, n, config.follower_features, dtype=dtype),
        torch.randn(games, n, config.num_goals, config.goal_features, dtype=dtype),
        previous,
        torch.randn(games, n, config.hidden, dtype=dtype).tanh(),
    )


def follower_inputs(config: FollowerConfig, games: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.randn(games, n, config.own_features),
        torch.randn(games, n, config.num_goals, config.goal_features),
        torch.randint(0, config.population, (games, n)),
    )


def fields(output: LeaderOutput) -> dict[str, Tensor]:
    return {name: value for name, value in output._asdict().items() if value is not None}


def in_the_core(network: nn.Module) -> bool:
    actor: Any = LeaderActor(network) if isinstance(network, LeaderNetwork) else FollowerActor(network)
    return actor._core is not None


def evaluate_step(network: LeaderNetwork, *inputs: Tensor) -> LeaderOutput:
    return LeaderActor(network).evaluate(*inputs)


@torch.inference_mode()
def assert_same_as_torch(network: LeaderNetwork, inputs: tuple[Tensor, ...]) -> LeaderOutput:
    came = evaluate_step(network, *inputs)
    numbers = [array.double() if array.is_floating_point() else array for array in inputs]
    exact, expected = fields(deepcopy(network).double()(*numbers, baseline=False)), fields(came)
    assert exact.keys() == expected.keys()
    for name, value in expected.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value.double(), exact[name], rtol=1e-5, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    return came


@pytest.mark.parametrize("hidden", rest_slow([1, 8, 32, 33, 64], {33}.__contains__))
def test_leaders_of_every_kind(hidden: int) -> None:
    torch.manual_seed(hidden)
    sizes = np.random.default_rng(hidden)
    for attention, termination, heads, prediction, abstain, shared in KINDS:
        goals, bonuses, actions, features, goal_features = (int(size) for size in sizes.integers(1, 8, 5))
        config = LeaderConfig(
            goals,
            bonuses,
            actions,
            features,
            goal_features,
            abstain,
            hidden=hidden,
            attention=attention,
            termination=termination,
            heads=heads,
            shared_goal_weights=shared,
            prediction=prediction,
        )
        network = LeaderNetwork(config)
        for parameter in network.parameters():
            parameter.data.mul_(2.0)  # as far from each other as trained ones
        games, n = int(sizes.integers(1, 71)), int(sizes.integers(1, 10))
        assert in_the_core(network)
        assert_same_as_torch(network, leader_inputs(config, games, n))


@pytest.mark.parametrize("batches", [2, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LEADERS)
def test_leaders_that_have_learned_make_the_same_offers(
    name: str, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 32 games a batch, some batches greedy, to the bit: no draw is so close to a border that rounding decides."""
    config = TrainConfig("resource_collection", leader=name, num_envs=32, hidden=16, seed=1)
    env = make_env(config, 32, 1)
    leader = make_leader(config, env)
    assert isinstance(leader, EBPG)
    rollout = Rollout(env, leader, torch.Generator().manual_seed(1))

    def episodes(**how: Any) -> Episodes:
        played, _ = rollout.play(**how)
        assert played is not None
        return played

    for _ in range(batches // 2):
        some = episodes(explore=0.1)
        leader.update(some)
    assert in_the_core(leader.network)
    start = leader.initial_state(32, 4).history
    assert_same_as_torch(leader.network, (some.follower[3], some.goal[3], some.previous[3], start))
    games, draws, both = env.snapshot(), rollout.generator.get_state(), []
    for core in (True, False):
        env.restore(games)
        rollout.generator.set_state(draws)
        with monkeypatch.context() as patch:
            if not core:
                patch.setattr(networks_acting, "readable", lambda *_: False)
                patch.setattr(process, "readable", lambda *_: False)
            both.append([episodes(explore=0.1, greedy=number % 5 == 1) for number in range(batches)])
    for ours, theirs in zip(*both, strict=True):
        for field in ("offer", "valid", "explored", "payment", "follower"):
            assert torch.equal(getattr(ours, field), getattr(theirs, field)), field


@torch.inference_mode()
def test_a_game_does_not_depend_on_those_beside_it() -> None:
    torch.manual_seed(3)
    network, inputs = LeaderNetwork(CONFIG), leader_inputs(CONFIG, 37, 3)
    whole = fields(evaluate_step(network, *inputs))
    for game in (0, 15, 16, 36):
        alone = fields(evaluate_step(network, *(array[game : game + 1] for array in inputs)))
        for name, value in alone.items():
            assert torch.equal(value[0], whole[name][game]), name


def test_what_becomes_of_a_network_is_seen() -> None:
    torch.manual_seed(4)
    network, inputs = LeaderNetwork(CONFIG), leader_inputs(CONFIG, 4, 2)

    def said() -> Tensor:
        assert in_the_core(network)
        return assert_same_as_torch(network, inputs).log_mu

    seen = [said()]
    output = network(*inputs)
    output.log_mu.square().sum().backward()
    torch.optim.Adam(network.parameters(), lr=0.1, fused=True).step()
    seen.append(said())  # written to where it lies
    network.load_state_dict(LeaderNetwork(CONFIG).state_dict())
    seen.append(said())
    network.load_state_dict(LeaderNetwork(CONFIG).state_dict(), assign=True)
    seen.append(said())
    for parameter in network.parameters():
        parameter.data = torch.randn_like(parameter)
    seen.append(said())  # other memory
    network.policy.out.weight = nn.Parameter(torch.randn_like(network.policy.out.weight))
    seen.append(said())  # another parameter
    network.policy = LeaderNetwork(CONFIG).policy
    seen.append(said())  # another module
    for before, after in itertools.pairwise(seen):
        assert not torch.allclose(before, after)
    twin = pickle.loads(pickle.dumps(network))
    other = deepcopy(network)
    network.policy.out.bias.data.add_(1.0)
    assert torch.equal(assert_same_as_torch(twin, inputs).log_mu, assert_same_as_torch(other, inputs).log_mu)
    network.double().float()
    said()


def test_acting_draws_nothing_from_elsewhere() -> None:
    networks = (LeaderNetwork(CONFIG), FollowerNetwork(FOLLOWERS))
    state = torch.get_rng_state()
    assert all(map(in_the_core, networks))
    assert torch.equal(state, torch.get_rng_state())


def test_networks_that_share_a_layer() -> None:
    network = LeaderNetwork(CONFIG)
    assert network.termination is not None
    network.termination.code = network.policy.code
    assert_same_as_torch(network, leader_inputs(CONFIG, 4, 2))


def test_networks_that_have_acted_do_not_live_on() -> None:
    network = LeaderNetwork(CONFIG)
    assert in_the_core(network)
    alive = weakref.ref(network)
    del network
    assert alive() is None


class Other(LeaderNetwork):
    """Computes something else."""

    def forward(self, *inputs: Any, **how: Any) -> LeaderOutput:
        return super().forward(*inputs, **how)._replace(log_mu=torch.zeros(1))


def test_what_the_core_does_not_take_goes_through_torch() -> None:
    torch.manual_seed(5)
    network, inputs = LeaderNetwork(CONFIG), leader_inputs(CONFIG, 4, 2)
    assert evaluate_step(network, *inputs).log_mu.requires_grad
    with torch.inference_mode():
        expected = evaluate_step(network, *inputs)
        for number in range(4):
            turned = [array.mT.contiguous().mT if i == number else array for i, array in enumerate(inputs)]
            assert not turned[number].is_contiguous()
            torch.testing.assert_close(fields(evaluate_step(network, *turned)), fields(expected))
        assert evaluate_step(Other(CONFIG), *inputs).log_mu.shape == (1,)
        heard = []
        hook = network.termination.register_forward_hook(lambda *_: heard.append(1))
        evaluate_step(network, *inputs)
        hook.remove()
        evaluate_step(network, *inputs)
        assert heard == [1]
        turned_weight = network.policy.code.weight.detach().t().contiguous().t()
        network.policy.code.weight.data = turned_weight
        assert not in_the_core(network)
        torch.testing.assert_close(fields(evaluate_step(network, *inputs)), fields(expected))
        for name, other in [
            ("attention", LeaderNetwork(replace(CONFIG, hidden=4)).attention),
            ("policy", nn.Identity()),
        ]:
            changed = LeaderNetwork(CONFIG)
            setattr(changed, name, other)
            assert not in_the_core(changed)
        changed = LeaderNetwork(CONFIG)
        assert changed.follower_model is not None and in_the_core(changed)
        changed.follower_model.layers[1] = nn.Tanh()
        assert not in_the_core(changed)
        assert_same_as_torch(changed, inputs)
        double = leader_inputs(CONFIG, 4, 2, torch.float64)
        assert evaluate_step(network.double(), *double).log_mu.dtype == torch.float64
        separate = FollowerNetwork(replace(FOLLOWERS, identities="separate"))
        assert not in_the_core(separate)
        assert FollowerActor(separate).logits(*follower_inputs(FOLLOWERS, 4, 2)).shape == (4, 2, 4)


@pytest.mark.parametrize("explore", [0.0, 0.3, 1.0])
@torch.inference_mode()
def test_followers_draw_the_same_actions(explore: float, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = FollowerNetwork(FOLLOWERS)
    for parameter in network.parameters():
        parameter.data.mul_(3.0)
    inputs, uniform = follower_inputs(FOLLOWERS, 50, 3), torch.rand(50, 3)
    actor = FollowerActor(network)
    drawn = [actor.draw(*inputs, numbers, explore) for numbers in (uniform, None)]
    for wrong in (torch.ones(50, 3), torch.rand(50, 2), torch.rand(50, 3).double()):
        with refused(ValueError, "uniform"):
            actor.draw(*inputs, wrong, explore)
    with refused(ValueError, "explore"):
        actor.draw(*inputs, uniform, 1.5)
    monkeypatch.setattr(networks_acting, "readable", lambda *_: False)
    for numbers, ours in zip((uniform, None), drawn, strict=True):
        assert ours.dtype == torch.int64 and len(ours.unique()) > 1
        assert torch.equal(ours, actor.draw(*inputs, numbers, explore))


@torch.inference_mode()
def test_a_nan_stays_one() -> None:
    network, inputs = LeaderNetwork(CONFIG), leader_inputs(CONFIG, 4, 2)
    inputs[0][1] = torch.nan
    for name, value in fields(evaluate_step(network, *inputs)).items():
        assert value[1].isnan().all() and value[[0, 2, 3]].isfinite().all(), name


@pytest.mark.parametrize("hidden", [1, 8, 32, 33])
@pytest.mark.parametrize("meta", [True, False])
@torch.inference_mode()
def test_followers(meta: bool, hidden: int) -> None:
    torch.manual_seed(6)
    for identities, goals, games, n in [("embedded", 3, 32, 4), ("embedded", 1, 1, 1), ("separate", 6, 37, 9)]:
        population = 7 if identities == "embedded" else 1
        config = FollowerConfig(population, goals, goals + 1 if meta else 5, meta, 11, 6, hidden, identities)
        network = FollowerNetwork(config)
        for parameter in network.parameters():
            parameter.data.add_(0.3 * torch.randn_like(parameter))
        own, goal, identity = follower_inputs(config, games, n)
        assert in_the_core(network)
        came = FollowerActor(network).logits(own, goal, identity)
        exact = deepcopy(network).double()(own.double(), goal.double(), identity).logits
        torch.testing.assert_close(came.double(), exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("explore", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("learned", [True, False])
@torch.inference_mode()
def test_draws(learned: bool, explore: float) -> None:
    """Offers that are held, opened, or ended by beta; some of probability zero."""
    torch.manual_seed(7)
    games, n = 400, 5
    for offers in (2, 13):
        log_mu = (3.0 * torch.randn(games, n, offers)).log_softmax(-1)
        log_mu[:50, :, 1:] = -torch.inf
        held = torch.randint(-1, offers, (games, n))
        held[:50] = -1  # else there is nothing to change to
        logits = torch.randn(games, n) if learned else None
        output = LeaderOutput(log_mu, logits, None, None, log_mu[..., 0], None)
        ours, theirs = (
            draw(output, held, explore, torch.Generator().manual_seed(8)) for draw in (draw_offers, sample_offers)
        )
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs)
        assert torch.equal(draw_offers(output, held, explore, greedy=True), sample_offers(output, held, greedy=True))


@pytest.mark.parametrize("explore", [0.0, 0.3])
@pytest.mark.parametrize("rules", [OptionRules(), OptionRules(expiring=True), OptionRules(interval=3)])
@torch.inference_mode()
def test_offers_in_one_call_are_those_in_two(rules: OptionRules, explore: float) -> None:
    """Network, rules and draws together; steps 3 and 4, of which one opens all options after three."""
    torch.manual_seed(9)
    for config in (replace(CONFIG, abstain=True), replace(CONFIG, termination="none", prediction=False)):
        actor = LeaderActor(LeaderNetwork(config))
        follower, goal, previous, history = leader_inputs(config, 90, 3)
        expired = torch.rand(90, 3) < 0.3
        for step in (3, 4):
            output = actor.evaluate(follower, goal, previous, history)
            held = held_offers(rules, previous, expired, step)
            expected = draw_offers(output, held, explore, torch.Generator().manual_seed(8))
            drawn = actor.offer(
                *(follower, goal, previous, history),
                expired=expired if rules.expiring else None,
                opens=bool(rules.opens(step)),
                explore=explore,
                generator=torch.Generator().manual_seed(8),
            )
            assert drawn is not None
            for mine, theirs in zip(drawn, (expected, output.attention, output.history), strict=True):
                assert theirs is not None and torch.equal(mine, theirs)


@torch.inference_mode()
def test_a_single_offer_needs_no_draw() -> None:
    single = replace(CONFIG, num_goals=1, num_bonuses=1, abstain=False)
    actor, inputs = LeaderActor(LeaderNetwork(single)), leader_inputs(single, 3, 2)
    assert actor.offer(*inputs, expired=None, opens=False, explore=0.0, generator=None) is None


def arrays_of(network: nn.Module) -> dict[str, Any]:
    return {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}


SIZES = {
    name: getattr(CONFIG, name)
    for name in ("num_goals", "num_bonuses", "num_actions", "follower_features", "goal_features", "hidden")
}
FOLLOWER_SIZES = {
    name: getattr(FOLLOWERS, name)
    for name in ("population", "num_goals", "num_actions", "own_features", "goal_features", "hidden")
}


@pytest.mark.parametrize("kind", ["leader", "unshared", "followers"])
def test_parameters_that_do_not_fit_are_refused(kind: str) -> None:
    leads = replace(CONFIG, shared_goal_weights=kind != "unshared")
    network: nn.Module = FollowerNetwork(FOLLOWERS) if kind == "followers" else LeaderNetwork(leads)
    make: Any = _core.ActingFollowers if kind == "followers" else _core.ActingLeader
    sizes = FOLLOWER_SIZES if kind == "followers" else SIZES
    arrays = {name: array for name, array in arrays_of(network).items() if not name.startswith(("baseline", "value"))}
    make(arrays, **sizes)
    optional = ("score", "abstain", "embedding", "goal_logit", "termination.out", "layers.0")
    for name, array in arrays.items():
        for wrong in (array.astype(np.float64), array[..., None], array[:0], np.asfortranarray(array)):
            if not (wrong.flags.c_contiguous and wrong.shape == array.shape and wrong.dtype == array.dtype):
                with refused(ValueError, name, str(wrong.dtype)):
                    make(arrays | {name: wrong}, **sizes)
        with refused(TypeError, name, "list"):
            make(arrays | {name: array.tolist()}, **sizes)
        if not any(part in name for part in optional):
            with refused(ValueError, "parameters", "none"):
                make({other: value for other, value in arrays.items() if other != name}, **sizes)
    for name, size in sizes.items():
        for wrong_size in (0, -1, size + 1, 2**40):
            if not (name == "num_actions" and kind == "followers" and wrong_size == size + 1):
                with pytest.raises(ValueError, match="expected"):
                    make(arrays, **sizes | {name: wrong_size})


@pytest.mark.parametrize("kind", ["leader", "followers"])
def test_steps_that_do_not_fit_are_refused(kind: str) -> None:
    core: Any
    if kind == "leader":
        core = _core.ActingLeader(arrays_of(LeaderNetwork(CONFIG)), **SIZES)
        names, inputs = ("follower", "goal", "previous", "history"), leader_inputs(CONFIG, 3, 2)
        index, low, high = "previous", -1, CONFIG.num_offers - 1
    else:
        core = _core.ActingFollowers(arrays_of(FollowerNetwork(FOLLOWERS)), **FOLLOWER_SIZES)
        names, inputs = ("own", "goal", "identity"), follower_inputs(FOLLOWERS, 3, 2)
        index, low, high = "identity", 0, FOLLOWERS.population - 1
    arrays = {name: array.numpy() for name, array in zip(names, inputs, strict=True)}
    core.step(**arrays)
    for name, array in arrays.items():
        first = name == names[0]  # says how many games there are
        for wrong in (array.astype(np.int32), array[..., :-1].copy(), array[0], np.asfortranarray(array)):
            with refused(ValueError, "goal" if first and wrong.shape == () else name):
                core.step(**arrays | {name: wrong})
        with pytest.raises(TypeError):
            core.step(**arrays | {name: array.tolist()} | {names[0]: None})
        if not first:
            with refused(ValueError, name):
                core.step(**arrays | {name: array[:-1].copy()})
    for wrong_index in (low - 1, high + 1, 2**40):
        other = arrays[index].copy()
        other[1, 1] = wrong_index
        with refused(ValueError, index, str(wrong_index)):
            core.step(**arrays | {index: other})
    none = {name: array[:0].copy() for name, array in arrays.items()}
    result = core.step(**none)
    assert len(result[0] if kind == "leader" else result) == 0


def test_offers_that_do_not_fit_are_refused() -> None:
    core: Any = _core.ActingLeader(arrays_of(LeaderNetwork(CONFIG)), **SIZES)
    names = ("follower", "goal", "previous", "history")
    arrays: dict[str, Any] = {name: a.numpy() for name, a in zip(names, leader_inputs(CONFIG, 3, 2), strict=True)}
    arrays |= {"expired": np.zeros((3, 2), np.bool_), "uniform": np.zeros((2, 3, 2), np.float32)}
    how = {"opens": False, "explore": 0.0}
    assert core.offer(**arrays, **how)[0].shape == (3, 2)
    for name, wrong in (
        ("history", arrays["history"][:2].copy()),
        ("expired", np.zeros((3, 2), np.int8)),
        ("expired", np.zeros((2, 2), np.bool_)),
        ("uniform", np.zeros((3, 2), np.float32)),
        ("uniform", np.ones((2, 3, 2), np.float32)),
        ("previous", np.full((3, 2), CONFIG.num_offers)),
    ):
        with refused(ValueError, name):
            core.offer(**arrays | {name: wrong}, **how)
    with refused(ValueError, "explore"):
        core.offer(**arrays, opens=False, explore=1.5)


def test_draws_that_do_not_fit_are_refused() -> None:
    arrays: dict[str, Any] = {
        "log_mu": np.zeros((3, 2, 4), np.float32),
        "termination_logits": np.zeros((3, 2), np.float32),
        "held": np.zeros((3, 2), np.int64),
        "uniform": np.zeros((2, 3, 2), np.float32),
    }
    assert _core.draw_offers(**arrays, explore=0.0).shape == (3, 2)
    for name, array in arrays.items():
        for wrong in (array.astype(np.float16), np.concatenate((array, array))):
            with pytest.raises(ValueError, match="expected a C-ordered array"):
                _core.draw_offers(**arrays | {name: wrong}, explore=0.0)
    for name, value in [("held", 4), ("held", -2), ("uniform", 1.0), ("uniform", np.nan), ("uniform", -0.1)]:
        with refused(ValueError, name):
            _core.draw_offers(**arrays | {name: np.full_like(arrays[name], value)}, explore=0.0)
    for explore in (-0.1, 1.1, np.nan):
        with refused(ValueError, "explore"):
            _core.draw_offers(**arrays, explore=explore)
    with refused(ValueError, "log_mu"):
        _core.draw_offers(**arrays | {"log_mu": np.zeros((3, 2, 1), np.float32)}, explore=0.0)
