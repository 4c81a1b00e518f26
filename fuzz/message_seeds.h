// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/testing/test_images.h"

namespace candor {

using Seeds = std::vector<std::pair<std::string, std::string>>;  // (name, bytes)

// Pictures of some ten pixels a side.
std::string SmallJpeg(JpegColour colour, JpegScans scans = JpegScans::kBaseline);
std::string SmallPng(int depth, int colour_type, bool is_interlaced = false, int exif_orientation = 0);

// Requests of both protocols, and a server's replies with the byte that says what was asked for (fuzz/reply.cc).
Seeds SegmentSeeds();
Seeds InferSeeds();
Seeds ReplySeeds();

}  // namespace candor
