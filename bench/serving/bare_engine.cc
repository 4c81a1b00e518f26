// SPDX-License-Identifier: Apache-2.0
//
// The engine without a server, for bench/serving_throughput.py: it decodes a JPEG, takes turns at the model, and makes
// the reply that the server would send.
//
//   candor-bench-engine write FOLDER      a full-width student of random weights
//   candor-bench-engine run FOLDER JPEG PRECISION, then lines on stdin, each answered by one on stdout:
//     throughput CALLERS SECONDS          pictures a second of so many threads
//     latency SECONDS QUERIES             milliseconds of each query, one after another, after SECONDS of others
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "bench/serving/write_student.h"
#include "core/base/cpu_count.h"
#include "core/base/file.h"
#include "core/base/process_setup.h"
#include "core/image/decode.h"
#include "core/segmenter/segmenter.h"
#include "server/segment_plan.h"
#include "server/segmentation_codec.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << value.status().message() << "\n";
  std::exit(1);
}

// Seconds.
double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

class BareEngine {
 public:
  BareEngine(const std::string& folder, std::string jpeg, Precision precision) : jpeg_(std::move(jpeg)) {
    LoadOptions options;
    options.threads = UsableCores();
    options.precision = precision;
    segmenter_ = OrDie(LoadSegmenter(folder, options));
    v1::SegmentRequest request;
    request.mutable_image()->set_encoded("");  // the picture comes separately
    request.set_labels(v1::LABEL_RAW);
    request.add_uncertainty()->set_encoding(v1::MAP_F16);
    plan_ = OrDie(PlanSegment(request, segmenter_->info(), /*threshold_share=*/0.1F));
  }

  // Pictures a second of `callers` threads over `seconds`.
  double Throughput(int callers, double seconds) {
    absl::Mutex turn;
    std::atomic<int> pictures = 0;
    const double start = Now();
    std::vector<std::thread> threads;
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([&] {
        while (Now() - start < seconds) {
          const Image image = Decode();
          Segmentation segmentation;
          {
            const absl::MutexLock lock(&turn);
            segmentation = Segment(image);
          }
          Encode(&segmentation);
          ++pictures;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return pictures / (Now() - start);
  }

  // Milliseconds of each of `queries` by this one thread. Those of the first `warmup` seconds do not count.
  std::vector<double> Latencies(double warmup, int queries) {
    std::vector<double> times;
    for (const double start = Now(); static_cast<int>(times.size()) < queries;) {
      const double asked = Now();
      Segmentation segmentation = Segment(Decode());
      const grpc::ByteBuffer reply = Encode(&segmentation);
      const double answered = Now();
      if (asked - start >= warmup) times.push_back((answered - asked) * 1e3);
    }
    return times;
  }

 private:
  Image Decode() const { return OrDie(DecodeImage(jpeg_, {})); }
  Segmentation Segment(const Image& image) { return OrDie(segmenter_->Segment(image, {plan_.kinds}, nullptr)); }
  grpc::ByteBuffer Encode(Segmentation* segmentation) const {
    v1::SegmentResponse response;
    std::vector<grpc::Slice> large_fields;
    FillSegmentResponse(plan_, segmenter_->info(), /*picture=*/nullptr, segmentation, &response, &large_fields);
    return Serialize(response, large_fields);
  }

  const std::string jpeg_;
  std::unique_ptr<Segmenter> segmenter_;
  SegmentPlan plan_;
};

// Whether the line was understood.
bool Answer(const std::string& line, BareEngine* engine) {
  std::istringstream words(line);
  std::string what;
  int count = 0;
  double seconds = 0;
  words >> what;
  if (what == "throughput" && words >> count >> seconds) {
    std::cout << engine->Throughput(count, seconds) << std::endl;
  } else if (what == "latency" && words >> seconds >> count) {
    for (const double time : engine->Latencies(seconds, count)) std::cout << time << " ";
    std::cout << std::endl;
  } else {
    return false;
  }
  return true;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "write") {
    const absl::Status status = WriteStudent(arguments[1]);
    if (!status.ok()) std::cerr << status.message() << "\n";
    return status.ok() ? 0 : 1;
  }
  if (arguments.size() != 4 || arguments[0] != "run") {
    std::cerr << "usage: candor-bench-engine write FOLDER | run FOLDER JPEG PRECISION\n";
    return 2;
  }
  BareEngine engine(arguments[1], OrDie(ReadFile(arguments[2], int64_t{64} << 20)),
                    OrDie(ParsePrecision(arguments[3])));
  for (std::string line; std::getline(std::cin, line);) {
    if (Answer(line, &engine)) continue;
    std::cerr << "neither throughput CALLERS SECONDS nor latency SECONDS QUERIES: " << line << "\n";
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  candor::RestartWithOpenMpSetting("GOMP_SPINCOUNT", candor::kServingSpins, argv);
  candor::ConfigureAllocator();
  candor::DisableDeadlockDetection();
  return candor::Main(argc, argv);
}
