// SPDX-License-Identifier: Apache-2.0
//
// The real programs on the shipped bundles and sample pictures, as a user runs them.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/exit_code.h"
#include "core/base/file.h"
#include "core/image/decode.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/server_program.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/subprocess.h"

namespace candor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int64_t kLimit = 64 << 20;
constexpr char kServer[] = CANDOR_BIN_DIR "/candor-server";
constexpr char kClient[] = CANDOR_BIN_DIR "/candor";
constexpr char kStudent[] = CANDOR_SOURCE_DIR "/models/camvid-student";
constexpr char kTeacher[] = CANDOR_SOURCE_DIR "/models/camvid-teacher";
constexpr char kPicture[] = CANDOR_SOURCE_DIR "/models/samples/Seq05VD_f01740.jpg";

int CodeOf(ExitCode code) { return static_cast<int>(code); }

int Lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

// Changes the last byte of a file.
void Damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('\x7f');
}

class ProgramsTest : public testing::Test {
 protected:
  ProgramsTest() {
    folder_ =
        absl::StrCat(testing::TempDir(), "programs_", testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ProgramsTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  void StartServer(const std::vector<std::string>& bundles) {
    server_ = std::make_unique<ServerProgram>(bundles);
    address_ = server_->address();
  }

  std::string folder_;
  std::unique_ptr<ServerProgram> server_;
  std::string address_;
};

TEST_F(ProgramsTest, SegmentWritesLabelsUncertaintyOverlayAndSummary) {
  StartServer({kStudent, kTeacher});
  const Finished done = RunProgram({kClient, "segment", kPicture, "--server", address_, "--model", "teacher",
                                    "--uncertainty", "mutual_information", "--npy", "--out", Path("out")});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const std::string stem = Path("out/Seq05VD_f01740");
  const auto labels = DecodeLabelPng(*ReadFile(stem + "_labels.png", kLimit), {});
  ASSERT_THAT(labels, IsOk());
  EXPECT_EQ(labels->width, 480);
  EXPECT_EQ(labels->height, 360);
  for (const uint8_t label : labels->values) ASSERT_LT(label, 11);
  const auto map = DecodeNpy(*ReadFile(stem + "_uncertainty.npy", kLimit));
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(map->width, 480);
  EXPECT_THAT(DecodeImage(*ReadFile(stem + "_overlay.png", kLimit), {}), IsOk());
  EXPECT_TRUE(fs::exists(stem + "_uncertainty.png"));
  const auto json = nlohmann::json::parse(*ReadFile(stem + ".json", kLimit));
  EXPECT_EQ(json["model"]["name"], "camvid-teacher");
  EXPECT_EQ(json["uncertainty"]["kind"], "mutual_information");
  EXPECT_NEAR(json["uncertainty"]["range_max"].get<double>(), 2.397895, 1e-5);  // ln 11
  double sum = 0;
  for (const float u : map->values) sum += u;
  EXPECT_NEAR(json["uncertainty"]["mean"].get<double>(), sum / map->values.size(), 1e-5);
}

TEST_F(ProgramsTest, ModelOfTheRequestOverridesTheDefault) {
  StartServer({kStudent, kTeacher});
  const auto model_of = [&](std::vector<std::string> extra) {
    std::vector<std::string> argv = {kClient, "segment", kPicture, "--server", address_, "--json"};
    argv.insert(argv.end(), extra.begin(), extra.end());
    const Finished done = RunProgram(argv);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return nlohmann::json::parse(done.out)["model"]["name"].get<std::string>();
  };
  EXPECT_EQ(model_of({}), "camvid-student");
  EXPECT_EQ(model_of({"--model", "teacher"}), "camvid-teacher");
  EXPECT_EQ(model_of({"--model", "camvid-student"}), "camvid-student");
}

TEST_F(ProgramsTest, SigtermEndsTheServerCleanly) {
  StartServer({kStudent});
  EXPECT_EQ(RunProgram({kClient, "health", "--server", address_}).exit_code, 0);
  server_->process().Signal(SIGTERM);
  EXPECT_EQ(server_->process().Wait().exit_code, 0);
  const Finished after = RunProgram({kClient, "health", "--server", address_, "--timeout", "2"});
  EXPECT_EQ(after.exit_code, CodeOf(ExitCode::kUnavailable));
}

TEST_F(ProgramsTest, ATakenPortIsExit69AndOneLine) {
  StartServer({kStudent});
  std::vector<std::string> argv = ServerCommand({kStudent});
  *std::find(argv.begin(), argv.end(), "127.0.0.1:0") = address_;
  const Finished second = RunProgram(argv);
  EXPECT_EQ(second.exit_code, CodeOf(ExitCode::kUnavailable)) << second.err;
  EXPECT_THAT(second.err, HasSubstr(address_));
  EXPECT_EQ(second.out, "");
}

TEST_F(ProgramsTest, ADamagedBundleIsExit78AndNothingStarts) {
  const std::string bundle = Path("camvid-student");
  fs::copy(kStudent, bundle, fs::copy_options::recursive);
  Damage(bundle + "/model.safetensors");
  const Finished done = RunProgram(ServerCommand({bundle}));
  EXPECT_EQ(done.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(done.err, HasSubstr("model.safetensors"));
  EXPECT_EQ(done.out, "");
  const Finished checked = RunProgram(ServerCommand({bundle}, {"--check-config"}));
  EXPECT_EQ(checked.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_EQ(Lines(checked.err), 1) << checked.err;
}

TEST_F(ProgramsTest, AnEnsembleGoesOnWithoutADamagedMemberIfItMay) {
  const std::string bundle = Path("camvid-teacher");
  fs::copy(kTeacher, bundle, fs::copy_options::recursive);
  Damage(bundle + "/member_1.safetensors");
  const Finished refused = RunProgram(ServerCommand({bundle}));
  EXPECT_EQ(refused.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(refused.err, HasSubstr("member_1.safetensors"));
  server_ = std::make_unique<ServerProgram>(std::vector<std::string>{bundle},
                                            std::vector<std::string>{"--allow-partial-ensemble"});
  const std::string address = server_->address();
  const Finished models = RunProgram({kClient, "models", "--server", address});
  EXPECT_THAT(models.out, HasSubstr("2 of 3"));
  const Finished done = RunProgram({kClient, "segment", kPicture, "--server", address, "--out", Path("out"), "--json"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(nlohmann::json::parse(done.out)["members"], 2);
}

TEST_F(ProgramsTest, AnUnknownConfigurationKeyIsExit78WithItsPlace) {
  const std::string config = Path("server.textproto");
  std::ofstream(config) << "device: \"cpu\"\nthread_count: 3\n";
  const Finished done = RunProgram({kServer, "--config", config});
  EXPECT_EQ(done.exit_code, CodeOf(ExitCode::kConfiguration));
  EXPECT_THAT(done.err, HasSubstr("server.textproto:2"));
  EXPECT_THAT(done.err, HasSubstr("thread_count"));
  EXPECT_EQ(Lines(done.err), 1) << done.err;
}

TEST_F(ProgramsTest, TheExampleConfigurationIsRight) {
  // It names the bundles relative to the project's folder.
  const fs::path before = fs::current_path();
  fs::current_path(CANDOR_SOURCE_DIR);
  const Finished done = RunProgram({kServer, "--config", "config/server.textproto", "--check-config"});
  fs::current_path(before);
  EXPECT_EQ(done.exit_code, 0) << done.err;
}

// OpenMP's library says what it has read before main: last of all in the program's final start.
TEST_F(ProgramsTest, IdleThreadsOfOpenMpDoNotSpinForLong) {
  const auto settings = [](std::vector<std::string> argv, const std::vector<std::string>& users = {}) {
    argv.insert(argv.begin(), users.begin(), users.end());
    argv.insert(argv.begin(),
                {"/usr/bin/env", "-u", "GOMP_SPINCOUNT", "-u", "OMP_WAIT_POLICY", "OMP_DISPLAY_ENV=VERBOSE"});
    const std::string text = RunProgram(argv).err;
    const size_t last = text.rfind("GOMP_SPINCOUNT = ");
    return last == std::string::npos ? "none" : text.substr(last, text.find('\n', last) - last);
  };
  const std::vector<std::string> serving = {kServer, "--bundle", Path("nowhere")};
  const std::vector<std::string> training = {CANDOR_BIN_DIR "/candor-train", "--version"};
  if (settings(training) == "none") GTEST_SKIP() << "OpenMP's library is not GCC's";
  EXPECT_EQ(settings(serving), "GOMP_SPINCOUNT = '10000'");
  EXPECT_EQ(settings(training), "GOMP_SPINCOUNT = '0'");
  EXPECT_EQ(settings(serving, {"GOMP_SPINCOUNT=77"}), "GOMP_SPINCOUNT = '77'");
  EXPECT_EQ(settings(training, {"GOMP_SPINCOUNT=77"}), "GOMP_SPINCOUNT = '77'");
}

TEST_F(ProgramsTest, CudaWithoutAGpuIsOneClearError) {
  const Finished done = RunProgram({kServer, "--bundle", kStudent, "--device", "cuda", "--listen", "127.0.0.1:0"});
  if (done.exit_code == 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(done.err, HasSubstr("device cuda: "));
  EXPECT_EQ(Lines(done.err), 1) << done.err;
}

// Peak memory of a server that has answered one 1024x2048 request with the first `members` of the shipped teacher.
class TeacherMemoryTest : public ProgramsTest {
 protected:
  int64_t PeakMemory(int members) {
    const std::string weights = Path("weights");
    EXPECT_EQ(RunProgram({CANDOR_BIN_DIR "/candor-train", "export", "--bundle", kTeacher, "--out", weights}).exit_code,
              0);
    // The shipped teacher has three: more of them are the same over again.
    std::vector<std::string> files;
    for (int m = 0; m < members; ++m) files.push_back(absl::StrCat(weights, "/member_", m % 3, ".safetensors"));
    const std::string bundle = Path(absl::StrCat("teacher-", members));
    const Finished imported =
        RunProgram({CANDOR_BIN_DIR "/candor-train", "import", "--weights", absl::StrJoin(files, ","), "--kind",
                    "ensemble", "--classes", "camvid11", "--width", "32", "--imagenet-normalisation", "--out", bundle});
    EXPECT_EQ(imported.exit_code, 0) << imported.err;
    StartServer({bundle});
    const Finished done = RunProgram(
        {kClient, "segment", Path("large.jpg"), "--server", address_, "--timeout", "120", "--out", Path("out")});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    const int64_t peak = server_->process().PeakMemory();
    server_.reset();
    return peak;
  }
};

TEST_F(TeacherMemoryTest, HardlyGrowsWithTheNumberOfMembers) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer's own memory would be measured";
#endif
  Image large{2048, 1024, std::vector<uint8_t>(size_t{3} * 2048 * 1024)};
  for (size_t i = 0; i < large.pixels.size(); ++i) large.pixels[i] = static_cast<uint8_t>((i / 512) % 251);
  ASSERT_THAT(WriteFileAtomically(Path("large.jpg"), EncodeJpeg(large, 90)), IsOk());
  const int64_t two = PeakMemory(2);
  const int64_t ten = PeakMemory(10);
  RecordProperty("peak_mib_two", std::to_string(two >> 20));
  RecordProperty("peak_mib_ten", std::to_string(ten >> 20));
  EXPECT_GT(two, 0);
  // Eight times a member's weights, 12 MB in fp32, and their packed form, up to four times that (Winograd's): no maps of
  // each member, 92 MB.
  EXPECT_LE(ten - two, int64_t{8 * 60} << 20);
  EXPECT_LT(ten, int64_t{1} << 30);
}

}  // namespace
}  // namespace candor
