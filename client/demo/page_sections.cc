// SPDX-License-Identifier: Apache-2.0
#include "client/demo/page_sections.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/demo/demo_statistics.h"

namespace candor {
namespace {

// With a dash where there is no value.
std::string Percent(std::optional<double> share) {
  return share ? absl::StrFormat("%.1f %%", *share * 100) : std::string("&ndash;");
}

std::string Uncertainty(std::optional<double> value) {
  return value ? absl::StrFormat("%.3f", *value) : std::string("&ndash;");
}

std::string Milliseconds(double value) { return absl::StrFormat("%.1f", value); }

// An `<li>` of the lead.
std::string Fact(absl::string_view value, absl::string_view meaning) {
  return absl::StrCat("<li><strong>", value, "</strong> <span>", meaning, "</span></li>\n");
}

// A canvas in a figure. `live` adds the place where the script writes what is left at the chosen threshold.
struct Figure {
  std::string id;
  std::string area;  // of the CSS grid
  std::string alt;
  std::string caption;
  bool live = false;
};

std::string FigureHtml(const DemoPicture& picture, const Figure& figure) {
  return absl::StrCat("<figure class=\"", figure.area, "\"><canvas id=\"", figure.id, "\" width=\"",
                      picture.input.width, "\" height=\"", picture.input.height, "\" role=\"img\" aria-label=\"",
                      figure.alt, "\"></canvas><figcaption>", figure.caption,
                      figure.live ? absl::StrCat("<span class=\"live\" id=\"", figure.id, "-live\"></span>") : "",
                      "</figcaption></figure>\n");
}

// Labels, uncertainty and, with ground truth, errors of one model.
std::string ModelFigures(const DemoReport& report, const DemoPicture& picture, const std::string& id,
                         const std::string& model) {
  const std::string name = EscapeHtml(picture.name);
  const std::string prefix = absl::StrCat(id, "-", model, "-");
  const std::string title = model == "student" ? "Student" : "Teacher";
  const DemoAnswer& answer = model == "student" ? picture.student : picture.teacher;
  std::string html = FigureHtml(
      picture, {prefix + "labels", model + "-labels", absl::StrCat(title, "'s class of each pixel of ", name),
                absl::StrCat("<b>", title, "</b> labels"), true});
  absl::StrAppend(&html, FigureHtml(picture, {prefix + "uncertainty", model + "-uncertainty",
                                              absl::StrCat(title, "'s ", EscapeHtml(report.kind.name),
                                                           " of each pixel of ", name, ", as a heat map"),
                                              absl::StrCat("<b>", title, "</b> uncertainty<span class=\"live\">mean ",
                                                           Uncertainty(answer.mean_uncertainty), "</span>")}));
  if (picture.truth) {
    const DemoShare correct = CountCorrect(answer.labels, *picture.truth, static_cast<int>(report.classes.size()));
    absl::StrAppend(&html, FigureHtml(picture, {prefix + "errors", model + "-errors",
                                                absl::StrCat("Where the ", model, "'s label of ", name, " is wrong"),
                                                absl::StrCat("<b>", title, "</b> errors<span class=\"live\">",
                                                             Percent(correct.Value()), " right overall</span>")}));
  }
  return html;
}

std::string PictureSection(const DemoReport& report, const DemoPicture& picture, int index) {
  const std::string id = absl::StrCat("p", index);
  const std::string name = EscapeHtml(picture.name);
  std::string html =
      absl::StrCat("<section class=\"picture", picture.truth ? "" : " no-truth", "\" aria-labelledby=\"", id,
                   "-name\">\n<h2 id=\"", id, "-name\">", name, "</h2>\n<p class=\"facts\">", picture.input.width,
                   "&times;", picture.input.height, " pixels. Student ", Milliseconds(picture.student.round_trip_ms),
                   " ms, teacher ", Milliseconds(picture.teacher.round_trip_ms), " ms. Same label on ",
                   Percent(CountAgreement(picture.student.labels, picture.teacher.labels).Value()),
                   " of the pixels.</p>\n<div class=\"maps\">\n");
  absl::StrAppend(&html,
                  FigureHtml(picture, {id + "-input", "input", absl::StrCat("The picture ", name), "The picture"}));
  if (picture.truth) {
    absl::StrAppend(&html,
                    FigureHtml(picture, {id + "-truth", "truth", absl::StrCat("The true class of each pixel of ", name),
                                         "Ground truth, by hand"}));
  }
  absl::StrAppend(&html, ModelFigures(report, picture, id, "student"), ModelFigures(report, picture, id, "teacher"),
                  "</div>\n</section>\n");
  return html;
}

std::string HeaderRow(const std::vector<std::string>& names) {
  return absl::StrCat("<thead><tr><th scope=\"col\">", absl::StrJoin(names, "</th><th scope=\"col\">"),
                      "</th></tr></thead>\n");
}

// One row of the figures table; times in milliseconds.
std::string FiguresRow(const std::string& picture, absl::string_view model, double round_trip_ms, double infer_ms,
                       double mean_uncertainty, const DemoShare& agreement, const DemoShare& correct) {
  const std::string head =
      picture.empty() ? "" : absl::StrCat("<th scope=\"rowgroup\" rowspan=\"2\">", EscapeHtml(picture), "</th>");
  return absl::StrCat("<tr>", head, "<th scope=\"row\">", model, "</th><td>", Milliseconds(round_trip_ms), "</td><td>",
                      Milliseconds(infer_ms), "</td><td>", Uncertainty(mean_uncertainty), "</td><td>",
                      Percent(agreement.Value()), "</td><td>", Percent(correct.Value()), "</td></tr>\n");
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string LeadSection(const DemoReport& report) {
  const DemoTotals student = TotalOf(report, &DemoPicture::student);
  const DemoTotals teacher = TotalOf(report, &DemoPicture::teacher);
  std::string html = "<ul class=\"lead\">\n";
  if (const std::optional<double> ratio = SpeedRatio(student, teacher)) {
    absl::StrAppend(&html, Fact(absl::StrFormat("%.1f&times;", *ratio),
                                absl::StrFormat("student's speed: %s ms a picture, the teacher's %d networks %s ms",
                                                Milliseconds(student.round_trip_ms), report.teacher.members,
                                                Milliseconds(teacher.round_trip_ms))));
  }
  absl::StrAppend(&html, Fact(Percent(TotalAgreement(report).Value()), "of the pixels get the same label from both"));
  if (student.correct.total > 0) {
    absl::StrAppend(&html, Fact(Percent(student.correct.Value()), "of the student's labels are right"),
                    Fact(Percent(teacher.correct.Value()), "of the teacher's labels are right"));
  }
  return absl::StrCat(html, "</ul>");
}

std::string Gradient(const std::vector<Colour>& colours) {
  constexpr size_t kStep = 15;  // 18 stops of 256 are more than the eye tells apart
  std::string css = "linear-gradient(to right";
  for (size_t i = 0; i < colours.size(); i += kStep) {
    absl::StrAppendFormat(&css, ",#%02x%02x%02x", colours[i].red, colours[i].green, colours[i].blue);
  }
  return css + ")";
}

std::string ClassLegend(const DemoReport& report) {
  std::string html;
  for (const ClassDescription& entry : report.classes) {
    absl::StrAppendFormat(&html, "<li><i style=\"background:#%02x%02x%02x\"></i>%s</li>\n", entry.colour.red,
                          entry.colour.green, entry.colour.blue, EscapeHtml(entry.name));
  }
  return html;
}

std::string PictureSections(const DemoReport& report) {
  std::string html;
  int index = 0;
  for (const DemoPicture& picture : report.pictures) absl::StrAppend(&html, PictureSection(report, picture, index++));
  return html;
}

std::string FiguresTable(const DemoReport& report) {
  std::string html = absl::StrCat(
      "<table class=\"figures\">\n<caption><span>Times are medians of ", report.calls,
      report.calls == 1 ? " call" : " calls",
      " after a warm-up; over all pictures, means. Round trip: at the client, decoding and transfer included. "
      "Uncertainty: ",
      EscapeHtml(report.kind.name),
      ". Agreement: pixels to which both models give the same label. Accuracy: against the ground truth, void left "
      "out.</span></caption>\n",
      HeaderRow({"picture", "model", "round trip, ms", "inference, ms", "mean uncertainty", "agreement", "accuracy"}));
  const int class_count = static_cast<int>(report.classes.size());
  for (const DemoPicture& picture : report.pictures) {
    const DemoShare agreement = CountAgreement(picture.student.labels, picture.teacher.labels);
    const auto row = [&](const std::string& head, absl::string_view model, const DemoAnswer& answer) {
      const DemoShare correct = picture.truth ? CountCorrect(answer.labels, *picture.truth, class_count) : DemoShare();
      return FiguresRow(head, model, answer.round_trip_ms, answer.infer_ms, answer.mean_uncertainty, agreement,
                        correct);
    };
    absl::StrAppend(&html, "<tbody>\n", row(picture.name, "student", picture.student),
                    row("", "teacher", picture.teacher), "</tbody>\n");
  }
  const DemoShare agreement = TotalAgreement(report);
  const auto total = [&](const std::string& head, absl::string_view model, const DemoTotals& totals) {
    return FiguresRow(head, model, totals.round_trip_ms, totals.infer_ms, totals.mean_uncertainty, agreement,
                      totals.correct);
  };
  absl::StrAppend(&html, "<tbody class=\"total\">\n",
                  total("all pictures", "student", TotalOf(report, &DemoPicture::student)),
                  total("", "teacher", TotalOf(report, &DemoPicture::teacher)), "</tbody>\n</table>");
  return html;
}

std::string ClassTable(const DemoReport& report) {
  const DemoTotals student = TotalOf(report, &DemoPicture::student);
  const DemoTotals teacher = TotalOf(report, &DemoPicture::teacher);
  std::string html = absl::StrCat(
      "<table>\n<caption><span>Over all pictures. IoU: intersection over union with the ground truth, void left out. "
      "Uncertainty: the mean over the pixels that the model labels so.</span></caption>\n",
      HeaderRow({"class", "student IoU", "teacher IoU", "student uncertainty", "teacher uncertainty"}), "<tbody>\n");
  for (size_t c = 0; c < report.classes.size(); ++c) {
    absl::StrAppend(&html, "<tr><th scope=\"row\">", EscapeHtml(report.classes[c].name), "</th><td>",
                    Percent(student.overlap[c].Value()), "</td><td>", Percent(teacher.overlap[c].Value()), "</td><td>",
                    Uncertainty(student.class_uncertainty[c]), "</td><td>", Uncertainty(teacher.class_uncertainty[c]),
                    "</td></tr>\n");
  }
  return absl::StrCat(html, "</tbody>\n</table>");
}

std::string CreditLine(const DemoReport& report) {
  return report.credit.empty() ? "" : absl::StrCat("<p>", EscapeHtml(report.credit), "</p>");
}

}  // namespace candor
