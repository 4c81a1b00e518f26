// SPDX-License-Identifier: Apache-2.0
//
// Which form of the network answers, and what it computes in.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "core/uncertainty/make_predictor.h"

namespace candor {

// What to compute in, the best first: more than one for kAuto, of which the first that gives the model's known answer
// is meant. FailedPrecondition: kBf16 on CUDA, with MC dropout, with the heads kFeatureDensity and kObserver, or on a
// processor without bfloat16 products.
absl::StatusOr<std::vector<Precision>> PrecisionsFor(const LoadOptions& options, const ModelSpec& spec);

// Null where the readable module answers: on CUDA, and with MC dropout and those heads, which need its inside.
NetworkCompiler CompilerFor(Device device, const ModelSpec& spec, Precision precision);

}  // namespace candor
