// SPDX-License-Identifier: Apache-2.0
//
// Batches prepared ahead on threads of their own, so that training waits for data as little as possible.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "trainer/data/augmentation.h"
#include "trainer/data/dataset.h"

namespace candor {

// One batch of crops. Values are normalised like a served picture's (core/nn/preprocess.h): (v / 255 - mean) / stddev,
// padding as black.
struct Batch {
  int count = 0;  // pictures
  int crop = 0;
  std::vector<float> images;     // [count][crop][crop][3]
  std::vector<uint8_t> labels;   // [count][crop][crop], class indices or kIgnoreLabel
  std::vector<uint8_t> padding;  // [count][crop][crop], 1 outside the picture
};

struct LoaderOptions {
  AugmentOptions augment;
  Normalisation normalisation;
  int batch_size = 8;
  // A last, smaller batch of an epoch is left out if it has a single crop (batch norm of one value a channel) or if
  // drop_last says so.
  bool drop_last = false;
  float cutmix_probability = 0;  // per sample: a rectangle of another crop of the same batch is pasted in
  uint64_t seed = 0;
  int member = 0;
  int threads = 1;                  // that decode and augment, >= 1
  int batches_ahead = 4;            // at most so many wait, >= 1
  int64_t cache_bytes = 512 << 20;  // decoded pictures kept in memory, as many as fit
};

// Number of batches of an epoch under these options.
int BatchesPerEpoch(int samples, const LoaderOptions& options);

// Gives the batches of epoch after epoch, in an order and with contents that depend on nothing but data, options and
// position. Next is for one thread. The destructor stops the threads at once.
class BatchLoader {
 public:
  virtual ~BatchLoader() = default;
  // The next batch. A picture that cannot be read ends the stream with its error. A crop without a single labelled
  // pixel is drawn again, up to ten times (a derived key each time), then kept.
  virtual absl::StatusOr<Batch> Next() = 0;
  // Seconds that Next has waited for data so far.
  virtual double seconds_waited() const = 0;
};

// Starts at batch `first_step` (counted over all epochs from 0). `dataset` is borrowed. The pictures' order of an epoch
// is EpochOrder's.
std::unique_ptr<BatchLoader> StartLoader(const Dataset& dataset, const LoaderOptions& options, int64_t first_step);

}  // namespace candor
