// SPDX-License-Identifier: Apache-2.0
//
// The network on a GPU, by its own clock: from a picture's bytes on the device to labels and an uncertainty map there,
// beside eager PyTorch's operators in the same process, in turns; and pictures a second from host to host.
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/fused_network.h"
#include "core/nn/deeplab.h"
#include "core/segmenter/cuda_input.h"
#include "core/segmenter/cuda_reducer.h"
#include "core/segmenter/cuda_status.h"
#include "core/segmenter/device.h"
#include "core/segmenter/graph_members.h"
#include "core/segmenter/segmenter.h"
#include "core/uncertainty/network_predictor.h"

namespace candor {
namespace {

using torch::Tensor;

constexpr int kClasses = 19;
constexpr int kModelWidth = 64;
constexpr KindRequest kMap{UncertaintyKind::kPredictiveStddev, /*want_map=*/true, 0.1F, /*as_halves=*/true};

struct Flags {
  int rounds = 30;
  int members = 10;
  int pictures = 200;
};

// A line of the table; the value of one turn in its unit.
struct Contestant {
  std::string name;
  std::function<absl::StatusOr<double>()> run;
  std::vector<double> values = {};
};

// What the current stream takes for what is queued between the two calls, in milliseconds.
class DeviceClock {
 public:
  void Start() { start_.record(Stream()); }
  double Stop() {
    end_.record(Stream());
    end_.synchronize();
    return start_.elapsedTime(end_);
  }

 private:
  static c10::Stream Stream() { return c10::impl::VirtualGuardImpl(torch::kCUDA).getStream(torch::kCUDA); }

  c10::Event start_{torch::kCUDA, c10::EventFlag::BACKEND_DEFAULT};
  c10::Event end_{torch::kCUDA, c10::EventFlag::BACKEND_DEFAULT};
};

SegmentationNet MakeNet(int member, bool is_student) {
  torch::manual_seed(member);
  SegmentationNet net(kModelWidth, kClasses, is_student ? 1 : 0);
  net->eval();
  return net;
}

ScoreMeaning MeaningFor(bool is_student) {
  ScoreMeaning meaning;
  if (is_student) meaning.learned = {UncertaintyKind::kPredictiveStddev};
  return meaning;
}

absl::StatusOr<std::unique_ptr<MemberSource>> GraphsOf(std::vector<std::shared_ptr<Network>> networks) {
  ASSIGN_OR_RETURN(std::unique_ptr<GraphCapturer> capturer, MakeGraphCapturer());
  return std::make_unique<GraphMembers>(std::make_unique<NetworkMembers>(std::move(networks)), /*shares_work=*/false,
                                        std::move(capturer));
}

// Each member's graph by itself, one after another, whatever the size.
class OneByOne : public MemberSource {
 public:
  explicit OneByOne(std::vector<std::unique_ptr<MemberSource>> sources) : sources_(std::move(sources)) {}
  int members() const override { return static_cast<int>(sources_.size()); }
  Scores Run(int index, const Tensor& images) override { return sources_[static_cast<size_t>(index)]->Run(0, images); }

 private:
  const std::vector<std::unique_ptr<MemberSource>> sources_;
};

std::shared_ptr<NetworkPredictor> PredictorOf(std::unique_ptr<MemberSource> members, CudaPlugin* plugin) {
  const bool is_student = members->members() == 1;
  return std::make_shared<NetworkPredictor>(std::move(members), std::vector<UncertaintyKind>{kMap.kind},
                                            MeaningFor(is_student),
                                            std::make_unique<CudaReducer>(plugin, torch::kCUDA));
}

std::vector<std::shared_ptr<Network>> Fused(int members) {
  std::vector<std::shared_ptr<Network>> networks;
  for (int m = 0; m < members; ++m) {
    networks.push_back(std::make_shared<FusedNetwork>(*MakeNet(m, members == 1), torch::kCUDA, torch::kBFloat16));
  }
  return networks;
}

// A picture of noise on the device, and the kernel's job that makes the network's input of it.
struct ResidentPicture {
  ResidentPicture(int height, int width)
      : bytes(torch::randint(256, {height, width, 3}, torch::TensorOptions(torch::kCUDA).dtype(torch::kUInt8))),
        images(torch::empty({1, height, width, 3}, torch::TensorOptions(torch::kCUDA))),
        job(PreprocessJobFor(height, width, Normalisation())) {
    job.pixels = bytes.const_data_ptr<uint8_t>();
    job.out = images.mutable_data_ptr<float>();
  }

  Tensor bytes;
  Tensor images;
  CudaPreprocessJob job;
};

Contestant OnDevice(const std::string& name, std::shared_ptr<NetworkPredictor> predictor, CudaPlugin* plugin,
                    const std::shared_ptr<ResidentPicture>& picture) {
  return {name, [=]() -> absl::StatusOr<double> {
            DeviceClock clock;
            clock.Start();
            RETURN_IF_ERROR(CudaStatus(plugin->Preprocess(picture->job, nullptr)));
            const PictureRequest request = {{picture->job.height, picture->job.width}, {absl::MakeConstSpan(&kMap, 1)}};
            ASSIGN_OR_RETURN(PendingAnswers answers, predictor->StartBatch(picture->images.permute({0, 3, 1, 2}),
                                                                           absl::MakeConstSpan(&request, 1), {}));
            const double taken = clock.Stop();  // copies to the host are on a stream of their own
            RETURN_IF_ERROR(std::move(answers).Take().status());
            return taken;
          }};
}

// The same answer by PyTorch's operators in float32.
Contestant Eager(const std::shared_ptr<ResidentPicture>& picture) {
  SegmentationNet net = MakeNet(0, /*is_student=*/true);
  net->to(torch::kCUDA);
  return {
      "student, eager PyTorch fp32", [=]() mutable -> absl::StatusOr<double> {
        DeviceClock clock;
        clock.Start();
        const Tensor images = picture->bytes.permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat).div(255).contiguous();
        const Scores scores = net->Forward(images);
        const auto best = torch::softmax(UpsampleBy4(scores.logits), 1).max(1);
        const Tensor labels = std::get<1>(best).to(torch::kUInt8);
        const Tensor map = torch::sigmoid(UpsampleBy4(scores.uncertainty)).to(torch::kHalf);
        return clock.Stop();
      }};
}

Contestant Reduction(const Flags& flags, CudaPlugin* plugin, int height, int width) {
  std::vector<Tensor> scores;
  for (int m = 0; m < flags.members; ++m) {
    scores.push_back(torch::randn({1, kClasses, height / 4, width / 4}, torch::TensorOptions(torch::kCUDA)));
  }
  auto reducer = std::make_shared<CudaReducer>(plugin, torch::kCUDA);
  return {absl::StrCat("scores of ", flags.members, " to labels and map"), [=]() -> absl::StatusOr<double> {
            reducer->Reset(flags.members, {});
            for (int m = 0; m < flags.members; ++m) RETURN_IF_ERROR(reducer->Add(m, {scores[m], {}}));
            const PictureRequest request = {{height, width}, {absl::MakeConstSpan(&kMap, 1)}};
            DeviceClock clock;
            clock.Start();
            ASSIGN_OR_RETURN(PendingAnswers answers, reducer->Finish(absl::MakeConstSpan(&request, 1)));
            const double taken = clock.Stop();
            RETURN_IF_ERROR(std::move(answers).Take().status());
            return taken;
          }};
}

// Pictures a second from the host's memory to answers there, two batches under way as in the server.
absl::StatusOr<double> PicturesASecond(NetworkPredictor* predictor, CudaPlugin* plugin, int height, int width,
                                       int pictures) {
  CudaInput input(plugin, torch::kCUDA);
  const Picture picture(
      Image{width, height, std::vector<uint8_t>(static_cast<size_t>(3) * static_cast<size_t>(width * height), 128)});
  const Picture* const only = &picture;
  const PictureRequest request = {{height, width}, {absl::MakeConstSpan(&kMap, 1)}};
  std::deque<PendingAnswers> under_way;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < pictures; ++i) {
    if (under_way.size() == 2) {
      RETURN_IF_ERROR(std::move(under_way.front()).Take().status());
      under_way.pop_front();
    }
    ASSIGN_OR_RETURN(const Tensor images, input.Make(absl::MakeConstSpan(&only, 1), Normalisation()));
    ASSIGN_OR_RETURN(PendingAnswers answers, predictor->StartBatch(images, absl::MakeConstSpan(&request, 1), {}));
    under_way.push_back(std::move(answers));
  }
  for (PendingAnswers& answers : under_way) RETURN_IF_ERROR(std::move(answers).Take().status());
  return pictures / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

absl::Status RunInTurns(int rounds, std::vector<Contestant>* contestants) {
  for (int round = -1; round < rounds; ++round) {  // the first records graphs and grows the allocator's pool
    for (Contestant& contestant : *contestants) {
      ASSIGN_OR_RETURN(const double value, contestant.run());
      if (round >= 0) contestant.values.push_back(value);
    }
  }
  return absl::OkStatus();
}

void Print(const std::vector<Contestant>& contestants, const char* unit) {
  for (const Contestant& contestant : contestants) {
    std::vector<double> sorted = contestant.values;
    std::sort(sorted.begin(), sorted.end());
    std::printf("%-52s %10.3f %s median, quartiles %.3f and %.3f\n", contestant.name.c_str(), sorted[sorted.size() / 2],
                unit, sorted[sorted.size() / 4], sorted[sorted.size() * 3 / 4]);
  }
}

absl::Status Run(const Flags& flags) {
  RETURN_IF_ERROR(PrepareDevice(Device::kCuda).status());
  ASSIGN_OR_RETURN(CudaPlugin * plugin, LoadCudaPlugin());
  const torch::InferenceMode inference;
  const auto large = std::make_shared<ResidentPicture>(1024, 2048);
  const auto small = std::make_shared<ResidentPicture>(368, 480);
  ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> student_graph, GraphsOf(Fused(1)));
  ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> teacher_graphs, GraphsOf(Fused(flags.members)));
  std::vector<std::unique_ptr<MemberSource>> single;
  for (std::shared_ptr<Network>& network : Fused(flags.members)) {
    ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> graph, GraphsOf({std::move(network)}));
    single.push_back(std::move(graph));
  }
  const auto student = PredictorOf(std::move(student_graph), plugin);
  const auto teacher = PredictorOf(std::move(teacher_graphs), plugin);
  const auto in_sequence = PredictorOf(std::make_unique<OneByOne>(std::move(single)), plugin);
  const std::string members = absl::StrCat("teacher of ", flags.members);
  std::vector<Contestant> times = {
      OnDevice("student, 2048x1024", student, plugin, large),
      Eager(large),
      OnDevice(absl::StrCat(members, ", 2048x1024"), teacher, plugin, large),
      Reduction(flags, plugin, 1024, 2048),
      OnDevice(absl::StrCat(members, ", 480x368"), teacher, plugin, small),
      OnDevice(absl::StrCat(members, ", 480x368, a graph after another"), in_sequence, plugin, small),
      OnDevice("student, 480x368", student, plugin, small),
  };
  RETURN_IF_ERROR(RunInTurns(flags.rounds, &times));
  Print(times, "ms");
  const auto offline = [&](int height, int width) {
    return [=] { return PicturesASecond(student.get(), plugin, height, width, flags.pictures); };
  };
  std::vector<Contestant> rates = {{"student, 2048x1024, host to host", offline(1024, 2048)},
                                   {"student, 480x368, host to host", offline(368, 480)}};
  RETURN_IF_ERROR(RunInTurns(std::max(flags.rounds / 10, 1), &rates));
  Print(rates, "pictures/s");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Times the network on a GPU, in turns.", "candor-bench-gpu");
  app.add_option("--rounds", flags.rounds, "Turns of each")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--members", flags.members, "Of the teacher")->check(CLI::Range(2, 128))->capture_default_str();
  app.add_option("--pictures", flags.pictures, "Of each turn from host to host")
      ->check(CLI::Range(2, 1'000'000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const absl::Status status = Run(flags);
    if (status.ok()) return 0;
    std::fprintf(stderr, "candor-bench-gpu: %s\n", std::string(status.message()).c_str());
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "candor-bench-gpu: %s\n", error.what_without_backtrace());
  }
  return 1;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) { return candor::Main(argc, argv); }
