// SPDX-License-Identifier: Apache-2.0
//
// What the demo found out: the sample pictures with the answers of both models, as plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/segmentation_client.h"
#include "core/image/image.h"

namespace candor {

// One model's answer to one picture.
struct DemoAnswer {
  ByteMap labels;
  FloatMap uncertainty;
  double mean_uncertainty = 0;
  double round_trip_ms = 0;  // median of the timed calls, as the client saw them
  double infer_ms = 0;       // the same, as the server measured inference alone
};

// All maps have the size of `input`.
struct DemoPicture {
  std::string name;
  Image input;
  std::optional<ByteMap> truth;  // class indices; a value that names no class is void
  DemoAnswer student;
  DemoAnswer teacher;
};

struct DemoReport {
  ModelDescription student;
  ModelDescription teacher;
  KindDescription kind;                   // of every uncertainty here
  std::vector<ClassDescription> classes;  // by class index, the same for both models
  int calls = 0;                          // timed, a picture and model
  std::string credit;                     // who made the pictures, and their licence; may be empty
  std::vector<DemoPicture> pictures;
};

}  // namespace candor
