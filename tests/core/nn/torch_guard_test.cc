// SPDX-License-Identifier: Apache-2.0
#include "core/nn/torch_guard.h"

#include <torch/torch.h>

#include <limits>
#include <new>
#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(TorchGuardTest, PassesResultsThrough) {
  EXPECT_THAT(GuardTorch([] { return absl::OkStatus(); }), IsOk());
  EXPECT_EQ(*GuardTorch([]() -> absl::StatusOr<int> { return 3; }), 3);
}

TEST(TorchGuardTest, MakesATorchErrorOneInternalLine) {
  const absl::Status status = GuardTorch([] {
    (void)torch::mm(torch::zeros({2, 3}), torch::zeros({2, 3}));
    return absl::OkStatus();
  });
  EXPECT_THAT(status, HasStatus(StatusCode::kInternal, AllOf(HasSubstr("mat1"), Not(HasSubstr("\n")))));
}

TEST(TorchGuardTest, MakesOutOfMemoryResourceExhausted) {
  const absl::Status status = GuardTorch([] {
    (void)torch::empty({int64_t{1} << 50}, torch::kFloat32);
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(GuardTorch([]() -> absl::Status { throw std::bad_alloc(); }).code(), StatusCode::kResourceExhausted);
}

TEST(TorchGuardTest, MakesAnErrorOfAGpuAborted) {
  const absl::Status status = GuardTorch([]() -> absl::Status {
    throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, 700, "CUDA error: an illegal memory access\nmore");
  });
  EXPECT_THAT(status, HasStatus(StatusCode::kAborted, "CUDA error: an illegal memory access"));
}

TEST(TorchGuardTest, MakesAnyOtherExceptionInternal) {
  EXPECT_THAT(GuardTorch([]() -> absl::Status { throw std::runtime_error("odd"); }),
              HasStatus(StatusCode::kInternal, "odd"));
  EXPECT_EQ(GuardTorch([]() -> absl::Status { throw 7; }).code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace candor
