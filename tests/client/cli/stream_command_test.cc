// SPDX-License-Identifier: Apache-2.0
#include "client/cli/stream_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/client/cli/run_candor.h"
#include "tests/client/fake_service.h"

namespace candor {
namespace {

using nlohmann::json;

using testing::HasSubstr;
using testing::Not;

CandorRun Stream(const FakeServer& server, std::vector<std::string> arguments, bool terminal = false) {
  const std::vector<std::string> always = {"stream", "--server", server.address(), "--fps", "200"};
  arguments.insert(arguments.begin(), always.begin(), always.end());
  return Candor(arguments, "", terminal);
}

std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(StreamCommandTest, PlaysAFolderAndTellsOfEachFrame) {
  FakeServer server;
  const TempFolder folder;
  folder.AddPicture("b.png");
  folder.AddPicture("a.png", 8, 8);
  const CandorRun run = Stream(server, {folder.path(), "--policy", "every", "--json", "--frame-timeout", "1500",
                                        "--max-unanswered", "7", "--uncertainty", "predictive_entropy"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(server.last_options().policy(), v1::EVERY_FRAME);
  EXPECT_EQ(server.last_options().frame_timeout_ms(), 1500);
  EXPECT_EQ(server.last_options().max_unanswered(), 7);
  EXPECT_EQ(server.last_request().labels(), v1::LABEL_ENCODING_UNSPECIFIED) << "nobody sees them";
  const std::vector<json> lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["image"], folder.path("a.png"));
  EXPECT_EQ(lines[1]["image"], folder.path("b.png"));
  EXPECT_EQ(lines[1]["camera"], "camera");
  EXPECT_EQ(lines[1]["sequence"], 1);
  EXPECT_EQ(lines[1]["outcome"], "answered");
  EXPECT_EQ(lines[1]["due_s"], 0.005);
  EXPECT_GT(lines[1]["latency_ms"], 0);
  EXPECT_EQ(lines[1]["result"]["width"], 4);
  EXPECT_EQ(lines[1]["result"]["uncertainty"]["kind"], "predictive_entropy");
  const json& statistics = lines[2]["statistics"];
  EXPECT_EQ(statistics["frames"], 2);
  EXPECT_EQ(statistics["answered"], 2);
  EXPECT_EQ(statistics["uncertainty"], (json{{"kind", "predictive_entropy"}, {"mean", 0.1}}));
  EXPECT_EQ(statistics["server"]["frames"], 2);
  EXPECT_GE(statistics["latency_ms"]["p99"], statistics["latency_ms"]["p50"]);
}

TEST(StreamCommandTest, LoopsForAsManyCamerasAndFramesAsAskedFor) {
  FakeServer server;
  const TempFolder folder;
  folder.AddPicture("a.png");
  const CandorRun run =
      Stream(server, {folder.path("a.png"), "--policy", "every", "--loop", "--frames", "5", "--cameras", "2"}, true);
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(server.calls(), 10);
  EXPECT_THAT(run.out, HasSubstr("camera0"));
  EXPECT_THAT(run.out, HasSubstr("camera1"));
  EXPECT_THAT(run.out, testing::ContainsRegex("all +10 +10 +0 +0 +0 +0 "));
  EXPECT_THAT(run.err, HasSubstr("answers/s, 1 frames")) << "progress on a terminal";
  EXPECT_THAT(Stream(server, {folder.path("a.png")}).err, Not(HasSubstr("answers/s")));
}

TEST(StreamCommandTest, ShowsTheFirstModelsAnswerAndThenTheSeconds) {
  FakeServer server;
  const TempFolder folder;
  folder.AddPicture("a.png");
  const TempFolder out;
  const CandorRun run = Stream(
      server, {folder.path(), "--policy", "every", "--escalate", "--priority", "low", "--json", "--out", out.path()});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(server.last_request().priority(), v1::PRIORITY_LOW);
  const std::vector<json> lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["outcome"], "preliminary");
  EXPECT_EQ(lines[0]["sequence"], 0);
  EXPECT_EQ(lines[0]["result"]["model"]["name"], "student");
  EXPECT_TRUE(lines[0]["result"]["escalation"].is_null());
  EXPECT_EQ(lines[0]["result"]["files"], json::array());
  EXPECT_EQ(lines[1]["outcome"], "answered");
  EXPECT_EQ(lines[1]["sequence"], 0);
  EXPECT_EQ(lines[1]["result"]["model"]["name"], "teacher");
  EXPECT_EQ(lines[1]["result"]["escalation"], "escalated");
  EXPECT_EQ(lines[1]["result"]["members"], 10);
  EXPECT_EQ(lines[1]["result"]["files"].size(), 4u);
  const json& statistics = lines[2]["statistics"];
  EXPECT_EQ(statistics["frames"], 1);
  EXPECT_EQ(statistics["mean_members"], 10.0);
  EXPECT_EQ(statistics["escalation"]["preliminary"], 1);
  EXPECT_EQ(statistics["escalation"]["escalated"], 1);
  EXPECT_EQ(statistics["escalation"]["not_needed"], 0);
  EXPECT_GT(statistics["escalation"]["preliminary_latency_ms"]["p50"], 0);
  const CandorRun table = Stream(server, {folder.path(), "--policy", "every", "--escalate"});
  EXPECT_THAT(table.out, HasSubstr("MEAN MEMBERS  ESCALATED  PRELIMINARY  PRELIMINARY P50 MS"));
  EXPECT_THAT(Stream(server, {folder.path()}).out, Not(HasSubstr("MEMBERS")));
}

TEST(StreamCommandTest, WritesTheFilesOfSegment) {
  FakeServer server;
  const TempFolder folder;
  folder.AddPicture("a.png");
  const TempFolder out;
  ASSERT_EQ(Stream(server, {folder.path(), "--policy", "every", "--out", out.path("one")}).code, ExitCode::kOk);
  ASSERT_EQ(Candor({"segment", "--server", server.address(), "--out", out.path("segment"), folder.path("a.png")}).code,
            ExitCode::kOk);
  for (const char* name : {"a_labels.png", "a_uncertainty.png", "a_overlay.png"}) {
    EXPECT_EQ(out.Read(std::string("one/") + name), out.Read(std::string("segment/") + name)) << name;
  }
  ASSERT_EQ(Stream(server, {folder.path(), "--policy", "every", "--cameras", "2", "--out", out.path("two")}).code,
            ExitCode::kOk);
  EXPECT_EQ(out.Read("two/camera0/a_labels.png"), out.Read("one/a_labels.png"));
  EXPECT_EQ(out.Read("two/camera1/a_labels.png"), out.Read("one/a_labels.png"));
}

TEST(StreamCommandTest, FramesThatFailOrAreLateAreAFailureButNotTheEnd) {
  int calls = 0;
  FakeServer server([&](const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
    ++calls;
    if (calls == 1) return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "too late");
    if (calls == 2) return grpc::Status(grpc::StatusCode::INTERNAL, "a fault");
    return AnswerFaithfully(request, reply);
  });
  const TempFolder folder;
  folder.AddPicture("a.png");
  const CandorRun run = Stream(server, {folder.path(), "--policy", "every", "--loop", "--frames", "3", "--json"});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_EQ(run.err, "candor: 1 of 3 frames were late and 1 failed; the first: DEADLINE_EXCEEDED: too late\n");
  const std::vector<json> lines = Lines(run.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["outcome"], "late");
  EXPECT_EQ(lines[1]["outcome"], "failed");
  EXPECT_EQ(lines[1]["error"]["code"], "INTERNAL");
  EXPECT_EQ(lines[1]["error"]["message"], "a fault");
  EXPECT_EQ(lines[2]["outcome"], "answered");
}

TEST(StreamCommandTest, SupersededFramesAreNoFailure) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>* stream) {
    v1::StreamRequest request;
    std::vector<v1::SegmentRequest> frames;
    while (stream->Read(&request)) {
      if (request.has_frame()) frames.push_back(request.frame());
    }
    for (size_t i = 0; i < frames.size(); ++i) {
      v1::StreamResponse answer;
      answer.set_index(i);
      *answer.mutable_frame() = frames[i].frame();
      if (i + 1 < frames.size()) {
        answer.mutable_superseded()->set_by_index(i + 1);
      } else {
        AnswerFaithfully(frames[i], answer.mutable_result());
      }
      stream->Write(answer);
    }
    v1::StreamResponse last;
    last.set_index(frames.size());
    last.mutable_statistics()->set_frames(frames.size());
    last.mutable_statistics()->set_answered(1);
    last.mutable_statistics()->set_superseded(frames.size() - 1);
    stream->Write(last);
    return grpc::Status::OK;
  });
  const TempFolder folder;
  folder.AddPicture("a.png");
  const CandorRun run = Candor(
      {"stream", "--server", server.address(), folder.path(), "--fps", "10", "--loop", "--frames", "3", "--json"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  const json statistics = Lines(run.out).back()["statistics"];
  EXPECT_EQ(statistics["frames"], 3);
  EXPECT_GE(statistics["answered"], 1);
  EXPECT_EQ(statistics["superseded"].get<int>() + statistics["skipped"].get<int>(), 2);
}

TEST(StreamCommandTest, EndsWithTheReasonWhenTheStreamBreaks) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>*) {
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many streams");
  });
  const TempFolder folder;
  folder.AddPicture("a.png");
  const CandorRun broken = Stream(server, {folder.path(), "--json", "--loop"});
  EXPECT_EQ(broken.code, ExitCode::kTemporary);
  EXPECT_THAT(broken.err, HasSubstr("too many streams"));
  EXPECT_TRUE(Lines(broken.out).back()["statistics"]["server"].is_null());
  const DeadAddress nobody;
  EXPECT_EQ(Candor({"stream", "--server", nobody.address(), folder.path()}).code, ExitCode::kUnavailable);
}

TEST(StreamCommandTest, RefusesWrongFlagsAndSources) {
  FakeServer server;
  const TempFolder folder;
  const CandorRun empty = Stream(server, {folder.path()});
  EXPECT_EQ(empty.code, ExitCode::kIo);
  EXPECT_THAT(empty.err, HasSubstr("has no .jpg, .jpeg or .png files"));
  folder.AddPicture("a.png");
  folder.AddPicture("a.jpg");
  const CandorRun clash = Stream(server, {folder.path(), "--cameras", "2", "--out", folder.path("out")});
  EXPECT_EQ(clash.code, ExitCode::kUsage);
  EXPECT_THAT(clash.err, HasSubstr("would both write a_*"));
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--policy", "newest"},
                                                {"--cameras", "0"},
                                                {"--frame-timeout", "0"},
                                                {"--frames", "0"}}) {
    EXPECT_EQ(Stream(server, {folder.path(), wrong[0], wrong[1]}).code, ExitCode::kUsage) << wrong[0];
  }
}

}  // namespace
}  // namespace candor
