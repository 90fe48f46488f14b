"""The page of the settings shows each as one would set it, and no secret."""

from unrepeat.support.config import Config


def test_settings_are_shown_as_one_sets_them_and_secrets_never(monkeypatch):
    from unrepeat.web.pages.settings import _configured

    monkeypatch.setenv("UNREPEAT_TOKEN", "geheim-1")
    monkeypatch.setenv("UNREPEAT_SECRET_KEY", "geheim-2")
    monkeypatch.setenv("UNREPEAT_DATABASE_URL", "postgresql://app:geheim@3/@db.shop.example:5432/unrepeat")
    monkeypatch.setenv("UNREPEAT_OPEN_READING", "1")
    monkeypatch.setenv("UNREPEAT_MANAGERS", "a@shop.example, b@shop.example")
    told = {name: (value, default) for name, value, default, _ in _configured(Config())}
    assert "geheim" not in str(told)
    assert told["UNREPEAT_TOKEN"] == told["UNREPEAT_SECRET_KEY"] == ("set", "")
    assert told["UNREPEAT_DATABASE_URL"][0] == "postgresql://app:hidden@db.shop.example:5432/unrepeat"
    assert told["UNREPEAT_OPEN_READING"] == ("true", "false")
    assert told["UNREPEAT_MANAGERS"] == ("a@shop.example,b@shop.example", "")
    assert told["UNREPEAT_ALLOWED_HOSTS"] == ("*", "*")
    assert told["UNREPEAT_GROUPING_WINDOW"] == ("1800", "1800")
    assert told["UNREPEAT_SEARCH_ALIASES"] == ("", "")
