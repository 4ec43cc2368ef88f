"""SMSANet: a colouring backbone with stacked multi-scale attention (Jiang et al., ICASSP 2022).

The backbone is that of Zhang et al., "Real-Time User-Guided Image Colorization", 2017; its public
weights load through `SMSANet.load_base`. L in, ab out, in the `LabCodec` named "zhang".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from backend.models.attention import CBAM, MultiScaleAttention, SqueezeExcitation
from backend.models.ibn_gan import ChromaOutput
from backend.models.layers import (
    Subsample,
    choose,
    crop_to,
    make_activation,
    pad_to_multiple,
    with_batch_counts,
)

ATTENTIONS = ("none", "se", "cbam", "smsa")
CLASSES = 529
# start of the scale weights behind pretrained weights: near identity
NEAR_IDENTITY = -4.0


def conv_block(widths: Sequence[int], dilation: int = 1, norm: bool = True) -> list[nn.Module]:
    """Convolutions with a ReLU after each, then one batch norm behind the last ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers.append(nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation))
        layers.append(nn.ReLU(inplace=True))
    return [*layers, nn.BatchNorm2d(widths[-1])] if norm else layers


class SMSANet(nn.Module):
    """BaseNet, with an attention block behind each stage of ``attention_where``.

    ``attention``: "none" (BaseNet), "se", "cbam" or "smsa"; SMSA takes ``n_scales``, ``split`` and
    ``theta`` (see `MultiScaleAttention`). ``in_channels`` 4 is the layout of the public weights: a
    one-channel input gets empty hints. ``class_head``: the public model's classification head,
    computed in training only.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        in_channels: int = 1,
        attention: str = "smsa",
        attention_where: Sequence[int] = (4, 5, 6, 7),
        n_scales: int = 4,
        reduction: int = 16,
        split: str = "max_avg",
        theta: float = 0.0,
        class_head: bool = False,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = {
            "width": width,
            "in_channels": in_channels,
            "attention": attention,
            "attention_where": list(attention_where),
            "n_scales": n_scales,
            "reduction": reduction,
            "split": split,
            "theta": theta,
            "class_head": class_head,
        }
        choose("attention", attention, ATTENTIONS)
        if in_channels not in (1, 4) or width < 1:
            raise ValueError(f"in_channels={in_channels} must be 1 or 4, width={width} positive")
        if not set(attention_where) <= set(range(1, 8)):
            raise ValueError(f"attention_where={list(attention_where)} names stages outside 1..7")
        w1, w2, w4, w8 = width, 2 * width, 4 * width, 8 * width
        self.block1 = nn.Sequential(*conv_block([in_channels, w1, w1]))
        self.block2 = nn.Sequential(*conv_block([w1, w2, w2]))
        self.block3 = nn.Sequential(*conv_block([w2, w4, w4, w4]))
        self.block4 = nn.Sequential(*conv_block([w4, w8, w8, w8]))
        self.block5 = nn.Sequential(*conv_block([w8] * 4, dilation=2))
        self.block6 = nn.Sequential(*conv_block([w8] * 4, dilation=2))
        self.block7 = nn.Sequential(*conv_block([w8] * 4))
        self.up8 = nn.ConvTranspose2d(w8, w4, 4, 2, 1)
        self.skip8 = nn.Conv2d(w4, w4, 3, padding=1)
        self.block8 = nn.Sequential(nn.ReLU(inplace=True), *conv_block([w4] * 3))
        self.up9 = nn.ConvTranspose2d(w4, w2, 4, 2, 1)
        self.skip9 = nn.Conv2d(w2, w2, 3, padding=1)
        self.block9 = nn.Sequential(nn.ReLU(inplace=True), *conv_block([w2] * 2))
        self.up10 = nn.ConvTranspose2d(w2, w2, 4, 2, 1)
        self.skip10 = nn.Conv2d(w1, w2, 3, padding=1)
        self.block10 = nn.Sequential(
            nn.ReLU(inplace=True), nn.Conv2d(w2, w2, 3, padding=1), make_activation("leaky_relu")
        )
        self.exit = nn.Conv2d(w2, 2, 1)
        self.activation = make_activation("tanh")
        self.class_head = nn.Conv2d(w4, CLASSES, 1) if class_head else None
        widths = [w1, w2, w4, w8, w8, w8, w8]
        self.attention = nn.ModuleDict(
            {}
            if attention == "none"
            else {
                str(stage): self._attention(widths[stage - 1]) for stage in sorted(attention_where)
            }
        )
        self.subsample = Subsample(2)

    def _attention(self, channels: int) -> nn.Module:
        kind, reduction = self.options["attention"], self.options["reduction"]
        if kind == "se":
            return SqueezeExcitation(channels, reduction)
        if kind == "cbam":
            return CBAM(channels, reduction, mlp_bias=True)
        return MultiScaleAttention(
            channels,
            self.options["n_scales"],
            reduction,
            self.options["split"],
            self.options["theta"],
        )

    def training_heads(self) -> list[str]:
        """What the inference form goes without."""
        return ["class_head"]

    def _stage(self, number: int, x: Tensor) -> Tensor:
        result: Tensor = getattr(self, f"block{number}")(x)
        name = str(number)
        return self.attention[name](result) if name in self.attention else result

    def forward(self, gray: Tensor) -> ChromaOutput:
        """ab of L (B, 1, H, W) in [-0.5, 0.5], or of L, hint ab and hint mask (B, 4, H, W)."""
        if self.options["in_channels"] == 4 and gray.shape[1] == 1:
            gray = torch.cat([gray, gray.new_zeros(gray.shape[0], 3, *gray.shape[2:])], 1)
        x = pad_to_multiple(gray, 8)
        s1 = self._stage(1, x)
        s2 = self._stage(2, self.subsample(s1))
        s3 = self._stage(3, self.subsample(s2))
        x = self._stage(4, self.subsample(s3))
        for number in (5, 6, 7):
            x = self._stage(number, x)
        x = wide = self.block8(self.up8(x) + self.skip8(s3))
        x = self.block9(self.up9(x) + self.skip9(s2))
        x = self.block10(self.up10(x) + self.skip10(s1))
        main = crop_to(self.activation(self.exit(x)), *gray.shape[2:])
        classes = self.class_head if self.training else None
        return ChromaOutput(main, None if classes is None else classes(wide))

    def load_base(self, state: Mapping[str, Tensor]) -> None:
        """Take BaseNet's weights from ``state`` (names of `from_siggraph17`).

        Attention keeps its fresh weights and starts near identity. ``ValueError`` names what
        ``state`` lacks or has in another shape.
        """
        state = dict(state)
        first = state.get("block1.0.weight")
        if first is not None:
            # hint and mask see zeros, so their slices of the first kernel add nothing
            state["block1.0.weight"] = first[:, : self.options["in_channels"]]
        own = self.state_dict()
        wanted = [name for name in own if not name.startswith("attention.")]
        if self.class_head is not None and "class_head.weight" not in state:
            wanted = [name for name in wanted if not name.startswith("class_head.")]
        wrong = [
            name for name in wanted if name not in state or state[name].shape != own[name].shape
        ]
        if wrong:
            raise ValueError(f"not the weights of this BaseNet: {', '.join(wrong[:5])} differ")
        self.load_state_dict({name: state[name] for name in wanted}, strict=False)
        for block in self.attention.values():
            if isinstance(block, MultiScaleAttention):
                nn.init.constant_(block.theta, NEAR_IDENTITY)


SIGGRAPH17 = {
    **{f"model{number}": f"block{number}" for number in range(1, 11)},
    "model8up.0": "up8",
    "model9up.0": "up9",
    "model10up.0": "up10",
    "model3short8.0": "skip8",
    "model2short9.0": "skip9",
    "model1short10.0": "skip10",
    "model_class.0": "class_head",
    "model_out.0": "exit",
}


def from_siggraph17(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The public weights (`siggraph17-df00044c.pth`) under this module's names.

    ``ValueError`` names the first unknown key.
    """
    renamed = {}
    for key, value in state.items():
        module, _, rest = key.partition(".")
        if module in SIGGRAPH17:
            renamed[f"{SIGGRAPH17[module]}.{rest}"] = value
            continue
        index, _, rest = rest.partition(".")
        if f"{module}.{index}" not in SIGGRAPH17:
            raise ValueError(f"{key!r} is no key of the siggraph17 weights")
        renamed[f"{SIGGRAPH17[f'{module}.{index}']}.{rest}"] = value
    return with_batch_counts(renamed)
