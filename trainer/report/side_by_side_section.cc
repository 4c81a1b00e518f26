// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "trainer/report/embed_picture.h"
#include "trainer/report/html.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

// Null if the model has no files of a picture of this name.
const PictureFigures* FindPicture(const EvaluationResult& result, const std::string& name) {
  const auto& pictures = result.picture_figures;
  const auto found = std::find_if(pictures.begin(), pictures.end(), [&name](const PictureFigures& picture) {
    return picture.name == name && !picture.uncertainty_file.empty();
  });
  return found == pictures.end() ? nullptr : &*found;
}

// Names of at most `most` pictures that all models of the group have files of, by name.
std::vector<std::string> CommonPictures(const ReportInput& input, const std::vector<size_t>& group, size_t most) {
  std::vector<std::string> names;
  for (const PictureFigures& picture : input.results[group[0]].result.picture_figures) {
    const bool is_common = std::all_of(group.begin(), group.end(), [&](size_t i) {
      return FindPicture(input.results[i].result, picture.name) != nullptr;
    });
    if (is_common) names.push_back(picture.name);
  }
  std::sort(names.begin(), names.end());
  names.resize(std::min(names.size(), most));
  return names;
}

absl::StatusOr<std::string> Given(const ReportedResult& reported, const PictureFigures& picture) {
  ASSIGN_OR_RETURN(const std::string image,
                   EmbedPicture(reported, picture.picture_file, absl::StrCat("picture of ", picture.name)));
  ASSIGN_OR_RETURN(const std::string truth,
                   EmbedPicture(reported, picture.truth_file, absl::StrCat("true labels of ", picture.name)));
  return absl::StrCat("<figure>", image, truth, "<figcaption>picture and true labels</figcaption></figure>\n");
}

absl::StatusOr<std::string> Answer(const ReportedResult& reported, const std::string& model,
                                   const PictureFigures& picture) {
  const std::string of = absl::StrCat(" of ", picture.name, " by ", model);
  ASSIGN_OR_RETURN(const std::string uncertainty,
                   EmbedPicture(reported, picture.uncertainty_file, absl::StrCat("uncertainty", of)));
  ASSIGN_OR_RETURN(const std::string errors, EmbedPicture(reported, picture.error_file, absl::StrCat("errors", of)));
  const auto& kinds = reported.result.kinds;
  return absl::StrFormat("<figure>%s%s<figcaption><b>%s</b> %s, %s %% right</figcaption></figure>\n", uncertainty,
                         errors, EscapeHtml(model), kinds.empty() ? "" : UncertaintyKindName(kinds[0].kind),
                         Percent(picture.accuracy));
}

}  // namespace

absl::StatusOr<std::string> SideBySideSection(const ReportInput& input) {
  const std::vector<std::string> names = DisplayNames(input.results);
  const auto most = static_cast<size_t>(std::max(input.side_by_side, 0));
  std::string pictures;
  for (const std::vector<size_t>& group : DataGroups(input.results)) {
    if (group.size() < 2) continue;
    for (const std::string& name : CommonPictures(input, group, most)) {
      const ReportedResult& first = input.results[group[0]];
      ASSIGN_OR_RETURN(std::string maps, Given(first, *FindPicture(first.result, name)));
      for (const size_t i : group) {
        const ReportedResult& reported = input.results[i];
        ASSIGN_OR_RETURN(const std::string answer, Answer(reported, names[i], *FindPicture(reported.result, name)));
        absl::StrAppend(&maps, answer);
      }
      absl::StrAppend(&pictures, "<article class=\"picture\">\n<h4>", EscapeHtml(name),
                      "</h4>\n<div class=\"models\">\n", maps, "</div>\n</article>\n");
    }
  }
  if (pictures.empty()) return std::string();
  return absl::StrCat(
      "<section id=\"side-by-side\">\n<h2>Side by side</h2>\n<p>The same pictures by all models: the default kind of "
      "uncertainty, bright where it is high, on the scale of the kind; below it what is wrong, red.</p>\n",
      pictures, "</section>\n");
}

}  // namespace candor
