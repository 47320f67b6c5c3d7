"""Networks on planes: sizes, initial weights, and the fast paths beside the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import paymaster
from paymaster import _core
from paymaster.algorithms import ORIGINALS, OriginalLeader
from paymaster.algorithms.core_rmsprop import CoreRMSprop
from paymaster.algorithms.episodes import Episodes
from paymaster.algorithms.packed_steps import PackedSteps
from paymaster.envs.vector import LeaderVectorEnv
from paymaster.features.planes import PlaneEncoder
from paymaster.networks.leader import LeaderOutput
from paymaster.networks.plane_acting import PlaneActor
from paymaster.networks.plane_leader import PlaneLeaderNetwork
from paymaster.networks.planes import CellGroups, PlaneEncoding
from paymaster.play.rollout import Rollout
from paymaster.training.config import TrainConfig
from paymaster.training.setup import make_env, make_leader
from rest_slow import rest_slow


def made(
    name: str = "m3rl-original", games: int = 1, task: str = "resource_collection", **parameters: Any
) -> tuple[Rollout, OriginalLeader]:
    config = TrainConfig(task, leader=name, parameters=parameters, num_envs=games, device="cpu")
    env = make_env(config, games, 0)
    leader = make_leader(config, env)
    assert isinstance(leader, OriginalLeader)
    return Rollout(env, leader, torch.Generator().manual_seed(0)), leader


def count(*modules: nn.Module | None) -> int:
    return sum(p.numel() for module in modules if module is not None for p in module.parameters())


def test_the_sizes_are_the_originals() -> None:
    network = made()[1].network
    assert count(network.history) == 16_512
    assert count(network.mind) == 1_176_453
    assert count(network) - count(network.mind, network.history) == 580_652


def linear(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


@pytest.mark.parametrize(("task", "bonuses"), [("crafting", 3), ("multi_bonus_crafting", 5)])
def test_the_sizes_of_crafting_are_the_originals(task: str, bonuses: int) -> None:
    """Eight goal types, 44 planes, six actions; each layer as the original's description has it."""
    network, goals, planes, actions, hidden = made(task=task)[1].network, 8, 44, 6, 128
    assert count(network.history) == linear(goals * (30 + bonuses), hidden)
    mind = linear(planes + actions + goals * bonuses, 64) + linear(121 * 64, hidden) + linear(hidden, hidden)
    mind += 4 * hidden * (2 * hidden + 2) + linear(2 * hidden, hidden) + linear(hidden, actions)
    assert count(network.mind) == mind
    manager = linear(planes, 32) + linear(121 * 32, hidden) + linear(2 * hidden, hidden)  # and its gate
    manager += linear(hidden, hidden) + linear(2 * hidden, hidden)  # the context, the actor
    manager += 2 * (linear(hidden, goals) + linear(hidden, bonuses))  # two heads, and the critic's two
    assert count(network) - count(network.mind, network.history) == manager


def test_initial_weights_are_the_originals() -> None:
    """N(0, 0.01) and biases 0; the history encoder, the fusion and the prediction head as torch draws them."""
    network = made()[1].network
    for layer in (network.mind.layer, network.context, network.actor, network.encoding, network.mind.encoding):
        assert float(layer.weight.detach().std()) == pytest.approx(0.01, rel=0.02)
        assert not layer.bias.any()
    for layer in (network.history, network.fusion, network.mind.head[0]):
        bound = layer.in_features**-0.5
        assert float(layer.weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)
        assert layer.bias.detach().all()
    for name, parameter in network.mind.lstm.named_parameters():
        assert bool(parameter.any()) == name.startswith("weight")
    assert not network.baseline.goals.bias.any()


def with_weights(network: nn.Module) -> None:
    """Weights that let everything through."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / max(1, parameter[0].numel()) ** 0.5)


@pytest.mark.parametrize("rows", [1, 7])
def test_the_lookup_is_the_convolution(rows: int) -> None:
    """In values and in gradients, with cells that vary and cells that do not."""
    generator = torch.Generator().manual_seed(0)
    encoding = PlaneEncoding(cells=20, cell_planes=4, constant_planes=3, channels=5, hidden=6).double()
    with_weights(encoding)
    codes = torch.randint(5, (1, 20), generator=generator).repeat(rows, 1)
    codes[:, 3:9] = torch.randint(5, (rows, 6), generator=generator)
    constant = torch.randn(rows, 3, generator=generator, dtype=torch.float64)
    upstream = torch.randn(rows, 6, generator=generator, dtype=torch.float64)
    gradients = []
    outputs = (encoding.plain(codes, constant), encoding(codes, constant, CellGroups.of(codes)))
    for output in outputs:
        encoding.zero_grad()
        (output * upstream).sum().backward()
        gradients.append([parameter.grad for parameter in encoding.parameters()])
    torch.testing.assert_close(outputs[0], outputs[1])
    assert bool((outputs[0] > 0).any())
    torch.testing.assert_close(gradients[0], gradients[1])


def test_the_lookup_of_a_game_of_crafting_is_torchs_convolution_of_its_planes() -> None:
    """With whole numbers in constant planes; torch's own convolution over the planes that the encoder writes out."""
    env = paymaster.make_vec("crafting", 3, 0, autoreset_mode="Disabled")
    assert isinstance(env, LeaderVectorEnv)
    encoder = PlaneEncoder(env)
    follower = np.empty((3, 8, encoder.follower_features), np.float32)
    history, over = np.empty((3, 8, 8, encoder.goal_features), np.float32), np.empty((3, 8), bool)
    codes, constant, planes = [], [], []
    observation, _ = env.reset()
    for _ in range(29):  # nobody is employed: all dig what they like
        observation, *_ = env.step(np.zeros((3, 8, 2), np.int64))
        encoder.encode_into(observation, follower, history, over)
        rows = torch.from_numpy(follower.copy()).flatten(0, 1).double()
        codes.append(rows[:, :121].long())
        constant.append(rows[:, 121 : 121 + encoder.constant_planes])
        planes.append(torch.from_numpy(encoder.expand(observation)).flatten(0, 1).double())
    assert int(constant[-1][:, :8].max()) > 1 and len(torch.cat(codes).unique()) == 2 + 4
    encoding = PlaneEncoding(121, encoder.cell_planes, encoder.constant_planes, channels=8, hidden=16).double()
    with_weights(encoding)
    kernel = encoding.convolution.weight.unsqueeze(-1).unsqueeze(-1)
    seen = torch.relu(nn.functional.conv2d(torch.cat(planes), kernel, encoding.convolution.bias)).flatten(1)
    weight = encoding.weight.permute(2, 1, 0).flatten(1)
    expected = torch.relu(nn.functional.linear(seen, weight, encoding.bias))
    codes_of_all, constant_of_all = torch.cat(codes), torch.cat(constant)
    torch.testing.assert_close(encoding.plain(codes_of_all, constant_of_all), expected)
    torch.testing.assert_close(encoding(codes_of_all, constant_of_all, CellGroups.of(codes_of_all)), expected)


def evaluated(leader: OriginalLeader, episodes: Episodes) -> LeaderOutput:
    steps = PackedSteps.of(episodes)
    network = leader.network
    start = network.initial_history(int(steps.batch_sizes[0]), episodes.num_followers)
    output: LeaderOutput = network(
        *(steps.follower, steps.goal, steps.previous, start), offer=steps.offer, batch_sizes=steps.batch_sizes
    )
    return output


EARLY = {"num_resources": 3, "num_followers": 2}
ACTED = [
    (parameters, name, core)
    for parameters in ({}, EARLY, {"task": "crafting"})
    for name in ORIGINALS
    for core in (True, False)
]


@pytest.mark.parametrize(
    ("parameters", "name", "in_core"),
    # Fast: each leader by the core in whole episodes and by torch in those that end early, or the other way round; in
    # crafting as in whole episodes.
    rest_slow(ACTED, lambda case: (case[0] == EARLY) ^ case[2] ^ (list(ORIGINALS).index(case[1]) % 2 == 0) == 0),
)
def test_acting_is_what_the_network_says_of_whole_episodes(
    name: str, parameters: dict[str, Any], in_core: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step by step with memory, as over all steps at once: so what is learned from is what was played."""
    rollout, leader = made(name, games=3, **parameters)
    with_weights(leader.network)
    success = (40, rollout.env.parameters["num_goals"], 30)
    rollout.env.statistics.set(performance_success=np.random.default_rng(0).random(success).astype(np.float32))
    acted: list[LeaderOutput] = []
    decide = PlaneActor.decide

    def kept(self: PlaneActor, *args: Any) -> LeaderOutput:
        self._in_core = in_core
        acted.append(decide(self, *args))
        return acted[-1]

    monkeypatch.setattr(PlaneActor, "decide", kept)
    episodes, _ = rollout.play()
    assert episodes is not None
    lengths = episodes.valid.sum(0)
    assert "num_resources" not in parameters or len(set(lengths.tolist())) > 1  # games end at different steps
    output, steps = evaluated(leader, episodes), PackedSteps.of(episodes)
    for part in ("log_mu", "termination_logits", "attention"):
        whole = getattr(output, part)
        if whole is None:
            assert leader.network.termination is None
            continue
        played = steps.pack(torch.stack([getattr(step, part) for step in acted])[: episodes.num_steps])
        torch.testing.assert_close(whole, played, atol=2e-5, rtol=1e-4)
    assert output.phi is not None
    torch.testing.assert_close(output.phi, output.phi[:, :1].expand_as(output.phi))  # the team's


def test_the_manager_sees_m_of_the_step_before() -> None:
    """An offer made in a step changes what the network says from the next on, and its prediction at once."""
    rollout, leader = made()
    with_weights(leader.network)
    episodes, _ = rollout.play()
    assert episodes is not None
    before = evaluated(leader, episodes)
    offer = episodes.offer.clone()
    offer[5] = (offer[5] + 1) % 8
    episodes = Episodes(**{**vars(episodes), "offer": offer})
    after = evaluated(leader, episodes)
    changed = (before.log_mu != after.log_mu).flatten(1).any(1)
    assert not changed[:6].any() and changed[6]
    assert before.prediction_logits is not None and after.prediction_logits is not None
    foreseen = (before.prediction_logits != after.prediction_logits).flatten(1).any(1)
    assert not foreseen[:5].any() and foreseen[5]


def test_heads_and_pooling_are_what_their_names_say() -> None:
    output = {}
    for name in ORIGINALS:
        rollout, leader = made(name)
        with_weights(leader.network)
        episodes, _ = rollout.play()
        assert episodes is not None
        output[name] = evaluated(leader, episodes)
        mu = output[name].log_mu.exp().unflatten(-1, (4, 2))
        torch.testing.assert_close(mu.sum((-1, -2)), torch.ones(mu.shape[:2]))
        of_bonus = mu / mu.sum(-1, keepdim=True)
        independent = torch.allclose(of_bonus, of_bonus[:, :, :1].expand_as(of_bonus), atol=1e-5)
        assert independent == (name == "m3rl-original")
        torch.testing.assert_close(output[name].attention.sum(-1), torch.ones(mu.shape[0]))
        uniform = torch.allclose(output[name].attention, torch.full(mu.shape[:2], 0.25))
        assert uniform == (name in ("m3rl-original", "no-attention-original"))
        assert (output[name].termination_logits is None) == (name in ("m3rl-original", "no-ebpg-original"))


@pytest.mark.parametrize("in_core", [True, False], ids=["core", "torch"])
def test_cells_that_change_later_are_grouped_again(in_core: bool) -> None:
    """Acting goes on where a cell changes that nobody expected to: with others shown, they walk about."""
    config = TrainConfig(
        "resource_collection", leader="m3rl-original", device="cpu", original=ORIGINALS["m3rl-original"].original
    )
    env = make_env(config, 1, 0)
    leader = make_leader(config, env)
    assert isinstance(leader, OriginalLeader) and isinstance(leader.network, PlaneLeaderNetwork)
    network = leader.network
    with_weights(network)
    history = torch.rand(2, 4, 32)
    follower = torch.zeros(2, 149)
    follower[:, :121] = 1.0
    follower[:, 121], follower[:, 132], follower[:, 143] = 1.0, 1.0, 1.0
    moved = follower.clone()
    moved[0, 60], moved[1, 7] = 0.0, 5.0
    start = network.initial_history(1, 2).flatten(0, 1)
    previous = torch.full((1, 2), -1)
    with torch.inference_mode():
        actor = PlaneActor(network, history, follower[:, :121].long())
        actor._in_core = in_core
        for seen in (follower, moved, follower):
            fresh = PlaneActor(network, history, seen[:, :121].long())
            expected = fresh.decide(seen.unsqueeze(0), start, previous)
            torch.testing.assert_close(actor.decide(seen.unsqueeze(0), start, previous).log_mu, expected.log_mu)


def test_the_core_refuses_what_does_not_fit() -> None:
    network = made()[1].network
    with torch.inference_mode():
        actor = PlaneActor(network, torch.rand(4, 4, 32), torch.ones(4, 121, dtype=torch.int64))
        core = actor._made_core(1, 4)
    follower, state = np.ones((1, 4, 149), np.float32), np.zeros((4, 256), np.float32)
    previous = np.full((1, 4), -1)
    with pytest.raises(ValueError, match="follow: expected a decision before it, got none"):
        core.follow(previous + 1, state, True)
    with pytest.raises(ValueError, match=r"follower: expected a C-ordered array of float32 and shape \(1, 4, 149\)"):
        core.decide(follower[:, :2], state, previous)
    with pytest.raises(ValueError, match=r"previous: expected a value in \[-1, 7\], got 8"):
        core.decide(follower, state, previous + 9)
    assert core.decide(follower + 1, state, previous) is None  # cells of another code than their group's
    assert core.decide(follower, state, previous) is not None
    with pytest.raises(ValueError, match=r"offer: expected a value in \[0, 7\], got -1"):
        core.follow(previous, state, True)
    with pytest.raises(ValueError, match="gate: expected a C-ordered array of float32 and shape"):
        actor._made_core(2, 4)


def test_the_cores_rmsprop_is_torchs() -> None:
    generator = torch.Generator().manual_seed(0)
    pairs = [[nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((37, 5), (3,))] for _ in range(2)]
    with torch.no_grad():
        for one, other in zip(*pairs, strict=True):
            other.copy_(one)
    ours = CoreRMSprop([{"params": pairs[0], "lr": 0.01}])
    theirs = torch.optim.RMSprop([{"params": pairs[1], "lr": 0.01}], alpha=0.99, eps=1e-8)
    for _ in range(5):
        for one, other in zip(*pairs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        ours.step()
        theirs.step()
    torch.testing.assert_close(pairs[0], pairs[1])
    for one, other in zip(ours.state.values(), theirs.state.values(), strict=True):
        assert one.keys() == other.keys()
        torch.testing.assert_close(one["square_avg"], other["square_avg"])
        assert one["step"] == other["step"]
    values = torch.randn(10_007, generator=generator)
    assert _core.absolute_sum(values.numpy()) == pytest.approx(float(values.double().abs().sum()), rel=1e-6)
