// SPDX-License-Identifier: Apache-2.0
//
// Bundles on disk that load as fakes, at a pace and with errors that the test chooses.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "candor/v1/config.pb.h"
#include "core/segmenter/segmenter.h"
#include "server/lifecycle/load_model.h"
#include "server/model_registry.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/temporary_folder.h"

namespace candor {

// Models below a temporary folder. The loader reads and verifies the whole bundle and makes a FakeSegmenter of its
// model.json. Thread-safe.
class FakeRepository {
 public:
  // Where `path` ("street/3") lies.
  std::string At(const std::string& path) const { return folder_.File(path); }
  // A complete bundle; its weights are `weights`.
  void Write(const std::string& path, ModelKind kind, const std::string& weights = "abc",
             int ensemble_members = 2) const;
  // What a copy looks like while it is under way.
  void WriteHalf(const std::string& path) const;
  void Remove(const std::string& path) const;

  SegmenterLoader loader();
  // A configuration of the models at these paths, with their aliases.
  v1::ServerConfig Configuration(const std::map<std::string, std::vector<std::string>>& models) const;
  // The models of `config`.
  std::unique_ptr<ModelRegistry> LoadAll(const v1::ServerConfig& config);

  // Loads wait from now on until Release.
  void Block() ABSL_LOCKS_EXCLUDED(mu_);
  void Release() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until `count` loads have begun, in all.
  void WaitForLoads(int count) ABSL_LOCKS_EXCLUDED(mu_);
  int loads() const ABSL_LOCKS_EXCLUDED(mu_);
  // The bundle at `path` cannot be loaded. OK: it can.
  void FailWith(const std::string& path, absl::Status status) ABSL_LOCKS_EXCLUDED(mu_);
  // The fake that `path` was loaded as last; null: gone or never loaded.
  std::shared_ptr<FakeSegmenter> Loaded(const std::string& path) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::StatusOr<std::shared_ptr<Segmenter>> Load(const std::string& directory) ABSL_LOCKS_EXCLUDED(mu_);

  TemporaryFolder folder_;
  mutable absl::Mutex mu_;
  bool is_blocked_ ABSL_GUARDED_BY(mu_) = false;
  int loads_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, absl::Status> failures_ ABSL_GUARDED_BY(mu_);  // by directory
  std::map<std::string, std::weak_ptr<FakeSegmenter>> loaded_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
