// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/engine_choice.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/engine/compiled_network.h"
#include "core/engine/cpu_features.h"
#include "core/engine/fused_network.h"

namespace candor {
namespace {

// Heads that look at the decoder's features, other than by a 1x1 convolution.
bool HasReadableHead(const ModelSpec& spec) {
  return spec.head == UncertaintyHead::kFeatureDensity || spec.head == UncertaintyHead::kObserver;
}

// On a GPU the head kEnergy looks at scores as the readable module gives them.
bool IsCompiled(Device device, const ModelSpec& spec) {
  const bool is_head_fused = device == Device::kCpu || spec.head != UncertaintyHead::kEnergy;
  return is_head_fused && spec.sampling.method != SamplingMethod::kMcDropout && !HasReadableHead(spec);
}

// Why a model cannot compute in bfloat16; empty if it can.
std::string ReasonAgainstBf16(Device device, const ModelSpec& spec) {
  if (!IsCompiled(device, spec)) {
    if (spec.sampling.method == SamplingMethod::kMcDropout) return "a model that samples with dropout computes in fp32";
    return absl::StrCat("a model with head ", UncertaintyHeadName(spec.head), " computes in fp32",
                        device == Device::kCuda ? " on a GPU" : "");
  }
  if (device == Device::kCpu && !HasNativeBf16()) return "this processor has no bfloat16 products (AVX512_BF16)";
  return "";
}

const std::vector<ValueRange>& RangesFor(const LoadOptions& options, const ModelSpec& spec) {
  static const auto* none = new std::vector<ValueRange>();
  if (!options.encoder_ranges.empty()) return options.encoder_ranges;
  return spec.calibration.has_value() ? spec.calibration->encoder_ranges : *none;
}

// Why a model cannot compute in int8; empty if it can.
std::string ReasonAgainstInt8(const LoadOptions& options, const ModelSpec& spec) {
  if (options.device == Device::kCuda) return "models on a GPU do not compute in int8";
  if (!IsCompiled(options.device, spec)) return ReasonAgainstBf16(options.device, spec);
  const SamplingMethod method = spec.sampling.method;
  if (method == SamplingMethod::kWeightSamples || method == SamplingMethod::kRankOne) {
    return absl::StrCat("a model that samples by ", SamplingMethodName(method), " does not compute in int8");
  }
  if (RangesFor(options, spec).empty()) {
    return "the bundle has no ranges for it, which candor-train quantise measures";
  }
  if (!HasNativeInt8()) return "this processor has no products of bytes (AVX512_VNNI)";
  return "";
}

}  // namespace

absl::StatusOr<std::vector<Precision>> PrecisionsFor(const LoadOptions& options, const ModelSpec& spec) {
  if (options.seen_ranges != nullptr && (options.device == Device::kCuda || !IsCompiled(options.device, spec))) {
    return absl::FailedPreconditionError(absl::StrCat("precision int8: ", ReasonAgainstInt8(options, spec)));
  }
  if (options.precision == Precision::kInt8) {
    const std::string reason = ReasonAgainstInt8(options, spec);
    if (!reason.empty()) return absl::FailedPreconditionError(absl::StrCat("precision int8: ", reason));
  }
  const std::string reason = ReasonAgainstBf16(options.device, spec);
  if (options.precision == Precision::kBf16 && !reason.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("precision bf16: ", reason));
  }
  if (options.precision != Precision::kAuto) return std::vector<Precision>{options.precision};
  if (!reason.empty()) return std::vector<Precision>{Precision::kFp32};
  return std::vector<Precision>{Precision::kBf16, Precision::kFp32};
}

NetworkCompiler CompilerFor(const LoadOptions& options, const ModelSpec& spec, Precision precision) {
  if (!IsCompiled(options.device, spec)) return nullptr;
  if (options.device == Device::kCuda) {
    return [type = precision == Precision::kBf16 ? torch::kBFloat16 : torch::kFloat](const SegmentationNetImpl& net) {
      return std::make_shared<FusedNetwork>(net, torch::kCUDA, type);
    };
  }
  const std::vector<ValueRange>& ranges = RangesFor(options, spec);
  return [precision, ranges, seen = options.seen_ranges](const SegmentationNetImpl& net) {
    auto compiled = std::make_shared<CompiledNetwork>(net, precision, ranges);
    if (seen != nullptr) compiled->Observe(ObserveRanges(seen));
    return compiled;
  };
}

bool CanBeRecorded(const LoadOptions& options, const ModelSpec& spec) {
  // Samples of scores are drawn on the host.
  return options.device == Device::kCuda && IsCompiled(options.device, spec) &&
         spec.sampling.method != SamplingMethod::kLogitSamples;
}

}  // namespace candor
