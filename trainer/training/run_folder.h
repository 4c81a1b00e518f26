// SPDX-License-Identifier: Apache-2.0
//
// Where a run keeps what:
//   RUN/members/I/          checkpoints, events.jsonl, log.txt of member I; model/ once it is done
//   RUN/teacher/            the bundle of all members
//   RUN/distillation/       checkpoints and events.jsonl of the student
//   RUN/student/            the student's bundle
#pragma once

#include <string>

#include "absl/strings/str_cat.h"

namespace candor {

inline std::string MemberFolder(const std::string& run, int index) { return absl::StrCat(run, "/members/", index); }
inline std::string MemberModel(const std::string& run, int index) {
  return absl::StrCat(MemberFolder(run, index), "/model");
}
inline std::string TeacherModel(const std::string& run) { return absl::StrCat(run, "/teacher"); }
inline std::string DistillationFolder(const std::string& run) { return absl::StrCat(run, "/distillation"); }
inline std::string StudentModel(const std::string& run) { return absl::StrCat(run, "/student"); }

}  // namespace candor
