// SPDX-License-Identifier: Apache-2.0
//
// The engine without a server, for bench/serving_throughput.py: threads that decode a JPEG, take turns at the model,
// and narrow the map to 16 bits, as the server would send it.
//
//   candor-bench-engine write FOLDER              a full-width student of random weights
//   candor-bench-engine run FOLDER JPEG CALLERS   then, on stdin, seconds; on stdout, pictures a second
#include <torch/torch.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/synchronization/mutex.h"
#include "core/base/cpu_count.h"
#include "core/base/file.h"
#include "core/image/decode.h"
#include "core/nn/weights.h"
#include "core/segmenter/segmenter.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

constexpr int kClasses = 19;

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << value.status().message() << "\n";
  std::exit(1);
}

void WriteStudent(const std::string& folder) {
  ModelSpec spec;
  spec.kind = ModelKind::kStudent;
  spec.width = 64;
  spec.learned = {UncertaintyKind::kPredictiveStddev};
  for (int c = 0; c < kClasses; ++c) spec.classes.push_back({"class" + std::to_string(c), {}});
  torch::manual_seed(1);
  std::vector<TensorFile> members = {SaveWeights(MakeNetwork(spec))};
  const absl::Status status = WriteModel(spec, std::move(members), DType::kF16, folder);
  if (!status.ok()) OrDie<int>(status);
}

// Pictures a second of `callers` threads over `seconds`.
double Run(Segmenter* segmenter, const std::string& jpeg, int callers, double seconds) {
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true, 0.1F, /*as_halves=*/true}};
  absl::Mutex turn;
  std::atomic<int> pictures = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      while (elapsed() < seconds) {
        const Image image = OrDie(DecodeImage(jpeg, {}));
        const absl::MutexLock lock(&turn);
        OrDie(segmenter->Segment(image, {kinds}, nullptr));
        ++pictures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return pictures / elapsed();
}

int Main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "write") {
    WriteStudent(arguments[1]);
    return 0;
  }
  int callers = 0;
  if (arguments.size() != 4 || arguments[0] != "run" || !absl::SimpleAtoi(arguments[3], &callers)) {
    std::cerr << "usage: candor-bench-engine write FOLDER | run FOLDER JPEG CALLERS\n";
    return 2;
  }
  LoadOptions options;
  options.threads = UsableCores();
  options.precision = Precision::kAuto;  // as the server's default
  const std::unique_ptr<Segmenter> segmenter = OrDie(LoadSegmenter(arguments[1], options));
  const std::string jpeg = OrDie(ReadFile(arguments[2], int64_t{64} << 20));
  for (double seconds = 0; std::cin >> seconds;) {
    std::cout << Run(segmenter.get(), jpeg, callers, seconds) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) { return candor::Main(argc, argv); }
