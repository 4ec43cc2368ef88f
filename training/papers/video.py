"""RLAV: a colour transform network, then a temporal refinement network on top of it.

Shi et al., "Reference-Based Deep Line Art Video Colorization" (TVCG 2023); sections of the
specification in brackets. Stages: ``main`` trains the colour transform network, ``refine`` the
refinement network with the former frozen, ``finetune`` both in turn on shots of another series.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from training.critics import named_critic
from training.data import SampleDataset
from training.engine import (
    Batch,
    Generated,
    Recipe,
    Term,
    Track,
)
from training.errors import TrainingError
from training.features import FIRST_RELUS_19, LAST_RELUS_19
from training.losses import FeatureLosses, LatentReconstruction, PixelLoss
from training.papers import sources
from training.papers.pieces import (
    Adversarial,
    Config,
    Workshop,
    make_critic,
    make_feature_losses,
    make_network,
    make_optimisers,
    order_of,
    unit,
    with_critic,
)
from training.papers.video_evaluation import evaluate as evaluate
from training.papers.video_evaluation import has_refinement
from training.papers.video_frames import (
    colour_frames,
    free_frames,
    reference_positions,
    references_at,
    take,
)
from training.papers.video_tuning import note_shots, steps_of
from training.papers.video_tuning import with_finetuning as with_finetuning

ARCHITECTURE = ("model", "critic")
TAPS = {"first": FIRST_RELUS_19, "last": LAST_RELUS_19}
_PARTS = {"generator": "model", "refiner": "refine.model"}


class TransformTask(Adversarial):
    """One frame of a clip from K of its frames; loss [4] with both latent terms."""

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module | None,
        weights: Config,
        features: FeatureLosses | None,
        count: int,
    ) -> None:
        super().__init__(generator, critic, weights, features)
        self.count = count
        self.pixel = PixelLoss("l1")
        self.latent = LatentReconstruction()

    def truth(self, batch: Batch) -> Tensor:
        return take(batch["color"], self._frame(batch))

    def generate(self, batch: Batch) -> Generated:
        frame = self._frame(batch)
        references = references_at(batch, reference_positions(batch["line"].shape[1], self.count))
        output = self.generator(
            take(batch["line"], frame), take(batch["distance"], frame), *references
        )
        latents = {"similarity": output.latent_similarity, "middle": output.latent_middle}
        return {"main": output.main} | {k: v for k, v in latents.items() if v is not None}

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        assert self.critic is not None
        line = take(batch["line"], self._frame(batch))
        logits: list[Tensor] = self.critic(torch.cat((line, picture), 1))
        return logits

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main, target = generated["main"], self.truth(batch)
        terms = {"g/pixel": Term(self.pixel(main, target), self.weights["pixel"])}
        terms |= self.feature_terms(main, target)
        if self.weights["latent"]:
            latents = (generated.get("similarity"), generated.get("middle"))
            terms["g/latent"] = Term(self.latent(target, *latents), self.weights["latent"])
        return terms

    def preview(self, batch: Batch) -> list[Tensor]:
        main = self.generate(batch)["main"]
        line = take(batch["line"], self._frame(batch))
        first = batch["color"][:, 0]
        return [unit(x) for x in (line, first, main, self.truth(batch))]

    def _frame(self, batch: Batch) -> Tensor:
        """The frame to colour, one for each clip: its target, or near one that is a reference."""
        frames = batch["line"].shape[1]
        free = free_frames(frames, reference_positions(frames, self.count))
        if not free:
            raise TrainingError(
                f"{self.count} references leave no frame of {frames} to colour",
                "make data.clip longer",
            )
        nearest = [min(free, key=lambda frame: abs(frame - index)) for index in range(frames)]
        frame: Tensor = torch.tensor(nearest, device=batch["target"].device)[batch["target"]]
        return frame


class RefinementTask(Adversarial):
    """All frames of a clip: the transform network's colours in, refined ones out [3, 4]."""

    def __init__(
        self,
        transform: nn.Module,
        refiner: nn.Module,
        critic: nn.Module | None,
        weights: Config,
        features: FeatureLosses | None,
        count: int,
    ) -> None:
        super().__init__(refiner, critic, weights, features)
        self.transform = transform
        self.fixed = (transform,)
        self.count = count
        self.pixel = PixelLoss("l1")

    def generate(self, batch: Batch) -> Generated:
        positions = reference_positions(batch["line"].shape[1], self.count)
        with torch.no_grad():
            coloured = colour_frames(self.transform, batch, positions)
        clip = torch.cat((batch["line"], coloured.to(batch["line"].dtype)), 2)
        return {"main": self.generator(clip).main, "coloured": coloured}

    def judge(self, batch: Batch, picture: Tensor) -> list[Tensor]:
        assert self.critic is not None
        logits: list[Tensor] = self.critic(picture)
        return logits

    def picture_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main, target = generated["main"], batch["color"]
        terms = {"g/pixel": Term(self.pixel(main, target), self.weights["pixel"])}
        return terms | self.feature_terms(main, target)

    def preview(self, batch: Batch) -> list[Tensor]:
        generated = self.generate(batch)
        middle = batch["line"].shape[1] // 2
        clips = (batch["line"], generated["coloured"], generated["main"], batch["color"])
        return [unit(clip[:, middle]) for clip in clips]


def stages(config: Config) -> list[str]:
    """main; refine unless ``refine.enabled`` is off; finetune when it has shots."""
    if not config["train"]["steps"]:
        return []
    wanted = ["main"]
    if config["refine"]["enabled"]:
        wanted.append("refine")
    if config["finetune"]["shots"]:
        wanted.append("finetune")
    return wanted


def build(shop: Workshop) -> Recipe:
    """One stage of a row of Tables 1 to 7."""
    config, stage = shop.config, shop.stage
    finetuning = stage == "finetune"
    keys = finetuning and config["finetune"].get("keys", 0)
    if stage != "main" and shop.base is None:
        raise TrainingError(f"the {stage} stage needs a trained network", "train the stage before")
    refined = stage == "refine" or (finetuning and _has_refinement(shop, bool(keys)))
    networks = {"generator": make_network(model_table(config["model"]))}
    features = _feature_losses(shop)
    own = "finetune" if finetuning else "train"
    open_data = sources.windows if stage == "refine" else sources.samples
    dataset = open_data(config, shop.data, own)
    if finetuning:
        note_shots(config, dataset, shop.degradations)
    tracks: list[Track] = []
    steps = main_steps = 0
    critic = make_critic(config["critic"], config["loss"]["adv"], config["data"]["size"])
    # the refinement has no use for this critic, but fine-tuning goes on with it
    if stage != "refine" or (shop.base_state and "critic" in shop.base_state["networks"]):
        networks = with_critic(networks, critic)
    shared = tuple(networks)
    if stage != "refine":
        count, batch = config["references"]["count"], config["train"]["batch"]
        task = TransformTask(networks["generator"], critic, config["loss"], features, count)
        steps = main_steps = steps_of(config, stage, "train", len(dataset))
        tracks.append(Track("main", task, order_of(config, critic), dataset, batch, stop=steps))
    if refined:
        networks["refiner"] = make_network(config["refine"]["model"])
    if refined and not keys:
        windows = sources.windows(config, shop.data, own) if finetuning else dataset
        tracks.append(_refinement(config, networks, features, windows, steps))
        steps += steps_of(config, stage, "refine", len(windows))
    tables = ("model", "refine.model") if finetuning and refined else ("model",)
    shop.load_base(networks if finetuning else {n: networks[n] for n in shared}, tables)
    of_transform = {} if stage == "refine" else {name: name for name in shared}
    # key frames are no succession, from which the refinement could learn
    of_refinement = {} if keys else {name: name for name in networks if name not in shared}
    trained = (*of_transform, *of_refinement)
    return Recipe(
        paper="video",
        stage=stage,
        config=config,
        networks=networks,
        tracks=tracks,
        optimisers=make_optimisers(config, main_steps, of_transform)
        | make_optimisers(config, steps - main_steps, of_refinement, main_steps),
        steps=steps,
        **sources.facts(shop.data, dataset),
        degraded=[*shop.degradations.lines(), *dataset.degraded],
        averaged=tuple(name for name in ("generator", "refiner") if name in trained),
        exports=sources.exports(config, {n: t for n, t in _PARTS.items() if n in networks}),
        architecture=(*ARCHITECTURE, "refine.model") if refined else ARCHITECTURE,
    )


def _feature_losses(shop: Workshop) -> FeatureLosses | None:
    """By ``loss.taps``, the first or the last layers of VGG's blocks, and ``perceptual_kind``."""
    loss = shop.config["loss"]
    # a run of before there were these has neither
    chosen, kind = loss.get("taps", "first"), loss.get("perceptual_kind", "mse")
    for name, value, known in (("taps", chosen, TAPS), ("perceptual_kind", kind, ("l1", "mse"))):
        if value not in known:
            raise TrainingError(f"loss.{name} is {value!r}", f"use {' or '.join(known)}")
    return make_feature_losses(loss, "vgg19", TAPS[chosen], kind, shop.degradations)


def _has_refinement(shop: Workshop, keys: bool) -> bool:
    """Whether fine-tuning has a refinement to go on with: configured, and trained.

    Key frames alone do without one, which is recorded. Raises TrainingError for other data.
    """
    state = shop.base_state
    if not shop.config["refine"]["enabled"] or state is None:
        return False
    if has_refinement(state):
        return True
    lack = f"{shop.base} holds no trained refinement"
    if not keys:
        raise TrainingError(
            lack, "train its refine stage with --resume, or add --set refine.enabled=false"
        )
    shop.degradations.note("refinement", "none", lack)
    return False


def _refinement(
    config: Config,
    networks: dict[str, nn.Module],
    features: FeatureLosses | None,
    windows: SampleDataset,
    start: int,
) -> Track:
    """Every window of a clip's length [5]; its temporal critic is added to the networks."""
    settings = config["refine"]
    critic = None
    if config["loss"]["adv"]:
        critic = named_critic(settings["form"], {"width": settings["critic_width"]})
        networks["temporal_critic"] = critic
    count = config["references"]["count"]
    task = RefinementTask(
        networks["generator"], networks["refiner"], critic, config["loss"], features, count
    )
    return Track(
        "refine",
        task,
        order_of(config, critic),
        windows,
        settings["batch"],
        start=start,
        generator_optimiser="refiner",
        critic_optimiser="temporal_critic",
    )


def model_table(table: Config) -> dict[str, Any]:
    """The constructor's options: 0 mask channels in TOML mean one mask for each channel."""
    options = dict(table)
    if options.get("mask_channels") == 0:
        options["mask_channels"] = None
    return options
