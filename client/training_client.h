// SPDX-License-Identifier: Apache-2.0
//
// Trainings of a candor-training-server, over candor.v1.Training.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/segmentation_client.h"

namespace candor {

struct TrainingRun {
  struct Training {
    std::string name;  // "member 3", "distillation"
    bool is_done = false;
    int64_t step = 0;
    int64_t steps = 0;  // 0: it has not begun
    double loss = 0;    // NaN: none yet
    double images_per_second = 0;
    double validation_miou = 0;  // NaN: none yet
  };

  std::string name;
  std::string state;  // "queued", "running", "cancelling", "succeeded", "failed" or "cancelled"
  bool has_ended = false;
  std::string message;
  std::string directory;  // on the service's machine
  std::string executor;
  int64_t create_time_ms = 0;  // Unix time
  int64_t start_time_ms = 0;   // 0: not yet
  int64_t end_time_ms = 0;     // 0: not yet
  int starts = 0;
  double progress = 0;  // [0, 1]
  std::vector<Training> trainings;
};

struct PublishedModel {
  std::string directory;  // on the service's machine
  int version = 0;
  std::string digest;
};

// Blocking calls, none of which is retried. Errors are those of proto/candor/v1/training.proto. Thread-safe.
class TrainingClient {
 public:
  // InvalidArgument: several servers, since runs are one's; else the errors of SegmentationClient::Create.
  static absl::StatusOr<std::unique_ptr<TrainingClient>> Create(const ClientOptions& options);
  virtual ~TrainingClient() = default;

  // `config_path` is a TrainerConfig as text proto, `overrides` are fields over it. Errors of ReadTextProto too.
  virtual absl::StatusOr<TrainingRun> Submit(const std::string& name, const std::string& config_path,
                                             const std::vector<std::string>& overrides) = 0;
  virtual absl::StatusOr<TrainingRun> Get(const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<TrainingRun>> List() = 0;
  virtual absl::StatusOr<TrainingRun> Cancel(const std::string& name) = 0;
  virtual absl::StatusOr<TrainingRun> Resume(const std::string& name) = 0;
  // Tells `on_change` about the run now and whenever it changes, until it has ended, and returns it as it is then. No
  // time limit.
  virtual absl::StatusOr<TrainingRun> Watch(const std::string& name,
                                            const std::function<void(const TrainingRun&)>& on_change) = 0;
  virtual absl::StatusOr<PublishedModel> Publish(const std::string& run, bool teacher, const std::string& model) = 0;
};

}  // namespace candor
