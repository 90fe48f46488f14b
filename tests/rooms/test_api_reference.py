"""The API's reference is what the code is, and its examples work."""

import json
import re
from pathlib import Path

import pytest
from schemathesis.openapi import from_dict

from tests.support.api import Api, a_filled_database
from unrepeat.web.api.reference import with_table
from unrepeat.web.api.urls import document

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
EXAMPLES = re.findall(r"```http\n(\w+) /api/v1(\S+)\n(.*?)```", (REFERENCE / "api.md").read_text(), re.DOTALL)


def test_the_generated_reference_is_current():
    again = "run `python -m unrepeat.web.api` and commit what it writes"
    assert (REFERENCE / "openapi.json").read_text() == document(), again
    page = (REFERENCE / "api.md").read_text()
    assert page == with_table(page), again


def test_the_document_is_openapi_3_1_and_every_operation_names_all_refusals():
    schema = from_dict(json.loads(document()))
    assert schema.raw_schema["openapi"].startswith("3.1")
    for path in schema.raw_schema["paths"].values():
        for operation in path.values():
            assert {"401", "403", "404", "409", "413", "422", "503"} <= set(operation["responses"])
            assert operation["summary"] and operation["description"]


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "body"), EXAMPLES, ids=[f"{m} {p}" for m, p, _ in EXAMPLES])
def test_an_example_of_the_reference_works(method, path, body):
    filled = a_filled_database()
    real = path.replace("/incidents/1/", f"/incidents/{filled.incident}/").replace(
        "/postmortems/1/", f"/postmortems/{filled.report}/"
    )
    answer = Api(filled.responder_token).send(method, real, body.strip().encode())
    assert answer.status_code in (200, 201), answer.text
