// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "trainer/report/html.h"
#include "trainer/report/result_relations.h"
#include "trainer/report/sections.h"

namespace candor {
namespace {

struct Definition {
  const char* term;
  const char* text;
  const char* source;
};

constexpr Definition kDefinitions[] = {
    {"mIoU",
     "Intersection over union TP / (TP + FP + FN) of each class from one confusion matrix over the split; mean "
     "over classes that are labelled or predicted at all.",
     "Everingham et al. 2010"},
    {"Accuracy", "Share of labelled pixels with the right label.", ""},
    {"Class-wise uncertainty",
     "Mean uncertainty of all pixels predicted as the class, over the whole split, void included.",
     "Landgraf et al. 2023 (DUDES), table 2"},
    {"mUnc",
     "Mean of the class-wise uncertainty over classes ever predicted. By the authors' code: per picture, pixels of "
     "uncertainty 0 left out, mean over pictures; a class never predicted counts as 0.",
     "Landgraf et al. 2023 (DUDES)"},
    {"predictive_stddev",
     "Sample standard deviation over the members of the softmax at the predicted class; a student "
     "predicts it in one pass.",
     "Landgraf et al. 2023 (DUDES)"},
    {"predictive_entropy", "Entropy of the mean softmax, in nats.", ""},
    {"expected_entropy, mutual_information",
     "Mean over members of the entropy of their softmax; predictive entropy minus it.", "Houlsby et al. 2011"},
    {"max_probability, margin", "1 minus the highest softmax; 1 minus the highest plus the second.",
     "Hendrycks and Gimpel 2017"},
    {"Error AUROC",
     "Area under the receiver operating characteristic when uncertainty ranks wrong pixels before right "
     "ones: 0.5 is chance, 1 perfect.",
     "Hendrycks and Gimpel 2017"},
    {"AUPR", "Average precision of the wrong (or unknown) pixels by falling uncertainty.", "Hendrycks and Gimpel 2017"},
    {"FPR95", "Share of right (or known) pixels above the first threshold that finds at least 95 % of the others.",
     "Liang et al. 2018"},
    {"ECE",
     "Mean over bins of |accuracy - confidence|, weighted by pixels: 15 equal bins; bins of equal mass (adaptive); "
     "mean over classes of each class's own (class-wise).",
     "Naeini et al. 2015; Guo et al. 2017; Nixon et al. 2019"},
    {"MCE, RMSCE", "The largest gap of a bin; the root of the weighted mean squared gap.",
     "Naeini et al. 2015; Hendrycks et al. 2019"},
    {"NLL", "Mean over labelled pixels of -ln p of the true class, in nats.", ""},
    {"Brier", "Mean over labelled pixels of the sum over classes of (p - [class is true]) squared, from 0 to 2.",
     "Brier 1950"},
    {"AURC, E-AURC",
     "Area under the error rate against the share of most certain pixels kept; the same minus that of an "
     "oracle that puts all errors last.",
     "Geifman et al. 2019"},
    {"AUSE", "Area between the error rate left after dropping the most uncertain pixels and that of an oracle.",
     "Ilg et al. 2018"},
    {"Rejection curve",
     "mIoU of the pixels left after dropping the most uncertain share of the whole split; its area is "
     "divided by the range of shares.",
     "Landgraf et al. 2023 (DUDES), figure 4"},
    {"p(acc|cer), p(unc|inacc), PAvPU",
     "Share of right pixels among certain ones; of uncertain among wrong ones; of right "
     "and certain or wrong and uncertain among all. Pixel by pixel, and over windows of "
     "4 \xC3\x97 4.",
     "Mukhoti and Gal 2018"},
    {"RSS", "Harmonic mean of mIoU, 1 - ECE, p(acc|cer) and p(unc|inacc), by entropy and each picture's median.",
     "Landgraf and Ulrich 2025"},
    {"MAE, RMSE, RMSLE, Pearson, Spearman",
     "Student's uncertainty against its teacher's, pixel by pixel: mean absolute, root "
     "mean squared and root mean squared logarithmic difference, linear and rank "
     "correlation.",
     "RMSLE: Landgraf et al. 2023 (DUDES)"},
};

std::string DefinitionList() {
  std::string html = "<dl class=\"definitions\">\n";
  for (const Definition& entry : kDefinitions) {
    absl::StrAppend(&html, "<div><dt>", EscapeHtml(entry.term), "</dt><dd>", EscapeHtml(entry.text));
    if (entry.source[0] != '\0') absl::StrAppend(&html, " <cite>", EscapeHtml(entry.source), "</cite>");
    absl::StrAppend(&html, "</dd></div>\n");
  }
  return absl::StrCat(html, "</dl>\n");
}

// A word that a POSIX shell takes as it stands, or in quotes.
std::string ShellWord(const std::string& word) {
  constexpr absl::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
  if (!word.empty() && absl::string_view(word).find_first_not_of(kPlain) == absl::string_view::npos) return word;
  std::string quoted = "'";
  for (const char byte : word) absl::StrAppend(&quoted, byte == '\'' ? "'\\''" : std::string(1, byte));
  return absl::StrCat(quoted, "'");
}

std::string EvaluateCommand(const EvaluationResult& result) {
  std::vector<std::string> words = {"candor-train", "evaluate", "--bundle", ShellWord(result.model)};
  for (const FidelityFigures& fidelity : result.fidelity) {
    words.insert(words.end(), {"--teacher", ShellWord(fidelity.teacher)});
  }
  words.insert(words.end(), {"--data", ShellWord(result.data), "--split", ShellWord(result.split), "--precision",
                             ShellWord(result.precision), "--out", "results.json"});
  return absl::StrJoin(words, " ");
}

std::string Provenance(const EvaluationResult& result, const std::string& name) {
  const auto row = [](absl::string_view term, const std::string& html) {
    return absl::StrCat("<tr><th scope=\"row\">", term, "</th><td class=\"text\">", html, "</td></tr>\n");
  };
  const auto code = [](const std::string& text) { return absl::StrCat("<code>", EscapeHtml(text), "</code>"); };
  return absl::StrCat("<table class=\"provenance whole\">\n<caption><b>", EscapeHtml(name), "</b></caption>\n<tbody>\n",
                      row("Model digest", code(result.digest)),
                      row("Data, split", absl::StrCat(EscapeHtml(result.data), ", ", EscapeHtml(result.split))),
                      row("Data fingerprint", code(result.fingerprint)), row("Precision", EscapeHtml(result.precision)),
                      row("Pictures, pixels", absl::StrCat(Count(result.pictures), " pictures, ", Count(result.pixels),
                                                           " labelled pixels, ", Count(result.void_pixels), " void")),
                      row("Time", absl::StrCat(Decimal(result.seconds, 1), " s")),
                      row("Command", code(EvaluateCommand(result))), "</tbody>\n</table>\n");
}

}  // namespace

std::string DefinitionSection(const ReportInput& input) {
  std::string html = absl::StrCat("<section id=\"definitions\">\n<h2>Definitions and provenance</h2>\n",
                                  "<p>Pixels of void are left out unless said otherwise.</p>\n", DefinitionList());
  if (!input.results.empty()) {
    absl::StrAppend(&html,
                    "<h3>How the figures came about</h3>\n<p>Bundles are named here; a command takes the bundle's "
                    "directory.</p>\n");
  }
  const std::vector<std::string> names = DisplayNames(input.results);
  for (size_t i = 0; i < input.results.size(); ++i) {
    absl::StrAppend(&html, Provenance(input.results[i].result, names[i]));
  }
  if (!input.command.empty()) {
    absl::StrAppend(&html, "<p>This page: <code>", EscapeHtml(input.command), "</code></p>\n");
  }
  return absl::StrCat(html, "</section>\n");
}

}  // namespace candor
