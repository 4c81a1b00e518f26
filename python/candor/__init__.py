# SPDX-License-Identifier: Apache-2.0
"""Client of candor-server: semantic segmentation that says how sure it is.

    import candor

    with candor.Client("127.0.0.1:8500") as client:
        answer = client.segment(open("street.jpg", "rb").read())
        answer.labels                  # uint8 [height, width], the class index
        answer.uncertainty[0].map      # float32 [height, width], how unsure the model is of it
        answer.verdict                 # "accept", "review", "reject", or None
        for answer in client.stream(camera_frames, latest=True):
            answer.result or answer.superseded_by or answer.error
"""
from candor.client import Client
from candor.errors import (CandorError, Cancelled, DeadlineExceeded, FailedPrecondition, InternalError, InvalidArgument,
                           NotFound, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable)
from candor.requests import KINDS, Escalation, Frame, Request
from candor.results import ClassShare, Segmentation, StageTimes, Uncertainty
from candor.stream import FrameAnswer, Stream

__all__ = [
    "KINDS", "CandorError", "Cancelled", "ClassShare", "Client", "DeadlineExceeded", "Escalation",
    "FailedPrecondition", "Frame", "FrameAnswer", "InternalError", "InvalidArgument", "NotFound", "PermissionDenied",
    "Request", "ResourceExhausted", "Segmentation", "StageTimes", "Stream", "Unauthenticated", "Unavailable",
    "Uncertainty"
]
