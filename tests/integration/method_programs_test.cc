// SPDX-License-Identifier: Apache-2.0
//
// Every method of uncertainty by the real programs: trained on a small data set, then served by candor-server alone on
// its port, whose answers to `candor segment` are compared with the model's own.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/image/decode.h"
#include "core/image/encode.h"
#include "core/segmenter/segmenter.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/integration/server_program.h"
#include "tests/integration/training_programs.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr int64_t kLimit = 64 << 20;
constexpr char kClient[] = CANDOR_BIN_DIR "/candor";
constexpr char kPicture[] = CANDOR_SOURCE_DIR "/models/samples/Seq05VD_f01740.jpg";

class MethodProgramsTest : public TrainingPrograms {
 protected:
  // Runs a program that has to succeed; what it prints, without the last newline.
  static std::string Run(const Words& argv) {
    const Finished done = RunProgram(argv);
    EXPECT_EQ(done.exit_code, 0) << absl::StrJoin(argv, " ") << "\n" << done.err;
    return std::string(absl::StripSuffix(done.out, "\n"));
  }

  // The bundle of member 0, or of the student, of `run`, trained for two epochs with `set`.
  std::string Member(const std::string& run, const std::string& set = "") const {
    return Run(Command("member", run, {"--index", "0", "--set", "epochs: 2 " + set}));
  }
  std::string Student(const std::string& run, const std::string& teacher, const std::string& set) const {
    return Run(Command("distill", run, {"--teacher", teacher, "--set", "epochs: 2 " + set}));
  }
  std::string Ensemble(const std::string& run, const std::string& set) const {
    return Run(Command("ensemble", run, {"--members-only", "--set", "epochs: 2 " + set}));
  }
  std::string Fit(const std::string& method, const std::string& bundle, const Words& more) const {
    Words argv = {kTrain,   "fit",  "--method", method, "--bundle", bundle,
                  "--data", Data(), "--device", "cpu",  "--out",    folder_.File(method)};
    argv.insert(argv.end(), more.begin(), more.end());
    return Run(argv);
  }

  // One picture and kind by the server and by the model itself: the same labels and map.
  void ExpectSameAnswer(const std::string& server, UncertaintyKind kind, Segmenter* alone) const {
    const std::string name(UncertaintyKindName(kind));
    const float range_max = UncertaintyKindMax(kind, alone->info().spec.class_count());
    SCOPED_TRACE(name);
    const std::string out = folder_.File("answers");
    const json answer = json::parse(Run(
        {kClient, "segment", kPicture, "--server", server, "--uncertainty", name, "--npy", "--json", "--out", out}));
    EXPECT_EQ(answer["uncertainty"]["kind"], name);
    EXPECT_NEAR(answer["uncertainty"]["range_max"].get<float>(), range_max, 1e-6);
    const std::vector<KindRequest> kinds = {{kind, /*want_map=*/true}};
    const auto own = alone->Segment(*DecodeImage(*ReadFile(kPicture, kLimit), {}), {kinds}, nullptr);
    ASSERT_THAT(own, IsOk());
    const std::string stem = out + "/Seq05VD_f01740";
    EXPECT_EQ(DecodeLabelPng(*ReadFile(stem + "_labels.png", kLimit), {})->values, own->labels);
    const std::vector<float> map = DecodeNpy(*ReadFile(stem + "_uncertainty.npy", kLimit))->values;
    ASSERT_EQ(map.size(), own->kinds[0].map.size());
    float worst = 0;
    for (size_t i = 0; i < map.size(); ++i) worst = std::max(worst, std::abs(map[i] - own->kinds[0].map[i]));
    EXPECT_LE(worst, 1e-3f * range_max);  // maps travel as halves
    const auto [least, most] = std::minmax_element(map.begin(), map.end());
    EXPECT_GE(*least, 0);
    EXPECT_LE(*most, range_max * 1.001f);
  }

  // A server with `bundle` alone gives each kind that the bundle has, the first of which is `default_kind`.
  void ExpectServed(const std::string& bundle, UncertaintyKind default_kind) const {
    SCOPED_TRACE(bundle);
    const auto alone = LoadSegmenter(bundle, {});
    ASSERT_THAT(alone, IsOk());
    ServerProgram server({bundle}, {"--precision", "fp32", "--threads", "1"});
    const ModelSpec& spec = (*alone)->info().spec;
    EXPECT_EQ(spec.default_kind(), default_kind);
    for (const UncertaintyKind kind : spec.uncertainty) ExpectSameAnswer(server.address(), kind, alone->get());
  }
};

TEST_F(MethodProgramsTest, OneNetworkWhatIsFittedToItAndViewsOfIt) {
  const std::string plain = Member("plain");
  ExpectServed(plain, UncertaintyKind::kPredictiveEntropy);
  ExpectServed(Fit("energy", plain, {}), UncertaintyKind::kEnergy);
  ExpectServed(Fit("feature_density", plain, {"--components", "4"}), UncertaintyKind::kFeatureDensity);
  const std::string views = folder_.File("views");
  Run({kTrain, "import", "--weights", plain + "/model.safetensors", "--kind", "single", "--classes",
       folder_.File("data/classes.json"), "--width", "4", "--store", "fp32", "--sampling", "augmentation:1,1f,0.75",
       "--out", views});
  ExpectServed(views, UncertaintyKind::kPredictiveStddev);
  // Barns where there are none: a network that is right throughout would have no best temperature.
  const std::string masks = folder_.File("data/masks/val/");
  fs::copy(masks + TinyPictureName(1), masks + TinyPictureName(0), fs::copy_options::overwrite_existing);
  Run({kTrain, "calibrate", "--temperature", "--bundle", plain, "--data", Data(), "--error-rate", "0.9",
       "--reject-error-rate", "0.99", "--device", "cpu"});
  EXPECT_NE(json::parse(Contents(plain + "/model.json"))["calibration"]["temperature"], 1);
  ExpectServed(plain, UncertaintyKind::kPredictiveEntropy);
  const Finished wrong = RunProgram({kTrain, "fit", "--method", "energy", "--components", "4", "--bundle", plain,
                                     "--data", Data(), "--out", folder_.File("wrong")});
  EXPECT_EQ(wrong.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(wrong.err, HasSubstr("are of feature_density, method is energy"));
}

TEST_F(MethodProgramsTest, AModelInEightBits) {
  // So long that hardly a pixel is undecided. Whether one bears eight bits depends on how its training went all the
  // same, and that on how a processor rounds.
  std::string plain;
  Finished quantised;
  for (int seed = 1; seed <= 6 && quantised.exit_code != 0; ++seed) {
    plain = Member(absl::StrCat("plain", seed), absl::StrCat("epochs: 80 width: 16 seed: ", seed));
    const Finished unmeasured = RunProgram(ServerCommand({plain}, {"--precision", "int8", "--threads", "1"}));
    EXPECT_EQ(unmeasured.exit_code, CodeOf(ExitCode::kConfiguration));
    EXPECT_THAT(unmeasured.err, HasSubstr("the bundle has no ranges for it, which candor-train quantise measures"));
    quantised = RunProgram({kTrain, "quantise", "--bundle", plain, "--data", Data()});
  }
  ASSERT_EQ(quantised.exit_code, 0) << quantised.err;
  EXPECT_THAT(quantised.out, HasSubstr("of the pixels keep their label"));
  ServerProgram server({plain}, {"--precision", "int8", "--threads", "1"});
  const json models = json::parse(Run({kClient, "models", "--server", server.address(), "--json"}));
  EXPECT_EQ(models["models"][0]["precision"], "int8");
  LoadOptions options;
  options.precision = Precision::kInt8;
  const auto alone = LoadSegmenter(plain, options);
  ASSERT_THAT(alone, IsOk());
  ExpectSameAnswer(server.address(), UncertaintyKind::kPredictiveEntropy, alone->get());
}

TEST_F(MethodProgramsTest, AMemberOfSeveralPredictionsAndItsStudent) {
  for (const std::string method : {"bayes", "batch_ensemble"}) {
    const std::string set = absl::StrCat("member_method: '", method, "' passes: 2");
    const Finished refused = RunProgram(Command("ensemble", method, {"--set", set}));
    EXPECT_EQ(refused.exit_code, CodeOf(ExitCode::kConfiguration));
    EXPECT_THAT(refused.err, HasSubstr("member_method: must be plain for an ensemble"));
    const std::string teacher = Member(method, set);
    ExpectServed(teacher, UncertaintyKind::kPredictiveStddev);
    ExpectServed(Student(method, teacher, set), UncertaintyKind::kPredictiveStddev);
  }
}

TEST_F(MethodProgramsTest, StudentsOfOneEnsemble) {
  const std::string teacher = Ensemble("teacher", "");
  ExpectServed(teacher, UncertaintyKind::kPredictiveStddev);
  const struct {
    const char* method;
    const char* set;
    UncertaintyKind default_kind;
  } cases[] = {
      {"dudes", "", UncertaintyKind::kPredictiveStddev},
      {"knowledge", "", UncertaintyKind::kPredictiveEntropy},
      {"dense_stddev", "", UncertaintyKind::kPredictiveStddev},
      {"dirichlet", "", UncertaintyKind::kPredictiveStddev},
      {"logit_gaussian", "rank: 0", UncertaintyKind::kPredictiveStddev},
      {"logit_gaussian", "rank: 2", UncertaintyKind::kPredictiveStddev},
  };
  for (const auto& c : cases) {
    const std::string set = absl::StrCat("student_method: '", c.method, "' ", c.set);
    ExpectServed(Student(absl::StrCat(c.method, c.set), teacher, set), c.default_kind);
  }
}

TEST_F(MethodProgramsTest, ASubEnsembleTrainsItsFirstMemberFirst) {
  const std::string shared = "shared_encoder: true members: 3 epochs: 2";
  const Finished early = RunProgram(Command("member", "run", {"--index", "1", "--set", shared}));
  EXPECT_EQ(early.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(early.err, HasSubstr("member 0 is not finished"));
  const std::string teacher = Ensemble("run", shared);
  EXPECT_LT(fs::file_size(teacher + "/member_2.safetensors"), fs::file_size(teacher + "/member_0.safetensors") / 2);
  ExpectServed(teacher, UncertaintyKind::kPredictiveStddev);
  Run({kTrain, "export", "--bundle", teacher, "--out", folder_.File("out")});
  EXPECT_EQ(fs::file_size(folder_.File("out/member_2.safetensors")),
            fs::file_size(folder_.File("out/member_0.safetensors")));
}

TEST_F(MethodProgramsTest, OneTrainingBecomesAnEnsembleOfSnapshotsOrDraws) {
  const std::string joined = folder_.File("joined");
  Member("cyclic", "schedule: 'cyclic' cycles: 2");
  EXPECT_EQ(Run({kTrain, "join", "--run", folder_.File("cyclic"), "--out", joined}), joined);
  ExpectServed(joined, UncertaintyKind::kPredictiveStddev);
  const std::string tail = "epochs: 6 schedule: 'constant_tail' tail_share: 0.5 snapshots: 3";
  Run(Command("member", "tail", {"--index", "0", "--set", tail}));
  const std::string drawn = folder_.File("drawn");
  EXPECT_EQ(Run(Command("swag", "tail", {"--set", tail, "--samples", "3", "--out", drawn})), drawn);
  ExpectServed(drawn, UncertaintyKind::kPredictiveStddev);
  const Finished other = RunProgram(Command("swag", "tail", {"--out", folder_.File("other")}));
  EXPECT_EQ(other.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(other.err, HasSubstr("now it is"));
}

// MC dropout serves, and an observer beside its network sends the pictures that it judges to be doubtful to it.
TEST_F(MethodProgramsTest, AnObserverEscalatesByItsVerdict) {
  const std::string teacher = Member("dropped", "dropout: 0.3 dropout_passes: 3");
  ExpectServed(teacher, UncertaintyKind::kPredictiveStddev);
  const std::string observer = Student("dropped", teacher, "dropout: 0.3 dropout_passes: 3 student_method: 'observer'");
  EXPECT_THAT(Run({kTrain, "calibrate", "--bundle", observer, "--data", Data(), "--error-rate", "0.9",
                   "--reject-error-rate", "0.99", "--device", "cpu"}),
              HasSubstr("mean disagreement"));
  ExpectServed(observer, UncertaintyKind::kDisagreement);

  const auto ask = [&](const std::string& server, int picture) {
    return json::parse(Run({kClient, "segment", folder_.File("data/images/val/" + TinyPictureName(picture)), "--server",
                            server, "--model", "student", "--escalate", "--escalate-to", "model", "--json"}));
  };
  // Thresholds in the middle of what the observer says of four pictures, so that it is sure of two.
  std::vector<double> means;
  {
    ServerProgram server({observer, teacher});
    for (int i = 0; i < 4; ++i) means.push_back(ask(server.address(), i)["uncertainty"]["mean"]);
  }
  std::vector<double> sorted = means;
  std::sort(sorted.begin(), sorted.end());
  ASSERT_LT(sorted[1], sorted[2]);
  json model = json::parse(Contents(observer + "/model.json"));
  json& verdict = model["calibration"]["verdict"];
  verdict["accept_max"] = (sorted[1] + sorted[2]) / 2;
  verdict["review_max"] = 1;
  WriteContents(observer + "/model.json", model.dump());

  ServerProgram server({observer, teacher});
  for (int i = 0; i < 4; ++i) {
    const json answer = ask(server.address(), i);
    const bool is_sure = means[static_cast<size_t>(i)] <= sorted[1];
    EXPECT_EQ(answer["escalation"], is_sure ? "not_needed" : "escalated") << answer;
    EXPECT_EQ(answer["model"]["name"], is_sure ? "student" : "model") << answer;
  }
}

}  // namespace
}  // namespace candor
