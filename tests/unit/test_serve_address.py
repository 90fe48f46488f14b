"""Where `unrepeat serve` says that it listens is an address that a browser can open."""

import pytest

from unrepeat.terminal.serve import _address


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::", "http://127.0.0.1:8123"),
        ("::1", "http://[::1]:8123"),
        ("unrepeat.shop.example", "http://unrepeat.shop.example:8123"),
    ],
)
def test_it_names_an_address_for_a_browser(host, said):
    assert _address(host, 8123) == said
