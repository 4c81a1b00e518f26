// SPDX-License-Identifier: Apache-2.0
//
// `candor compare`: how far the student's answers are the teacher's, and how much sooner they come.
#pragma once

#include <string>
#include <vector>

#include "client/cli/connection.h"

namespace candor {

struct CompareFlags {
  ConnectionFlags connection;
  std::vector<std::string> pictures;
  std::string student = "student";
  std::string teacher = "teacher";
  std::string uncertainty;  // empty: the student's default
  std::string out;          // empty: no files
  bool json = false;
};

CLI::App* AddCompareCommand(CLI::App* app, CompareFlags* flags);
ExitCode RunCompare(const CompareFlags& flags, const Console& console);

}  // namespace candor
