"""Runs a recipe: steps, logs, checkpoints, resume."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.errors import TrainingError

from . import checkpoint
from .average import Average
from .batches import Source, collate, mixed_seed, to_device
from .devices import as_first, gathered, launch, make_fabric, on_any
from .interruption import Interruption
from .journal import History, Journal, Meter, read_history
from .progress import Progress
from .recipe import Batch, Recipe, Track
from .state import RunState
from .steps import NotFinite, Turn, in_eval_mode

_PREVIEW = 4
_SHOWN = ("g/total", "d/total")


@dataclass(frozen=True)
class Fitted:
    """What a run came to. ``stopped``: "done", "time" (train.max_seconds) or "interrupted"."""

    checkpoint: Path
    steps: int
    seconds: float
    samples_per_second: float
    stopped: str
    degraded: list[str]
    data: dict[str, Any]
    history: History = field(repr=False)


class Trainer:
    """Trains one recipe into one run folder.

    ``device``: "auto", "cpu", "cuda", "cuda:N", "mps"; ``devices`` of a kind share the work, and
    under torchrun its processes do. ``quiet`` shows no progress.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: Path,
        *,
        device: str = "auto",
        devices: int = 1,
        quiet: bool = False,
    ) -> None:
        self.recipe = recipe
        self.run = run
        self.checkpoint = run / checkpoint.NAME
        self._settings: dict[str, Any] = recipe.config["train"]
        self._fabric = make_fabric(device, self._settings["precision"], devices)
        launch(self._fabric)
        self._quiet = quiet or self._fabric.global_rank > 0
        self._layout = (
            torch.channels_last if self._settings["channels_last"] else torch.contiguous_format
        )
        for track in recipe.tracks:
            self._place(track.task)
        for network in recipe.networks.values():
            self._place(network)
        self._optimisers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(
                recipe.parameters(plan.networks),
                lr=plan.rate.base,
                betas=plan.betas,
                fused=self._fabric.device.type in ("cpu", "cuda"),
            )
            for name, plan in recipe.optimisers.items()
        }
        self._state = RunState(recipe, self._optimisers, self._make_average())
        self._interruption = Interruption()
        self._stop = ""

    def fit(self, resume: bool = False) -> Fitted:
        """Train to the end, the time limit or an interruption, then leave a checkpoint.

        ``resume`` continues the checkpoint of the run folder where there is one of the same base.
        Raises TrainingError: a checkpoint is there and ``resume`` is not asked, it is of another
        architecture, processes are at different steps, a loss is not a number, the disk is full.
        """
        if as_first(self._fabric, self.checkpoint.exists()):
            if not resume:
                raise TrainingError(
                    f"{self.run} holds a run already", "add --resume or choose another folder"
                )
            self._restore()
        self._share_weights()
        self.run.mkdir(parents=True, exist_ok=True)
        began, first = time.monotonic(), self._state.step
        journal = self._journal()
        try:
            with self._interruption.listening():
                self._loop(journal, began)
            if journal is not None:
                journal.write_facts(
                    self._state.step, finished=self._state.step >= self.recipe.steps
                )
        finally:
            if journal is not None:
                journal.close()
        seconds = time.monotonic() - began
        samples = (self._state.step - first) * self._samples(self.recipe.tracks[-1])
        return Fitted(
            checkpoint=self.checkpoint,
            steps=self._state.step,
            seconds=seconds,
            samples_per_second=samples / max(seconds, 1e-9),
            stopped=self._stop or "done",
            degraded=list(self.recipe.degraded),
            data={"name": self.recipe.data_name, "hashes": self.recipe.data_hashes},
            history=read_history(self.run),
        )

    def _restore(self) -> None:
        failure: TrainingError | None = None
        try:
            self._state.restore(self.checkpoint, quiet=self._fabric.global_rank > 0)
        except TrainingError as error:  # the others wait for this process below
            failure = error
        steps = gathered(self._fabric, {"none" if failure else str(self._state.step)})
        if failure is not None:
            raise failure
        if len(steps) > 1:
            raise TrainingError(
                f"the processes of this run are at different steps ({', '.join(sorted(steps))})",
                f"let all of them see the same {self.run}",
            )

    def _loop(self, journal: Journal | None, began: float) -> None:
        with ExitStack() as open_sources:
            sources = {track.name: self._source(track) for track in self.recipe.tracks}
            for source in sources.values():
                open_sources.callback(source.close)
            self._train(sources, journal, began)

    def _train(self, sources: dict[str, Source], journal: Journal | None, began: float) -> None:
        meter, logged, logged_at = Meter(), self._state.step, time.monotonic()
        title = f"{self.recipe.paper} {self.recipe.stage}"
        if self._state.step == 0:
            self._save()  # the last good state of a run that fails before its first checkpoint
        with Progress(title, self.recipe.steps, self._state.step, quiet=self._quiet) as progress:
            while self._state.step < self.recipe.steps and not self._stop:
                meter.add(self._run_step(sources))
                if self._is_due("log_every"):
                    now = time.monotonic()
                    samples = (self._state.step - logged) * self._samples(self.recipe.tracks[-1])
                    rate = samples / max(now - logged_at, 1e-9)
                    self._log(journal, progress, meter, rate, now - began)
                    logged, logged_at = self._state.step, now
                    self._note_left_out(sources, journal)
                if self._is_due("sample_every") and journal is not None:
                    journal.pictures(self._state.step, self._preview())
                self._watch_time(began)
                if self._is_due("checkpoint_every") or self._stop:
                    self._note_left_out(sources, journal)
                    self._save()

    def _run_step(self, sources: dict[str, Source]) -> dict[str, float]:
        track = self.recipe.track(self._state.step)
        source = sources[track.name]
        # Seeding every step makes the generator's state a function of the step, on each process.
        torch.manual_seed(
            mixed_seed(self._settings["seed"], self._state.step, self._fabric.global_rank)
        )
        for name, plan in self.recipe.optimisers.items():
            for group in self._optimisers[name].param_groups:
                group["lr"] = plan.rate.at(self._state.step)
        turn = Turn(
            track,
            self._state.step,
            self._fabric,
            self._optimisers,
            lambda: self._on_device(source.take()),
        )
        try:
            values = turn.run()
        except NotFinite as error:
            raise TrainingError(
                f"{error} is not a number in step {self._state.step + 1}; "
                f"{self.checkpoint} is the last good checkpoint",
                "lower the learning rate or use train.precision=fp32, then --resume",
            ) from error
        self._state.taken[track.name] = source.taken
        self._state.step += 1
        if self._state.average is not None:
            self._state.average.update()
        return values

    def _log(
        self,
        journal: Journal | None,
        progress: Progress,
        meter: Meter,
        rate: float,
        seconds: float,
    ) -> None:
        values = meter.take()
        shown = {name: value for name, value in values.items() if name in _SHOWN}
        progress(self._state.step, shown, rate)
        if journal is None:
            return
        track = self.recipe.tracks[-1]
        length = len(track.dataset)
        values["epoch"] = self._state.taken[track.name] * self._samples(track) / length
        values["seconds"] = round(seconds, 3)
        values["samples_per_second"] = round(rate, 4)
        for name, plan in self.recipe.optimisers.items():
            values[f"lr/{name}"] = plan.rate.at(self._state.step - 1)
        journal.scalars(self._state.step, values)

    def _note_left_out(self, sources: dict[str, Source], journal: Journal | None) -> None:
        lines = set().union(*(source.left_out for source in sources.values()))
        lines = gathered(self._fabric, lines)
        if journal is not None:
            journal.note_left_out(self._state.step, lines)

    def _save(self) -> None:
        if self._fabric.global_rank == 0:
            if not checkpoint.finite(self.recipe.networks):
                raise TrainingError(
                    f"weights are not numbers after step {self._state.step}; "
                    f"{self.checkpoint} is the last good checkpoint",
                    "lower the learning rate",
                )
            checkpoint.save(self.checkpoint, self._state.as_dict())
        self._fabric.barrier()

    def _share_weights(self) -> None:
        if self._fabric.world_size > 1:
            for network in self.recipe.networks.values():
                for tensor in (*network.parameters(), *network.buffers()):
                    tensor.data.copy_(self._fabric.broadcast(tensor.data))

    def _make_average(self) -> Average | None:
        decay = float(self._settings["ema"])
        if not decay:
            return None
        if not 0.0 < decay < 1.0:
            raise TrainingError(f"train.ema is {decay}", "use 0 (off) or a number below 1")
        return Average({name: self.recipe.networks[name] for name in self.recipe.averaged}, decay)

    def _journal(self) -> Journal | None:
        if self._fabric.global_rank > 0:
            return None
        device = f"{self._fabric.world_size} x {self._fabric.device}"
        return Journal(self.run, self.recipe, device, self._state.step)

    def _source(self, track: Track) -> Source:
        return Source(
            track.dataset,
            track.batch,
            seed=mixed_seed(self._settings["seed"], len(track.name), track.phase),
            workers=self.recipe.config["data"]["workers"],
            taken=self._state.taken[track.name],
            rank=self._fabric.global_rank,
            world=self._fabric.world_size,
            pin=self._fabric.device.type == "cuda",
        )

    def _place(self, module: nn.Module) -> None:
        module.to(self._fabric.device, memory_format=self._layout)  # type: ignore[call-overload]

    def _samples(self, track: Track) -> int:
        return track.batch * self._fabric.world_size

    def _on_device(self, batch: Batch) -> Batch:
        last = self._layout == torch.channels_last
        return to_device(batch, self._fabric.device, channels_last=last)

    @torch.no_grad()
    def _preview(self) -> list[torch.Tensor]:
        track = self.recipe.tracks[-1]
        length = len(track.dataset)
        samples = [track.dataset[(0, index)] for index in range(min(_PREVIEW, length))]
        with in_eval_mode([track.task]), self._fabric.autocast():
            return track.task.preview(self._on_device(collate(samples)))

    def _is_due(self, key: str) -> bool:
        every = int(self._settings[key])
        return self._state.step == self.recipe.steps or (
            every > 0 and self._state.step % every == 0
        )

    def _watch_time(self, began: float) -> None:
        limit = float(self._settings["max_seconds"]) or math.inf
        late = time.monotonic() - began > limit and self._state.step < self.recipe.steps
        # all processes stop after the same step
        late, interrupted = on_any(self._fabric, late, self._interruption.asked)
        self._stop = "interrupted" if interrupted else "time" if late else ""
