// SPDX-License-Identifier: Apache-2.0
//
// The firewall: plain C++ above, Torch and CUDA below. No exception leaves it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/image/picture.h"
#include "core/model/model_spec.h"
#include "core/model/precision.h"
#include "core/uncertainty/pending_answers.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

struct ModelInfo {
  std::string name;
  int version = 1;
  std::string digest;  // SHA-256 of model.json
  ModelSpec spec;
  // Names of weight files that could not be read, with LoadOptions::allow_partial_ensemble: `spec` is without them.
  std::vector<std::string> damaged_members;
  int64_t parameters = 0;  // trainable, of all members together
  std::string device;      // "cpu" or "cuda"
  std::string precision;   // "fp32", "bf16" or "int8": what the networks compute in
};

// One picture of a batch. Borrows the picture and the request's kinds.
struct SegmentItem {
  const Picture* picture = nullptr;
  PredictRequest request;
};

// A loaded model. Thread-compatible: one call at a time.
class Segmenter {
 public:
  virtual ~Segmenter() = default;

  virtual const ModelInfo& info() const = 0;

  // Labels and uncertainty of each picture at its own size: padded with zeros right and bottom to multiples of 16, and
  // cropped. The padded size (core/model/padded_size.h) must be one for the whole batch, of at least one picture.
  // FailedPrecondition: a kind the model lacks (the message names those it has). InvalidArgument: an empty picture, a
  // kind asked for twice, a region that is empty or not inside, sizes that differ. Cancelled: `checks.cancelled` said
  // so. ResourceExhausted: out of memory. Aborted: the GPU has failed, and every later call of this process will.
  // Internal: non-finite output, or a fault of ours.
  virtual absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                                 const MemberChecks& checks) = 0;

  // The same, but returns as soon as the device has all that it needs, so that the next batch can be made ready while
  // it works: that one may be started before these answers are taken, and the pictures may go. On the CPU they are
  // ready.
  virtual absl::StatusOr<PendingAnswers> StartBatch(absl::Span<const SegmentItem> items, const MemberChecks& checks) {
    return SegmentBatch(items, checks);
  }

  // A batch of one.
  absl::StatusOr<Segmentation> Segment(const Image& image, const PredictRequest& request, const CancelCheck& cancelled);
};

enum class Device { kAuto, kCpu, kCuda };

absl::StatusOr<Device> ParseDevice(absl::string_view name);  // "auto", "cpu", "cuda"; InvalidArgument otherwise

// Turns kAuto into what this machine has and makes it ready: for CUDA, loads LibTorch's CUDA library and ours. Has to
// come before anything else of this header, once a process. FailedPrecondition: kCuda without a device, or with a
// library missing (the message names it and how to get it).
absl::StatusOr<Device> PrepareDevice(Device wanted);

// How many threads the calling thread computes with, and those that begin to after it. To OpenMP this is a number of
// each thread, to MKL one of the process: where several threads compute, the one that matters calls last.
void SetInferenceThreads(int threads);

struct LoadOptions {
  Device device = Device::kCpu;  // kCpu or kCuda, from PrepareDevice
  // kAuto is kBf16 for models that can compute in it (not with MC dropout or the heads kFeatureDensity and kObserver,
  // on CUDA kEnergy, not on processors without bfloat16 products) and give their known answer so, and kFp32 for others.
  Precision precision = Precision::kFp32;
  int threads = 1;  // SetInferenceThreads for the caller; 0: as they are
  // For studies: only these members of an ensemble, which then answer as an ensemble of that size (one: as a single
  // network), without a known answer to compare with. Empty: all.
  std::vector<int> members;
  // For fitting one: the temperature instead of the bundle's, again without a known answer. 0: the bundle's.
  float temperature = 0;
  // For fitting: the calibrated ranges for kInt8 instead of the bundle's, again without a known answer. Empty: the
  // bundle's.
  std::vector<ValueRange> encoder_ranges;
  // For fitting, with kFp32: made to hold the encoder's maps of every call. Outlives the segmenter; null: not wanted.
  std::vector<ValueRange>* seen_ranges = nullptr;
  // An ensemble of which some files cannot be read answers with the other members, at least two, again without a known
  // answer to compare with.
  bool allow_partial_ensemble = false;
};

// Reads the bundle, builds the network, warms it up and compares it with the bundle's known answer. Errors of
// ReadBundle; InvalidArgument: tensors that do not fit the architecture or are not finite, or a member that is
// not there; DataLoss: another answer than the known one; FailedPrecondition: kBf16 or kInt8 for a model that cannot,
// seen_ranges for one whose network is not compiled.
absl::StatusOr<std::unique_ptr<Segmenter>> LoadSegmenter(const std::string& bundle_directory,
                                                         const LoadOptions& options);

// InvalidArgument: a picture, region or batch of items that SegmentBatch would refuse.
absl::Status CheckPictures(absl::Span<const SegmentItem> items);

}  // namespace candor
