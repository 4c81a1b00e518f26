// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace candor {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(250);
constexpr int kBarCells = 24;
// Weight of the newest step in the moving means.
constexpr double kNewest = 0.05;

class ProgressBar : public TrainingObserver {
 public:
  explicit ProgressBar(std::FILE* out) : out_(out), is_terminal_(isatty(fileno(out)) != 0) {}

  absl::Status OnStart(const RunStart& start) override {
    start_ = start;
    return absl::OkStatus();
  }

  absl::Status OnStep(const StepRecord& record) override {
    const bool is_first = seconds_per_step_ == 0;
    loss_ = is_first ? record.loss : loss_ + kNewest * (record.loss - loss_);
    seconds_per_step_ = is_first ? record.seconds : seconds_per_step_ + kNewest * (record.seconds - seconds_per_step_);
    last_ = record;
    const absl::Time now = absl::Now();
    if (is_terminal_ && now - drawn_ >= kRedraw) {
      drawn_ = now;
      Draw();
    }
    return absl::OkStatus();
  }

  absl::Status OnValidation(const ValidationRecord& record) override {
    miou_ = record.miou;
    if (is_terminal_) Draw();
    return absl::OkStatus();
  }

  absl::Status OnEnd(const std::string& outcome) override {
    if (is_terminal_) {
      Draw();
      absl::FPrintF(out_, "\n");
    }
    return absl::OkStatus();
  }

 private:
  void Draw() const {
    const double done = start_.steps == 0 ? 1 : static_cast<double>(last_.step) / static_cast<double>(start_.steps);
    const int cells = static_cast<int>(done * kBarCells);
    std::string bar;
    for (int i = 0; i < kBarCells; ++i) bar += i < cells ? "━" : "·";
    const absl::Duration left =
        absl::Seconds(std::max(0.0, seconds_per_step_ * static_cast<double>(start_.steps - last_.step)));
    std::string line = absl::StrFormat("%s %s %3.0f %%  epoch %.1f/%d  loss %.4f", start_.name, bar, 100 * done,
                                       last_.epoch, start_.epochs, loss_);
    if (miou_ >= 0) absl::StrAppendFormat(&line, "  mIoU %.3f", miou_);
    if (seconds_per_step_ > 0) {
      absl::StrAppendFormat(&line, "  %.1f images/s  %s left", last_.images / seconds_per_step_,
                            absl::FormatDuration(absl::Trunc(left, absl::Seconds(1))));
    }
    absl::FPrintF(out_, "\r\033[K%s", line);
    std::fflush(out_);
  }

  std::FILE* const out_;
  const bool is_terminal_;
  RunStart start_;
  StepRecord last_;
  double loss_ = 0;
  double seconds_per_step_ = 0;
  double miou_ = -1;
  absl::Time drawn_ = absl::InfinitePast();
};

}  // namespace

std::unique_ptr<TrainingObserver> MakeProgressBar(std::FILE* out) { return std::make_unique<ProgressBar>(out); }

}  // namespace candor
