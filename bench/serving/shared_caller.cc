// SPDX-License-Identifier: Apache-2.0
//
// One region: the picture, then the labels, then the map.
#include "bench/serving/shared_caller.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

constexpr char kRegion[] = "bench";

template <typename Parameters>
void Share(int64_t offset, int64_t bytes, Parameters* parameters) {
  (*parameters)["shared_memory_region"].set_string_param(kRegion);
  (*parameters)["shared_memory_offset"].set_int64_param(offset);
  (*parameters)["shared_memory_byte_size"].set_int64_param(bytes);
}

void CheckOk(const grpc::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "call by shared memory failed: %s\n", status.error_message().c_str());
  std::exit(1);
}

}  // namespace

SharedCaller::SharedCaller(const std::string& address)
    : key_(absl::StrCat("/candor-bench-", getpid())),
      stub_(
          inference::GRPCInferenceService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {}

SharedCaller::SharedCaller(const std::string& address, const std::string& model, const Image& image)
    : SharedCaller(address) {
  request_.set_model_name(model);
  auto* input = request_.add_inputs();
  input->set_datatype("UINT8");
  for (const int64_t side : {int64_t{1}, int64_t{image.height}, int64_t{image.width}, int64_t{3}}) {
    input->add_shape(side);
  }
  const auto* bytes = reinterpret_cast<const char*>(image.pixels.data());
  MakeRegion({bytes, image.pixels.size()}, int64_t{image.width} * image.height);
}

SharedCaller::SharedCaller(const std::string& address, const std::string& model, absl::string_view file, int width,
                           int height)
    : SharedCaller(address) {
  request_.set_model_name(absl::StrCat(model, "_encoded"));
  auto* input = request_.add_inputs();
  input->set_datatype("BYTES");
  input->add_shape(1);
  const auto size = static_cast<uint32_t>(file.size());
  std::string element(sizeof(size), '\0');
  std::memcpy(element.data(), &size, sizeof(size));
  MakeRegion(absl::StrCat(element, file), int64_t{width} * height);
}

void SharedCaller::MakeRegion(absl::string_view picture, int64_t pixels) {
  const auto size = static_cast<int64_t>(picture.size());
  const int64_t labels_at = (size + 63) / 64 * 64;
  const int64_t all = labels_at + pixels + 2 * pixels;
  const int fd = shm_open(key_.c_str(), O_CREAT | O_RDWR, 0600);
  if (fd < 0 || ftruncate(fd, all) != 0 || pwrite(fd, picture.data(), picture.size(), 0) != size) {
    std::perror("shared memory");
    std::exit(1);
  }
  close(fd);
  inference::SystemSharedMemoryRegisterRequest region;
  region.set_name(kRegion);
  region.set_key(key_);
  region.set_byte_size(static_cast<uint64_t>(all));
  inference::SystemSharedMemoryRegisterResponse registered;
  grpc::ClientContext context;
  CheckOk(stub_->SystemSharedMemoryRegister(&context, region, &registered));

  (*request_.mutable_parameters())["uncertainty_datatype"].set_string_param("FP16");
  request_.mutable_inputs(0)->set_name("image");
  Share(0, size, request_.mutable_inputs(0)->mutable_parameters());
  auto* labels = request_.add_outputs();
  labels->set_name("labels");
  Share(labels_at, pixels, labels->mutable_parameters());
  auto* uncertainty = request_.add_outputs();
  uncertainty->set_name("uncertainty");
  Share(labels_at + pixels, 2 * pixels, uncertainty->mutable_parameters());
}

SharedCaller::~SharedCaller() { shm_unlink(key_.c_str()); }

SharedCaller::Times SharedCaller::Call() {
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  const auto start = std::chrono::steady_clock::now();
  CheckOk(stub_->ModelInfer(&context, request_, &response));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  return {took.count(), static_cast<double>(response.parameters().at("infer_us").int64_param()) / 1000};
}

}  // namespace candor
