# SPDX-License-Identifier: Apache-2.0
"""Renders a kustomization as `kubectl kustomize` does, for what deploy/kubernetes uses of it; anything else is an error.

Order and effect are kustomize's: resources, generated ConfigMaps, patches, name suffix, labels, images; generated names get a
suffix that depends on the contents (another hash than kustomize's), and what refers to a renamed object follows.
"""
import copy
import hashlib
import json
import pathlib

import yaml

KEYS = {"apiVersion", "kind", "resources", "configMapGenerator", "patches", "nameSuffix", "labels", "images"}
# Lists that a strategic merge joins by this key of their entries; others of plain values are replaced as a whole.
MERGE_KEYS = {"containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath",
              "ports": "containerPort"}
# Lists of objects that Kubernetes replaces as a whole.
ATOMIC = {"tolerations"}


class KustomizeError(Exception):
    pass


def only(entry, allowed, where):
    unknown = set(entry) - set(allowed)
    if unknown:
        raise KustomizeError(f"{where}: {sorted(unknown)}: not one of {sorted(allowed)}")


def load_objects(path):
    return [entry for entry in yaml.safe_load_all(path.read_text()) if entry is not None]


def identity(entry):
    return entry["kind"], entry["metadata"]["name"]


def merge(base, patch, where):
    """The strategic merge of `patch` over `base`: null deletes, maps join, lists by MERGE_KEYS."""
    for key, value in patch.items():
        here = f"{where}.{key}"
        if key.startswith("$"):
            raise KustomizeError(f"{here}: directives are not supported")
        if value is None:
            base.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value, here)
        elif isinstance(value, list) and isinstance(base.get(key), list) and any(isinstance(v, dict) for v in value):
            base[key] = merge_lists(base[key], value, key, here)
        else:
            base[key] = copy.deepcopy(value)


def merge_lists(base, patch, key, where):
    if key in ATOMIC:
        return copy.deepcopy(patch)
    if key not in MERGE_KEYS:
        raise KustomizeError(f"{where}: how lists of this name merge is not known")
    name = MERGE_KEYS[key]
    merged = list(base)
    for entry in patch:
        same = [old for old in merged if old[name] == entry[name]]
        if same:
            merge(same[0], entry, f"{where}[{entry[name]}]")
        else:
            merged.append(copy.deepcopy(entry))
    return merged


def apply_operations(entry, operations, where):
    """JSON patch (RFC 6902), `remove` only."""
    for operation in operations:
        only(operation, {"op", "path"}, where)
        if operation["op"] != "remove":
            raise KustomizeError(f"{where}: op {operation['op']}: only remove")
        *parents, last = operation["path"].lstrip("/").split("/")
        target = entry
        for parent in parents:
            target = target[parent]
        del target[last]


def apply_patch(objects, spec, folder):
    only(spec, {"path", "patch", "target"}, f"{folder}: patches")
    where = f"{folder}/{spec.get('path', 'patch')}"
    text = (folder / spec["path"]).read_text() if "path" in spec else spec["patch"]
    for patch in yaml.safe_load_all(text):
        if isinstance(patch, list):
            only(spec["target"], {"kind", "name"}, where)
            wanted = spec["target"]["kind"], spec["target"]["name"]
        else:
            wanted = identity(patch)
        found = [entry for entry in objects if identity(entry) == wanted]
        if len(found) != 1:
            raise KustomizeError(f"{where}: {len(found)} objects {wanted}")
        if isinstance(patch, list):
            apply_operations(found[0], patch, where)
        else:
            merge(found[0], patch, where)


def generate(objects, generated, spec, folder):
    only(spec, {"name", "files", "behavior"}, f"{folder}: configMapGenerator")
    data = {pathlib.PurePath(name).name: (folder / name).read_text() for name in spec["files"]}
    behavior = spec.get("behavior", "create")
    existing = [entry for entry in generated if entry["metadata"]["name"] == spec["name"]]
    if behavior == "replace" and len(existing) == 1:
        existing[0]["data"] = data
    elif behavior == "create" and not existing:
        entry = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": spec["name"]}, "data": data}
        objects.append(entry)
        generated.append(entry)
    else:
        raise KustomizeError(f"{folder}: ConfigMap {spec['name']}: {behavior}, but {len(existing)} are there")


def pod_templates(objects):
    return [entry["spec"]["template"] for entry in objects if entry["kind"] in ("Deployment", "Job")]


def references(objects):
    """(kind, map, key) for each place that names another object."""
    for template in pod_templates(objects):
        for volume in template["spec"].get("volumes", []):
            if "configMap" in volume:
                yield "ConfigMap", volume["configMap"], "name"
            if "persistentVolumeClaim" in volume:
                yield "PersistentVolumeClaim", volume["persistentVolumeClaim"], "claimName"
    for entry in objects:
        if entry["kind"] == "HorizontalPodAutoscaler":
            yield entry["spec"]["scaleTargetRef"]["kind"], entry["spec"]["scaleTargetRef"], "name"


def rename(objects, entry, name):
    old = identity(entry)
    for kind, place, key in references(objects):
        if (kind, place[key]) == old:
            place[key] = name
    entry["metadata"]["name"] = name


def selectors(entry):
    """The label maps that kustomize's includeSelectors adds to, besides the object's own and its pods' labels."""
    spec = entry.get("spec", {})
    kind = entry["kind"]
    if kind == "Service":
        yield spec["selector"]
    if kind == "Deployment":
        yield spec["selector"]["matchLabels"]
        for constraint in spec["template"]["spec"].get("topologySpreadConstraints", []):
            yield constraint["labelSelector"]["matchLabels"]
    if kind == "PodDisruptionBudget":
        yield spec["selector"]["matchLabels"]
    if kind == "NetworkPolicy":
        yield spec["podSelector"]["matchLabels"]
        for rule in spec.get("ingress", []):
            for peer in rule.get("from", []):
                if "matchLabels" in peer.get("podSelector", {}):
                    yield peer["podSelector"]["matchLabels"]


def add_labels(objects, spec, folder):
    only(spec, {"pairs", "includeSelectors"}, f"{folder}: labels")
    for entry in objects:
        entry["metadata"].setdefault("labels", {}).update(spec["pairs"])
        if spec.get("includeSelectors"):
            for selector in selectors(entry):
                selector.update(spec["pairs"])
    if spec.get("includeSelectors"):
        for template in pod_templates(objects):
            template["metadata"]["labels"].update(spec["pairs"])


def set_image(objects, spec, folder):
    only(spec, {"name", "newName", "newTag"}, f"{folder}: images")
    for template in pod_templates(objects):
        for container in template["spec"]["containers"]:
            if container["image"].partition(":")[0] == spec["name"]:
                container["image"] = f"{spec.get('newName', spec['name'])}:{spec['newTag']}"


def accumulate(folder):
    """(objects, those of them that were generated)"""
    config = yaml.safe_load((folder / "kustomization.yaml").read_text())
    only(config, KEYS, f"{folder}/kustomization.yaml")
    objects, generated = [], []
    for resource in config.get("resources", []):
        path = folder / resource
        if path.is_dir():
            inner, inner_generated = accumulate(path)
            objects += inner
            generated += inner_generated
        else:
            objects += load_objects(path)
    for spec in config.get("configMapGenerator", []):
        generate(objects, generated, spec, folder)
    for spec in config.get("patches", []):
        apply_patch(objects, spec, folder)
    if "nameSuffix" in config:
        for entry in objects:
            rename(objects, entry, entry["metadata"]["name"] + config["nameSuffix"])
    for spec in config.get("labels", []):
        add_labels(objects, spec, folder)
    for spec in config.get("images", []):
        set_image(objects, spec, folder)
    if len({identity(entry) for entry in objects}) != len(objects):
        raise KustomizeError(f"{folder}: two objects of one kind and name")
    return objects, generated


def render(folder):
    objects, generated = accumulate(pathlib.Path(folder))
    for entry in generated:
        digest = hashlib.sha256(json.dumps(entry["data"], sort_keys=True).encode()).hexdigest()[:10]
        rename(objects, entry, f"{entry['metadata']['name']}-{digest}")
    return objects
