# SPDX-License-Identifier: Apache-2.0
"""What has to fit together in rendered manifests of deploy/kubernetes, beyond each object's schema.

Each check takes the objects of one overlay and yields a line for everything that is wrong.
"""
import re

MIB = 1 << 20
UNITS = {"": 1, "m": 0.001, "Ki": 1 << 10, "Mi": MIB, "Gi": 1 << 30}
# What is there before `kubectl apply`: deploy/kubernetes/training/volume.yaml names it.
EXTERNAL = {("PersistentVolumeClaim", "candor-data")}
SPARE_S = 5
# What deploy/prometheus and deploy/grafana call the servers.
JOB = "candor"


def quantity(text):
    """The number that a Kubernetes quantity, such as 1536Mi or 100m, stands for."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * UNITS[unit]


def of_kind(objects, *kinds):
    return [entry for entry in objects if entry["kind"] in kinds]


def name_of(entry):
    return f"{entry['kind']}/{entry['metadata']['name']}"


def workloads(objects):
    return of_kind(objects, "Deployment", "Job")


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def labels_of_pods(workload):
    return workload["spec"]["template"]["metadata"]["labels"]


def selects(selector, labels):
    """Whether matchLabels and matchExpressions (In) of a selector fit; an empty selector fits all."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", []))


def file_in_config_map(objects, pod, path):
    """The contents of a ConfigMap's file that a container sees as `path`, or None."""
    folder, _, name = path.rpartition("/")
    for mount in pod["containers"][0]["volumeMounts"]:
        if mount["mountPath"] != folder:
            continue
        volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        for entry in of_kind(objects, "ConfigMap"):
            if entry["metadata"]["name"] == volume.get("configMap", {}).get("name"):
                return entry["data"].get(name)
    return None


def flag(words, name):
    """The value of --NAME=VALUE in a command line, or None."""
    return next((word.partition("=")[2] for word in words if word.startswith(f"--{name}=")), None)


def references(objects):
    known = {(entry["kind"], entry["metadata"]["name"]) for entry in objects} | EXTERNAL
    for workload in workloads(objects):
        pod = pod_of(workload)
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        for volume in pod.get("volumes", []):
            for kind, key, field in (("ConfigMap", "configMap", "name"),
                                     ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName")):
                if key in volume and (kind, volume[key][field]) not in known:
                    yield f"{name_of(workload)}: volume {volume['name']}: no {kind} {volume[key][field]}"
        for mount in pod["containers"][0].get("volumeMounts", []):
            if mount["name"] not in volumes:
                yield f"{name_of(workload)}: mounts {mount['name']}, which is no volume"
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        found = [entry for entry in objects if (entry["apiVersion"], entry["kind"], entry["metadata"]["name"]) ==
                 (target["apiVersion"], target["kind"], target["name"])]
        if not found:
            yield f"{name_of(scaler)}: no {target['kind']} {target['name']}"
        elif "replicas" in found[0]["spec"]:
            yield f"{name_of(found[0])}: replicas, which {name_of(scaler)} owns"


def selectors(objects):
    pods = [labels_of_pods(workload) for workload in workloads(objects)]
    wanted = [(entry, {"matchLabels": entry["spec"]["selector"]}) for entry in of_kind(objects, "Service")]
    wanted += [(entry, entry["spec"]["selector"]) for entry in of_kind(objects, "PodDisruptionBudget", "Deployment")]
    wanted += [(entry, entry["spec"]["podSelector"]) for entry in of_kind(objects, "NetworkPolicy")]
    for deployment in of_kind(objects, "Deployment"):
        if not selects(deployment["spec"]["selector"], labels_of_pods(deployment)):
            yield f"{name_of(deployment)}: does not select its own pods"
        for constraint in pod_of(deployment)["topologySpreadConstraints"]:
            wanted.append((deployment, constraint["labelSelector"]))
    for entry, selector in wanted:
        if not any(selects(selector, labels) for labels in pods):
            yield f"{name_of(entry)}: selects no pod"
    services = [entry["metadata"]["labels"] for entry in of_kind(objects, "Service")]
    for monitor in of_kind(objects, "ServiceMonitor"):
        if not any(selects(monitor["spec"]["selector"], labels) for labels in services):
            yield f"{name_of(monitor)}: selects no Service"
        if any(labels.get(monitor["spec"]["jobLabel"]) != JOB for labels in services):
            yield f"{name_of(monitor)}: the job is not named {JOB}"


def ports(objects):
    names = {port["name"] for workload in of_kind(objects, "Deployment") for port in pod_of(workload)["containers"][0]["ports"]}
    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in names:
                yield f"{name_of(service)}: targetPort {port['targetPort']} is no container's"
    for policy in of_kind(objects, "NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            for port in rule["ports"]:
                if port["port"] not in names:
                    yield f"{name_of(policy)}: port {port['port']} is no container's"
    exposed = {port["name"] for service in of_kind(objects, "Service") for port in service["spec"]["ports"]}
    for monitor in of_kind(objects, "ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in exposed:
                yield f"{name_of(monitor)}: port {endpoint['port']} is no Service's"


def listening(deployment, config):
    """The server's addresses against the container's ports and probes; `config`: its settings in effect."""
    container = pod_of(deployment)["containers"][0]
    declared = {port["name"]: port["containerPort"] for port in container["ports"]}
    for port_name, field in (("grpc", "listen"), ("metrics", "metrics_listen")):
        host, _, port = config[field].rpartition(":")
        if host not in ("0.0.0.0", "[::]"):
            yield f"{name_of(deployment)}: {field}: {config[field]} cannot be reached from outside the pod"
        if declared.get(port_name) != int(port):
            yield f"{name_of(deployment)}: port {port_name} is {declared.get(port_name)}, {field} says {port}"
    for probe, service in (("startupProbe", None), ("readinessProbe", "candor.v1.Segmentation"), ("livenessProbe", None)):
        grpc = container[probe]["grpc"]
        if grpc["port"] != declared["grpc"]:
            yield f"{name_of(deployment)}: {probe} asks port {grpc['port']}, not {declared['grpc']}"
        if grpc.get("service") != service:
            yield f"{name_of(deployment)}: {probe} asks for {grpc.get('service')}, not {service}"


def grace(deployment, config):
    pod = pod_of(deployment)
    stop = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = stop + (int(config["drain_delay_ms"]) + int(config["drain_timeout_ms"])) / 1000 + SPARE_S
    if pod["terminationGracePeriodSeconds"] != needed:
        yield f"{name_of(deployment)}: terminationGracePeriodSeconds {pod['terminationGracePeriodSeconds']}, must be {needed:g}"


def memory(deployment, config, peak_bytes):
    """The limit against what the configuration allows; `peak_bytes`: a server's peak with one picture of max_pixels."""
    limit = quantity(pod_of(deployment)["containers"][0]["resources"]["limits"]["memory"])
    needed = peak_bytes + int(config["message_memory_bytes"]) + int(config["queued_picture_bytes"])
    if limit < needed:
        yield f"{name_of(deployment)}: memory limit {limit / MIB:.0f} MiB, must be at least {needed / MIB:.0f}"


def security(objects):
    for workload in workloads(objects):
        pod = pod_of(workload)
        context = pod["securityContext"]
        if not context.get("runAsNonRoot") or not context.get("runAsUser"):
            yield f"{name_of(workload)}: may run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name_of(workload)}: no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name_of(workload)}: gets a service account's token"
        for container in pod["containers"]:
            own = container["securityContext"]
            if own.get("allowPrivilegeEscalation") is not False or not own.get("readOnlyRootFilesystem"):
                yield f"{name_of(workload)}: container {container['name']}: may gain privileges or write its root"
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{name_of(workload)}: container {container['name']}: keeps capabilities"
            if "memory" not in container["resources"]["limits"] or "cpu" not in container["resources"]["limits"]:
                yield f"{name_of(workload)}: container {container['name']}: no limit of memory or cpu"


def jobs(objects, members):
    """`members`: how many the trainer's configuration says."""
    for job in of_kind(objects, "Job"):
        spec = job["spec"]
        indexed = spec.get("completionMode") == "Indexed"
        if indexed and spec["completions"] != members:
            yield f"{name_of(job)}: {spec['completions']} completions, but {members} members"
        rules = [(rule["action"], code) for rule in spec["podFailurePolicy"]["rules"]
                 for code in rule.get("onExitCodes", {}).get("values", [])]
        for needed in (("FailIndex" if indexed else "FailJob", 78), ("Ignore", 75)):
            if needed not in rules:
                yield f"{name_of(job)}: exit code {needed[1]} does not lead to {needed[0]}"
        containers = {container["name"] for container in pod_of(job)["containers"]}
        for rule in spec["podFailurePolicy"]["rules"]:
            if "onExitCodes" in rule and rule["onExitCodes"]["containerName"] not in containers:
                yield f"{name_of(job)}: podFailurePolicy for {rule['onExitCodes']['containerName']}, which is no container"
        if pod_of(job)["restartPolicy"] != "Never":
            yield f"{name_of(job)}: restartPolicy must be Never for podFailurePolicy"


def service_monitor(objects):
    """The shape of the CRD's part that is used; kubernetes-validate knows no CRDs."""
    for monitor in of_kind(objects, "ServiceMonitor"):
        if monitor["apiVersion"] != "monitoring.coreos.com/v1" or set(monitor["spec"]) != {"jobLabel", "selector", "endpoints"}:
            yield f"{name_of(monitor)}: apiVersion or spec is not the CRD's"
        for endpoint in monitor["spec"]["endpoints"]:
            unknown = set(endpoint) - {"port", "path", "interval", "scrapeTimeout"}
            if unknown or not all(re.fullmatch(r"\d+s", endpoint[key]) for key in ("interval", "scrapeTimeout")):
                yield f"{name_of(monitor)}: endpoint {endpoint} is not the CRD's"
            elif int(endpoint["scrapeTimeout"][:-1]) > int(endpoint["interval"][:-1]):
                yield f"{name_of(monitor)}: scrapeTimeout above interval"


def apart(first, second):
    """Two overlays in one namespace: nothing of one selects the other's pods."""
    for ours, theirs in ((first, second), (second, first)):
        for entry in of_kind(ours, "Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget"):
            spec = entry["spec"]
            selector = spec["podSelector"] if entry["kind"] == "NetworkPolicy" else spec["selector"]
            if entry["kind"] == "Service":
                selector = {"matchLabels": selector}
            for workload in workloads(theirs):
                if selects(selector, labels_of_pods(workload)):
                    yield f"{name_of(entry)}: selects the pods of {name_of(workload)} too"


def check(objects):
    """The checks that need nothing but the objects."""
    return [line for part in (references, selectors, ports, security, service_monitor) for line in part(objects)]
