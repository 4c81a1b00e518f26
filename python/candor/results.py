# SPDX-License-Identifier: Apache-2.0
"""The answer to a picture as NumPy arrays; a reply is checked before any of it is used."""
from dataclasses import dataclass
from typing import List, Optional

import numpy as np

from candor.errors import bad_reply
from candor.v1 import segmentation_pb2 as pb


@dataclass(frozen=True)
class Uncertainty:
    """One kind's figures over the picture, in its unit."""

    kind: str
    mean: float
    max: float
    median: float
    p90: float
    p99: float
    threshold: float
    share_above_threshold: float
    map: Optional[np.ndarray]  # [height, width]; float32 or, as asked for, float16; None: not asked for


@dataclass(frozen=True)
class ClassShare:
    class_index: int
    share: float
    mean_uncertainty: float


@dataclass(frozen=True)
class StageTimes:
    decode_ms: float
    queue_ms: float
    infer_ms: float
    encode_ms: float


@dataclass(frozen=True)
class Segmentation:
    request_id: str
    model: str
    model_version: int
    model_digest: str
    width: int
    height: int
    labels: Optional[np.ndarray]  # uint8 [height, width], read-only; None: not asked for
    uncertainty: List[Uncertainty]  # the model's default kind first
    verdict: Optional[str]  # "accept", "review", "reject"; None: the model is not calibrated
    classes: List[ClassShare]  # largest share first
    server_times: StageTimes
    members: int  # predictions that the answer is made of: fewer than the model's where `anytime` cut it short
    # None: none was asked for, or a preliminary answer. "not_needed": the first model was sure. "escalated": the answer
    # is the second model's. "no_time", "second_failed": it is the first one's, though unsure.
    escalation: Optional[str]


def kind_name(kind: int) -> str:
    try:
        return pb.UncertaintyKind.Name(kind).lower()
    except ValueError:
        raise bad_reply(f"unknown uncertainty kind {kind}") from None


def _array(data: bytes, dtype: str, reply, field: str) -> np.ndarray:
    """A view of the reply's own bytes."""
    expected = reply.width * reply.height * np.dtype(dtype).itemsize
    if len(data) != expected:
        raise bad_reply(f"{field}: {reply.width}x{reply.height} need {expected} bytes, got {len(data)}")
    return np.frombuffer(data, dtype=dtype).reshape(reply.height, reply.width)


def _map(reply, sent) -> np.ndarray:
    field = f"maps of {kind_name(sent.kind)}"
    if sent.encoding == pb.MAP_F32:
        return _array(sent.data, "<f4", reply, field)
    if sent.encoding == pb.MAP_F16:
        return _array(sent.data, "<f2", reply, field)
    if sent.encoding == pb.MAP_U8:
        return _array(sent.data, "u1", reply, field) * np.float32(sent.scale)
    raise bad_reply(f"{field}: unknown encoding {sent.encoding}")


def read_response(request, reply) -> Segmentation:
    """Raises CandorError (INTERNAL): sizes that do not fit, or something asked for is missing."""
    if reply.width < 1 or reply.height < 1:
        raise bad_reply(f"width and height: must be >= 1, got {reply.width}x{reply.height}")
    raw = request.image.raw
    if request.image.HasField("raw") and (raw.width, raw.height) != (reply.width, reply.height):
        raise bad_reply(f"width and height: sent {raw.width}x{raw.height}, got {reply.width}x{reply.height}")
    labels = _array(reply.labels, "u1", reply, "labels") if request.labels == pb.LABEL_RAW else None
    maps = {sent.kind: _map(reply, sent) for sent in reply.maps}
    wanted = sum(1 for asked in request.uncertainty if asked.encoding)
    if len(maps) != wanted:
        raise bad_reply(f"maps: asked for {wanted}, got {len(maps)}")
    if not reply.statistics:
        raise bad_reply("statistics: must have the model's default kind, got none")
    try:
        verdict = pb.Verdict.Name(reply.verdict).lower() if reply.verdict else None
    except ValueError:
        raise bad_reply(f"verdict: unknown value {reply.verdict}") from None
    try:
        escalation = pb.EscalationOutcome.Name(reply.escalation).lower() if reply.escalation else None
    except ValueError:
        raise bad_reply(f"escalation: unknown value {reply.escalation}") from None
    timing = reply.timing
    return Segmentation(
        request_id=reply.request_id,
        model=reply.model.name,
        model_version=reply.model.version,
        model_digest=reply.model.digest,
        width=reply.width,
        height=reply.height,
        labels=labels,
        uncertainty=[
            Uncertainty(kind_name(s.kind), s.mean, s.max, s.median, s.p90, s.p99, s.threshold,
                        s.share_above_threshold, maps.get(s.kind)) for s in reply.statistics
        ],
        verdict=verdict,
        classes=[ClassShare(c.class_index, c.share, c.mean_uncertainty) for c in reply.classes],
        server_times=StageTimes(timing.decode_ms, timing.queue_ms, timing.infer_ms, timing.encode_ms),
        members=reply.members,
        escalation=escalation)
