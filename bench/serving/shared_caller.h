// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "core/image/image.h"
#include "inference/grpc_service.grpc.pb.h"

namespace candor {

// Asks by the Open Inference Protocol with picture, labels and f16 map in shared memory, as a program on the server's
// machine would: only names and offsets travel. Ends the program on an error.
class SharedCaller {
 public:
  // Sends the pixels.
  SharedCaller(const std::string& address, const std::string& model, const Image& image);
  // Sends a file of a picture of that size.
  SharedCaller(const std::string& address, const std::string& model, absl::string_view file, int width, int height);
  ~SharedCaller();
  SharedCaller(const SharedCaller&) = delete;
  SharedCaller& operator=(const SharedCaller&) = delete;

  // In milliseconds, until the answer is in the memory; of these the model made it in `infer`.
  struct Times {
    double all = 0;
    double infer = 0;
  };
  Times Call();

 private:
  explicit SharedCaller(const std::string& address);

  // `picture`: what lies in the memory, then come `pixels` labels and halves.
  void MakeRegion(absl::string_view picture, int64_t pixels);

  std::string key_;  // of shm_open
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  inference::ModelInferRequest request_;
};

}  // namespace candor
