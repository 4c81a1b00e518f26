// SPDX-License-Identifier: Apache-2.0
//
// `candor train`: trainings of a candor-training-server.
#pragma once

#include <string>
#include <vector>

#include "client/cli/connection.h"

namespace candor {

struct TrainFlags {
  enum class Action { kSubmit, kStatus, kWatch, kCancel, kResume, kPublish };

  // A large teacher takes its time to be published.
  ConnectionFlags connection{"127.0.0.1:8600", 300, {}, {}, {}, {}, {}, "candor-training-server"};
  Action action = Action::kStatus;
  std::string run;  // empty: all, or a name of the service's making
  std::string config;
  std::vector<std::string> overrides;  // --set
  bool watch = false;                  // after submit
  bool teacher = false;                // publish it, not the student
  std::string model;
  bool json = false;
};

CLI::App* AddTrainCommand(CLI::App* app, TrainFlags* flags);
ExitCode RunTrain(const TrainFlags& flags, const Console& console);

}  // namespace candor
