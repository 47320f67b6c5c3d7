"""Pictures: the right colours in the right places, layouts that hold for every size, episodes as they were played.

One long file, because all read pixels by the same few helpers.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import paymaster
from paymaster.play.recorded_episode import RecordedEpisode, record_episode
from paymaster.rendering import EpisodeRecord, draw_frame
from paymaster.rendering.palette import BACKGROUND, GOALS, INK, OBSTACLE
from paymaster.scripted import SCRIPTED, make_scripted
from rest_slow import rest_slow
from worlds import GRIDS, PARTICLES, TASKS, fitting

RC, NAVIGATION, PREY = "resource_collection", "navigation", "predator_prey"
HALL = "\n".join(["######", *["#....#"] * 7, "######"])
WORLD = (24.0, 76.0, 480.0)  # left, top and side of the world in a picture 1280 pixels wide


def play(task: str, leader: str = "full_information", seed: int = 0, **parameters: Any) -> RecordedEpisode:
    env = paymaster.make_vec(task, 1, seed, autoreset_mode="Disabled", **parameters)
    return record_episode(env, make_scripted(leader))


def offers(*pairs: tuple[int, int]) -> Any:
    return np.array(pairs)


def cell(row: float, column: float) -> tuple[int, int]:
    """The pixel in the middle of a cell of the default map, of which four tenths of the border are shown."""
    left, top, side = WORLD
    size = side / (11 - 2 * 0.6)
    return round(left + (column - 0.1) * size), round(top + (row - 0.1) * size)


def point(x: float, y: float) -> tuple[int, int]:
    """The pixel of a point in an arena [-1, 1]^2 with its margin of 0.16 half widths."""
    left, top, side = WORLD
    return round(left + side / 2 * (1 + x / 1.16)), round(top + side / 2 * (1 - y / 1.16))


def colour(frame: Any, place: tuple[int, int], right: int = 0, down: int = 0) -> tuple[int, ...]:
    return tuple(int(part) for part in frame[place[1] + down, place[0] + right])


# ---- frames


@pytest.mark.parametrize("task", rest_slow(TASKS, {RC, "multi_bonus_crafting", NAVIGATION, PREY}.__contains__))
def test_frames_of_every_task(task: str) -> None:
    episode = play(task)
    frames = [episode.frame(step) for step in (0, 5, len(episode.states) - 1)]
    assert all(frame.dtype == np.uint8 and frame.shape == frames[0].shape for frame in frames)
    height, width, channels = frames[0].shape
    assert (width, channels, height % 2) == (1280, 3, 0)
    assert np.array_equal(frames[1], episode.frame(5)), "the same arguments give the same picture"
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], episode.frame(5, show_future=True))
    small = episode.frame(5, width=641)
    assert small.shape[1] == 640
    assert small.shape[0] == pytest.approx(height / 2, abs=2)


def test_picture_follows_the_state() -> None:
    env = paymaster.make(NAVIGATION, seed=0)
    env.reset(seed=0)
    state, parameters = env.state(), env.batch.parameters
    plain = draw_frame(state, parameters)
    for change in (
        {"offer": offers((1, 0), (-1, -1), (-1, -1), (-1, -1))},
        {"position": state["position"] + 0.05},
        {"identity": state["identity"] + 1},
        {"skill": ~state["skill"]},
        {"goal_type": (state["goal_type"] + 1) % 4},
        {"step": np.int32(1)},
    ):
        assert not np.array_equal(plain, draw_frame({**state, **change}, parameters)), change.keys()
    assert not np.array_equal(plain, draw_frame(state, parameters, attention=[0.7, 0.1, 0.1, 0.1]))
    assert not np.array_equal(plain, draw_frame(state, parameters, title="another"))
    offered = {**state, "offer": offers((1, 0), (1, 1), (2, 0), (3, 1)), "step": np.int32(3)}
    taken = {**offered, "committed": np.ones(4, dtype=bool)}
    assert not np.array_equal(draw_frame(offered, parameters), draw_frame(taken, parameters))


@pytest.mark.parametrize("task", GRIDS)
def test_resources_have_their_types_colour_in_their_cells(task: str) -> None:
    episode = play(task, seed=4)
    for step in (0, 9, len(episode.states) - 1):
        frame, state = episode.frame(step), episode.states[step]
        followers = {tuple(place) for place in state["position"]}
        for kind, place, present in zip(
            state["resource_type"], state["resource_position"], state["resource_present"], strict=True
        ):
            if tuple(place) in followers:
                continue  # a removed one, of which the follower now hides the place
            expected = GOALS[kind] if present else BACKGROUND
            assert colour(frame, cell(*place), right=-11, down=4) == expected


def test_followers_stand_in_their_cells_with_the_offered_goals_ring() -> None:
    env = paymaster.make(RC, seed=0)
    env.reset(seed=0)
    env.set_state(
        position=[[1, 1], [9, 9], [5, 5], [7, 2]],
        resource_position=[[r, c] for r in (2, 3) for c in range(3, 8)],
        resource_type=[0, 1, 2, 3, 0, 1, 2, 3, 0, 1],
        heading=[3, 1, 1, 1],
    )
    state = {**env.state(), "offer": offers((0, 1), (3, 0), (2, 0), (-1, -1))}
    state["committed"] = np.array([True, True, False, False])
    frame = draw_frame(state, env.batch.parameters)
    for k, place in enumerate(state["position"]):
        assert colour(frame, cell(*place), right=-9) == INK, f"the body of follower {k}"
    ring = 16  # pixels from the middle, down: there is neither heading nor mark
    assert colour(frame, cell(1, 1), down=ring) == GOALS[0]
    assert colour(frame, cell(9, 9), down=ring) == GOALS[3]
    x, y = cell(5, 5)
    near = frame[y - 20 : y + 21, x - 20 : x + 21].reshape(-1, 3)
    assert (near == GOALS[2]).all(-1).any(), "declined: a dashed ring in the goal's colour"
    whole = frame[cell(1, 1)[1] - 20 : cell(1, 1)[1] + 21, cell(1, 1)[0] - 20 : cell(1, 1)[0] + 21].reshape(-1, 3)
    assert 2 * (near == GOALS[2]).all(-1).sum() < (whole == GOALS[0]).all(-1).sum()
    assert colour(frame, cell(7, 2), down=ring) == BACKGROUND, "no offer, no ring"


@pytest.mark.parametrize("task", PARTICLES)
def test_bodies_and_goals_are_where_the_state_says(task: str) -> None:
    env = paymaster.make(task, seed=0, num_obstacles=1)
    env.reset(seed=0)
    places = np.array([[-0.8, 0.8], [0.8, 0.8], [0.8, -0.8], [-0.8, -0.8]])
    goals = np.array([[-0.45, 0.1], [-0.3, 0.5], [0.3, 0.5], [0.45, 0.1], [0.4, -0.4], [-0.4, -0.4]])
    kinds = [0, 1, 2, 3, 0, 1]
    env.set_state(position=places, goal_position=goals, goal_type=kinds, obstacle_position=[[0.0, -0.7]])
    frame = draw_frame(env.state(), env.batch.parameters)
    for x, y in places:
        assert colour(frame, point(x, y), right=-9) == INK
    for kind, (x, y) in zip(kinds, goals, strict=True):
        assert colour(frame, point(x, y), right=-8) == GOALS[kind]
    assert colour(frame, point(0.0, -0.7)) == OBSTACLE


def test_follower_outside_is_drawn_at_the_edge_it_left_over() -> None:
    env = paymaster.make(PREY, seed=0)
    env.reset(seed=0)
    outside = [[2.4, 0.0], [0.0, -2.2]]
    env.set_state(position=[*outside, [0.1, 0.3], [-0.1, 0.3]], obstacle_position=[[-0.7, 0.6], [0.7, 0.6]])
    frame = draw_frame(env.state(), env.batch.parameters)
    left, top, side = WORLD
    right_edge = frame[int(top) : int(top + side), int(left + side - 36) : int(left + side)]
    bottom_edge = frame[int(top + side - 36) : int(top + side), int(left) : int(left + side)]
    for edge in (right_edge, bottom_edge):
        assert (edge == INK).all(-1).sum() > 150
    beyond = frame[int(top) : int(top + side), int(left + side) + 1 : int(left + side) + 20]
    assert (beyond == BACKGROUND).all(), "nothing is drawn outside the world"


LAID_OUT: list[dict[str, Any]] = [
    {"num_followers": 1, "horizon": 1},
    {"num_followers": 2, "num_goals": 1, "skills_per_follower": 1},
    {"num_followers": 8, "num_goals": 8, "num_bonuses": 8, "max_reservation": 7, "horizon": 60},
    {"num_followers": 9, "num_resources": 8, "map": HALL},
    {"num_followers": 16, "abstain": True, "horizon": 200, "population_size": 1000},
    {"num_followers": 40, "horizon": 8},
    {"num_followers": 64, "population_size": 64, "num_bonuses": 16, "max_reservation": 1000, "horizon": 8},
]


@pytest.mark.parametrize("task", rest_slow([RC, NAVIGATION, PREY], {RC, PREY}.__contains__))
@pytest.mark.parametrize("parameters", LAID_OUT, ids=lambda parameters: f"N{parameters['num_followers']}")
def test_layouts_hold_and_keep_their_margins(task: str, parameters: dict[str, Any]) -> None:
    if task == RC and parameters["num_followers"] > 16:
        pytest.skip("the grid holds 16 at most")
    env = paymaster.make_vec(task, 1, 3, autoreset_mode="Disabled", payment="advance", **fitting(task, parameters))
    episode = record_episode(env, make_scripted("random"))
    step = len(episode.states) // 2
    shares = np.full(env.num_followers, 1.0 / env.num_followers)
    frame = draw_frame(episode.states[step], episode.parameters, episode.record, shares, title=task, show_future=True)
    for margin in (frame[:, :16], frame[:, -16:], frame[:10], frame[-8:]):
        assert (margin == BACKGROUND).all()
    assert frame.shape[0] <= 1400
    assert (frame == INK).all(-1).mean() > 0.002


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 100}, r"width: expected a value in \[320, 4096\], got 100"),
        ({"attention": [0.5, 0.5]}, r"attention: expected shape \(4,\), got \(2,\)"),
        ({"state": {"identity": 1}}, "state: expected the field"),
    ],
)
def test_impossible_frames_are_refused(change: dict[str, Any], message: str) -> None:
    env = paymaster.make(RC, seed=0)
    env.reset()
    with pytest.raises(ValueError, match=message):
        draw_frame(**{"state": env.state(), "parameters": env.batch.parameters, **change})
    with pytest.raises(ValueError, match="state: expected one game's"):
        draw_frame(env.batch.state(), env.batch.parameters)


# ---- records


@pytest.mark.parametrize("leader", SCRIPTED)
def test_record_holds_the_episode_as_it_was_played(leader: str) -> None:
    env = paymaster.make_vec("multi_bonus_resource_collection", 1, 5, autoreset_mode="Disabled")
    player = make_scripted(leader)
    episode = record_episode(env, player)
    again = paymaster.make_vec("multi_bonus_resource_collection", 1, 5, autoreset_mode="Disabled")
    observation, _ = again.reset()
    player = make_scripted(leader)
    player.start(again)
    for number, step in enumerate(episode.record.steps):
        actions = player.offers(again, observation)
        observation, reward, *_, info = again.step(actions)
        assert np.array_equal(step.offer, actions[0])
        assert np.array_equal(step.payment, info["payment"][0])
        assert step.reward == reward[0]
        assert episode.record.gain()[number] == pytest.approx(info["totals"]["gain"][0])
        assert episode.record.paid()[number] == pytest.approx(info["totals"]["payments"][0])
    assert episode.record.end == int(episode.states[-1]["step"]) == info["totals"]["length"][0]


def test_record_refuses_what_does_not_fit() -> None:
    env = paymaster.make(RC, seed=0)
    env.reset()
    record = EpisodeRecord()
    with pytest.raises(ValueError, match="state: expected step 1, got 0"):
        record.add(env.state(), np.zeros(4), 0.0)
    env.step(np.zeros((4, 2), dtype=int))
    with pytest.raises(ValueError, match=r"payment: expected shape \(4,\), got \(3,\)"):
        record.add(env.state(), np.zeros(3), 0.0)
    with pytest.raises(ValueError, match=r"attention: expected shape \(4,\), got \(1, 4\)"):
        record.add(env.state(), np.zeros(4), 0.0, np.zeros((1, 4)))
    assert record.steps == []
    record.add(env.state(), np.zeros(4), 0.0)
    assert record.end == 1


def test_watching_needs_one_game_that_waits() -> None:
    with pytest.raises(ValueError, match="env: expected a single game, got 2"):
        record_episode(paymaster.make_vec(RC, 2, seed=0, autoreset_mode="Disabled"), make_scripted("random"))
    with pytest.raises(ValueError, match="env: expected autoreset_mode 'Disabled'"):
        record_episode(paymaster.make_vec(RC, 1, seed=0), make_scripted("random"))
    episode = play(RC)
    with pytest.raises(ValueError, match=r"step: expected a value in \[0, "):
        episode.frame(len(episode.states))


# ---- environments


@pytest.mark.parametrize("task", [RC, NAVIGATION, PREY])
@pytest.mark.filterwarnings("ignore:.*not having a spec")
def test_gymnasium_takes_the_pictures(task: str) -> None:
    check_env(paymaster.make(task, seed=0, render_mode="rgb_array"))
    env: Any = gymnasium.wrappers.RenderCollection(paymaster.make(task, seed=0, render_mode="rgb_array", horizon=3))
    env.reset(seed=0)
    terminated = False
    while not terminated:
        terminated = env.step(env.action_space.sample())[2]
    frames = env.render()
    assert len(frames) == 4
    assert len({frame.tobytes() for frame in frames}) == 4


def test_batch_draws_each_of_its_games() -> None:
    batch = paymaster.make_vec(PREY, 3, seed=2, horizon=4, render_mode="rgb_array")
    single = paymaster.make(PREY, seed=2, index=1, horizon=4, render_mode="rgb_array")
    batch.reset()
    single.reset()
    actions = np.ones((3, 4, 2), dtype=int)
    for _ in range(4):
        batch.step(actions)
        single.step(actions[1])
        frames = batch.render()
        assert len(frames) == 3
        assert np.array_equal(frames[1], single.render())
        assert not np.array_equal(frames[0], frames[1])
    batch.step(actions)  # the next episode begins
    single.reset()
    assert np.array_equal(batch.render()[1], single.render())
    with pytest.warns(UserWarning, match="render_mode"):
        assert paymaster.make_vec(RC, seed=0).render() is None
    for mode in ("human", "ansi", "RGB"):
        with pytest.raises(ValueError, match="render_mode: expected None or 'rgb_array'"):
            paymaster.make_vec(RC, seed=0, render_mode=mode)


def test_another_state_starts_another_record() -> None:
    env = paymaster.make(RC, seed=0, render_mode="rgb_array")
    env.reset(seed=1)
    snapshot = env.snapshot()
    for _ in range(3):
        env.step(np.zeros((4, 2), dtype=int))
    played, state = env.render(), env.state()
    env.set_state(**state)
    assert not np.array_equal(env.render(), played), "what led to a state that was set is not known"
    env.step(np.zeros((4, 2), dtype=int))
    env.restore(snapshot)
    fresh = paymaster.make(RC, seed=0, render_mode="rgb_array")
    fresh.reset(seed=1)
    assert np.array_equal(env.render(), fresh.render())


def test_reset_of_some_games_leaves_the_others_records() -> None:
    env = paymaster.make_vec(RC, 2, seed=3, autoreset_mode="Disabled", render_mode="rgb_array")
    env.reset()
    env.step(np.zeros((2, 4, 2), dtype=int))
    before = env.render()
    env.reset(options={"reset_mask": np.array([True, False])})
    after = env.render()
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


def test_package_imports_no_drawing_library() -> None:
    code = "import sys, paymaster; paymaster.make('navigation'); sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- text


def test_text_of_the_plane_shows_what_the_state_says() -> None:
    env = paymaster.make(NAVIGATION, seed=0, num_targets=2, num_followers=3, num_obstacles=1, render_mode="ansi")
    env.reset(seed=0)
    env.set_state(
        position=[[0.0, 0.0], [-0.95, 0.95], [3.0, 0.5]],
        velocity=[[0.0, 0.0], [0.1, 0.5], [-2.0, 0.1]],
        goal_position=[[0.95, -0.95], [-0.5, 0.0]],
        goal_type=[1, 3],
        obstacle_position=[[0.0, -0.6]],
    )
    lines = env.render().splitlines()
    assert lines[0] == lines[22] == "##" * 23
    assert lines[11] == "##" + ". " * 5 + "d " + ". " * 4 + "o0" + ". " * 10 + "##"
    assert lines[1] == "##" + "^1" + ". " * 20 + "##"
    assert lines[6].endswith("<2"), "one outside stands in the border"
    assert lines[21] == "##" + ". " * 20 + "b ##"
    assert lines[17][22:26] == "::::"
    assert lines[23] == "step 0 of 50"
    many = paymaster.make(PREY, seed=0, num_followers=20, render_mode="ansi")
    many.reset(seed=0)
    assert "13" in many.render().split("step")[0]
