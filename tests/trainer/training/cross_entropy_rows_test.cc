// SPDX-License-Identifier: Apache-2.0
//
// What mathematics alone says about the loss; losses_test.cc compares it with Torch's operators.
#include "trainer/training/cross_entropy_rows.h"

#include <cmath>
#include <numeric>
#include <random>

#include "gtest/gtest.h"

namespace candor {
namespace {

struct Picture {
  Picture(int classes, int height, int width) : classes(classes), height(height), width(width) {
    std::mt19937 random(7);
    std::normal_distribution<float> score(0, 2);
    logits.resize(static_cast<size_t>(classes * height * width));
    for (float& value : logits) value = score(random);
    labels.resize(static_cast<size_t>(16 * height * width));
    for (uint8_t& label : labels) label = static_cast<uint8_t>(random() % static_cast<unsigned>(classes));
    gradient.resize(logits.size(), -1);
  }

  CrossEntropySums Compute() {
    CrossEntropyJob job;
    job.classes = classes;
    job.low_height = height;
    job.low_width = width;
    job.logits = logits.data();
    job.labels = labels.data();
    job.class_weights = weights.empty() ? nullptr : weights.data();
    job.gradient = gradient.data();
    return CrossEntropyOfPicture(job, UpsampleTable(width, 0, 4 * width), UpsampleTable(height, 0, 4 * height));
  }

  int classes, height, width;
  std::vector<float> logits, weights, gradient;
  std::vector<uint8_t> labels;
};

TEST(CrossEntropyRowsTest, EqualScoresCostTheLogarithmOfTheClasses) {
  for (const int classes : {2, 3, 8, 11, 16, 17, 255}) {
    Picture picture(classes, 2, 3);
    std::fill(picture.logits.begin(), picture.logits.end(), 3.0f);
    const CrossEntropySums sums = picture.Compute();
    EXPECT_EQ(sums.weight, 96) << classes;
    EXPECT_NEAR(sums.loss / sums.weight, std::log(classes), 1e-5) << classes;
  }
}

TEST(CrossEntropyRowsTest, TheGradientOfAllClassesAddsUpToNothing) {
  Picture picture(11, 3, 5);
  picture.Compute();
  EXPECT_NEAR(std::accumulate(picture.gradient.begin(), picture.gradient.end(), 0.0), 0, 1e-3);
}

TEST(CrossEntropyRowsTest, TheGradientIsTheDifferenceQuotient) {
  Picture picture(5, 2, 3);
  picture.weights = {1, 0.5, 2, 0, 1};
  picture.labels[7] = 255;
  picture.Compute();
  const std::vector<float> gradient = picture.gradient;
  for (const size_t i : {size_t{0}, size_t{7}, size_t{16}, size_t{29}}) {
    constexpr float kStep = 1e-2f;
    picture.logits[i] += kStep;
    const double above = picture.Compute().loss;
    picture.logits[i] -= 2 * kStep;
    const double below = picture.Compute().loss;
    picture.logits[i] += kStep;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep), 2e-3) << i;
  }
}

TEST(CrossEntropyRowsTest, OneLowPixelIsRepeated) {
  Picture picture(2, 1, 1);
  picture.logits = {0, 1};
  std::fill(picture.labels.begin(), picture.labels.end(), 1);
  const CrossEntropySums sums = picture.Compute();
  EXPECT_NEAR(sums.loss, 16 * std::log(1 + std::exp(-1.0)), 1e-5);
  EXPECT_NEAR(picture.gradient[0], 16 / (1 + std::exp(1.0)), 1e-5);
  EXPECT_NEAR(picture.gradient[1], -16 / (1 + std::exp(1.0)), 1e-5);
}

TEST(CrossEntropyRowsTest, VoidPixelsCountNothing) {
  Picture picture(3, 2, 2);
  std::fill(picture.labels.begin(), picture.labels.end(), 255);
  const CrossEntropySums sums = picture.Compute();
  EXPECT_EQ(sums.loss, 0);
  EXPECT_EQ(sums.weight, 0);
  for (const float value : picture.gradient) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace candor
