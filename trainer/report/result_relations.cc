// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/result_relations.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

bool OnSamePictures(const EvaluationResult& a, const EvaluationResult& b) {
  return a.fingerprint == b.fingerprint && a.split == b.split && a.classes.size() == b.classes.size();
}

// Each name that more than one entry has gets `more(i)` behind it.
template <typename More>
void PartEquals(std::vector<std::string>* names, const More& more) {
  std::map<std::string, int> uses;
  for (const std::string& name : *names) ++uses[name];
  for (size_t i = 0; i < names->size(); ++i) {
    if (uses[(*names)[i]] > 1) absl::StrAppend(&(*names)[i], more(i));
  }
}

}  // namespace

std::vector<std::string> DisplayNames(const std::vector<ReportedResult>& results) {
  std::vector<std::string> names;
  names.reserve(results.size());
  for (const ReportedResult& reported : results) names.push_back(reported.result.model);
  PartEquals(&names,
             [&](size_t i) { return absl::StrCat(" (", results[i].result.data, ", ", results[i].result.split, ")"); });
  PartEquals(&names, [&](size_t i) { return absl::StrCat(" [", i + 1, "]"); });
  return names;
}

std::vector<std::vector<size_t>> DataGroups(const std::vector<ReportedResult>& results) {
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto fits = [&](const std::vector<size_t>& group) {
      return OnSamePictures(results[group[0]].result, results[i].result);
    };
    const auto found = std::find_if(groups.begin(), groups.end(), fits);
    if (found == groups.end()) {
      groups.push_back({i});
    } else {
      found->push_back(i);
    }
  }
  return groups;
}

std::vector<TeacherAndStudent> Pairs(const std::vector<ReportedResult>& results) {
  std::vector<TeacherAndStudent> pairs;
  for (size_t s = 0; s < results.size(); ++s) {
    const EvaluationResult& student = results[s].result;
    if (student.kind != ModelKind::kStudent) continue;
    size_t teacher = results.size();
    for (size_t t = results.size(); t-- > 0;) {
      const EvaluationResult& other = results[t].result;
      if (t != s && other.kind == ModelKind::kEnsemble && OnSamePictures(student, other)) teacher = t;
    }
    for (size_t t = 0; t < results.size(); ++t) {
      const bool is_named = !student.fidelity.empty() && results[t].result.model == student.fidelity[0].teacher;
      if (t != s && is_named && OnSamePictures(student, results[t].result)) teacher = t;
    }
    if (teacher < results.size()) pairs.push_back({teacher, s});
  }
  return pairs;
}

const KindFigures* FindKind(const EvaluationResult& result, UncertaintyKind kind) {
  for (const KindFigures& figures : result.kinds) {
    if (figures.kind == kind) return &figures;
  }
  return nullptr;
}

const KindFigures* BestKind(const EvaluationResult& result) {
  const KindFigures* best = nullptr;
  for (const KindFigures& figures : result.kinds) {
    if (!std::isfinite(figures.errors.auroc)) continue;
    if (best == nullptr || figures.errors.auroc > best->errors.auroc) best = &figures;
  }
  return best;
}

UncertaintyKind KindOfPair(const std::vector<ReportedResult>& results, const TeacherAndStudent& pair) {
  const FidelityFigures* fidelity = FidelityOf(results, pair);
  if (fidelity != nullptr) return fidelity->kind;
  const EvaluationResult& student = results[pair.student].result;
  return student.kinds.empty() ? UncertaintyKind::kPredictiveStddev : student.kinds[0].kind;
}

const FidelityFigures* FidelityOf(const std::vector<ReportedResult>& results, const TeacherAndStudent& pair) {
  for (const FidelityFigures& fidelity : results[pair.student].result.fidelity) {
    if (fidelity.teacher == results[pair.teacher].result.model) return &fidelity;
  }
  return nullptr;
}

}  // namespace candor
