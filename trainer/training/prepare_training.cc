// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/prepare_training.h"

#include <ATen/Parallel.h>

#include "core/base/cpu_count.h"
#include "core/base/status_macros.h"
#include "core/nn/pooled_allocator.h"
#include "core/segmenter/reducers.h"
#include "core/segmenter/segmenter.h"

namespace candor {

absl::StatusOr<TrainingDevice> PrepareTraining(const TrainOptions& options) {
  InstallPooledAllocator();
  ASSIGN_OR_RETURN(const Device wanted, ParseDevice(options.device));
  ASSIGN_OR_RETURN(const Device device, PrepareDevice(wanted));
  at::set_num_threads(options.threads > 0 ? options.threads : UsableCores());
  TrainingDevice training;
  training.device = device == Device::kCuda ? torch::kCUDA : torch::kCPU;
  ASSIGN_OR_RETURN(training.make_reducer, ReducersFor(device));
  return training;
}

}  // namespace candor
