// SPDX-License-Identifier: Apache-2.0
#include "tests/client_demo/small_report.h"

namespace candor {

DemoReport ReportWithoutPictures() {
  DemoReport report;
  report.student.name = "small-student";
  report.teacher.name = "small-teacher";
  report.student.members = 1;
  report.teacher.members = 10;
  report.classes = {{"road", {128, 64, 128}}, {"car", {64, 0, 128}}, {"sky", {128, 128, 128}}};
  report.student.classes = report.classes;
  report.teacher.classes = report.classes;
  report.kind = {"predictive_stddev", "probability", 1};
  report.student.uncertainty = {report.kind};
  report.teacher.uncertainty = {report.kind};
  report.calls = 5;
  return report;
}

DemoPicture LeftPicture() {
  DemoPicture picture;
  picture.name = "left";
  picture.input = {2, 2, {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9}};
  picture.truth = ByteMap{2, 2, {0, 0, 2, 255}};
  picture.student = {{2, 2, {0, 1, 2, 2}}, {2, 2, {0.0F, 0.1F, 0.2F, 0.3F}}, 0.15, 10, 6};
  picture.teacher = {{2, 2, {0, 1, 1, 2}}, {2, 2, {0.0F, 0.4F, 0.4F, 0.0F}}, 0.2, 60, 50};
  return picture;
}

DemoPicture RightPicture() {
  DemoPicture picture;
  picture.name = "right";
  picture.input = {2, 2, std::vector<uint8_t>(12, 77)};
  picture.student = {{2, 2, {0, 0, 0, 0}}, {2, 2, {0.2F, 0.2F, 0.2F, 0.2F}}, 0.2, 20, 8};
  picture.teacher = {{2, 2, {0, 0, 0, 0}}, {2, 2, {0.2F, 0.2F, 0.2F, 0.2F}}, 0.2, 90, 70};
  return picture;
}

DemoReport SmallReport() {
  DemoReport report = ReportWithoutPictures();
  report.pictures = {LeftPicture(), RightPicture()};
  return report;
}

}  // namespace candor
