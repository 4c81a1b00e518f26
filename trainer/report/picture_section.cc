// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/image/draw.h"
#include "trainer/report/embed_picture.h"
#include "trainer/report/html.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

struct Panel {
  const char* title;
  std::string PictureFigures::*file;
};
constexpr Panel kPanels[] = {{"picture", &PictureFigures::picture_file},
                             {"true labels", &PictureFigures::truth_file},
                             {"predicted labels", &PictureFigures::labels_file},
                             {"uncertainty", &PictureFigures::uncertainty_file},
                             {"errors", &PictureFigures::error_file}};

absl::StatusOr<std::string> PictureRow(const ReportedResult& reported, const PictureFigures& picture,
                                       const std::string& reason) {
  std::string html = absl::StrFormat(
      "<article class=\"picture\">\n<h4>%s</h4>\n<p>%s: accuracy %s %%, mIoU %s %%, mean uncertainty %s</p>\n<div "
      "class=\"maps\">\n",
      EscapeHtml(picture.name), reason, Percent(picture.accuracy), Percent(picture.miou),
      Decimal(picture.mean_uncertainty, 3));
  for (const Panel& panel : kPanels) {
    const std::string alt = absl::StrCat(panel.title, " of ", picture.name);
    ASSIGN_OR_RETURN(const std::string image, EmbedPicture(reported, picture.*panel.file, alt));
    absl::StrAppend(&html, "<figure>", image, "<figcaption>", panel.title, "</figcaption></figure>\n");
  }
  return absl::StrCat(html, "</div>\n</article>\n");
}

// Indices of pictures that have files: of the worst `each`, and of the most uncertain `each` of the others.
struct Choice {
  std::vector<size_t> worst;
  std::vector<size_t> uncertain;
};

Choice Choose(const std::vector<PictureFigures>& pictures, size_t each) {
  const auto has_no_file = [&](size_t i) { return pictures[i].picture_file.empty(); };
  Choice choice;
  for (size_t i = 0; i < pictures.size(); ++i) (i < each ? choice.worst : choice.uncertain).push_back(i);
  std::stable_sort(choice.uncertain.begin(), choice.uncertain.end(),
                   [&](size_t a, size_t b) { return pictures[a].mean_uncertainty > pictures[b].mean_uncertainty; });
  choice.uncertain.resize(std::min(each, choice.uncertain.size()));
  for (std::vector<size_t>* list : {&choice.worst, &choice.uncertain}) {
    list->erase(std::remove_if(list->begin(), list->end(), has_no_file), list->end());
  }
  return choice;
}

std::string Css(const Colour& colour) {
  return absl::StrFormat("#%02x%02x%02x", colour.red, colour.green, colour.blue);
}

// The colours of classes, of the error map and of uncertainty, in words and samples.
std::string Key(const EvaluationResult& result) {
  std::string html = "<ul class=\"key\" aria-label=\"Colours of the labels\">\n";
  for (const ClassSpec& entry : result.classes) {
    absl::StrAppend(&html, "<li><i style=\"background:", Css(entry.colour), "\"></i>", EscapeHtml(entry.name),
                    "</li>\n");
  }
  absl::StrAppend(&html,
                  "</ul>\n<p class=\"key\"><span><i style=\"background:#ff3030\"></i>wrong</span> <span><i "
                  "style=\"background:#808080\"></i>void: no true label</span>");
  if (!result.kinds.empty()) {
    constexpr int kStops = 9;
    FloatMap ramp = {kStops, 1, {}};
    for (int i = 0; i < kStops; ++i) ramp.values.push_back(static_cast<float>(i));
    const Image colours = HeatMap(ramp, kStops - 1);
    std::string gradient;
    for (size_t i = 0; i < kStops; ++i) {
      absl::StrAppend(&gradient, ",",
                      Css({colours.pixels[3 * i], colours.pixels[3 * i + 1], colours.pixels[3 * i + 2]}));
    }
    const UncertaintyKind kind = result.kinds[0].kind;
    absl::StrAppend(&html, " <span>", UncertaintyKindName(kind),
                    " 0 <i class=\"ramp\" style=\"background:linear-gradient(90deg", gradient, ")\"></i> ",
                    Decimal(UncertaintyKindMax(kind, static_cast<int>(result.classes.size())), 2), " ",
                    UncertaintyKindUnit(kind), "</span>");
  }
  return absl::StrCat(html, "</p>\n");
}

}  // namespace

absl::StatusOr<std::string> PictureSection(const ReportInput& input) {
  const std::vector<std::string> names = DisplayNames(input.results);
  std::string pictures;
  for (size_t i = 0; i < input.results.size(); ++i) {
    const ReportedResult& reported = input.results[i];
    const Choice choice =
        Choose(reported.result.picture_figures, static_cast<size_t>(std::max(input.pictures_each, 0)));
    if (choice.worst.empty() && choice.uncertain.empty()) continue;
    absl::StrAppend(&pictures, "<h3>", EscapeHtml(names[i]), "</h3>\n", Key(reported.result));
    for (const size_t p : choice.worst) {
      ASSIGN_OR_RETURN(const std::string row,
                       PictureRow(reported, reported.result.picture_figures[p], "Among the worst"));
      absl::StrAppend(&pictures, row);
    }
    for (const size_t p : choice.uncertain) {
      ASSIGN_OR_RETURN(const std::string row,
                       PictureRow(reported, reported.result.picture_figures[p], "Among the most uncertain"));
      absl::StrAppend(&pictures, row);
    }
  }
  if (pictures.empty()) return std::string();
  return absl::StrCat(
      "<section id=\"pictures\">\n<h2>Pictures</h2>\n<p>Of each model the worst pictures, then the most uncertain "
      "of the others. A good model is uncertain (bright) where it is wrong (red).</p>\n",
      pictures, "</section>\n");
}

}  // namespace candor
