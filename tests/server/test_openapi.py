"""The OpenAPI document: complete, and nothing that it allows makes the service fail."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from service_tools import Running

EVERYWHERE = {"401", "403", "429", "503"}


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """What schemathesis sends with; it leaves its own ones open."""
    with requests.Session() as opened:
        yield opened


def operations(served: Running) -> list[tuple[str, str]]:
    told = httpx.get(f"{served.address}/v1/openapi.json").json()
    return [(method.upper(), path) for path, ways in told["paths"].items() for method in ways]


def test_every_route_tells_its_errors_with_codes_and_examples(served: Running) -> None:
    told = httpx.get(f"{served.address}/v1/openapi.json").json()
    names = set()
    for path, ways in told["paths"].items():
        for method, what in ways.items():
            assert what["summary"], path
            assert what["description"], (path, method)
            names.add(what["operationId"])
            expected = EVERYWHERE if "security" in what else {"429", "503"}
            assert expected <= set(what["responses"]), (path, method)
            for status, answer in what["responses"].items():
                if status < "400" or (path, status) == ("/v1/ready", "503"):
                    continue
                content = answer["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}, (path, method, status)
                assert all(example["value"]["code"] for example in content["examples"].values())
    assert len(names) == len(operations(served))
    assert told["components"]["schemas"]["NamedFace"]["examples"]


@pytest.mark.slow
def test_nothing_that_the_document_allows_is_a_server_error(served: Running, session: requests.Session) -> None:
    """Generated requests on every operation, answered by the document's own shapes; not calibrated, no key lost."""
    schema = schemathesis.openapi.from_url(f"{served.address}/v1/openapi.json")
    headers = {"Authorization": f"Bearer {served.keys['operator']}"}
    checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=4,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=checks, session=session)

        ask()
        count += 1
    assert count == len(operations(served))
    assert session.get(f"{served.address}/v1/ready").status_code == 200


@pytest.mark.slow
def test_administrators_requests_are_no_server_error_either(own: Running, session: requests.Session) -> None:
    schema = schemathesis.openapi.from_url(f"{own.address}/v1/openapi.json")
    headers = {"Authorization": f"Bearer {own.keys['admin']}"}
    checks = [not_a_server_error, response_schema_conformance]
    for found in schema.get_all_operations():
        operation = found.ok()
        if not operation.path.startswith(("/v1/keys", "/v1/audit", "/v1/webhooks", "/v1/calibration", "/v1/jobs")):
            continue
        if (operation.method, operation.path) == ("delete", "/v1/keys/{key_id}"):
            continue  # it would find its own

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=checks, session=session)

        ask()
