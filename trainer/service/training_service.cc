// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/training_service.h"

#include <filesystem>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "google/protobuf/text_format.h"
#include "trainer/config.h"
#include "trainer/service/publish_bundle.h"
#include "trainer/training/run_folder.h"

namespace candor {
namespace {

constexpr int kMostWatchers = 32;                              // each holds a thread
constexpr absl::Duration kRest = absl::Milliseconds(500);      // between two messages of a stream
constexpr absl::Duration kPatience = absl::Milliseconds(250);  // until a stream looks whether its caller is there
constexpr size_t kMaxMessageBytes = 1024;                      // it travels in a header

grpc::Status ToGrpc(const absl::Status& status) {
  std::string message(status.message().substr(0, kMaxMessageBytes));
  for (char& c : message) {
    if (!absl::ascii_isprint(c)) c = absl::ascii_isspace(c) ? ' ' : '?';
  }
  return {static_cast<grpc::StatusCode>(status.code()), message};  // the same numbers
}

std::string NameOfNow() {
  absl::BitGen random;
  return absl::StrCat(absl::FormatTime("run-%Y%m%d-%H%M%S-", absl::Now(), absl::UTCTimeZone()),
                      absl::StrFormat("%04x", absl::Uniform<uint16_t>(random)));
}

struct CheckedConfig {
  std::string text;
  int members = 0;
};

// The configuration as candor-train will read it.
absl::StatusOr<CheckedConfig> Check(const v1::TrainerConfig& config) {
  CheckedConfig checked;
  if (!google::protobuf::TextFormat::PrintToString(config, &checked.text)) {
    return absl::InvalidArgumentError("config: cannot be written as text");
  }
  ASSIGN_OR_RETURN(const TrainOptions options, ReadTrainConfig("", {checked.text}));
  checked.members = options.members;
  return checked;
}

}  // namespace

void TrainingService::Fill(const RunView& view, v1::Run* message) const {
  const RunRecord& record = view.record;
  message->set_name(record.name);
  message->set_state(static_cast<v1::RunState>(record.state));
  message->set_message(record.message);
  message->set_directory(view.folder);
  message->set_executor(runs_.executor_name());
  message->set_create_time_ms(record.create_time_ms);
  message->set_start_time_ms(record.start_time_ms);
  message->set_end_time_ms(record.end_time_ms);
  message->set_starts(record.starts);
  message->set_members(record.members);
  message->set_progress(view.ShareDone());
  for (const TrainingProgress& training : view.trainings) {
    v1::TrainingProgress* const progress = message->add_trainings();
    progress->set_name(training.name);
    progress->set_is_done(training.is_done);
    progress->set_step(training.step);
    progress->set_steps(training.steps);
    progress->set_loss(training.loss);
    progress->set_images_per_second(training.images_per_second);
    progress->set_validation_miou(training.validation_miou);
  }
}

grpc::Status TrainingService::Answer(const absl::StatusOr<RunView>& view, v1::Run* message) const {
  if (!view.ok()) return ToGrpc(view.status());
  Fill(*view, message);
  return grpc::Status::OK;
}

grpc::Status TrainingService::CreateRun(grpc::ServerContext* context, const v1::CreateRunRequest* request,
                                        v1::Run* response) {
  if (const absl::Status status = Authorize(*context, Role::kAdmin); !status.ok()) return ToGrpc(status);
  if (is_closing_) return ToGrpc(absl::UnavailableError("the service is shutting down"));
  const std::string name = request->name().empty() ? NameOfNow() : request->name();
  if (const absl::Status status = CheckName("name", name); !status.ok()) return ToGrpc(status);
  const absl::StatusOr<CheckedConfig> config = Check(request->config());
  if (!config.ok()) return ToGrpc(config.status());
  return Answer(runs_.Create(name, config->text, config->members), response);
}

grpc::Status TrainingService::GetRun(grpc::ServerContext* context, const v1::GetRunRequest* request,
                                     v1::Run* response) {
  if (const absl::Status status = Authorize(*context, Role::kInfer); !status.ok()) return ToGrpc(status);
  return Answer(runs_.Get(request->name()), response);
}

grpc::Status TrainingService::ListRuns(grpc::ServerContext* context, const v1::ListRunsRequest* /*request*/,
                                       v1::ListRunsResponse* response) {
  if (const absl::Status status = Authorize(*context, Role::kInfer); !status.ok()) return ToGrpc(status);
  for (const RunView& view : runs_.List()) Fill(view, response->add_runs());
  return grpc::Status::OK;
}

grpc::Status TrainingService::CancelRun(grpc::ServerContext* context, const v1::CancelRunRequest* request,
                                        v1::Run* response) {
  if (const absl::Status status = Authorize(*context, Role::kAdmin); !status.ok()) return ToGrpc(status);
  return Answer(runs_.Cancel(request->name()), response);
}

grpc::Status TrainingService::ResumeRun(grpc::ServerContext* context, const v1::ResumeRunRequest* request,
                                        v1::Run* response) {
  if (const absl::Status status = Authorize(*context, Role::kAdmin); !status.ok()) return ToGrpc(status);
  if (is_closing_) return ToGrpc(absl::UnavailableError("the service is shutting down"));
  return Answer(runs_.Resume(request->name()), response);
}

grpc::Status TrainingService::WatchRun(grpc::ServerContext* context, const v1::WatchRunRequest* request,
                                       grpc::ServerWriter<v1::Run>* writer) {
  if (const absl::Status status = Authorize(*context, Role::kInfer); !status.ok()) return ToGrpc(status);
  grpc::Status status = ToGrpc(absl::ResourceExhaustedError(absl::StrCat(kMostWatchers, " calls watch, the most")));
  if (++watchers_ <= kMostWatchers) status = Watch(context, request->name(), writer);
  --watchers_;
  return status;
}

grpc::Status TrainingService::Watch(grpc::ServerContext* context, const std::string& name,
                                    grpc::ServerWriter<v1::Run>* writer) {
  int64_t seen = -1;
  absl::Time told = absl::InfinitePast();
  while (!context->IsCancelled()) {
    if (is_closing_) return ToGrpc(absl::UnavailableError("the service is shutting down"));
    const absl::StatusOr<RunView> view = runs_.AwaitChange(name, seen, kPatience);
    if (!view.ok()) return ToGrpc(view.status());
    if (view->revision <= seen) continue;
    // What changes meanwhile is told in one message.
    if (absl::Now() - told < kRest && !HasEnded(view->record.state)) {
      absl::SleepFor(kPatience);
      continue;
    }
    seen = view->revision;
    told = absl::Now();
    v1::Run message;
    Fill(*view, &message);
    if (!writer->Write(message)) break;
    if (HasEnded(view->record.state)) return grpc::Status::OK;
  }
  return grpc::Status::CANCELLED;
}

grpc::Status TrainingService::PublishBundle(grpc::ServerContext* context, const v1::PublishBundleRequest* request,
                                            v1::PublishBundleResponse* response) {
  if (const absl::Status status = Authorize(*context, Role::kAdmin); !status.ok()) return ToGrpc(status);
  if (repository_.empty()) {
    return ToGrpc(absl::FailedPreconditionError("the service has no model repository (--model-repository)"));
  }
  if (const absl::Status status = CheckName("model", request->model()); !status.ok()) return ToGrpc(status);
  if (!v1::BundleKind_IsValid(request->bundle())) {
    return ToGrpc(absl::InvalidArgumentError(absl::StrCat("bundle: unknown, got ", request->bundle())));
  }
  const absl::StatusOr<RunView> view = runs_.Get(request->run());
  if (!view.ok()) return ToGrpc(view.status());
  const bool is_teacher = request->bundle() == v1::BUNDLE_KIND_TEACHER;
  const std::string bundle = is_teacher ? TeacherModel(view->folder) : StudentModel(view->folder);
  if (!std::filesystem::exists(bundle + "/model.json")) {
    return ToGrpc(absl::FailedPreconditionError(
        absl::StrCat("run '", request->run(), "' has not finished its ", is_teacher ? "teacher" : "student", " yet")));
  }
  const absl::StatusOr<PublishedBundle> published = candor::PublishBundle(bundle, repository_, request->model());
  if (!published.ok()) return ToGrpc(published.status());
  response->set_directory(published->directory);
  response->set_version(published->version);
  response->set_digest(published->digest);
  return grpc::Status::OK;
}

}  // namespace candor
