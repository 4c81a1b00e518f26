// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/cuda_answer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

static_assert(kCudaHistogramBins == KindAccumulator::kBins);

// The elements as T, which is of their size.
template <typename T>
std::vector<T> ToVector(const torch::Tensor& tensor) {
  TORCH_CHECK(tensor.element_size() == sizeof(T), "elements: want ", sizeof(T), " bytes");
  const auto* values = static_cast<const T*>(tensor.const_data_ptr());
  return std::vector<T>(values, values + tensor.numel());
}

}  // namespace

// To pinned memory of Torch's cache, which a copy that does not wait needs.
void CudaAnswer::Output::StartCopy() {
  if (!device.defined()) return;
  if (!device.is_cuda()) {
    host = device;
    return;
  }
  host = torch::empty(device.sizes(), device.options().device(torch::kCPU).pinned_memory(true));
  host.copy_(device, /*non_blocking=*/true);
}

CudaAnswer::CudaAnswer(const Region& region, absl::Span<const KindRequest> kinds, int classes, torch::Device device)
    : region_(region), classes_(classes) {
  TORCH_CHECK(kinds.size() <= kAllUncertaintyKinds.size(), "kinds: want each at most once, got ", kinds.size());
  const torch::TensorOptions bytes = torch::TensorOptions(device).dtype(torch::kUInt8);
  for (const KindRequest& kind : kinds) {
    Output map;
    if (kind.want_map) {
      map.device =
          torch::empty({region.height, region.width}, bytes.dtype(kind.as_halves ? torch::kHalf : torch::kFloat32));
    }
    kinds_.push_back({kind, KindAccumulator(kind, UncertaintyKindMax(kind.kind, classes)), std::move(map)});
  }
  labels_.device = torch::empty({region.height, region.width}, bytes);
  figures_.device = torch::zeros(
      static_cast<int64_t>(kinds.size() * sizeof(CudaKindFigures) + classes * sizeof(CudaClassFigures)), bytes);
}

void CudaAnswer::SetOutputs(CudaReduceJob* job) {
  job->kind_count = 0;
  for (const Kind& kind : kinds_) {
    CudaKindJob& out = job->kinds[job->kind_count++];
    out = {kind.request.kind, kind.request.threshold, kind.accumulator.bins_per_unit()};
    if (!kind.request.want_map) continue;
    if (kind.request.as_halves) {
      out.halves = static_cast<unsigned short*>(kind.map.device.mutable_data_ptr());
    } else {
      out.map = kind.map.device.mutable_data_ptr<float>();
    }
  }
  job->labels = labels_.device.mutable_data_ptr<uint8_t>();
  job->kind_figures = static_cast<CudaKindFigures*>(figures_.device.mutable_data_ptr());
  job->class_figures = reinterpret_cast<CudaClassFigures*>(job->kind_figures + kinds_.size());
}

void CudaAnswer::StartCopies() {
  for (Kind& kind : kinds_) kind.map.StartCopy();
  labels_.StartCopy();
  figures_.StartCopy();
  probabilities_.StartCopy();
}

absl::StatusOr<KindResult> CudaAnswer::TakeKind(const Kind& kind, const CudaKindFigures& figures) const {
  GatheredValues values;
  values.count = labels_.host.numel();
  values.above_threshold = figures.above_threshold;
  values.sum = figures.sum;
  values.max = figures.max;
  values.histogram = figures.histogram;
  KindAccumulator accumulator = kind.accumulator;
  accumulator.AddGathered(values);
  if (!accumulator.all_finite()) {
    return absl::InternalError(
        absl::StrCat("NON_FINITE_OUTPUT: ", UncertaintyKindName(kind.request.kind), " has a value that is not finite"));
  }
  KindResult result;
  result.statistics = accumulator.Finish();
  if (!kind.request.want_map) return result;
  if (kind.request.as_halves) {
    result.halves = ToVector<uint16_t>(kind.map.host);
  } else {
    result.map = ToVector<float>(kind.map.host);
  }
  return result;
}

absl::StatusOr<Segmentation> CudaAnswer::Take() const {
  const auto* kind_figures = static_cast<const CudaKindFigures*>(figures_.host.const_data_ptr());
  const auto* class_figures = reinterpret_cast<const CudaClassFigures*>(kind_figures + kinds_.size());
  Segmentation result;
  result.width = region_.width;
  result.height = region_.height;
  for (size_t k = 0; k < kinds_.size(); ++k) {
    ASSIGN_OR_RETURN(KindResult kind, TakeKind(kinds_[k], kind_figures[k]));
    result.kinds.push_back(std::move(kind));
  }
  for (int c = 0; c < classes_; ++c) {
    result.classes.push_back({class_figures[c].pixels, class_figures[c].uncertainty_sum});
  }
  result.labels = ToVector<uint8_t>(labels_.host);
  if (probabilities_.host.defined()) result.probabilities = ToVector<float>(probabilities_.host);
  return result;
}

}  // namespace candor
