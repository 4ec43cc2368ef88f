"""A recipe so small that a step takes a millisecond; runs as a program for tests that kill it."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from training.engine import (
    Batch,
    Generated,
    LearningRate,
    Optimiser,
    Recipe,
    Side,
    Task,
    Term,
    Track,
    Trainer,
)


class Pictures(Dataset[Batch]):
    """Noise that follows from epoch and index."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, key: tuple[int, int]) -> Batch:
        epoch, index = key
        generator = torch.Generator().manual_seed(1000 * epoch + index)
        return {"input": torch.rand(1, 8, 8, generator=generator), "name": f"{epoch}/{index}"}


class TinyTask(Task):
    """Colour a grey picture; dropout makes the global generator matter."""

    def __init__(self, generator: nn.Module, critic: nn.Module) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic
        self.trained, self.critics = (generator,), (critic,)
        self.seen: list[str] = []
        self.spoiled_after = -1
        self.interrupted_in = -1
        self.seconds = 0.0

    def generate(self, batch: Batch) -> Generated:
        self.seen.append("generate" if torch.is_grad_enabled() else "fake")
        time.sleep(self.seconds)
        if self.seen.count("generate") == self.interrupted_in:
            signal.raise_signal(signal.SIGINT)
        return {"main": self.generator(batch["input"])}

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        self.seen.append("generator")
        pixel = (generated["main"] - batch["input"]).abs().mean()
        if self.seen.count("generator") == self.spoiled_after:
            pixel = pixel * float("nan")
        judged = self.critic(generated["main"])
        return {"g/pixel": Term(pixel, 10.0), "g/adv": Term((judged - 1).square().mean())}

    def critic_terms(self, side: Side, batch: Batch, generated: Generated) -> dict[str, Term]:
        self.seen.append(side)
        picture = batch["input"].expand(-1, 3, -1, -1) if side == "real" else generated["main"]
        assert not picture.requires_grad
        label = float(side == "real")
        return {f"d/{side}": Term((self.critic(picture) - label).square().mean(), 0.5)}

    def preview(self, batch: Batch) -> list[Tensor]:
        return [batch["input"], self.generator(batch["input"])]


SETTINGS = {
    "steps": 12,
    "precision": "fp32",
    "channels_last": False,
    "ema": 0.0,
    "seed": 3,
    "log_every": 1,
    "sample_every": 0,
    "checkpoint_every": 4,
    "max_seconds": 0,
}


def tiny_recipe(order: str = "GD", width: int = 4, workers: int = 0, **settings: Any) -> Recipe:
    torch.manual_seed(0)
    generator = nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Conv2d(width, 3, 1),
    )
    critic = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)), nn.ReLU(), nn.Conv2d(4, 1, 3)
    )
    config = {
        "model": {"name": "tiny", "width": width},
        "critic": {"kind": "tiny"},
        "data": {"workers": workers},
        "train": {**SETTINGS, **settings},
    }
    steps = config["train"]["steps"]
    return Recipe(
        paper="tiny",
        stage="main",
        config=config,
        networks={"generator": generator, "critic": critic},
        tracks=[Track("main", TinyTask(generator, critic), order, Pictures(), batch=3)],
        optimisers={
            "generator": Optimiser(("generator",), LearningRate(1e-2, ((steps // 2, 1e-3),))),
            "critic": Optimiser(("critic",), LearningRate(1e-2)),
        },
        steps=steps,
        data_name="noise",
    )


if __name__ == "__main__":  # FOLDER ORDER SECONDS_PER_STEP WORKERS
    torch.set_num_threads(1)
    folder, order, seconds, workers = sys.argv[1:]
    recipe = tiny_recipe(order, workers=int(workers), ema=0.9, steps=40, checkpoint_every=3)
    recipe.tracks[0].task.seconds = float(seconds)
    Trainer(recipe, Path(folder), device="cpu").fit(resume=True)
