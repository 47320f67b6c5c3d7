"""One picture of an episode: the world, the followers, the time line, the leader's account, a legend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paymaster.rendering.amounts import short
from paymaster.rendering.canvas import Canvas
from paymaster.rendering.field_list import draw_field_list
from paymaster.rendering.gain_chart import draw_gain
from paymaster.rendering.grid_view import draw_grid
from paymaster.rendering.inventory import INVENTORY_HEIGHT, draw_inventory
from paymaster.rendering.legend import draw_legend, legend_height
from paymaster.rendering.limits import budget_left, share_left
from paymaster.rendering.palette import INK, LINE, MUTED
from paymaster.rendering.panel import draw_panel
from paymaster.rendering.particle_view import draw_particles
from paymaster.rendering.record import EpisodeRecord
from paymaster.rendering.scene import Scene, read_scene
from paymaster.rendering.timeline import SUMMARIES_WIDTH, Axis, draw_axis, draw_cursor, draw_timeline, row_height
from paymaster.rendering.worlds import ON_GRID
from paymaster.worlds.registration import drawing_of

__all__ = ["draw_frame"]

_WIDTH = 1280.0
_MARGIN = 24.0
_WORLD = 480.0
_TOP = 76.0
_GAIN = 84.0


def draw_frame(
    state: Mapping[str, Any],
    parameters: Mapping[str, Any],
    history: EpisodeRecord | None = None,
    attention: ArrayLike | None = None,
    *,
    title: str = "",
    width: int = 1280,
    show_future: bool = False,
) -> NDArray[np.uint8]:
    """Draws one game as it is after a step. The same arguments give the same picture.

    Args:
        state: of one game, as ``LeaderEnv.state()`` returns it.
        parameters: of the game, as ``LeaderVectorEnv.drawn_parameters()`` has them: with ``goal_reward`` as it is in
            force; ``task``, where its world draws itself; ``utility`` and ``cost`` of the population.
        history: what happened in the episode; without it time line and trails are empty.
        attention: the leader's weights of the followers, float [N]; by default those of the history's step, if any.
        title: names the picture, for instance task and leader.
        width: pixels; the height follows from the number of followers and is the same throughout an episode.
        show_future: also draw, faded, what the history holds of later steps.

    Returns:
        uint8 [height, width, 3], both even, red, green, blue.

    Raises:
        ValueError: a state that lacks a field or is a whole batch's, attention of another shape than [N], a width
            outside [320, 4096].
    """
    if not 320 <= width <= 4096:
        raise ValueError(f"width: expected a value in [320, 4096], got {width}")
    scene = read_scene(state, parameters)
    record = EpisodeRecord(start=scene.step) if history is None else history
    weights = _attention(attention, record, scene)
    timeline = _TOP + _WORLD + 44.0
    rows = row_height(len(scene.followers)) * len(scene.followers)
    gain = timeline + rows + 34.0
    legend = gain + _GAIN + 22.0
    below = legend_height(scene, _WIDTH - 2 * _MARGIN)
    canvas = Canvas(_WIDTH, legend + below + 14.0, width / _WIDTH)
    drawing = drawing_of(parameters)
    if drawing is not None:
        drawing(canvas, (_MARGIN, _TOP, _WORLD), state, parameters)
    elif scene.world == "other":
        draw_field_list(canvas, (_MARGIN, _TOP, _WORLD), state)
    else:
        draw_world = draw_grid if scene.world in ON_GRID else draw_particles
        draw_world(canvas, (_MARGIN, _TOP, _WORLD), scene, record.before(scene.step))
    canvas.clear_around((_MARGIN, _TOP, _WORLD, _WORLD))
    _draw_header(canvas, scene, record, title)
    left = 2 * _MARGIN + _WORLD
    wide, high = _WIDTH - _MARGIN - left, _WORLD
    if scene.world == "crafting":
        high -= INVENTORY_HEIGHT + 6.0
        draw_inventory(canvas, (left, _TOP + _WORLD - INVENTORY_HEIGHT, wide, INVENTORY_HEIGHT), scene)
    draw_panel(canvas, (left, _TOP, wide, high), scene, weights)
    axis = Axis(_MARGIN + 34.0, _WIDTH - 2 * _MARGIN - 34.0 - SUMMARIES_WIDTH, parameters["horizon"])
    canvas.text(_MARGIN, timeline - 22, "time line: each follower's offers, step by step", 13, MUTED)
    draw_timeline(canvas, axis, timeline, scene, record, show_future=show_future)
    draw_axis(canvas, axis, timeline + rows)
    draw_gain(canvas, axis, gain, _GAIN, record, scene.step, show_future=show_future)
    draw_cursor(canvas, axis, scene.step, ((timeline - 2, timeline + rows), (gain - 4, gain + _GAIN + 4)))
    draw_legend(canvas, _MARGIN, legend, _WIDTH - 2 * _MARGIN, scene, attention=weights is not None)
    return canvas.pixels()


def _attention(given: ArrayLike | None, record: EpisodeRecord, scene: Scene) -> list[float] | None:
    past = record.before(scene.step)
    values = past[-1].attention if given is None and past else given
    if values is None:
        return None
    weights = np.asarray(values, dtype=np.float64)
    if weights.shape != (len(scene.followers),):
        raise ValueError(f"attention: expected shape ({len(scene.followers)},), got {weights.shape}")
    return list(map(float, weights))


def _draw_header(canvas: Canvas, scene: Scene, record: EpisodeRecord, title: str) -> None:
    canvas.text(_MARGIN, 36, title or ("" if scene.world == "other" else scene.world.replace("_", " ")), 24)
    past = record.before(scene.step)
    gain, paid = ([0.0, *values][len(past)] for values in (record.gain(), record.paid()))
    done = sum(int((step.completed >= 0).sum()) for step in past)
    step = f"{scene.step} of {scene.parameters['horizon']}" + (", over" if scene.state["done"] else "")
    right = _WIDTH - _MARGIN
    left = [("budget left", budget_left(scene)), ("share left", share_left(scene))]
    limits = [(name, short(value + 0.0)) for name, value in left if math.isfinite(value)]
    for name, value in (
        *(("gain", f"{gain:g}"), ("paid", f"{paid:g}")),
        *limits,
        *(("completed", str(done)), ("step", step)),
    ):
        wide = max(canvas.text_width(value, 24), canvas.text_width(name, 12.5))
        canvas.text(right, 26, name, 12.5, MUTED, "rm")
        canvas.text(right, 47, value, 24, INK, "rm")
        right -= wide + 34
    canvas.line([(_MARGIN, 64), (_WIDTH - _MARGIN, 64)], LINE, 1.0)
