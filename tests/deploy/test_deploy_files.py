"""The deployment files, as far as they can be checked without an engine: they parse, fit together, and our settings
and routes are those that the program has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from knownface.gallery.index.choice import chosen_index
from knownface.gallery.index.milvus import Milvus
from knownface.gallery.index.pgvector import Pgvector
from knownface.settings import load_settings
from knownface.storage import parse_location

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
IN_COMPOSE = {"${HOST_NAME:?set it in .env}": "faces.example.org", "${DATABASE_PASSWORD:?set it in .env}": "x"}


def compose(*names):
    merged = {"services": {}, "volumes": {}, "networks": {}}
    for name in names:
        read = yaml.safe_load((DEPLOY / name).read_text())
        for service, values in read["services"].items():
            held = merged["services"].setdefault(service, {})
            for key, value in values.items():
                held[key] = {**held[key], **value} if isinstance(held.get(key), dict) else value
        merged["volumes"].update(read.get("volumes") or {})
        merged["networks"].update(read.get("networks") or {})
    return merged


def kubernetes():
    return [
        document
        for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
    ]


def settings_from(environment, monkeypatch):
    text = str(environment)
    for variable, stands_for in IN_COMPOSE.items():
        text = text.replace(variable, stands_for)
    for key, value in ast.literal_eval(text).items():
        monkeypatch.setenv(key, value)
    return load_settings()


@pytest.mark.parametrize("names", [["compose.yaml"], ["compose.yaml", "compose.milvus.yaml"]])
def test_what_compose_names_is_there(names):
    made = compose(*names)
    for name, service in made["services"].items():
        assert "image" in service, name
        assert set(service.get("depends_on", {})) <= set(made["services"])
        assert set(service.get("networks", [])) <= set(made["networks"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith((".", "$")) or source in made["volumes"], volume
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), source
    build = made["services"]["service"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    asked = {word.split("{")[1].split(":")[0] for word in str(made).split("$")[1:] if word.startswith("{")}
    assert asked <= {line.partition("=")[0] for line in (DEPLOY / "example.env").read_text().splitlines()}


def test_all_of_composes_parts_reach_each_other():
    for service in compose("compose.yaml", "compose.milvus.yaml")["services"].values():
        assert "inside" in service["networks"]


@pytest.mark.parametrize(
    ("names", "kind"), [(["compose.yaml"], Pgvector), (["compose.yaml", "compose.milvus.yaml"], Milvus)]
)
def test_the_settings_of_compose_are_settings(alone, monkeypatch, names, kind):
    made = compose(*names)["services"]
    settings = settings_from(made["service"]["environment"], monkeypatch)
    assert isinstance(chosen_index(settings), kind)
    assert parse_location(settings.gallery).url.host in made
    assert settings.serve.host == "0.0.0.0"
    proxy = made["proxy"]["networks"]["inside"]["ipv4_address"]
    assert settings.serve.behind_proxy == (proxy,)


def test_the_settings_of_kubernetes_are_settings(alone, monkeypatch):
    [config] = [d for d in kubernetes() if d["kind"] == "ConfigMap"]
    settings = settings_from(config["data"], monkeypatch)
    assert isinstance(chosen_index(settings), Pgvector)
    services = {d["metadata"]["name"] for d in kubernetes() if d["kind"] == "Service"}
    assert parse_location(settings.gallery).url.host in services


def test_what_kubernetes_names_is_there():
    documents = kubernetes()
    named = {(d["kind"], d["metadata"]["name"]) for d in documents}
    assert len(named) == len(documents)
    for document in documents:
        assert {"apiVersion", "kind", "metadata"} <= set(document)
        assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "knownface"
    pods = {}
    for document in documents:
        if document["kind"] not in ("Deployment", "StatefulSet"):
            continue
        template = document["spec"]["template"]
        assert document["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
        pods[document["metadata"]["name"]] = template["metadata"]["labels"]
        claimed = {c["metadata"]["name"] for c in document["spec"].get("volumeClaimTemplates", [])}
        volumes = {v["name"] for v in template["spec"].get("volumes", [])} | claimed
        for volume in template["spec"].get("volumes", []):
            claim = volume.get("persistentVolumeClaim")
            assert claim is None or ("PersistentVolumeClaim", claim["claimName"]) in named
        for container in template["spec"]["containers"]:
            assert {m["name"] for m in container["volumeMounts"]} <= volumes
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                assert reference is None or ("Secret", reference["name"]) in named
            for source in container.get("envFrom", []):
                assert ("ConfigMap", source["configMapRef"]["name"]) in named
    for document in documents:
        if document["kind"] == "Service":
            assert document["spec"]["selector"] in pods.values()
        if document["kind"] == "HorizontalPodAutoscaler":
            target = document["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) in named


def test_probes_ask_for_routes_that_the_service_has():
    routes = pytest.importorskip("knownface.server.routes.service", reason="the extra server is not installed")
    there = {route.path for route in routes.router.routes}
    asked = {
        container[probe]["httpGet"]["path"]
        for d in kubernetes()
        if d["kind"] == "Deployment"
        for container in d["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert asked <= there
    health = compose("compose.yaml")["services"]["service"]["healthcheck"]["test"][-1]
    assert any(f"8420{path}" in health for path in there)


def test_no_secret_is_written_down():
    for d in kubernetes():
        if d["kind"] == "Secret":
            assert set(d["stringData"].values()) == {"change-me"}
    for line in (DEPLOY / "example.env").read_text().splitlines():
        assert "PASSWORD" not in line or line.endswith("=")


def test_the_image_installs_extras_that_there_are():
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    line = next(line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if "pip install" in line)
    assert set(line.partition("[")[2].partition("]")[0].split(",")) <= set(extras)
