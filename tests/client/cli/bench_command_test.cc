// SPDX-License-Identifier: Apache-2.0
#include "client/cli/bench_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <sstream>

#include "client/cli/bench_report.h"
#include "tests/client/cli/run_candor.h"
#include "tests/client/fake_service.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// `candor bench` without warm-up.
CandorRun Bench(const FakeServer& server, std::vector<std::string> arguments, bool terminal = false) {
  const std::vector<std::string> always = {"bench", "--server", server.address(), "--warmup", "0"};
  arguments.insert(arguments.begin(), always.begin(), always.end());
  return Candor(arguments, "", terminal);
}

TEST(BenchCommandTest, AClosedLoopReportsWhatTheServerSaid) {
  FakeServer server;
  const CandorRun run = Bench(server, {"--requests", "100", "--concurrency", "2", "--json", "--slo", "60000"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(server.calls(), 100);
  const json report = json::parse(run.out);
  EXPECT_EQ(report["load"], (json{{"mode", "closed"}, {"concurrency", 2}, {"warmup_s", 0.0}}));
  EXPECT_EQ(report["model"], "student");
  EXPECT_EQ(report["pictures"], json({"generated 480x360"}));
  EXPECT_EQ(report["requests"], 100);
  EXPECT_EQ(report["answers"], 100);
  EXPECT_EQ(report["errors"], json::object());
  EXPECT_GT(report["throughput"], 0);
  EXPECT_EQ(report["goodput"], report["throughput"]);
  EXPECT_GT(report["latency_ms"]["p50"], 0);
  EXPECT_LE(report["latency_ms"]["p50"], report["latency_ms"]["p90"]);
  EXPECT_LE(report["latency_ms"]["p90"], report["latency_ms"]["max"]);
  EXPECT_TRUE(report["latency_ms"]["p99.9"].is_null());
  EXPECT_EQ(report["server_median_ms"], (json{{"decode", 1.5}, {"queue", 0.25}, {"infer", 10.0}, {"encode", 2.5}}));
  EXPECT_EQ(report["uncertainty"], (json{{"kind", "predictive_stddev"}, {"mean", 0.1}}));
  EXPECT_FALSE(report.contains("check"));
}

TEST(BenchCommandTest, AnOpenLoopSendsAtItsRate) {
  FakeServer server;
  for (const char* arrival : {"constant", "poisson"}) {
    const CandorRun run = Bench(server, {"--rate", "200", "--arrival", arrival, "--requests", "40", "--size", "32x16",
                                         "--model", "teacher", "--json"});
    ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
    const json report = json::parse(run.out);
    EXPECT_EQ(report["load"]["mode"], arrival);
    EXPECT_EQ(report["load"]["rate"], 200.0);
    EXPECT_EQ(report["answers"], 40);
    EXPECT_EQ(report["server_median_ms"]["infer"], 40.0);
    // The last of them is due after 39 gaps of 5 ms; for random gaps, the sum of 40 is within five deviations.
    EXPECT_GE(report["seconds"], *arrival == 'c' ? 0.195 : 0.04);
  }
}

TEST(BenchCommandTest, CamerasAreStreamsOfFrames) {
  FakeServer server;
  const TempFolder folder;
  const CandorRun run = Bench(server, {"--cameras", "3", "--rate", "50", "--requests", "30", "--size", "32x16",
                                       "--check", "--json", "--csv", folder.path("calls.csv")});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(server.calls(), 31) << "one of them alone, before";
  const json report = json::parse(run.out);
  EXPECT_EQ(report["load"],
            (json{{"mode", "streams"}, {"rate", 50.0}, {"cameras", 3}, {"policy", "every"}, {"warmup_s", 0.0}}));
  EXPECT_EQ(report["requests"], 30);
  EXPECT_EQ(report["answers"], 30);
  EXPECT_EQ(report["superseded"], 0);
  EXPECT_EQ(report["check"]["compared"], 30);
  EXPECT_EQ(report["check"]["mismatches"], 0);
  EXPECT_EQ(report["server_median_ms"]["infer"], 10.0);
  EXPECT_GT(report["latency_ms"]["p50"], 0);
  // Ten frames each, 20 ms apart; the last camera's are 13.3 ms after the first one's.
  EXPECT_GT(report["seconds"], 0.19);
  const std::string csv = folder.Read("calls.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 31);
  EXPECT_THAT(
      Bench(server, {"--cameras", "2", "--rate", "100", "--requests", "4"}).out,
      AllOf(HasSubstr("2 cameras, 100 a second each, every frame"), HasSubstr("superseded by a newer frame: 0")));
}

TEST(BenchCommandTest, SupersededFramesAreNeitherAnswersNorErrorsAndLateOnesAreErrors) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>* stream) {
    v1::StreamRequest request;
    stream->Read(&request);
    const bool is_latest = request.options().policy() == v1::LATEST_FRAME;
    std::vector<v1::StreamResponse> answers;
    while (stream->Read(&request)) {
      answers.emplace_back();
      answers.back().set_index(answers.size() - 1);
      *answers.back().mutable_frame() = request.frame().frame();
    }
    v1::StreamResponse last;
    last.set_index(answers.size());
    last.mutable_statistics()->set_frames(answers.size());
    last.mutable_statistics()->set_superseded(answers.empty() ? 0 : answers.size() - 1);
    last.mutable_statistics()->set_late(answers.empty() ? 0 : 1);
    for (v1::StreamResponse& answer : answers) {
      if (is_latest && answer.index() + 1 < answers.size()) {
        answer.mutable_superseded()->set_by_index(answer.index() + 1);
      } else {
        answer.mutable_error()->set_code(grpc::StatusCode::DEADLINE_EXCEEDED);
        answer.mutable_error()->set_message("late");
      }
      stream->Write(answer);
    }
    stream->Write(last);
    return grpc::Status::OK;
  });
  const CandorRun run = Bench(server, {"--cameras", "1", "--rate", "10", "--policy", "latest", "--requests", "4",
                                       "--size", "8x8", "--json", "--expect", "DEADLINE_EXCEEDED"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  const json report = json::parse(run.out);
  EXPECT_EQ(report["requests"], 4);
  EXPECT_EQ(report["answers"], 0);
  EXPECT_EQ(report["superseded"].get<int>() + report["errors"].value("DEADLINE_EXCEEDED", 0), 4);
  EXPECT_GE(report["superseded"], 3);
}

TEST(BenchCommandTest, AStreamThatBreaksIsAnError) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>*) {
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many streams");
  });
  const CandorRun run = Bench(server, {"--cameras", "2", "--rate", "10", "--requests", "100", "--size", "8x8"});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_THAT(run.err, HasSubstr("failed with RESOURCE_EXHAUSTED: too many streams"));
}

TEST(BenchCommandTest, AsksForWhatItIsTold) {
  FakeServer server;
  ASSERT_EQ(Bench(server, {"--requests", "1", "--ask", "statistics"}).code, ExitCode::kOk);
  EXPECT_EQ(server.last_request().labels(), v1::LABEL_ENCODING_UNSPECIFIED);
  EXPECT_EQ(server.last_request().uncertainty(0).encoding(), v1::MAP_ENCODING_UNSPECIFIED);
  EXPECT_TRUE(server.last_request().image().has_encoded());
  ASSERT_EQ(Bench(server, {"--requests", "1", "--ask", "labels"}).code, ExitCode::kOk);
  EXPECT_EQ(server.last_request().labels(), v1::LABEL_RAW);
  EXPECT_EQ(server.last_request().uncertainty(0).encoding(), v1::MAP_ENCODING_UNSPECIFIED);
  ASSERT_EQ(Bench(server, {"--requests", "1", "--raw", "--size", "8x4", "--uncertainty", "predictive_entropy"}).code,
            ExitCode::kOk);
  EXPECT_EQ(server.last_request().image().raw().data().size(), 8U * 4 * 3);
  EXPECT_EQ(server.last_request().uncertainty(0).kind(), v1::PREDICTIVE_ENTROPY);
  EXPECT_EQ(server.last_request().uncertainty(0).encoding(), v1::MAP_F32);
  ASSERT_EQ(Bench(server, {"--requests", "2", "--halves", "--check"}).code, ExitCode::kOk);
  EXPECT_EQ(server.last_request().uncertainty(0).encoding(), v1::MAP_F16);
}

TEST(BenchCommandTest, TakesThePicturesOfAFolder) {
  FakeServer server;
  const TempFolder folder;
  folder.AddPicture("b.png");
  folder.AddPicture("a.PNG");
  EXPECT_TRUE(WriteFileAtomically(folder.path("notes.txt"), "no picture").ok());
  const CandorRun run = Bench(server, {folder.path(), "--requests", "4", "--json"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(json::parse(run.out)["pictures"], json({folder.path("a.PNG"), folder.path("b.png")}));
  const TempFolder empty;
  const CandorRun none = Bench(server, {empty.path(), "--requests", "4"});
  EXPECT_EQ(none.code, ExitCode::kIo);
  EXPECT_THAT(none.err, HasSubstr("has no .jpg, .jpeg or .png files"));
}

TEST(BenchCommandTest, FailsForUnexpectedErrorsAlone) {
  FakeServer server([](const v1::SegmentRequest&, v1::SegmentResponse*) {
    return grpc::Status(grpc::RESOURCE_EXHAUSTED, "the queue is full");
  });
  const CandorRun failed = Bench(server, {"--requests", "5"});
  EXPECT_EQ(failed.code, ExitCode::kFailure);
  EXPECT_EQ(failed.err, "candor: 5 of 5 calls failed with RESOURCE_EXHAUSTED: the queue is full\n");
  EXPECT_THAT(failed.out, AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr("p50 needs 20")));
  const CandorRun expected = Bench(server, {"--requests", "5", "--expect", "RESOURCE_EXHAUSTED", "--json"});
  EXPECT_EQ(expected.code, ExitCode::kOk) << expected.err;
  EXPECT_EQ(json::parse(expected.out)["errors"], (json{{"RESOURCE_EXHAUSTED", 5}}));
  EXPECT_EQ(Bench(server, {"--requests", "5", "--expect", "ABORTED"}).code, ExitCode::kFailure);
}

TEST(BenchCommandTest, AnswersLaterThanTheObjectiveAreNotGood) {
  FakeServer server;
  const CandorRun run = Bench(server, {"--requests", "5", "--slo", "0.001", "--json"});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(json::parse(run.out)["answers"], 5);
  EXPECT_EQ(json::parse(run.out)["goodput"], 0.0);
}

TEST(BenchCommandTest, ComparesEveryAnswerWithThatToThePictureAlone) {
  FakeServer faithful;
  const CandorRun same = Bench(faithful, {"--requests", "10", "--check", "--json"});
  EXPECT_EQ(same.code, ExitCode::kOk) << same.err;
  EXPECT_EQ(json::parse(same.out)["check"],
            (json{{"compared", 10}, {"mismatches", 0}, {"least_label_agreement", 1.0}, {"greatest_difference", 0.0}}));
  EXPECT_EQ(faithful.calls(), 11);

  // One of the ten has two wrong labels in 480x360 (allowed: 17), another has 18.
  std::atomic<int> calls = 0;
  FakeServer drifting([&](const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
    grpc::Status status = AnswerFaithfully(request, reply);
    const int call = calls++;
    const int wrong = call == 3 ? 2 : call == 7 ? 18 : 0;
    std::fill_n(reply->mutable_labels()->begin(), wrong, '\x3f');
    return status;
  });
  const CandorRun other = Bench(drifting, {"--requests", "10", "--check"});
  EXPECT_EQ(other.code, ExitCode::kFailure);
  EXPECT_THAT(other.err, HasSubstr("1 of 10 answers are not as alone; generated 480x360: labels agree on 99.990 %"));
}

TEST(BenchCommandTest, WritesALineForEachCall) {
  FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("a,b.png");
  ASSERT_EQ(Bench(server, {picture, "--requests", "3", "--csv", folder.path("calls.csv")}).code, ExitCode::kOk);
  const std::string csv = folder.Read("calls.csv");
  EXPECT_THAT(csv, StartsWith("due_s,sent_s,done_s,latency_ms,status,picture,round_trip_ms,decode_ms,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  const std::string until_picture = ",OK,\"" + picture + "\",";
  const size_t at = csv.find(until_picture);
  ASSERT_NE(at, std::string::npos) << csv;
  size_t digits = 0;
  const double round_trip_ms = std::stod(csv.substr(at + until_picture.size()), &digits);
  EXPECT_GT(round_trip_ms, 0);
  EXPECT_THAT(csv.substr(at + until_picture.size() + digits), StartsWith(",1.5,0.25,10,2.5,0.1,1,none\n"));
  EXPECT_EQ(Bench(server, {"--requests", "1", "--csv", folder.path("no/such/calls.csv")}).code, ExitCode::kIo);
}

TEST(BenchCommandTest, TellsWhatCameOfEscalationsAndHowManyMembersAnswered) {
  FakeServer server;
  const CandorRun run = Bench(server, {"--requests", "10", "--escalate-above", "0.05", "--anytime", "--json"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  const json report = json::parse(run.out);
  EXPECT_EQ(report["model"], "student");
  EXPECT_EQ(report["escalations"], (json{{"escalated", 10}}));
  EXPECT_EQ(report["mean_members"], 3.0);
  const CandorRun sure =
      Bench(server, {"--cameras", "1", "--rate", "200", "--requests", "5", "--escalate-above", "0.2"});
  EXPECT_THAT(sure.out, AllOf(HasSubstr("members in an answer, on average: 1.00"), HasSubstr("not_needed  ")));
  const CandorRun cameras =
      Bench(server, {"--cameras", "1", "--rate", "200", "--requests", "5", "--escalate", "--json"});
  ASSERT_EQ(cameras.code, ExitCode::kOk) << cameras.err;
  EXPECT_EQ(json::parse(cameras.out)["answers"], 5) << "preliminary answers are none";
  EXPECT_FALSE(json::parse(Bench(server, {"--requests", "1", "--json"}).out).contains("escalations"));
  const CandorRun checked = Bench(server, {"--requests", "1", "--check", "--anytime"});
  EXPECT_EQ(checked.code, ExitCode::kUsage);
  EXPECT_THAT(checked.err, HasSubstr("--check: excludes --anytime and --escalate"));
}

TEST(BenchCommandTest, PrintsTablesForPeople) {
  FakeServer server;
  const CandorRun run = Bench(server, {"--requests", "30", "--check"});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("closed loop, concurrency 1"), HasSubstr("WITHIN 30000 MS PER SECOND"),
                             HasSubstr("p99.9 needs 10000"), HasSubstr("MISMATCHES"), HasSubstr("0.1000")));
  EXPECT_THAT(run.out, Not(HasSubstr("ERROR ")));
}

TEST(BenchReportTest, SaysIfTheGeneratorWasTheLimit) {
  LoadSample sample;
  sample.due_s = 1;
  sample.sent_s = 1.5;
  sample.done_s = 2;
  BenchReport report;
  report.plan.mode = LoadMode::kConstant;
  report.summary = Summarize({sample}, 100, 0);
  std::ostringstream out;
  PrintBenchReport(report, out);
  EXPECT_THAT(out.str(), HasSubstr("sent up to 500.00 ms after they were due"));
}

TEST(BenchCommandTest, ShowsProgressOnATerminalAlone) {
  FakeServer server;
  EXPECT_THAT(Bench(server, {"--requests", "3"}, true).err, HasSubstr("3 calls, 0 errors"));
  EXPECT_THAT(Bench(server, {"--requests", "3"}, false).err, IsEmpty());
}

TEST(BenchCommandTest, NeedsAServer) {
  const DeadAddress dead;
  const CandorRun run = Candor({"bench", "--server", dead.address()});
  EXPECT_EQ(run.code, ExitCode::kUnavailable);
  EXPECT_THAT(run.err, HasSubstr("cannot reach"));
}

TEST(BenchCommandTest, RefusesWhatMakesNoLoad) {
  const std::vector<std::vector<std::string>> rubbish = {
      {"--rate", "0"},
      {"--rate", "-1"},
      {"--rate", "nan"},
      {"--rate", "5", "--concurrency", "2"},
      {"--concurrency", "0"},
      {"--concurrency", "1025"},
      {"--arrival", "poisson"},
      {"--rate", "5", "--arrival", "sometimes"},
      {"--max-in-flight", "3"},
      {"--requests", "0"},
      {"--requests", "5000001"},
      {"--duration", "0"},
      {"--warmup", "-1"},
      {"--size", "0x5"},
      {"--size", "100"},
      {"--size", "20000x5"},
      {"--size", "5x5", "a.png"},
      {"--ask", "everything"},
      {"--expect", "OK"},
      {"--expect", "NOBODY"},
      {"--check-bound", "0.1"},
      {"--check", "--check-bound", "-1"},
      {"--slo", "0"},
      {"--connections", "65"},
      {"--uncertainty", "doubt"},
  };
  for (std::vector<std::string> arguments : rubbish) {
    arguments.insert(arguments.begin(), "bench");
    const CandorRun run = Candor(arguments);
    EXPECT_EQ(run.code, ExitCode::kUsage) << testing::PrintToString(arguments) << run.err;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

}  // namespace
}  // namespace candor
