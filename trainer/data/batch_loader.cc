// SPDX-License-Identifier: Apache-2.0
//
// Threads make crops, not whole batches, so that all of them work on the batch that is needed first.
#include "trainer/data/batch_loader.h"

#include <algorithm>
#include <array>
#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "trainer/data/cut_mix.h"
#include "trainer/data/keyed_draws.h"
#include "trainer/data/picture_cache.h"

namespace candor {
namespace {

constexpr int kMaxRedraws = 10;

absl::Status CheckOptions(const Dataset& dataset, const LoaderOptions& options, int64_t first_step) {
  const AugmentOptions& augment = options.augment;
  const auto at_least = [](absl::string_view name, int64_t value, int64_t min) -> absl::Status {
    if (value >= min) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(name, ": must be >= ", min, ", got ", value));
  };
  RETURN_IF_ERROR(at_least("batch_size", options.batch_size, 1));
  RETURN_IF_ERROR(at_least("threads", options.threads, 1));
  RETURN_IF_ERROR(at_least("batches_ahead", options.batches_ahead, 1));
  RETURN_IF_ERROR(at_least("first step", first_step, 0));
  RETURN_IF_ERROR(at_least("crop", augment.crop, 1));
  if (!(augment.min_scale > 0 && augment.min_scale <= augment.max_scale)) {
    return absl::InvalidArgumentError(
        absl::StrCat("scale: must be 0 < min <= max, got ", augment.min_scale, " and ", augment.max_scale));
  }
  if (augment.scale_sampling == ScaleSampling::kHalves && !(augment.min_scale <= 1 && augment.max_scale >= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("scale: halves need min <= 1 <= max, got ", augment.min_scale, " and ", augment.max_scale));
  }
  if (BatchesPerEpoch(dataset.size(), options) < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch_size: ", dataset.size(), " pictures do not fill a batch of ", options.batch_size));
  }
  return absl::OkStatus();
}

bool HasLabelledPixel(const ByteMap& labels) {
  return std::any_of(labels.values.begin(), labels.values.end(), [](uint8_t label) { return label != kIgnoreLabel; });
}

// A batch being made.
struct PendingBatch {
  int64_t step = 0;
  int epoch = 0;
  std::vector<int> samples;  // indices in the data set
  // Each crop is written by the thread that claimed it, without a lock.
  Batch batch;

  // Under the loader's lock.
  size_t claimed = 0;
  size_t unfinished = 0;  // crops, and the mixing of them
  size_t failed_sample = 0;
  absl::Status error;  // of the first sample that failed
};

class ThreadedLoader : public BatchLoader {
 public:
  ThreadedLoader(const Dataset& dataset, const LoaderOptions& options, int64_t first_step)
      : dataset_(dataset),
        options_(options),
        batches_per_epoch_(std::max(1, BatchesPerEpoch(dataset.size(), options))),
        cache_(dataset, options.cache_bytes),
        next_step_(first_step),
        final_error_(CheckOptions(dataset, options, first_step)) {
    for (size_t c = 0; c < 3; ++c) {
      for (size_t v = 0; v < 256; ++v) {
        normalised_[c][v] =
            (static_cast<float>(v) / 255.0f - options.normalisation.mean[c]) / options.normalisation.stddev[c];
      }
    }
    // Nothing is shared yet, but final_error_ is guarded.
    absl::MutexLock lock(&mu_);
    if (!final_error_.ok()) return;
    for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~ThreadedLoader() override {
    {
      absl::MutexLock lock(&mu_);
      is_stopping_ = true;
    }
    for (std::thread& thread : threads_) thread.join();
  }

  absl::StatusOr<Batch> Next() override {
    std::unique_ptr<PendingBatch> first;
    {
      absl::MutexLock lock(&mu_);
      if (!final_error_.ok()) return final_error_;
      const absl::Time start = absl::Now();
      mu_.Await(absl::Condition(this, &ThreadedLoader::FirstIsDone));
      seconds_waited_ += absl::ToDoubleSeconds(absl::Now() - start);
      first = std::move(pending_.front());
      pending_.pop_front();
      if (!first->error.ok()) final_error_ = first->error;
    }
    if (!first->error.ok()) return first->error;
    return std::move(first->batch);
  }

  double seconds_waited() const override {
    absl::MutexLock lock(&mu_);
    return seconds_waited_;
  }

 private:
  // One thing for a thread to do: a crop, or (batch == nullptr) to begin the next batch.
  struct Task {
    PendingBatch* batch = nullptr;
    size_t sample = 0;
  };

  bool FirstIsDone() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return !pending_.empty() && pending_.front()->unfinished == 0;
  }

  bool CanBegin() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return final_error_.ok() && !is_beginning_ && pending_.size() < static_cast<size_t>(options_.batches_ahead);
  }

  PendingBatch* Unclaimed() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    for (const auto& batch : pending_) {
      if (batch->claimed < batch->samples.size()) return batch.get();
    }
    return nullptr;
  }

  bool HasTaskOrStops() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return is_stopping_ || CanBegin() || Unclaimed() != nullptr;
  }

  void Work() ABSL_LOCKS_EXCLUDED(mu_) {
    for (;;) {
      Task task;
      {
        absl::MutexLock lock(&mu_);
        mu_.Await(absl::Condition(this, &ThreadedLoader::HasTaskOrStops));
        if (is_stopping_) return;
        task.batch = Unclaimed();
        if (task.batch != nullptr) {
          task.sample = task.batch->claimed++;
        } else {
          is_beginning_ = true;
        }
      }
      if (task.batch == nullptr) {
        BeginBatch();
      } else {
        FinishSample(task, MakeCrop(task));
      }
    }
  }

  // By the one thread that has set is_beginning_. Memory is taken outside the lock.
  void BeginBatch() ABSL_LOCKS_EXCLUDED(mu_) {
    auto pending = std::make_unique<PendingBatch>();
    std::vector<int> order;
    {
      absl::MutexLock lock(&mu_);
      pending->step = next_step_++;
      order.swap(order_);
    }
    pending->epoch = static_cast<int>(pending->step / batches_per_epoch_);
    const int64_t in_epoch = pending->step % batches_per_epoch_;
    if (order.empty() || in_epoch == 0) {
      order = EpochOrder(options_.seed, options_.member, pending->epoch, dataset_.size());
    }
    const auto begin = static_cast<size_t>(in_epoch) * static_cast<size_t>(options_.batch_size);
    const size_t end = std::min(begin + static_cast<size_t>(options_.batch_size), order.size());
    pending->samples.assign(order.begin() + static_cast<int64_t>(begin), order.begin() + static_cast<int64_t>(end));
    pending->unfinished = pending->samples.size();

    Batch& batch = pending->batch;
    batch.count = static_cast<int>(pending->samples.size());
    batch.crop = options_.augment.crop;
    const size_t pixels = pending->samples.size() * CropPixels();
    batch.images.resize(pixels * 3);
    batch.labels.resize(pixels);
    batch.padding.resize(pixels);

    absl::MutexLock lock(&mu_);
    order_ = std::move(order);
    pending_.push_back(std::move(pending));
    is_beginning_ = false;
  }

  // Writes the crop into its place in the batch.
  absl::Status MakeCrop(const Task& task) {
    PendingBatch& pending = *task.batch;
    const int index = pending.samples[task.sample];
    ASSIGN_OR_RETURN(const std::shared_ptr<const LabelledPicture> picture, cache_.Get(index));
    SampleKey key = {options_.seed, options_.member, pending.epoch, index};
    Crop crop = Augment(*picture, options_.augment, key);
    for (int redraw = 1; redraw <= kMaxRedraws && !HasLabelledPixel(crop.picture.labels); ++redraw) {
      key.seed = KeyedDraws::KeyOf(DrawPurpose::kRedraw, {options_.seed, static_cast<uint64_t>(redraw)});
      crop = Augment(*picture, options_.augment, key);
    }
    const size_t start = task.sample * CropPixels();
    std::copy(crop.picture.labels.values.begin(), crop.picture.labels.values.end(), &pending.batch.labels[start]);
    std::copy(crop.padding.begin(), crop.padding.end(), &pending.batch.padding[start]);
    const uint8_t* in = crop.picture.image.pixels.data();
    float* out = &pending.batch.images[start * 3];
    for (size_t i = 0; i < CropPixels(); ++i, in += 3, out += 3) {
      for (size_t c = 0; c < 3; ++c) out[c] = normalised_[c][in[c]];
    }
    return absl::OkStatus();
  }

  void FinishSample(const Task& task, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_) {
    PendingBatch& pending = *task.batch;
    {
      absl::MutexLock lock(&mu_);
      if (!status.ok() && (pending.error.ok() || task.sample < pending.failed_sample)) {
        pending.error = status;
        pending.failed_sample = task.sample;
      }
      const bool needs_mixing = pending.unfinished == 1 && pending.error.ok() && options_.cutmix_probability > 0;
      if (!needs_mixing) {
        --pending.unfinished;
        return;
      }
    }
    // All others are done with the batch, and Next waits for this thread.
    CutMix(options_.cutmix_probability,
           KeyedDraws::KeyOf(DrawPurpose::kCutMix, {options_.seed, static_cast<uint64_t>(options_.member),
                                                    static_cast<uint64_t>(pending.step)}),
           &pending.batch);
    absl::MutexLock lock(&mu_);
    pending.unfinished = 0;
  }

  size_t CropPixels() const {
    return static_cast<size_t>(options_.augment.crop) * static_cast<size_t>(options_.augment.crop);
  }

  const Dataset& dataset_;
  const LoaderOptions options_;
  const int batches_per_epoch_;
  std::array<std::array<float, 256>, 3> normalised_;
  PictureCache cache_;

  mutable absl::Mutex mu_;
  std::deque<std::unique_ptr<PendingBatch>> pending_ ABSL_GUARDED_BY(mu_);  // the first is the next to be given
  int64_t next_step_ ABSL_GUARDED_BY(mu_);
  std::vector<int> order_ ABSL_GUARDED_BY(mu_);  // of the last batch's epoch
  absl::Status final_error_ ABSL_GUARDED_BY(mu_);
  double seconds_waited_ ABSL_GUARDED_BY(mu_) = 0;
  bool is_beginning_ ABSL_GUARDED_BY(mu_) = false;
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::vector<std::thread> threads_;
};

}  // namespace

int BatchesPerEpoch(int samples, const LoaderOptions& options) {
  if (samples < 1 || options.batch_size < 1) return 0;
  const int full = samples / options.batch_size;
  const int rest = samples % options.batch_size;
  return full + (rest > 1 && !options.drop_last ? 1 : 0);
}

std::unique_ptr<BatchLoader> StartLoader(const Dataset& dataset, const LoaderOptions& options, int64_t first_step) {
  return std::make_unique<ThreadedLoader>(dataset, options, first_step);
}

}  // namespace candor
