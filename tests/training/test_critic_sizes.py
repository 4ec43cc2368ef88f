"""A picture too small for a critic is refused when the critic is built."""

from __future__ import annotations

import pytest

from training.critics import CRITIC_FORMS, named_critic
from training.critics.sizes import check_size
from training.errors import TrainingError
from training.papers.pieces import make_critic


@pytest.mark.parametrize("form", CRITIC_FORMS)
def test_a_critic_names_the_smallest_size_and_takes_it(form):
    critic = named_critic(form, {"width": 8})
    check_size(critic, 256)
    assert critic.training


def test_too_small_a_page_is_named_with_the_size_that_works():
    table = {"form": "alacgan", "width": 8}
    with pytest.raises(TrainingError, match=r"data\.size=96 is too small") as refused:
        make_critic(table, 1.0, 96)
    assert "data.size=128" in refused.value.action
    assert make_critic(table, 1.0, 128) is not None
