"""The test whose results stand in reports/."""

from sessions import Store


def test_an_ended_session_is_let_go():
    store = Store()
    store.end(store.begin())
    assert store.kept == 0
