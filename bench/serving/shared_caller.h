// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/image/image.h"
#include "inference/grpc_service.grpc.pb.h"

namespace candor {

// Asks by the Open Inference Protocol with picture, labels and f16 map in shared memory, as a program on the server's
// machine would: only names and offsets travel. Ends the program on an error.
class SharedCaller {
 public:
  SharedCaller(const std::string& address, const Image& image);
  ~SharedCaller();
  SharedCaller(const SharedCaller&) = delete;
  SharedCaller& operator=(const SharedCaller&) = delete;

  // Milliseconds until the answer is in the memory, without those in which the model made it.
  double Call();

 private:
  std::string key_;  // of shm_open
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  inference::ModelInferRequest request_;
};

}  // namespace candor
