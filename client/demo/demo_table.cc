// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/console.h"
#include "client/cli/table.h"
#include "client/demo/demo_statistics.h"

namespace candor {
namespace {

// One row; times in milliseconds.
void AddRow(const std::string& picture, const std::string& model, double round_trip_ms, double infer_ms,
            double mean_uncertainty, const DemoShare& agreement, const DemoShare& correct, Table* table) {
  table->AddRow({picture, model, absl::StrFormat("%.1f", round_trip_ms), absl::StrFormat("%.1f", infer_ms),
                 absl::StrFormat("%.4f", mean_uncertainty), PercentCell(agreement.Value()),
                 PercentCell(correct.Value())});
}

void AddPictureRows(const DemoPicture& picture, int class_count, Table* table) {
  const DemoShare agreement = CountAgreement(picture.student.labels, picture.teacher.labels);
  const auto add = [&](const std::string& name, const std::string& model, const DemoAnswer& answer) {
    const DemoShare correct = picture.truth ? CountCorrect(answer.labels, *picture.truth, class_count) : DemoShare();
    AddRow(name, model, answer.round_trip_ms, answer.infer_ms, answer.mean_uncertainty, agreement, correct, table);
  };
  add(OneLine(picture.name), "student", picture.student);
  add("", "teacher", picture.teacher);
}

}  // namespace

std::string PercentCell(std::optional<double> share) {
  return share ? absl::StrFormat("%.1f", *share * 100) : std::string("-");
}

void PrintDemoTable(const DemoReport& report, std::ostream& out) {
  Table table({"picture", "model", "round trip ms", "infer ms", "mean uncertainty", "agreement %", "accuracy %"});
  const int class_count = static_cast<int>(report.classes.size());
  for (const DemoPicture& picture : report.pictures) AddPictureRows(picture, class_count, &table);
  const DemoTotals student = TotalOf(report, &DemoPicture::student);
  const DemoTotals teacher = TotalOf(report, &DemoPicture::teacher);
  const DemoShare agreement = TotalAgreement(report);
  AddRow("all", "student", student.round_trip_ms, student.infer_ms, student.mean_uncertainty, agreement,
         student.correct, &table);
  AddRow("", "teacher", teacher.round_trip_ms, teacher.infer_ms, teacher.mean_uncertainty, agreement, teacher.correct,
         &table);
  table.Print(out);

  out << "\nround trip: at the client, decoding and transfer included; infer: inference at the server. Each is the "
      << "median of " << report.calls << (report.calls == 1 ? " call" : " calls")
      << " after a warm-up; of all, the mean over the pictures.\n"
      << "uncertainty: " << OneLine(report.kind.name) << ", in [0, " << absl::StrFormat("%g", report.kind.range_max)
      << (report.kind.unit == "nats" ? "] nats" : ")")
      << ". agreement: pixels to which both models give the same label. accuracy: against the ground truth, void left "
      << "out.\n";
  if (const std::optional<double> ratio = SpeedRatio(student, teacher)) {
    out << absl::StreamFormat("The teacher's %d networks take %.1f times as long as the student's one (round trip).\n",
                              report.teacher.members, *ratio);
  }
}

}  // namespace candor
