"""The API against its own description."""

import json

import pytest


@pytest.fixture(scope="module")
def described(page):
    return page.get("/openapi.json").json()


def test_every_operation_describes_what_it_takes_and_refuses(described):
    assert {"/predict", "/model", "/health"} <= set(described["paths"])
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert {"401", "403"} <= set(operation["responses"]), (method, path)
            for status, response in operation["responses"].items():
                assert "content" in response, (path, status)
    files = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert files["multipart/form-data"]["schema"]["required"] == ["files"]


def test_nothing_in_the_description_leads_outside(described):
    assert "http" not in json.dumps(described).replace("HTTP", "").replace("http.", "")


def test_generated_requests_get_the_described_responses(serving, model, tmp_path):
    """Requests that schemathesis makes up, valid ones and others."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    hypothesis = pytest.importorskip("hypothesis")

    pytest.importorskip("hypothesis.configuration").set_hypothesis_home_dir(tmp_path)
    # No file that it makes up is an X-ray.
    checks = pytest.importorskip("schemathesis.specs.openapi.checks")
    excluded = [checks.positive_data_acceptance]
    n_requests = 0
    with serving(model) as address:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        for result in schema.get_all_operations():
            operation = result.ok()

            @hypothesis.settings(
                max_examples=5,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(case=operation.as_strategy())
            def send(case):
                nonlocal n_requests
                n_requests += 1
                response = case.call(base_url=address)
                assert response.status_code < 500
                case.validate_response(response, excluded_checks=excluded)

            send()
    assert n_requests > 40
