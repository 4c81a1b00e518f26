// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/metric_definitions.h"

namespace candor {
namespace {

constexpr MetricDefinition kDefinitions[] = {
    {"miou",
     "Mean over the classes with a non-zero union of TP / (TP + FP + FN) from one confusion matrix over the split, "
     "void "
     "left out (cityscapesScripts; mmsegmentation's nanmean)."},
    {"accuracy", "Share of labelled pixels with the right class."},
    {"class_iou", "TP / (TP + FP + FN) of each class; null if it is neither present nor predicted."},
    {"confusion", "Labelled pixels by [true class][predicted class]."},
    {"class_uncertainty",
     "Mean uncertainty of the default kind over all pixels of the split predicted as the class, void included, pooled "
     "over the split (DUDES, table 2); null: never predicted."},
    {"class_batch",
     "The same as the authors' code has it (StevenLandgraf/DUDES, ClassUncertainty, batches of one picture): mean over "
     "pictures of the mean over pixels predicted as the class with an uncertainty other than 0."},
    {"munc", "Mean of class_uncertainty over the classes ever predicted (DUDES, table 2)."},
    {"munc_batch", "Mean of class_batch over all classes, one never predicted counting as 0, as in the authors' code."},
    {"rejection_curve",
     "mIoU of the pixels left after dropping the 0, 10, ... 90 % most uncertain labelled pixels of the split (DUDES, "
     "figure 4), over 65,536 equal bins, tied pixels kept in proportion, classes without a union left out."},
    {"miou_all", "As rejection_curve, but classes without a union among the pixels left count as 0."},
    {"rejection_area", "Area under rejection_curve by trapezoids, divided by 0.9."},
    {"error_auroc",
     "Area under the ROC curve for finding wrong pixels by high uncertainty, trapezoids over 65,536 equal bins, void "
     "left out."},
    {"aupr",
     "Average precision (step sum over recall, as scikit-learn) for finding the positives by high uncertainty; "
     "aupr_negative: for finding the others by low uncertainty."},
    {"fpr95",
     "False-positive rate at the first threshold that finds at least 95 % of the positives (BRAVO, "
     "SegmentMeIfYouCan)."},
    {"unknown", "The detection figures with objects of no known class as positives, pooled over the split."},
    {"ece",
     "Expected calibration error over 15 equal bins of confidence: sum of n_b / N * |accuracy - confidence|, "
     "confidence "
     "0 in the first bin and 1 in the last (Guo et al. 2017)."},
    {"mce", "Largest |accuracy - confidence| of the 15 bins that have pixels."},
    {"rmsce", "Root of the sum of n_b / N * (accuracy - confidence)^2 over the 15 bins."},
    {"adaptive_ece", "ECE over 15 bins of equal mass."},
    {"classwise_ece", "Mean over classes of the ECE of that class's probability against its presence, 15 equal bins."},
    {"nll", "Mean of -ln of the true class's probability, clamped to 1e-12, in nats."},
    {"brier", "Mean over pixels of the sum over classes of (p_c - [y = c])^2, in [0, 2] (Brier 1950)."},
    {"rss",
     "Harmonic mean of mIoU, 1 - ECE, p(accurate|certain) and p(uncertain|inaccurate), the latter two by predictive "
     "entropy and each picture's median (Landgraf and Ulrich)."},
    {"accuracy_versus_uncertainty",
     "p(accurate|certain), p(uncertain|inaccurate) and PAvPU = (accurate and certain + inaccurate and uncertain) / all "
     "(Mukhoti and Gal 2018), by pixel and by windows of 4 x 4; thresholds: median or mean of each picture's labelled "
     "pixels, or fixed."},
    {"aurc",
     "Area under error rate against coverage, most certain pixels first, coverage from 1/n to 1, divided by 1 - 1/n "
     "(Geifman et al. 2019; torch-uncertainty)."},
    {"e_aurc", "AURC minus that of an oracle that puts all errors last, computed exactly (Geifman et al. 2019)."},
    {"augrc", "As AURC with error rate times coverage (Traub et al. 2024)."},
    {"ause",
     "Area between the error rate left after dropping the most uncertain share and that of an oracle's order, divided "
     "by "
     "the error rate of all pixels (Ilg et al. 2018)."},
    {"mean", "Mean uncertainty over all pixels, void included."},
    {"median", "Median uncertainty over all pixels, void included, to 1/131072 of the kind's range."},
    {"histogram", "Share of all pixels, void included, in each of 64 equal bins over the kind's range."},
    {"label_agreement", "Share of all pixels, void included, where student and teacher predict one class."},
    {"mae", "Mean of |z - q| over all pixels, void included; z the teacher's uncertainty, q the student's."},
    {"rmse", "Root of the mean of (z - q)^2 over all pixels."},
    {"rmsle", "Root of the mean of (ln(1 + z) - ln(1 + q))^2 over all pixels: DUDES' loss over the whole split."},
    {"pearson", "Linear correlation of z and q over all pixels."},
    {"spearman",
     "Rank correlation of z and q over all pixels, with mid-ranks in 1024 x 1024 bins equal in the root of the value: "
     "exact to about 0.001."},
    {"class_difference", "Teacher's class uncertainty (pooled) minus the student's; null if one never predicts it."},
    {"mean_absolute_difference", "Mean of |class_difference| over the classes; mean_signed_difference keeps the sign."},
    {"classes_within_001", "Number of classes with |class_difference| <= 0.01; classes_within_003: <= 0.03."},
    {"picture_figures",
     "By picture, lowest mIoU first: accuracy and mIoU over the classes present or predicted, void left out, and the "
     "mean uncertainty of the default kind over all pixels."},
};

}  // namespace

absl::Span<const MetricDefinition> MetricDefinitions() { return kDefinitions; }

absl::string_view MetricDefinitionOf(absl::string_view name) {
  for (const MetricDefinition& definition : kDefinitions) {
    if (definition.name == name) return definition.definition;
  }
  return "";
}

}  // namespace candor
