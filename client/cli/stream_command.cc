// SPDX-License-Identifier: Apache-2.0
//
// Opens the source and the stream, plays, writes files, reports.
#include "client/cli/stream_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/bench/camera_player.h"
#include "client/cli/frame_source.h"
#include "client/cli/json_number.h"
#include "client/cli/kind_flag.h"
#include "client/cli/pictures.h"
#include "client/cli/segment_outputs.h"
#include "client/cli/stream_report.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr double kMaxRate = 1000;
constexpr int kMaxCameras = 64;
constexpr double kMaxFrameTimeoutMs = 3'600'000;

constexpr char kHelp[] = R"(Examples:
  candor stream --fps 10 pictures/
  candor stream --fps 30 --policy latest --cameras 4 --loop --frames 3000 pictures/
  candor stream --fps 25 --policy every --out results --json drive.mp4
  candor stream --fps 5 --model student --escalate-above 0.05 --frame-timeout 500 pictures/

Frames come at their times whatever the server does, as from a camera, over one stream; latency counts from then.
--policy latest: while a frame is under way only the camera's newest one waits. Those it replaces are "superseded", or
"skipped" if they had not yet been sent. --policy every: all are segmented, late if need be. A frame that has no answer
within --frame-timeout of reaching the server is "late". A folder's .jpg, .jpeg and .png files are played by name, but for
NAME_truth.png, the ground truth of NAME; a video through ffmpeg, which must be in PATH, at --fps pictures a second of its
time.

With --escalate the first model's answer is shown at once, as "preliminary", and the frame's answer follows: the second
model's, or the first one's again where there was no time.

--out DIR gets the files of `candor segment --out` for each answered frame, of several cameras in a folder each; a video's
frames are named frame_000000 on. With --loop a later round's files replace those of an earlier one.

--json prints an object a frame, as answers come: camera, sequence, image, outcome ("answered", "superseded", "skipped",
"late" or "failed"; before that perhaps another object with "preliminary"), due_s, latency_ms, error {code, message,
reason, retry_delay_ms}, result (as of candor segment --json). The last one is statistics {frames, answered, superseded,
skipped, late, failed, seconds, answers_per_second, latency_ms {p50, p99, max, mean}, uncertainty {kind, mean},
mean_members, escalation {preliminary, preliminary_latency_ms {p50, p99}, not_needed, escalated, no_time, second_failed}
(null without --escalate), server {frames, answered, superseded, late, failed, mean_latency_ms, max_latency_ms}}; server
is null if the stream broke.

Exit codes: 0 every frame was answered, superseded or skipped; 1 a frame was late or failed; 2 usage, 69 server not
reached or gone, 70 internal, 74 file not read or written, 75 overloaded, 130 interrupted.)";

template <typename Number>
CLI::Validator InRange(Number least, Number most) {
  const auto check = [=](const std::string& text) -> std::string {
    Number value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return "";
    return absl::StrCat("must be in [", least, ", ", most, "], got ", text);
  };
  return {check, ""};
}

// A line on the terminal that is written over, a few times a second.
class NowLine {
 public:
  explicit NowLine(const Console& console) : console_(console) {}
  ~NowLine() { Clear(); }
  NowLine(const NowLine&) = delete;
  NowLine& operator=(const NowLine&) = delete;

  void Show(const StreamFigures& figures) {
    constexpr auto kInterval = std::chrono::milliseconds(200);
    const auto now = std::chrono::steady_clock::now();
    if (!console_.err_is_terminal || (visible_ && now - shown_ < kInterval)) return;
    console_.err << "\r\x1b[K" << figures.NowLine() << std::flush;
    shown_ = now;
    visible_ = true;
  }
  void Clear() {
    if (visible_) console_.err << "\r\x1b[K" << std::flush;
    visible_ = false;
  }

 private:
  const Console& console_;
  bool visible_ = false;
  std::chrono::steady_clock::time_point shown_;
};

// Takes each frame that has ended.
class FrameWriter {
 public:
  FrameWriter(const StreamFlags& flags, const AnsweringModels& models, std::vector<std::string> folders,
              const Console& console, SegmentationStream* stream)
      : flags_(flags),
        folders_(std::move(folders)),
        models_(models),
        console_(console),
        stream_(stream),
        figures_({flags.cameras, models.first().kind.name, flags.effort.anytime, flags.effort.has_escalation()}),
        line_(console) {}

  void Take(PlayedFrame frame) {
    std::optional<SegmentedPicture> picture;
    if (auto* result = std::get_if<SegmentResult>(&frame.answer.outcome); frame.fate == FrameFate::kAnswered) {
      picture = Segmented(frame, std::move(*result));
      if (!folders_.empty()) Write(frame, &*picture);
    }
    if (auto* early = std::get_if<Preliminary>(&frame.answer.outcome); frame.fate == FrameFate::kPreliminary) {
      picture = Segmented(frame, std::move(early->result));
    }
    const SegmentedPicture* answered = picture.has_value() ? &*picture : nullptr;
    figures_.Add(frame, answered);
    if (flags_.json) {
      line_.Clear();
      console_.out << JsonLine(FrameJson(frame, answered)) << "\n" << std::flush;
    }
    line_.Show(figures_);
  }
  void Finish() { line_.Clear(); }

  const StreamFigures& figures() const { return figures_; }
  const absl::Status& written() const { return written_; }

 private:
  SegmentedPicture Segmented(const PlayedFrame& frame, SegmentResult result) const {
    const auto& [model, kind] = models_.Of(result);
    return {frame.picture->name, std::move(result), kind, model.classes, model.predictions, {}};
  }

  void Write(const PlayedFrame& frame, SegmentedPicture* picture) {
    if (!written_.ok()) return;
    written_ =
        WriteOutputs(folders_[static_cast<size_t>(frame.camera)], /*npy=*/false, frame.picture->file_bytes, picture);
    if (!written_.ok()) stream_->Cancel();  // the rest could not be written either
  }

  const StreamFlags& flags_;
  const std::vector<std::string> folders_;  // by camera; empty: no files
  const AnsweringModels& models_;
  const Console& console_;
  SegmentationStream* const stream_;
  StreamFigures figures_;
  NowLine line_;
  absl::Status written_;
};

// Where each camera's files go; empty without --out.
std::vector<std::string> OutputFolders(const StreamFlags& flags, const CameraPlan& plan) {
  if (flags.out.empty()) return {};
  if (plan.cameras == 1) return {flags.out};
  std::vector<std::string> folders;
  for (int i = 0; i < plan.cameras; ++i) folders.push_back(OutputPath(flags.out, absl::StrCat(plan.name, i), ""));
  return folders;
}

SegmentOptions MakeOptions(const StreamFlags& flags, const std::string& kind) {
  SegmentOptions options;
  options.model = flags.model;
  options.want_labels = !flags.out.empty();
  options.label_transfer = LabelTransfer::kRunLengths;
  options.uncertainty = {{kind, !flags.out.empty(), std::nullopt}};
  Apply(flags.effort, &options);
  return options;
}

ExitCode Report(const StreamFlags& flags, const FrameWriter& writer, const absl::StatusOr<StreamStatistics>& ending,
                const Console& console) {
  const StreamFigures& figures = writer.figures();
  if (flags.json) {
    const std::optional<StreamStatistics> server = ending.ok() ? std::optional(*ending) : std::nullopt;
    console.out << JsonLine({{"statistics", figures.Json(server)}}) << "\n";
  } else if (figures.frames() > 0) {
    figures.Print(console.out);
  }
  if (!writer.written().ok()) return ReportStatus(console, flags.connection, "--out", writer.written());
  if (!ending.ok()) return ReportStatus(console, flags.connection, "", ending.status());
  if (figures.first_error().ok()) return ExitCode::kOk;
  ReportError(console, absl::StrCat(figures.count(FrameFate::kLate), " of ", figures.frames(), " frames were late and ",
                                    figures.count(FrameFate::kFailed),
                                    " failed; the first: ", absl::StatusCodeToString(figures.first_error().code()),
                                    ": ", figures.first_error().message()));
  return ExitCode::kFailure;
}

}  // namespace

CLI::App* AddStreamCommand(CLI::App* app, StreamFlags* flags) {
  CLI::App* command = app->add_subcommand("stream", "Play pictures or a video as cameras at a frame rate");
  command->add_option("SOURCE", flags->source, "Folder of JPEG and PNG files, or a video")->required();
  AddConnectionFlags(command, &flags->connection);
  command->add_option("--fps", flags->rate, "Frames a second, of each camera")
      ->type_name("N")
      ->check(InRange(0.001, kMaxRate))
      ->capture_default_str();
  command->add_option("--policy", flags->policy, "every or latest; default: latest")
      ->type_name("HOW")
      ->transform(CLI::CheckedTransformer(std::map<std::string, FramePolicy>{{"every", FramePolicy::kEveryFrame},
                                                                             {"latest", FramePolicy::kLatestFrame}}));
  command->add_option("--cameras", flags->cameras, "So many cameras of the same pictures, not in step")
      ->type_name("N")
      ->check(InRange(1, kMaxCameras))
      ->capture_default_str();
  command->add_flag("--loop", flags->loop, "From the start again at the end");
  command->add_option("--frames", flags->frames, "Of each camera, at most; default: all, with --loop without end")
      ->type_name("N")
      ->check(InRange<int64_t>(1, 1'000'000'000));
  command->add_option("--frame-timeout", flags->frame_timeout_ms, "Time limit of each frame; default: --timeout")
      ->type_name("MS")
      ->check(InRange(1.0, kMaxFrameTimeoutMs));
  command->add_option("--max-unanswered", flags->max_unanswered, "Frames at the server, at most; default: its own")
      ->type_name("N")
      ->check(InRange(1, 1024));
  command->add_option("--model", flags->model, "Name or alias of the model; default: the server's")->type_name("NAME");
  AddKindFlag(command, &flags->uncertainty);
  AddEffortFlags(command, &flags->effort);
  command->add_option("--out", flags->out, "Write files into this folder, made if missing")->type_name("DIR");
  command->add_flag("--json", flags->json, "One JSON object a frame on stdout, one a line, and the statistics");
  command->footer(kHelp);
  return command;
}

ExitCode RunStream(const StreamFlags& flags, const Console& console) {
  const auto source = OpenFrameSource(flags.source, flags.rate);
  if (!source.ok()) return ReportStatus(console, flags.connection, "", source.status());
  CameraPlan plan;
  plan.cameras = flags.cameras;
  plan.rate = flags.rate;
  plan.skips_stale = flags.policy == FramePolicy::kLatestFrame;
  const std::vector<std::string> folders = OutputFolders(flags, plan);
  for (const std::string& folder : folders) {
    if (absl::Status usage = CheckPictures((*source)->names(), folder, OutputSuffixes(/*npy=*/false)); !usage.ok()) {
      ReportError(console, usage.message());
      return ExitCode::kUsage;
    }
  }
  const auto client = Connect(flags.connection);
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  const auto models = AnsweringModels::Find(flags.model, flags.uncertainty, flags.effort, client->get());
  if (!models.ok()) return ReportStatus(console, flags.connection, "", models.status());
  for (const std::string& folder : folders) {
    if (absl::Status made = MakeDirectories(folder); !made.ok()) {
      return ReportStatus(console, flags.connection, "--out", made);
    }
  }
  StreamOptions options;
  options.policy = flags.policy;
  options.max_unanswered = flags.max_unanswered;
  if (flags.frame_timeout_ms > 0) options.frame_timeout = absl::Milliseconds(flags.frame_timeout_ms);
  const auto stream = (*client)->OpenStream(options);
  if (!stream.ok()) return ReportStatus(console, flags.connection, "", stream.status());

  FrameWriter writer(flags, *models, folders, console, stream->get());
  const auto next = [&](int64_t sequence, double /*due_s*/) -> absl::StatusOr<PicturePointer> {
    if (flags.frames > 0 && sequence == flags.frames) return nullptr;
    ASSIGN_OR_RETURN(PicturePointer picture, (*source)->Next());
    if (picture == nullptr && flags.loop) return (*source)->Next();
    return picture;
  };
  plan.start = std::chrono::steady_clock::now();
  const auto ending = PlayCameras(plan, MakeOptions(flags, models->first().kind.name), next, stream->get(),
                                  [&](PlayedFrame frame) { writer.Take(std::move(frame)); });
  writer.Finish();
  return Report(flags, writer, ending, console);
}

}  // namespace candor
