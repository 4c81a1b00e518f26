# SPDX-License-Identifier: Apache-2.0
"""Client of candor-server: semantic segmentation that says how sure it is.

    import candor

    with candor.Client("127.0.0.1:8500") as client:
        answer = client.segment(open("street.jpg", "rb").read())
        answer.labels                  # uint8 [height, width], the class index
        answer.uncertainty[0].map      # float32 [height, width], how unsure the model is of it
        answer.verdict                 # "accept", "review", "reject", or None
"""
from candor.client import Client, Request
from candor.errors import CandorError
from candor.results import ClassShare, Segmentation, StageTimes, Uncertainty

__all__ = ["CandorError", "ClassShare", "Client", "Request", "Segmentation", "StageTimes", "Uncertainty"]
