// SPDX-License-Identifier: Apache-2.0
//
// Which results belong together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/model/uncertainty_kind.h"
#include "trainer/report/report.h"

namespace candor {

// One name a result, each different: the bundle's, with data and split where bundles share one, and a number where that
// does not part them either.
std::vector<std::string> DisplayNames(const std::vector<ReportedResult>& results);

// Indices of results on the same pictures (fingerprint and split), in order of their first; only figures within one
// group can be compared.
std::vector<std::vector<size_t>> DataGroups(const std::vector<ReportedResult>& results);

struct TeacherAndStudent {
  size_t teacher = 0;
  size_t student = 0;
};

// Each student with its teacher on the same pictures: the one that its fidelity figures name, else the first ensemble.
std::vector<TeacherAndStudent> Pairs(const std::vector<ReportedResult>& results);

// Null if the model has no such kind.
const KindFigures* FindKind(const EvaluationResult& result, UncertaintyKind kind);

// The kind that finds errors best (error AUROC); null without a finite one.
const KindFigures* BestKind(const EvaluationResult& result);

// The kind a pair is compared in: that of the student's fidelity figures, else the student's default.
UncertaintyKind KindOfPair(const std::vector<ReportedResult>& results, const TeacherAndStudent& pair);

// The student's fidelity to this teacher; null if it was not taken.
const FidelityFigures* FidelityOf(const std::vector<ReportedResult>& results, const TeacherAndStudent& pair);

}  // namespace candor
