// SPDX-License-Identifier: Apache-2.0
//
// Changing the models of a server, over candor.v1.ModelAdmin.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/segmentation_client.h"

namespace candor {

// Versions are 0 for none.
struct ModelChangeResult {
  std::string model;
  int version_before = 0;
  int version_after = 0;
  std::string digest;  // of the version after
  double load_seconds = 0;
};

struct ModelVersionsOnServer {
  struct Version {
    int version = 0;
    bool is_complete = false;
  };

  std::string model;
  std::string directory;  // on the server
  int served_version = 0;
  int previous_version = 0;       // that a rollback would serve
  std::vector<Version> versions;  // ascending
};

// Blocking calls, none of which is retried. Errors are those of proto/candor/v1/admin.proto. Thread-safe.
class ModelAdminClient {
 public:
  // InvalidArgument: several servers, since a change is for one; else the errors of SegmentationClient::Create.
  static absl::StatusOr<std::unique_ptr<ModelAdminClient>> Create(const ClientOptions& options);
  virtual ~ModelAdminClient() = default;

  virtual absl::StatusOr<ModelChangeResult> Load(const std::string& model, int version) = 0;
  virtual absl::StatusOr<ModelChangeResult> Unload(const std::string& model) = 0;
  virtual absl::StatusOr<std::vector<ModelChangeResult>> Reload(const std::string& model) = 0;  // "": all
  virtual absl::StatusOr<ModelChangeResult> Rollback(const std::string& model) = 0;
  virtual absl::StatusOr<std::vector<ModelVersionsOnServer>> ListVersions(const std::string& model) = 0;  // "": all
};

}  // namespace candor
