# SPDX-License-Identifier: Apache-2.0
"""What may be asked of the server, as messages of candor/v1/segmentation.proto."""
from dataclasses import dataclass
from typing import List, Optional, Union

import numpy as np

from candor.v1 import segmentation_pb2 as pb

Picture = Union[bytes, bytearray, memoryview, np.ndarray]

_ENCODINGS = {None: pb.MAP_ENCODING_UNSPECIFIED, "f32": pb.MAP_F32, "f16": pb.MAP_F16, "u8": pb.MAP_U8}
_PRIORITIES = {"low": pb.PRIORITY_LOW, "normal": pb.PRIORITY_NORMAL, "high": pb.PRIORITY_HIGH}
KINDS = tuple(name.lower() for name, number in pb.UncertaintyKind.items() if number)


@dataclass(frozen=True)
class Request:
    """One kind of uncertainty to ask for.

    kind: one of candor.KINDS, or "" for the model's default. encoding: of the map, "f32", "f16" or "u8" (a quarter of
    the bytes; becomes float32 here), or None for the figures alone. threshold: pixels above it are counted; None: the
    server's.
    """

    kind: str = ""
    encoding: Optional[str] = "f32"
    threshold: Optional[float] = None


@dataclass(frozen=True)
class Escalation:
    """Asks a second model where the first is unsure; it answers only if the deadline allows.

    model: name or alias of the second; "": "teacher". above: pictures whose mean uncertainty is above it, of the first
    model's default kind; None: those whose verdict is not "accept", for a model that gives verdicts.
    """

    model: str = ""
    above: Optional[float] = None


@dataclass(frozen=True)
class Frame:
    """A picture on a stream, and where it comes from, which comes back with its answer.

    camera and frame_id: at most 64 printable ASCII characters. stamp_ns: when it was taken, on the caller's clock.
    """

    image: Picture
    camera: str = ""
    sequence: int = 0
    stamp_ns: int = 0
    frame_id: str = ""


def make_image(image: Picture) -> pb.Image:
    if not isinstance(image, np.ndarray):
        if not isinstance(image, (bytes, bytearray, memoryview)):
            raise ValueError(f"image: must be the bytes of a file or a NumPy array, got {type(image).__name__}")
        return pb.Image(encoded=bytes(image))
    is_grey = image.ndim == 2
    if image.dtype != np.uint8 or not (is_grey or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError("image: must be uint8 of shape [height, width, 3] (RGB) or [height, width], "
                         f"got {image.dtype} {list(image.shape)}")
    height, width = image.shape[:2]
    pixels = pb.RawImage(format=pb.GREY8 if is_grey else pb.RGB8, width=width, height=height, data=image.tobytes())
    return pb.Image(raw=pixels)


def make_request(*, model: str, labels: bool, uncertainty: Optional[List[Request]], priority: str, anytime: bool,
                 escalation: Optional[Escalation]) -> pb.SegmentRequest:
    """Without its image. Raises ValueError."""
    if priority not in _PRIORITIES:
        raise ValueError(f"priority: must be low, normal or high, got {priority!r}")
    request = pb.SegmentRequest(model=model, labels=pb.LABEL_RAW if labels else 0, priority=_PRIORITIES[priority],
                                anytime=anytime)
    for asked in [Request()] if uncertainty is None else uncertainty:
        if asked.kind and asked.kind not in KINDS:
            raise ValueError(f"uncertainty kind: must be one of {', '.join(KINDS)}, got {asked.kind!r}")
        if asked.encoding not in _ENCODINGS:
            raise ValueError(f"uncertainty encoding: must be f32, f16, u8 or None, got {asked.encoding!r}")
        request.uncertainty.add(kind=pb.UncertaintyKind.Value(asked.kind.upper()) if asked.kind else 0,
                                encoding=_ENCODINGS[asked.encoding], threshold=asked.threshold)
    if escalation is not None:
        request.escalation.CopyFrom(pb.Escalation(model=escalation.model, above=escalation.above))
    return request
