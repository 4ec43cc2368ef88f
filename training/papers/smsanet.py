"""SMSANet: a photo colouring backbone with stacked multi-scale attention, and no critic.

Jiang et al., "Stacked Multi-Scale Attention Network for Image Colorization" (ICASSP 2022);
sections of the specification in brackets.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from backend.models.smsanet import from_siggraph17
from training.engine import (
    Batch,
    Generated,
    LearningRate,
    Optimiser,
    Recipe,
    Task,
    Term,
    Track,
)
from training.errors import TrainingError
from training.losses import PixelLoss, SaliencyBackend, SaliencyLoss
from training.losses.pfanet import load_saliency
from training.papers import sources
from training.papers.ibn_gan import chroma_columns, chroma_scored
from training.papers.pieces import Config, Workshop, adam_betas, decayed, make_network
from training.papers.scoring import Evaluation, Examination
from training.pretrained import Degradations, load_state, resolve

CODEC = sources.CODECS["smsanet"]
PRETRAINED = "siggraph17"


class SaliencyTask(Task):
    """Loss [3]: Huber with beta 1/110 + salient, both on normalised ab.

    ``known``: the batch's maps are of the same ``backend``, which need not make them again.
    """

    def __init__(
        self,
        generator: nn.Module,
        weights: Config,
        backend: SaliencyBackend | None,
        *,
        known: bool = False,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.trained = (generator,)
        self.weights = dict(weights)
        self.known = known
        self.pixel = PixelLoss("huber", beta=weights["huber_beta"])
        self.saliency = None
        if isinstance(backend, nn.Module):
            self.saliency_network = backend
            self.fixed = (backend,)
        if backend is not None:
            self.saliency = SaliencyLoss(
                backend,
                to_rgb=CODEC.decode,
                space=weights["salient_space"],
                mask_prediction=weights["salient_mask"],
            )

    def generate(self, batch: Batch) -> Generated:
        return {"main": self.generator(batch["gray"]).main}

    def generator_terms(self, batch: Batch, generated: Generated) -> dict[str, Term]:
        main = generated["main"].float()
        terms = {"g/pixel": Term(self.pixel(main, batch["ab"]), self.weights["pixel"])}
        if self.saliency is not None:
            known = batch["saliency"] if self.known else None
            raw = self.saliency(main, batch["ab"], batch["gray"], known)
            terms["g/salient"] = Term(raw, self.weights["salient"])
        return terms

    def preview(self, batch: Batch) -> list[Tensor]:
        return chroma_columns(CODEC, batch, self.generate(batch)["main"])


def stages(config: Config) -> list[str]:
    """One stage; also a row without training of its own is trained when no weights are there."""
    return ["main"] if sum(_schedule(config)) else []


def build(shop: Workshop) -> Recipe:
    """The recipe of a row of Table 2 or 3; starts from siggraph17 or, without it, from scratch."""
    config, train = shop.config, shop.config["train"]
    generator = make_network(config["model"])
    _initialise(generator, config, shop.degradations)
    backend = load_saliency(shop.degradations) if config["loss"]["salient"] else None
    shop.load_base({"generator": generator}, ("model",))
    scratch, steps = _schedule(config)
    own = config["optim"]["generator"]
    rate = LearningRate(own["lr"])
    if scratch:
        rate = LearningRate(train["scratch_lr"], ((scratch, own["lr"]),))
    rate = decayed(rate, config, scratch + steps)
    maps = None
    if backend is not None and not (config["data"]["crop"] or config["data"]["recolor"]):
        # maps of pictures as they are stay the same; a network of its own stays on the CPU
        known = shop.degradations.used.get("pfanet", "classical")
        maps = (load_saliency(shop.degradations), known)
    dataset = sources.samples(config, shop.data, "train", maps)
    task = SaliencyTask(generator, config["loss"], backend, known=maps is not None)
    return Recipe(
        paper="smsanet",
        stage=shop.stage,
        config=shop.config,
        networks={"generator": generator},
        tracks=[Track("main", task, "G", dataset, train["batch"])],
        optimisers={"generator": Optimiser(("generator",), rate, adam_betas(config, "generator"))},
        steps=scratch + steps,
        **sources.facts(shop.data, dataset),
        degraded=[*shop.degradations.lines(), *dataset.degraded],
        exports=sources.exports(config, {"generator": "model"}),
    )


def evaluate(
    config: Config, data: Path | None, path: Path | None, out: Path, device: str
) -> Evaluation:
    """PSNR and SSIM of 8-bit pictures with the true lightness [7]."""
    degradations = Degradations()
    examination = Examination(config, out, device, degradations)
    generator = make_network(config["model"])
    if path is None:
        _initialise(generator, config, degradations)
    examination.load({"generator": generator}, path, config)
    dataset = sources.samples(config, data, "test")
    chosen = examination.choose(dataset)
    examination.keep_list(dataset, chosen)
    batches = examination.batches(dataset, chosen)
    coloured = chroma_scored(CODEC, generator, batches, truncate=False)
    return examination.score(coloured, config["eval"]["metrics"])


def _schedule(config: Config) -> tuple[int, int]:
    """Steps from scratch at the higher rate, which take the place of absent weights, and after."""
    train = config["train"]
    known = train["init"] == PRETRAINED and resolve(PRETRAINED) is not None
    return (0 if known else train["scratch_steps"]), train["steps"]


def _initialise(generator: nn.Module, config: Config, degradations: Degradations) -> None:
    init = config["train"]["init"]
    if init not in ("", PRETRAINED):
        raise TrainingError(f"train.init is {init!r}", f"use {PRETRAINED} or nothing")
    if init != PRETRAINED:
        return
    path = resolve(PRETRAINED)
    if path is None:
        degradations.note("init", "scratch", f"the weights of {PRETRAINED} are absent")
        return
    try:
        generator.load_base(from_siggraph17(load_state(path)))  # type: ignore[operator]
    except ValueError as error:
        raise TrainingError(
            f"{path} does not fit: {error}", "use the file of its authors and the full width"
        ) from error
    degradations.use(PRETRAINED, path)
