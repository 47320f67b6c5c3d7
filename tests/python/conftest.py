"""Fixtures of several test files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def single_thread() -> Iterator[None]:
    """Tensors in these tests are small: a second thread only waits, and does so for long on a busy machine."""
    import torch  # here, since the simulator's tests run where there is none

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
