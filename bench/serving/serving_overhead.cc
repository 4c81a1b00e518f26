// SPDX-License-Identifier: Apache-2.0
//
// What candor's server adds to the least that gRPC costs: the same messages to a bare echo of bytes, to generated code
// and to candor with an empty model, one call at a time, each server in a process of its own on the client's cores, in
// turns. Candor's figures are without the time in which the empty model makes its answer. A picture that must be
// decoded costs more than its decoding: the client's core falls asleep meanwhile, and the caches hold pixels; so the
// echo decodes too. Generated code comes twice: with candor's settings of the allocator, and as it is in a process that
// has none. The C++ client is measured from plain structs to plain structs, with the float map that it asks for.
//
//   candor-bench-serving [--rounds 30] [--calls 10] [--picture FILE.jpg]
//
// Prints medians in milliseconds and ratios; a ratio is the median over the rounds of the ratio of a round's medians.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "bench/serving/child_process.h"
#include "bench/serving/empty_segmenter.h"
#include "bench/serving/peers.h"
#include "bench/serving/shared_caller.h"
#include "candor/v1/segmentation.pb.h"
#include "client/segmentation_client.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/process_setup.h"
#include "core/image/decode.h"
#include "core/image/encode.h"
#include "server/config.h"
#include "server/model_registry.h"
#include "server/server.h"

namespace candor {
namespace {

struct Settings {
  int rounds = 30;
  int calls = 10;
  std::string picture;
};

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "candor-bench-serving: %s\n", std::string(value.status().message()).c_str());
  std::exit(1);
}

grpc::ByteBuffer Bytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

v1::SegmentResponse Parsed(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  v1::SegmentResponse response;
  if (!bytes.DumpToSingleSlice(&slice).ok() ||
      !response.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
    std::fprintf(stderr, "candor-bench-serving: the answer is no SegmentResponse\n");
    std::exit(1);
  }
  return response;
}

// candor's server with the empty model.
class EmptyServer : public BenchServer {
 public:
  EmptyServer() {
    ConfigureAllocator();
    DisableDeadlockDetection();
    SetLogLevel(LogLevel::kWarning);
    v1::ServerConfig config;
    config.set_listen("127.0.0.1:0");
    config.set_metrics_listen(kMetricsOff);
    config.set_system_shared_memory(true);
    config.set_threads(2);
    FillServerConfigDefaults(&config);
    std::vector<LoadedModel> models(1);
    models[0].segmenter = std::make_unique<EmptySegmenter>();
    server_ = OrDie(Server::Start(config, OrDie(ModelRegistry::Create(std::move(models), "")), &scheduler_));
  }
  std::string address() const override { return server_->grpc_address(); }

 private:
  InferenceScheduler scheduler_{{}};
  std::unique_ptr<Server> server_;
};

// Starts the server when it is asked to, with the answer that it shall give; says the address.
std::function<std::string(const std::string&)> Serving(
    std::function<std::unique_ptr<BenchServer>(const std::string& answer)> start) {
  return [start = std::move(start), server = std::shared_ptr<BenchServer>()](const std::string& answer) mutable {
    server = nullptr;
    server = start(answer);
    return server->address();
  };
}

// The first message is the server's address, the second a request; then each makes a call, and says its milliseconds.
std::function<std::string(const std::string&)> CallingPlainly() {
  return [address = std::string(), caller = std::shared_ptr<PlainCaller>()](const std::string& message) mutable {
    if (caller != nullptr) return absl::StrCat(caller->Call());
    if (address.empty()) {
      address = message;
    } else {
      v1::SegmentRequest request;
      if (!request.ParseFromString(message)) std::abort();
      caller = std::make_shared<PlainCaller>(Allocator::kOfGlibc, address, request);
    }
    return std::string();
  };
}

// Forked before this process has settings or threads of its own.
struct Processes {
  ChildProcess candor{Serving([](const std::string& /*answer*/) { return std::make_unique<EmptyServer>(); })};
  ChildProcess echo{Serving(StartBareEcho)};
  ChildProcess decoding_echo{Serving(StartDecodingEcho)};
  ChildProcess plain{Serving([](const std::string& answer) { return StartPlainProto(Allocator::kOfCandor, answer); })};
  ChildProcess stock{Serving([](const std::string& answer) { return StartPlainProto(Allocator::kOfGlibc, answer); })};
  ChildProcess stock_caller{CallingPlainly()};
};

// One way to get an answer, timed.
struct Contender {
  std::string name;
  std::function<double()> call;  // milliseconds
  std::vector<double> all = {};
  std::vector<double> medians = {};  // by round
};

// Every contender in every round, in a turning order.
void Run(const Settings& settings, std::vector<Contender>* contenders) {
  for (Contender& contender : *contenders) {
    for (int i = 0; i < settings.calls; ++i) contender.call();  // connects, warms up
  }
  for (int round = 0; round < settings.rounds; ++round) {
    for (size_t i = 0; i < contenders->size(); ++i) {
      Contender& contender = (*contenders)[(i + static_cast<size_t>(round)) % contenders->size()];
      std::vector<double> times;
      for (int call = 0; call < settings.calls; ++call) times.push_back(contender.call());
      contender.all.insert(contender.all.end(), times.begin(), times.end());
      contender.medians.push_back(Median(std::move(times)));
    }
  }
}

// The median over the rounds of `of` / `base`.
double Ratio(const Contender& of, const Contender& base) {
  std::vector<double> ratios;
  for (size_t i = 0; i < of.medians.size(); ++i) ratios.push_back(of.medians[i] / base.medians[i]);
  return Median(std::move(ratios));
}

void Print(const std::vector<Contender>& contenders) {
  for (const Contender& contender : contenders) {
    std::vector<double> sorted = contender.all;
    std::sort(sorted.begin(), sorted.end());
    std::printf("  %-34s p10 %7.3f ms   p50 %7.3f ms   p99 %7.3f ms\n", contender.name.c_str(),
                sorted[sorted.size() / 10], sorted[sorted.size() / 2], sorted[sorted.size() * 99 / 100]);
  }
}

v1::SegmentRequest RequestFor(const Image* raw, std::string encoded) {
  v1::SegmentRequest request;
  if (raw != nullptr) {
    v1::RawImage* image = request.mutable_image()->mutable_raw();
    image->set_format(v1::RGB8);
    image->set_width(raw->width);
    image->set_height(raw->height);
    image->set_data(raw->pixels.data(), raw->pixels.size());
  } else {
    request.mutable_image()->set_encoded(std::move(encoded));
  }
  request.set_labels(v1::LABEL_RAW);
  v1::UncertaintyRequest* uncertainty = request.add_uncertainty();
  uncertainty->set_kind(v1::PREDICTIVE_STDDEV);
  uncertainty->set_encoding(v1::MAP_F16);
  return request;
}

// A picture that compresses about as a photograph does.
Image MakePicture(int width, int height) {
  Image image{width, height, {}};
  uint32_t noise = 1;
  for (int i = 0; i < 3 * width * height; ++i) {
    noise = noise * 1664525 + 1013904223;
    image.pixels.push_back(static_cast<uint8_t>((i / 3 % width * 3 / 8 + i / 3 / width * 2 / 5) % 200 + (noise >> 27)));
  }
  return image;
}

class Comparison {
 public:
  Comparison(Processes* processes, const v1::SegmentRequest& request)
      : processes_(*processes),
        request_(request),
        bytes_(Bytes(request.SerializeAsString())),
        address_(processes->candor.Ask("")),
        to_candor_(address_) {
    to_candor_.Call(bytes_, &answer_);
    expected_ = Parsed(answer_).SerializeAsString();
  }

  const std::string& address() const { return address_; }

  Contender Echo() {
    const auto caller = std::make_shared<RawCaller>(processes_.echo.Ask(expected_));
    return {"bare echo of bytes", [this, caller] { return caller->Call(bytes_, &answer_).all_ms; }};
  }
  // An echo that decodes the picture first, without the time that this took.
  Contender EchoBesideDecoding() {
    const auto caller = std::make_shared<RawCaller>(processes_.decoding_echo.Ask(expected_));
    return {"bare echo, beside its decoding", [this, caller] {
              const RawCaller::Times times = caller->Call(bytes_, &answer_);
              return times.all_ms - times.decode_ms;
            }};
  }
  Contender Candor() {
    return {"candor, empty model", [this] { return CallCandor().all_ms; }};
  }
  Contender CandorBesideDecoding() {
    return {"candor, beside its decoding", [this] {
              const RawCaller::Times times = CallCandor();
              return times.all_ms - times.decode_ms;
            }};
  }
  void PrintStages() const {
    std::printf("  candor's own figures: decode %.3f ms, waits for threads %.3f ms, encode %.3f ms\n", Median(decode_),
                Median(queue_), Median(encode_));
  }
  Contender Plain() {
    const auto caller = std::make_shared<PlainCaller>(Allocator::kOfCandor, processes_.plain.Ask(expected_), request_);
    return {"generated code, both ends", [caller] { return caller->Call(); }};
  }
  Contender Stock() {
    processes_.stock_caller.Ask(processes_.stock.Ask(expected_));
    processes_.stock_caller.Ask(request_.SerializeAsString());
    return {"the same, glibc's allocator",
            [this] { return std::strtod(processes_.stock_caller.Ask("").c_str(), nullptr); }};
  }

 private:
  // Of a call without the empty model's time.
  RawCaller::Times CallCandor() {
    const double took = to_candor_.Call(bytes_, &answer_).all_ms;
    const v1::Timing timing = Parsed(answer_).timing();
    decode_.push_back(timing.decode_ms());
    queue_.push_back(timing.queue_ms());
    encode_.push_back(timing.encode_ms());
    return {took - timing.infer_ms(), timing.decode_ms()};
  }

  Processes& processes_;
  const v1::SegmentRequest request_;
  const grpc::ByteBuffer bytes_;
  const std::string address_;
  RawCaller to_candor_;
  grpc::ByteBuffer answer_;
  std::string expected_;                         // candor's answer
  std::vector<double> decode_, queue_, encode_;  // of candor's calls
};

void CompareEncoded(const Settings& settings, Processes* processes) {
  const std::string jpeg = settings.picture.empty() ? EncodeJpeg(MakePicture(480, 360), 90)
                                                    : OrDie(ReadFile(settings.picture, int64_t{64} << 20));
  const Image image = OrDie(DecodeImage(jpeg, DecodeLimits{int64_t{1} << 24}));
  Comparison comparison(processes, RequestFor(nullptr, jpeg));
  std::vector<Contender> contenders = {comparison.Echo(), comparison.EchoBesideDecoding(), comparison.Candor(),
                                       comparison.CandorBesideDecoding()};
  Run(settings, &contenders);
  std::printf("%d x %d JPEG of %zu bytes in, labels and f16 map out\n", image.width, image.height, jpeg.size());
  Print(contenders);
  comparison.PrintStages();
  std::printf("  beside the decoding of each: candor / echo that decodes %.2f   candor / echo that does not %.2f\n",
              Ratio(contenders[3], contenders[1]), Ratio(contenders[3], contenders[0]));
}

double CallByClient(SegmentationClient* client, const Image& image) {
  SegmentOptions options;
  options.uncertainty = {{"predictive_stddev"}};
  const absl::string_view pixels(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size());
  const auto start = std::chrono::steady_clock::now();
  const SegmentResult result =
      OrDie(client->SegmentRaw({PixelFormat::kRgb8, image.width, image.height, 0, pixels}, options));
  return MillisecondsSince(start) - result.server_times.infer_ms;
}

void CompareRaw(const Settings& settings, Processes* processes) {
  const Image image = MakePicture(2048, 1024);
  Comparison comparison(processes, RequestFor(&image, ""));
  SharedCaller shared(comparison.address(), "empty", image);
  const auto call_shared = [&shared] {
    const SharedCaller::Times times = shared.Call();
    return times.all - times.infer;
  };
  const auto client = OrDie(SegmentationClient::Create({comparison.address()}));
  std::vector<Contender> contenders = {comparison.Echo(),
                                       comparison.Candor(),
                                       comparison.Plain(),
                                       comparison.Stock(),
                                       {"candor by shared memory", call_shared},
                                       {"candor by its C++ client", [&] { return CallByClient(client.get(), image); }}};
  Run(settings, &contenders);
  std::printf("%d x %d raw in, labels and f16 map out\n", image.width, image.height);
  Print(contenders);
  comparison.PrintStages();
  const Contender &echo = contenders[0], &candor = contenders[1], &plain = contenders[2], &stock = contenders[3];
  std::printf("  candor / echo: %.2f   candor / generated code: %.2f, with glibc's allocator %.2f\n",
              Ratio(candor, echo), Ratio(candor, plain), Ratio(candor, stock));
  std::printf("  shared memory / generated code: %.2f, with glibc's allocator %.2f   C++ client / echo: %.2f\n",
              Ratio(contenders[4], plain), Ratio(contenders[4], stock), Ratio(contenders[5], echo));
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("What candor's server adds to the least that gRPC costs.");
  app.add_option("--rounds", settings.rounds, "Rounds of all contenders in turn")->check(CLI::PositiveNumber);
  app.add_option("--calls", settings.calls, "Calls of each in a round")->check(CLI::PositiveNumber);
  app.add_option("--picture", settings.picture, "A JPEG in place of a made one of 480 x 360");
  CLI11_PARSE(app, argc, argv);
  Processes processes;
  // As candor-server does, here for all callers of this process.
  ConfigureAllocator();
  DisableDeadlockDetection();
  CompareEncoded(settings, &processes);
  CompareRaw(settings, &processes);
  return 0;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) { return candor::Main(argc, argv); }
