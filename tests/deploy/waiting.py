# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other processes do."""
import time

PATIENCE_S = 120.0
_POLL_S = 0.05


def wait_for(what, condition, seconds=PATIENCE_S):
    """The first true value of condition(), asked again and again. TimeoutError naming `what` if there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(_POLL_S)
