// SPDX-License-Identifier: Apache-2.0
//
// A report of 3 classes and pictures of 2x2 pixels, small enough to count by hand.
#pragma once

#include "client/demo/demo_report.h"

namespace candor {

// Models with the classes road, car and sky, no picture.
DemoReport ReportWithoutPictures();

// "left": student labels 0 1 / 2 2, teacher 0 1 / 1 2, truth 0 0 / 2 void. The student is right on 2 of 3 labelled
// pixels, the teacher on 1; they agree on 3 of 4.
DemoPicture LeftPicture();

// "right": without ground truth. Labels 0 0 / 0 0 of both; uncertainty 0.2 everywhere.
DemoPicture RightPicture();

// Both pictures.
DemoReport SmallReport();

}  // namespace candor
