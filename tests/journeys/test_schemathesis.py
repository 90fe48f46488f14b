"""Every operation of the API against what its OpenAPI file promises, with good and with hostile input.

As an administrator, so that every operation is reached. No answer may be a 5xx, none may have an undocumented status, and every
answer has the documented shape. `UNREPEAT_LONG_TESTS=300` tries so many examples an operation instead of the few of every day.
"""

from __future__ import annotations

import os

import pytest
import schemathesis
from django.core.asgi import get_asgi_application
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.api import a_filled_database

load_all_checks()
EXAMPLES = int(os.environ.get("UNREPEAT_LONG_TESTS", "4"))
# A body may have the right shape and still be refused, with a reason: a resolved incident cannot be resolved again.
CHECKED = [check for check in CHECKS.get_all() if check is not positive_data_acceptance]


@pytest.fixture
def token(transactional_db):
    """An administrator's token (its number is one that no example hits), in a database with a bit of everything."""
    return a_filled_database().admin_token


schema = schemathesis.openapi.from_asgi(  # the real ASGI application; a busy machine may be slow to write the file
    "/api/v1/openapi.json", get_asgi_application(), timeout=120
)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="UNREPEAT_LONG_TESTS" not in os.environ,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_its_promises(case, token):
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKED)
