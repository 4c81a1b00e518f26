// SPDX-License-Identifier: Apache-2.0
//
// Labels and uncertainty straight from a picture's colours.
#include "tests/testing/fake_segmenter.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/float16.h"

namespace candor {
namespace {

float Quantile(const std::vector<float>& sorted, double q) {
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

KindResult ComputeKind(const Image& image, const KindRequest& request, int classes) {
  const float range_max = UncertaintyKindMax(request.kind, classes);
  std::vector<float> map;
  for (size_t i = 1; i < image.pixels.size(); i += 3) {
    map.push_back(static_cast<float>(image.pixels[i]) / 255 * range_max);
  }
  std::vector<float> sorted = map;
  std::sort(sorted.begin(), sorted.end());
  KindResult result;
  double sum = 0;
  int above = 0;
  for (float value : map) {
    sum += value;
    above += value > request.threshold ? 1 : 0;
    ++result.statistics.histogram[static_cast<size_t>(
        std::min(value / range_max * kUncertaintyHistogramBins, kUncertaintyHistogramBins - 1.0F))];
  }
  const auto count = static_cast<double>(map.size());
  result.statistics.kind = request.kind;
  result.statistics.mean = static_cast<float>(sum / count);
  result.statistics.max = sorted.back();
  result.statistics.median = Quantile(sorted, 0.5);
  result.statistics.p90 = Quantile(sorted, 0.9);
  result.statistics.p99 = Quantile(sorted, 0.99);
  result.statistics.threshold = request.threshold;
  result.statistics.share_above_threshold = static_cast<float>(above / count);
  if (request.want_map && request.as_halves) {
    for (const float value : map) result.halves.push_back(FloatToHalf(value));
  } else if (request.want_map) {
    result.map = std::move(map);
  }
  return result;
}

// The picture's region.
Image Cropped(const SegmentItem& item) {
  Image whole = item.picture->ToImage();
  if (!item.request.region.has_value()) return whole;
  const Region& region = *item.request.region;
  Image result{region.width, region.height, {}};
  for (int y = region.y; y < region.y + region.height; ++y) {
    const auto row = whole.pixels.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * whole.width + region.x);
    result.pixels.insert(result.pixels.end(), row, row + 3 * static_cast<std::ptrdiff_t>(region.width));
  }
  return result;
}

Segmentation Answer(const ModelSpec& spec, const Image& image, const PredictRequest& request) {
  const int classes = spec.class_count();
  Segmentation result;
  result.width = image.width;
  result.height = image.height;
  result.members = PredictionCount(spec);
  result.classes.resize(static_cast<size_t>(classes));
  const float first_max = request.kinds.empty() ? 0 : UncertaintyKindMax(request.kinds.front().kind, classes);
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    const int label = image.pixels[i] % classes;
    result.labels.push_back(static_cast<uint8_t>(label));
    ClassTally& tally = result.classes[static_cast<size_t>(label)];
    ++tally.pixels;
    tally.uncertainty_sum += static_cast<double>(image.pixels[i + 1]) / 255 * first_max;
  }
  for (const KindRequest& kind : request.kinds) result.kinds.push_back(ComputeKind(image, kind, classes));
  if (request.want_probabilities) {
    const size_t pixels = result.labels.size();
    result.probabilities.assign(static_cast<size_t>(classes) * pixels, 0.1f / static_cast<float>(classes - 1));
    for (size_t i = 0; i < pixels; ++i) result.probabilities[result.labels[i] * pixels + i] = 0.9f;
  }
  return result;
}

}  // namespace

ModelInfo FakeModelInfo(const std::string& name, ModelKind kind, int classes) {
  ModelInfo info;
  info.name = name;
  info.version = 3;
  info.digest = std::string(64, 'd');
  info.spec.kind = kind;
  for (int i = 0; i < classes; ++i) {
    const Colour colour{static_cast<uint8_t>(3 * i), static_cast<uint8_t>(2 * i), static_cast<uint8_t>(i)};
    info.spec.classes.push_back({absl::StrCat("class", i), colour});
  }
  if (kind == ModelKind::kStudent) info.spec.learned = {UncertaintyKind::kPredictiveStddev};
  info.spec.uncertainty = UncertaintyKindsOf(info.spec);
  info.spec.weights.resize(kind == ModelKind::kEnsemble ? 2 : 1);
  info.parameters = 1000 * static_cast<int64_t>(info.spec.weights.size());
  info.device = "cpu";
  info.precision = "fp32";
  return info;
}

ModelInfo WithVerdict(ModelInfo info, UncertaintyKind kind, float accept_max, float review_max) {
  Calibration calibration;
  calibration.data = "101 pictures";
  calibration.temperature = 1.5F;
  calibration.verdict = {kind, accept_max, review_max, 0.05F, 0.1F};
  info.spec.calibration = calibration;
  return info;
}

absl::Status FakeSegmenter::Begin(absl::Span<const SegmentItem> items, const MemberChecks& checks) {
  absl::MutexLock lock(&mu_);
  for (const SegmentItem& item : items) {
    const absl::Span<const KindRequest> kinds = item.request.kinds;
    calls_.push_back({item.picture->width(), item.picture->height(), {kinds.begin(), kinds.end()}, batches_});
  }
  ++batches_;
  const auto may_go_on = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !is_blocked_; };
  while (!released_.AwaitUntil(&mu_, std::chrono::steady_clock::now() + std::chrono::milliseconds(1), may_go_on)) {
    if (checks.cancelled && checks.cancelled()) return absl::CancelledError("cancelled between members");
  }
  if (exception_.has_value()) throw std::runtime_error(*exception_);
  return failure_;
}

absl::StatusOr<std::vector<Segmentation>> FakeSegmenter::SegmentBatch(absl::Span<const SegmentItem> items,
                                                                      const MemberChecks& checks) {
  struct CountReturn {
    FakeSegmenter* fake;
    int pictures;
    ~CountReturn() {
      absl::MutexLock lock(&fake->mu_);
      fake->returns_ += pictures;
    }
  } count_return{this, static_cast<int>(items.size())};
  if (absl::Status status = CheckPictures(items); !status.ok()) return status;
  if (absl::Status status = Begin(items, checks); !status.ok()) return status;
  std::vector<Segmentation> results;
  for (const SegmentItem& item : items) results.push_back(Answer(info_.spec, Cropped(item), item.request));
  return results;
}

void FakeSegmenter::Block() {
  absl::MutexLock lock(&mu_);
  is_blocked_ = true;
}

void FakeSegmenter::Release() {
  absl::MutexLock lock(&mu_);
  is_blocked_ = false;
  released_.NotifyAll();
}

void FakeSegmenter::WaitForCalls(int count) {
  const auto enough = [this, count]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return static_cast<int>(calls_.size()) >= count; };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&enough));
}

void FakeSegmenter::WaitForReturns(int count) {
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return returns_ >= count; };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&enough));
}

void FakeSegmenter::FailWith(absl::Status status) {
  absl::MutexLock lock(&mu_);
  failure_ = std::move(status);
}

void FakeSegmenter::Throw(std::string what) {
  absl::MutexLock lock(&mu_);
  exception_ = std::move(what);
}

std::vector<FakeSegmenter::Call> FakeSegmenter::calls() const {
  absl::MutexLock lock(&mu_);
  return calls_;
}

}  // namespace candor
