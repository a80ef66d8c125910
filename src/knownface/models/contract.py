"""What a network wants to see: the keys of a contract's table ``input``, their defaults, and who depends on them.

:class:`InputContract` is the only list of these keys. What a fingerprint covers follows from it, see
:func:`fingerprinted`; so does what the catalogue and ``models import`` accept, and a test holds the table of
``docs/models.md`` to it.
"""

from __future__ import annotations

from dataclasses import field, fields
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from knownface.errors import ModelError
from knownface.types import CropPolicy

CONFIG = ConfigDict(extra="forbid")

_IF_CHANGED = {"fingerprint": "if changed"}
"""Of a key that came when galleries existed: at its default it leaves a network's fingerprint as it was."""
_NEVER = {"fingerprint": "never"}
"""Of a key that changes no vector."""

Side: TypeAlias = Annotated[int, Field(ge=8, le=2048)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]


def _one_side(size: int | tuple[int, int]) -> int | tuple[int, int]:
    return size if isinstance(size, int) or size[0] != size[1] else size[0]


@dataclass(frozen=True, slots=True, config=CONFIG)
class InputContract:
    """What a network wants to see: ``(x * scale - mean) / std`` with x from 0 to 255.

    Attributes:
        crop: What part of the picture.
        size: Side of the square input in pixels, or height and width.
        dim: Length of the output vector.
        colour: Order of the channels, also of ``mean`` and ``std``; ``GRAY`` is one channel, the luminance of ITU-R
            BT.601.
        layout: Order of the axes.
        crop_factor: Side of a ``square`` crop in units of the face box's longer side.
        scale: Factor of the pixel value.
        mean: Subtracted; a number for each channel, or the same for all.
        std: Divided by; as ``mean``.
        input_name: The tensor; empty: the file's only one.
        output_name: The tensor; empty: the file's only one.
        per_item: Run one face at a time, since the output depends on the batch (dynamic int8).
        mirror: The vector is the mean direction of the crop's and of its mirror image's.
    """

    crop: CropPolicy
    size: Annotated[Side | tuple[Side, Side], AfterValidator(_one_side)]
    dim: Annotated[int, Field(ge=1, le=65536)]
    colour: Literal["RGB", "BGR", "GRAY"] = "RGB"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    crop_factor: Annotated[float, Field(ge=0.5, le=4)] = 1.6
    scale: Positive = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[Positive, ...] = (1.0, 1.0, 1.0)
    input_name: str = field(default="", metadata=_NEVER)
    output_name: str = ""
    per_item: bool = field(default=False, metadata=_NEVER)
    mirror: bool = field(default=False, metadata=_IF_CHANGED)

    @model_validator(mode="after")
    def _a_number_for_each_channel(self) -> InputContract:
        for key, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in {1, 3} or (self.channels == 1 and len(set(values)) > 1):
                raise ValueError(f"{key} must be {self.channels} numbers for colour {self.colour}, got {len(values)}")
        return self

    @property
    def channels(self) -> int:
        """Channels of the input."""
        return 1 if self.colour == "GRAY" else 3

    @property
    def height(self) -> int:
        """Of the input, in pixels."""
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        """Of the input, in pixels."""
        return self.size if isinstance(self.size, int) else self.size[1]

    @property
    def side(self) -> int:
        """Height and width, for a network whose preprocessing makes squares.

        Raises:
            ModelError: The input is not square.
        """
        if not isinstance(self.size, int):
            raise ModelError(
                f"The input is {self.height} pixels high and {self.width} wide, but networks of this kind see squares.",
                'Set size to one number, or kind = "face-network".',
            )
        return self.size

    def shape(self, count: int) -> tuple[int, int, int, int]:
        """Of the tensor for so many inputs."""
        if self.layout == "NCHW":
            return count, self.channels, self.height, self.width
        return count, self.height, self.width, self.channels


def fingerprinted(contract: InputContract) -> dict[str, Any]:
    """The keys of a contract that embeddings depend on, with their values, as they enter a fingerprint."""
    kept = {}
    for key in fields(contract):
        value = getattr(contract, key.name)
        when = key.metadata.get("fingerprint", "always")
        if when == "never" or (when == "if changed" and value == key.default):
            continue
        kept[key.name] = value
    if contract.crop != "square":
        del kept["crop_factor"]
    return kept
