"""Films and ``paymaster render``: what is written can be read back, and shows what was played."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import paymaster
from paymaster.analysis.evaluate import evaluate_run, evaluate_scripted
from paymaster.analysis.render import open_leader, render
from paymaster.commands.main import main
from paymaster.play.recorded_episode import record_episode
from paymaster.rendering import write_film
from paymaster.scripted import make_scripted

RC, NAVIGATION = "resource_collection", "navigation"


@pytest.fixture
def run(small_run: Path) -> Path:
    """Return a trained leader's run directory."""
    return small_run


def frames(count: int, height: int = 40, width: int = 60) -> list[Any]:
    """A square that moves to the right, of three flat colours with a gradient in it."""
    out = []
    for i in range(count):
        frame = np.full((height, width, 3), (255, 255, 255), dtype=np.uint8)
        frame[:, width // 2 :] = (245, 246, 248)
        frame[10:20, 3 * i : 3 * i + 10] = (224, 92, 108)
        frame[30:, :, 1] = np.arange(width, dtype=np.uint8)
        out.append(frame)
    return out


def read_gif(path: Path) -> list[Any]:
    with Image.open(path) as film:
        read = []
        for i in range(film.n_frames):
            film.seek(i)
            read.append(np.asarray(film.convert("RGB")))
        return read


def read_mp4(path: Path) -> tuple[float, list[Any]]:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    told = subprocess.run([ffmpeg, "-i", str(path)], capture_output=True, text=True, check=False).stderr
    size, fps = re.search(r"Video: h264.*?, (\d+)x(\d+)", told), re.search(r"([\d.]+) fps", told)
    assert size and fps
    raw = [ffmpeg, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = np.frombuffer(subprocess.run(raw, capture_output=True, check=True).stdout, dtype=np.uint8)
    return float(fps[1]), list(pixels.reshape(-1, int(size[2]), int(size[1]), 3))


# ---- files


def test_gif_gives_the_frames_back_exactly(tmp_path: Path) -> None:
    film = tmp_path / "film.gif"
    assert write_film(frames(7), film, fps=5) == 7
    read = read_gif(film)
    assert len(read) == 7
    for expected, came in zip(frames(7), read, strict=True):
        assert np.array_equal(expected, came)
    with Image.open(film) as picture:
        assert picture.info["duration"] == 200
        assert picture.info["loop"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_gif_of_many_colours_keeps_the_frequent_ones(tmp_path: Path) -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (600, 200, 3), dtype=np.uint8)
    noisy[:400] = (34, 136, 51)
    write_film([noisy], tmp_path / "film.gif")
    came = read_gif(tmp_path / "film.gif")[0]
    assert (came[:400] == (34, 136, 51)).all()
    assert np.abs(came[400:].astype(int) - noisy[400:]).mean() < 30


@pytest.mark.parametrize("size", [(40, 60), (41, 61)])
def test_mp4_can_be_read_back(tmp_path: Path, size: tuple[int, int]) -> None:
    pytest.importorskip("imageio_ffmpeg")
    film = tmp_path / "film.MP4"
    assert write_film(iter(frames(9, *size)), film, fps=10) == 9
    fps, read = read_mp4(film)
    assert len(read) == 9
    assert fps == 10
    assert read[0].shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    for expected, came in zip(frames(9, *size), read, strict=True):
        assert np.abs(came[: size[0], : size[1]].astype(int) - expected).mean() < 12
    assert [path.name for path in tmp_path.iterdir()] == ["film.MP4"]


def test_mp4_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ValueError, match="pip install imageio-ffmpeg"):
        write_film(frames(2), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("source", "name", "fps", "error", "message"),
    [
        (frames(2), "film.avi", 4, ValueError, "path: expected a name ending in .gif, .mp4, .png, got 'film.avi'"),
        (frames(2), "film.gif", 0, ValueError, "fps: expected a value in"),
        (frames(2), "film.gif", float("nan"), ValueError, "fps: expected a value in"),
        ([], "film.gif", 4, ValueError, "frames: expected at least one"),
        (frames(2), "film.png", 4, ValueError, "frames: expected a single one"),
        ([*frames(1), *frames(1, width=30)], "film.gif", 4, ValueError, "frames: expected shape"),
        ([np.zeros((4, 4), dtype=np.uint8)], "film.gif", 4, ValueError, "frames: expected shape"),
        ([np.zeros((4, 4, 3))], "film.gif", 4, TypeError, "frames: expected dtype uint8"),
    ],
)
def test_impossible_films_leave_the_old_file(
    source: Any, name: str, fps: float, error: type[Exception], message: str, tmp_path: Path
) -> None:
    old = tmp_path / name
    old.write_text("old")
    with pytest.raises(error, match=message):
        write_film(source, old, fps)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert old.read_text() == "old"


def test_failure_on_the_way_leaves_the_old_file(tmp_path: Path) -> None:
    def broken() -> Any:
        yield from frames(3)
        raise RuntimeError("the game broke")

    for name in ("film.gif", "film.mp4"):
        (tmp_path / name).write_text("old")
        with pytest.raises(RuntimeError, match="the game broke"):
            write_film(broken(), tmp_path / name)
        assert (tmp_path / name).read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


# ---- leaders


def test_rendered_episode_is_the_evaluations(run: Path) -> None:
    for greedy in (True, False):
        env, leader, title = open_leader(str(run), seed=2, greedy=greedy)
        episode = record_episode(env, leader, title)
        evaluated = evaluate_run(run, 1, 2, greedy=greedy)
        assert episode.record.gain()[-1] == pytest.approx(evaluated.gain[0])
        assert episode.record.paid()[-1] == pytest.approx(evaluated.payments[0])
    assert title == "resource collection   |   leader: run"
    env, leader, _ = open_leader("full_information", NAVIGATION, seed=4)
    episode = record_episode(env, leader)
    assert episode.record.gain()[-1] == pytest.approx(evaluate_scripted("full_information", NAVIGATION, 1, 4).gain[0])


def test_trained_leaders_attention_is_recorded_and_drawn(run: Path) -> None:
    env, leader, title = open_leader(str(run))
    episode = record_episode(env, leader, title)
    weights = np.array([step.attention for step in episode.record.steps])
    assert weights.shape == (len(episode.record.steps), 4)
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-5)
    assert len(np.unique(weights)) > 4
    with_attention = episode.frame(6)
    for number, step in enumerate(episode.record.steps):
        object.__setattr__(episode.record.steps[number], "attention", None if number < 6 else step.attention)
    assert not np.array_equal(with_attention, episode.frame(6))
    env = paymaster.make_vec(RC, 1, autoreset_mode="Disabled")
    assert all(step.attention is None for step in record_episode(env, make_scripted("fixed")).record.steps)


def test_playing_leaves_torchs_generator_alone(run: Path) -> None:
    before = torch.get_rng_state()
    env, leader, _ = open_leader(str(run))
    record_episode(env, leader)
    assert torch.equal(before, torch.get_rng_state())


# ---- the command


def test_render_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["render", "preference", "--task", NAVIGATION, "--horizon", "3", "--width", "480"]
    assert main([*args, "--fps", "2"]) == 0
    film = tmp_path / "navigation-preference-seed0.gif"
    assert film.name in capsys.readouterr().out
    shown = read_gif(film)
    with Image.open(film) as picture:
        times = []
        for i in range(picture.n_frames):
            picture.seek(i)
            times.append(picture.info["duration"])
    assert shown[0].shape[1] == 480
    assert len(shown) == 4, "the start and three steps; Pillow joins equal frames"
    assert times[:3] == [500] * 3
    assert times[3] == 2500, "the film rests on its end"
    assert main([*args, "--out", "two.gif", "--episodes", "2"]) == 0
    assert len(read_gif(tmp_path / "two.gif")) == 8
    assert capsys.readouterr().out.count(",") == 1, "a gain for each episode"


def test_render_an_mp4(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    film = tmp_path / "film.mp4"
    parameters = ["--horizon", "3", "--width", "480", "--fps", "2", "--out", str(film)]
    assert main(["render", "random", "--task", "predator_prey", *parameters]) == 0
    fps, read = read_mp4(film)
    assert fps == 2
    assert len(read) == 4 + 4, "the start, three steps, and two seconds of rest"


def test_render_a_trained_leaders_picture(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "picture.png"
    assert main(["render", str(run), "--out", str(picture), "--step", "5", "--greedy"]) == 0
    env, leader, title = open_leader(str(run), greedy=True)
    expected = record_episode(env, leader, title).frame(5, show_future=True)
    with Image.open(picture) as came:
        assert np.array_equal(np.asarray(came), expected)
    assert main(["render", str(run), "--out", str(picture), "--noise", "0.5", "--width", "640"]) == 0
    with Image.open(picture) as came:
        assert came.size[0] == 640
    assert "wrote" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["random"], "task: expected --task"),
        (["nobody", "--task", RC], "leader: expected a run directory or one of"),
        (["random", "--task", "chess"], "task: expected one of"),
        (["random", "--task", RC, "--out", "film.avi"], "path: expected a name ending in .gif, .mp4, .png"),
        (["random", "--task", RC, "--out", "no/film.gif"], "out: expected a file in a directory that exists"),
        (["random", "--task", RC, "--out", "film.gif", "--step", "3"], "step: expected --out FILE.png"),
        (["random", "--task", RC, "--step", "31"], "step: expected a value in [0, 30], got 31"),
        (["random", "--task", RC, "--step", "3", "--episodes", "2"], "episodes: expected 1 for a .png"),
        (["random", "--task", RC, "--episodes", "0"], "episodes: expected a whole number in [1, 1,000], got 0"),
        (["random", "--task", RC, "--width", "10"], "width: expected a whole number in [320, 4,096], got 10"),
        (["random", "--task", RC, "--fps", "0"], "fps: expected a number in [0.1, 60], got 0"),
        (["random", "--task", RC, "--fps", "1e-300"], "fps: expected a number in [0.1, 60], got 1e-300"),
        (["random", "--task", NAVIGATION, "--map", "####"], "map"),
        (["random", "--task", RC, "--map", os.devnull], "map: expected a file that holds a map"),
    ],
)
def test_errors_are_one_clear_line(
    args: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["render", *args]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("paymaster: error: ")
    assert error in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_several_episodes_are_told_apart(tmp_path: Path) -> None:
    env, leader, title = open_leader("fixed", RC, parameters={"horizon": 2})
    played = render(env, leader, title, tmp_path / "film.gif", episodes=3, width=320)
    assert [episode.title.split("|")[-1].strip() for episode in played] == [f"episode {i} of 3" for i in (1, 2, 3)]
    assert len({episode.states[0]["position"].tobytes() for episode in played}) == 3


def stored_films() -> list[str]:
    return sorted(film.stem for film in (Path(__file__).parents[2] / "docs" / "films").glob("*.gif"))


@pytest.mark.slow
@pytest.mark.parametrize("task", stored_films())
def test_films_of_the_documentation_show_what_the_code_plays_and_draws(task: str) -> None:
    docs = Path(__file__).parents[2] / "docs"
    films = runpy.run_path(str(docs / "_films.py"))
    assert set(films["tasks"]()) == set(stored_films())
    env, leader, title = open_leader("full_information", task, films["SEED"])
    episode = record_episode(env, leader, title)
    film = read_gif(docs / "films" / f"{task}.gif")
    for came, step in ((film[0], 0), (film[-1], len(episode.states) - 1)):
        drawn = episode.frame(step, width=films["WIDTH"])
        assert came.shape == drawn.shape
        assert np.abs(came.astype(int) - drawn).mean() < 2, "write the films with: python docs/_films.py"  # 256 colours
