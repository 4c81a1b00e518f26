# SPDX-License-Identifier: Apache-2.0
"""The methods, in the order of the tables."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Method:
    name: str  # of its bundle
    title: str
    source: str


METHODS = (
    Method("single", "one network: softmax", ""),
    Method("temperature", "temperature scaling", "Guo et al. 2017"),
    Method("energy", "energy score", "Liu et al. 2020"),
    Method("feature_density", "feature density (DDU)", "Mukhoti et al. 2023"),
    Method("augmentation", "test-time augmentation", "Wang et al. 2019"),
    Method("mc_dropout", "MC dropout", "Gal and Ghahramani 2016"),
    Method("bayes", "Bayes by Backprop", "Blundell et al. 2015"),
    Method("batch_ensemble", "batch ensemble", "Wen et al. 2020"),
    Method("swag", "SWAG", "Maddox et al. 2019"),
    Method("snapshot", "snapshot ensemble", "Huang et al. 2017"),
    Method("sub_ensemble", "deep sub-ensemble", "Valdenegro-Toro 2019"),
    Method("ensemble", "deep ensemble", "Lakshminarayanan et al. 2017"),
    Method("dudes", "DUDES student", "Landgraf et al. 2023"),
    Method("dense_stddev", "student of all classes' deviations", "after Holder and Shafique 2021"),
    Method("knowledge", "knowledge distillation", "Hinton et al. 2015"),
    Method("dirichlet", "distribution distillation (EnD2)", "Malinin et al. 2020"),
    Method("logit_gaussian", "Gaussian scores", "Shen et al. 2021"),
    Method("structured_gaussian", "Gaussian scores of rank 2", "Simpson et al. 2022"),
    Method("observer", "observer of MC dropout", "Besnier et al. 2021"),
)
BY_NAME = {method.name: method for method in METHODS}
