# SPDX-License-Identifier: Apache-2.0
"""Frames of cameras to a server, and an answer to each, over one call."""
import threading
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, Union

import grpc

from candor.errors import CandorError, bad_reply, from_frame, from_rpc
from candor.requests import Frame, Picture, make_image
from candor.results import Segmentation, read_response
from candor.v1 import segmentation_pb2 as pb

_MAX_UNANSWERED = 1024
_MAX_FRAME_TIMEOUT = 3600.0


def make_options(latest: bool, max_unanswered: Optional[int], frame_timeout: float) -> pb.StreamOptions:
    """Raises ValueError."""
    if max_unanswered is not None and not 1 <= max_unanswered <= _MAX_UNANSWERED:
        raise ValueError(f"max_unanswered: must be in [1, {_MAX_UNANSWERED}], got {max_unanswered}")
    if not frame_timeout > 0:
        raise ValueError(f"frame_timeout: must be > 0 seconds, got {frame_timeout}")
    return pb.StreamOptions(policy=pb.LATEST_FRAME if latest else pb.EVERY_FRAME, max_unanswered=max_unanswered,
                            frame_timeout_ms=max(1, round(min(frame_timeout, _MAX_FRAME_TIMEOUT) * 1000)))


@dataclass(frozen=True)
class FrameAnswer:
    """What became of a frame: just one of result, superseded_by and error is not None."""

    index: int  # the frame's place on the stream, from 0
    camera: str  # this and the next three as sent
    sequence: int
    stamp_ns: int
    frame_id: str
    result: Optional[Segmentation] = None
    # With an escalation: the result is the first model's, and the second is asked. The frame's answer follows.
    is_preliminary: bool = False
    superseded_by: Optional[int] = None  # index of a newer frame of the camera
    error: Optional[CandorError] = None  # the frame failed; the stream goes on


class Stream:
    """Iterator of FrameAnswer. Ends after the last frame's answer; raises CandorError when the stream breaks, and what
    `frames` raised. A stream is not retried: open another for newer frames.

    For one thread, except cancel(). Leaving a `with` block, or dropping the iterator, cancels what has not ended.
    """

    def __init__(self, frames: Iterable[Union[Frame, Picture]], request: pb.SegmentRequest, options: pb.StreamOptions,
                 start: Callable):
        self.statistics: Optional[pb.StreamStatistics] = None  # the server's, over the whole stream; at its end
        self._feed = _Feed(frames, request, options)
        self._call = start(self._feed.messages())
        self._feed.on_failure(self._call.cancel)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_) -> None:
        self.cancel()

    def __del__(self):
        if hasattr(self, "_call"):
            self._call.cancel()

    def __iter__(self) -> Iterator[FrameAnswer]:
        return self

    def __next__(self) -> FrameAnswer:
        try:
            message = next(self._call)
        except StopIteration:
            if self.statistics is None:
                raise bad_reply("the stream ended without statistics") from None
            raise
        except grpc.RpcError as error:
            if self._feed.failure is not None:
                raise self._feed.failure from None
            raise from_rpc(error) from None
        if message.HasField("statistics"):
            self.statistics = message.statistics
            return next(self)  # the end
        try:
            return self._read(message)
        except CandorError:
            self._call.cancel()
            raise

    def cancel(self) -> None:
        """The server stops working on what is under way. Thread-safe."""
        self._call.cancel()

    def _read(self, message: pb.StreamResponse) -> FrameAnswer:
        outcome = message.WhichOneof("outcome")
        request = self._feed.take(message.index, keep=outcome == "preliminary")
        if message.frame != request.frame:
            raise bad_reply(f"answer {message.index}: frame: must be as sent")
        origin = (message.index, request.frame.camera, request.frame.sequence, request.frame.stamp_ns,
                  request.frame.frame_id)
        if outcome == "result":
            return FrameAnswer(*origin, result=read_response(request, message.result))
        if outcome == "preliminary":
            return FrameAnswer(*origin, result=read_response(request, message.preliminary), is_preliminary=True)
        if outcome == "superseded":
            return FrameAnswer(*origin, superseded_by=message.superseded.by_index)
        if outcome == "error":
            return FrameAnswer(*origin, error=from_frame(message.error))
        raise bad_reply(f"answer {message.index}: must have an outcome")


class _Feed:
    """The messages of a stream, made on gRPC's thread; knows the frames without an answer."""

    def __init__(self, frames, request: pb.SegmentRequest, options: pb.StreamOptions):
        self.failure: Optional[BaseException] = None  # what `frames` raised, or a frame that makes no request
        self._frames = frames
        self._request = request
        self._options = options
        self._unanswered = {}  # by index: the request without its pixels
        self._cancel: Optional[Callable] = None
        self._can_cancel = threading.Event()

    def on_failure(self, cancel: Callable) -> None:
        self._cancel = cancel
        self._can_cancel.set()

    def messages(self):
        yield pb.StreamRequest(options=self._options)
        try:
            for index, frame in enumerate(self._frames):
                if not isinstance(frame, Frame):
                    frame = Frame(frame, sequence=index)
                image = make_image(frame.image)
                sent = pb.SegmentRequest()
                sent.CopyFrom(self._request)
                sent.frame.CopyFrom(pb.Frame(camera=frame.camera, sequence=frame.sequence, stamp_ns=frame.stamp_ns,
                                             frame_id=frame.frame_id))
                message = pb.StreamRequest(frame=sent)
                message.frame.image.CopyFrom(image)
                if image.HasField("raw"):  # the answer's size is checked against it
                    sent.image.raw.width, sent.image.raw.height = image.raw.width, image.raw.height
                self._unanswered[index] = sent
                yield message
        except Exception as error:
            self.failure = error
            self._can_cancel.wait()
            self._cancel()

    def take(self, index: int, keep: bool) -> pb.SegmentRequest:
        request = self._unanswered.get(index) if keep else self._unanswered.pop(index, None)
        if request is None:
            raise bad_reply(f"answer {index}: no such frame is unanswered")
        return request
