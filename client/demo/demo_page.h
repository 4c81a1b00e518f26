// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/demo/demo_report.h"
#include "core/image/image.h"

namespace candor {

// The upper end of the page's uncertainty scale: the largest value of any map, rounded up to a multiple of 0.05, at
// most the kind's bound. Both models share it, so that their colours compare.
float UncertaintyScale(const DemoReport& report);

// 8-bit codes, value = u / scale * 255, rounded, clamped to [0, 255].
ByteMap QuantiseUncertainty(const FloatMap& map, float scale);

// One HTML page with everything in it: it reads no other file and no address. Names are escaped.
std::string RenderDemoPage(const DemoReport& report);

}  // namespace candor
