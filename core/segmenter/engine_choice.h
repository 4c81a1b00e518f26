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
// is meant. FailedPrecondition: kBf16 with MC dropout, with the heads kFeatureDensity and kObserver (on CUDA kEnergy
// too), or on a processor without bfloat16 products; kInt8 there too, on CUDA, for networks that are made of draws or
// factors of one file's weights, without calibrated ranges, or on a processor without sums of bytes in 32 bits.
absl::StatusOr<std::vector<Precision>> PrecisionsFor(const LoadOptions& options, const ModelSpec& spec);

// Null where the readable module answers: with MC dropout and those heads, which need its inside.
NetworkCompiler CompilerFor(const LoadOptions& options, const ModelSpec& spec, Precision precision);

// Whether a GPU may compute the model's members from CUDA graphs: nothing in them comes from, or waits for, the host.
bool CanBeRecorded(const LoadOptions& options, const ModelSpec& spec);

}  // namespace candor
