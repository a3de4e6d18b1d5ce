"""Holds the compose file and rendered charts to what they must be.

    python deploy/check.py compose FILE
    python deploy/check.py chart RENDERED...

`cargo xtask deploy` runs it. A line for each fault, and the exit status 1 if there is any.
"""

import sys
from pathlib import Path

import yaml

NO_ROOT = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


# Seconds in which requests in flight finish and the program ends, after it has drained.
TO_FINISH = 35


class Faults(list):
    """What is wrong, and where."""

    def unless(self, holds, where, what):
        if not holds:
            self.append(f"{where}: {what}")


def compose(path, faults):
    """A compose file: nothing may do more than it must, and the servers wait for the migrations."""
    file = yaml.safe_load(Path(path).read_text())
    services = file["services"]
    for name, service in services.items():
        where = f"{path}: {name}"
        faults.unless(service.get("read_only") is True, where, "its root file system is written to")
        faults.unless(service.get("cap_drop") == ["ALL"], where, "it keeps capabilities")
        faults.unless("no-new-privileges:true" in service.get("security_opt", []), where, "it may gain privileges")
        faults.unless("privileged" not in service and "cap_add" not in service, where, "it is given privileges")
        faults.unless("healthcheck" in service, where, "nothing looks after its health")
        faults.unless(":" in service["image"], where, "its image has no version")
        for secret in service.get("secrets", []):
            faults.unless(secret in file["secrets"], where, f"there is no secret {secret}")
        for variable, value in service.get("environment", {}).items():
            is_file = str(value).startswith("/run/secrets/")
            is_secret = any(word in variable for word in ("PASSWORD", "TOKEN", "KEY", "DATABASE"))
            faults.unless(is_file or not is_secret, where, f"{variable} is a secret in the environment")
            faults.unless(not is_file or value.removeprefix("/run/secrets/") in service["secrets"], where,
                          f"{variable} names a file that is not there")
        for network in service.get("networks", []):
            faults.unless(network in file["networks"], where, f"there is no network {network}")
        for other, wait in service.get("depends_on", {}).items():
            faults.unless(other in services, where, f"it waits for {other}, which is not there")
            faults.unless(wait["condition"] != "service_started", where, f"it does not wait until {other} is ready")
    servers, migrate, database = services["headcount"], services["migrate"], services["database"]
    waits = {name: wait["condition"] for name, wait in servers["depends_on"].items()}
    faults.unless(waits == {"migrate": "service_completed_successfully"}, path, "servers start before migrations end")
    waits = {name: wait["condition"] for name, wait in migrate["depends_on"].items()}
    faults.unless(waits == {"database": "service_healthy"}, path, "migrations start before the database")
    faults.unless(migrate["restart"] == "no", path, "migrations are run again and again")
    faults.unless(migrate["image"] == servers["image"], path, "migrations are of another version")
    faults.unless("ports" not in database and database["networks"] == ["inside"], path, "the database is reached")
    faults.unless(file["networks"]["inside"]["internal"] is True, path, "the database reaches others")
    drain = int(servers["environment"].get("HEADCOUNT_DRAIN_DELAY", "5s").removesuffix("s"))
    grace = int(servers["stop_grace_period"].removesuffix("s"))
    faults.unless(grace >= drain + TO_FINISH, path, "requests in flight are cut off")


def pod(spec, where, faults):
    """What each pod must be, by the restricted Pod Security Standard and a little more."""
    security = spec["securityContext"]
    faults.unless(security.get("runAsNonRoot") is True and security.get("runAsUser", 0) > 0, where, "runs as root")
    faults.unless(security.get("seccompProfile") == {"type": "RuntimeDefault"}, where, "no seccomp profile")
    faults.unless(spec.get("automountServiceAccountToken") is False, where, "has a token of Kubernetes")
    faults.unless(spec.get("enableServiceLinks") is False, where, "has variables of other services")
    for host in ("hostNetwork", "hostPID", "hostIPC"):
        faults.unless(host not in spec, where, host)
    for volume in spec.get("volumes", []):
        faults.unless("hostPath" not in volume, where, "has a directory of the node")
    for container in spec["containers"]:
        faults.unless(container["securityContext"] == NO_ROOT, where, "the container may do more than it must")
        faults.unless(container["resources"].get("requests", {}).keys() == {"cpu", "memory"}, where, "requests nothing")
        faults.unless("memory" in container["resources"].get("limits", {}), where, "has no limit of memory")
        mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
        faults.unless(mounts == {volume["name"] for volume in spec.get("volumes", [])}, where, "mounts differ")
        for variable in container["env"]:
            secret = variable["name"] == "HEADCOUNT_DATABASE"
            faults.unless(("valueFrom" in variable) == secret, where, f"{variable['name']} is in the wrong place")


def deployment(found, where, faults):
    """The servers: probes on the telemetry port, time to drain, and no server less while they change."""
    spec = found["spec"]
    template = spec["template"]
    [container] = template["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    probes = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, path in probes.items():
        asked = container[probe]["httpGet"]
        faults.unless(asked["path"] == path and asked["port"] == "telemetry", where, f"{probe} asks {asked}")
    faults.unless({"http", "telemetry"} == ports, where, f"has the ports {ports}")
    faults.unless(spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, where, "an upgrade takes servers away")
    labels, selector = template["metadata"]["labels"], spec["selector"]["matchLabels"]
    faults.unless(selector.items() <= labels.items(), where, "selects other pods than it makes")
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}
    # The program waits itself: a hook before it would wait once more, and nobody would be told.
    drain = int(variables["HEADCOUNT_DRAIN_DELAY"].removesuffix("s"))
    grace = template["spec"]["terminationGracePeriodSeconds"]
    faults.unless(drain >= 1 and "lifecycle" not in container, where, "pods end before proxies have heard of it")
    faults.unless(grace >= drain + TO_FINISH, where, "requests in flight are cut off")
    faults.unless(len(variables) == len(container["env"]), where, "gives a variable twice")
    secured = "HEADCOUNT_TLS_CERTIFICATE" in variables or "HEADCOUNT_TRUSTED_PROXIES" in variables
    faults.unless(secured, where, "speaks plain HTTP to anybody")
    return labels


def migrations(found, where, faults):
    """The Job runs before everything else of the release, but after the Secret that it needs."""
    notes = found["metadata"]["annotations"]
    faults.unless(notes["helm.sh/hook"] == "pre-install,pre-upgrade", where, "runs at another time")
    faults.unless(notes["helm.sh/hook-weight"] == "0", where, "has another weight")
    faults.unless("before-hook-creation" in notes["helm.sh/hook-delete-policy"], where, "stands in its own way")
    faults.unless(found["spec"]["template"]["spec"]["restartPolicy"] == "Never", where, "is restarted in place")


def chart(path, faults):
    """A rendered chart."""
    documents = [document for document in yaml.safe_load_all(Path(path).read_text()) if document]
    kinds = {}
    for document in documents:
        kinds.setdefault(document["kind"], []).append(document)
        where = f"{path}: {document['kind']} {document['metadata']['name']}"
        labels = document["metadata"]["labels"]
        faults.unless({"app.kubernetes.io/name", "app.kubernetes.io/instance"} <= labels.keys(), where, "no labels")
        if document["kind"] in ("Deployment", "Job"):
            pod(document["spec"]["template"]["spec"], where, faults)
    [servers] = kinds["Deployment"]
    labels = deployment(servers, f"{path}: Deployment", faults)
    for service in kinds["Service"]:
        where = f"{path}: Service {service['metadata']['name']}"
        faults.unless(service["spec"]["selector"].items() <= labels.items(), where, "selects no server")
    types = {service["spec"].get("type", "ClusterIP") for service in kinds["Service"]
             if any(port["targetPort"] == "telemetry" for port in service["spec"]["ports"])}
    faults.unless(types == {"ClusterIP"}, path, "telemetry is reached from outside")
    [account] = kinds["ServiceAccount"]
    faults.unless(account["automountServiceAccountToken"] is False, path, "the ServiceAccount gives its token")
    used = servers["spec"]["template"]["spec"]["serviceAccountName"]
    faults.unless(account["metadata"]["name"] == used, path, "the servers have another ServiceAccount")
    for job in kinds.get("Job", []):
        migrations(job, f"{path}: Job", faults)
        images = {kind["spec"]["template"]["spec"]["containers"][0]["image"] for kind in (job, servers)}
        faults.unless(len(images) == 1, path, "migrations are of another version")
    for secret in kinds.get("Secret", []):
        weight = secret["metadata"]["annotations"]["helm.sh/hook-weight"]
        faults.unless(int(weight) < 0, path, "the Secret is made after the migrations")
    replicas = servers["spec"].get("replicas")
    many = replicas is None or replicas > 1
    faults.unless(many == ("PodDisruptionBudget" in kinds), path, "a PodDisruptionBudget of one server, or none of many")
    faults.unless((replicas is None) == ("HorizontalPodAutoscaler" in kinds), path, "replicas are set by two")
    for budget in kinds.get("PodDisruptionBudget", []):
        faults.unless(budget["spec"]["selector"]["matchLabels"].items() <= labels.items(), path, "guards no server")
    for policy in kinds.get("NetworkPolicy", []):
        faults.unless(policy["spec"]["policyTypes"] == ["Ingress", "Egress"], path, "the policy leaves a way open")
        faults.unless(policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items(), path, "guards no server")
        for rule in policy["spec"]["ingress"]:
            telemetry = any(port["port"] == "telemetry" for port in rule["ports"])
            faults.unless("from" in rule or not telemetry, path, "anybody reads the telemetry")
    for monitor in kinds.get("ServiceMonitor", []):
        selector = monitor["spec"]["selector"]["matchLabels"].items()
        watched = [service for service in kinds["Service"] if selector <= service["metadata"]["labels"].items()]
        faults.unless(len(watched) == 1, path, "the ServiceMonitor watches another number of services than one")
    for rule in kinds.get("PrometheusRule", []):
        faults.unless(rule["spec"].get("groups"), path, "there are no alerts")
    return set(kinds)


def main(what, *paths):
    faults, kinds = Faults(), set()
    for path in paths:
        if what == "compose":
            compose(path, faults)
        else:
            kinds |= chart(path, faults)
    if what == "chart":
        for kind in ("Job", "Ingress", "Secret", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"):
            faults.unless(kind in kinds, "chart", f"no set of values has a {kind}")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
