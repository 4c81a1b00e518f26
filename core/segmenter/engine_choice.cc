// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/engine_choice.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/engine/compiled_network.h"
#include "core/engine/cpu_features.h"

namespace candor {
namespace {

// Heads that look at the decoder's features, other than by a 1x1 convolution.
bool HasReadableHead(const ModelSpec& spec) {
  return spec.head == UncertaintyHead::kFeatureDensity || spec.head == UncertaintyHead::kObserver;
}

bool IsCompiled(Device device, const ModelSpec& spec) {
  return device == Device::kCpu && spec.sampling.method != SamplingMethod::kMcDropout && !HasReadableHead(spec);
}

// Why a model cannot compute in bfloat16; empty if it can.
std::string ReasonAgainstBf16(Device device, const ModelSpec& spec) {
  if (device == Device::kCuda) return "models on a GPU compute in fp32";
  if (HasReadableHead(spec)) {
    return absl::StrCat("a model with head ", UncertaintyHeadName(spec.head), " computes in fp32");
  }
  if (!IsCompiled(device, spec)) return "a model that samples with dropout computes in fp32";
  if (!HasNativeBf16()) return "this processor has no bfloat16 products (AVX512_BF16)";
  return "";
}

}  // namespace

absl::StatusOr<std::vector<Precision>> PrecisionsFor(const LoadOptions& options, const ModelSpec& spec) {
  const std::string reason = ReasonAgainstBf16(options.device, spec);
  if (options.precision == Precision::kBf16 && !reason.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("precision bf16: ", reason));
  }
  if (options.precision != Precision::kAuto) return std::vector<Precision>{options.precision};
  if (!reason.empty()) return std::vector<Precision>{Precision::kFp32};
  return std::vector<Precision>{Precision::kBf16, Precision::kFp32};
}

NetworkCompiler CompilerFor(Device device, const ModelSpec& spec, Precision precision) {
  if (!IsCompiled(device, spec)) return nullptr;
  return [precision](const SegmentationNetImpl& net) { return std::make_shared<CompiledNetwork>(net, precision); };
}

}  // namespace candor
