"""What a diff does to behaviour, told from its lines."""

from __future__ import annotations

import pytest

from unrepeat.investigation.lenses._diffs import is_inert, read_diff, words_of

GUILTY = {
    "a pool made a tenth": ("db/pool.go", "-\tMaxOpenConns: 100,\n+\tMaxOpenConns: 10,"),
    "minutes become seconds": ("cache/config.go", "-\tTTL: 15 * time.Minute,\n+\tTTL: 15 * time.Second,"),
    "a shorter deadline": (
        "client.go",
        "-\tc, stop := WithTimeout(ctx, 5*time.Second)\n+\tcc, stop := WithTimeout(ctx, 300*time.Millisecond)",
    ),
    "many more retries": ("retry.py", "-MAX_RETRIES = 2\n+MAX_RETRIES = 20"),
    "a lock taken away": ("limit.go", "-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()"),
    "a check for nothing taken away": ("charge.go", '-\tif resp.ThreeDS == nil {\n-\t\treturn ""\n-\t}'),
    "a close taken away": ("fetch.go", "-\tdefer resp.Body.Close()"),
    "a bound taken from a cache": ("cache.go", "-\tcache: lru.New(1000),\n+\tcache: map[string]*Item{},"),
    "a limit taken from a query": (
        "store.sql",
        "-SELECT * FROM orders ORDER BY at LIMIT 100\n+SELECT * FROM orders ORDER BY at",
    ),
    "a query in a loop": (
        "items.go",
        "-\titems := db.Query(`SELECT * FROM items WHERE id = ANY($1)`, ids)\n+\tfor _, id := range ids {\n+\t\titem := db.Query(`SELECT * FROM items WHERE id = $1`, id)\n+\t}",
    ),
    "debug logging": ("agent.yaml", "-  level: info\n+  level: debug"),
    "a flag turned on": ("flags.json", '-  "new_planner": false,\n+  "new_planner": true,'),
    "an index dropped": ("0043.sql", "+DROP INDEX idx_orders_user;"),
    "a table locked": ("0044.sql", "+ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';"),
    "a comparison turned": ("page.go", "-\tif page < last {\n+\tif page <= last {"),
    "a field renamed": ("order.go", '-\tUserID string `json:"user_id"`\n+\tUserID string `json:"userId"`'),
    "a wait": ("loop.py", "+    time.sleep(2)"),
    "a pattern that backtracks": ("check.py", "+PATTERN = re.compile(r'^(a+)+$')"),
}
INNOCENT = {
    "documents": ("docs/api.md", "-old\n+new 500"),
    "a test": ("retry_test.go", "-\tlimit := 5\n+\tlimit := 500"),
    "looks": ("static/order.css", "-.a { padding: 8px }\n+.a { padding: 80px }"),
    "a patch release": ("go.mod", "-\tgithub.com/gorilla/mux v1.8.0\n+\tgithub.com/gorilla/mux v1.8.1"),
    "a version name": ("version.go", '-const Version = "v2026.06.24-1014"\n+const Version = "v2026.06.24-1102"'),
    "a renamed variable": (
        "handler.go",
        "-\tc := r.Context()\n-\treturn fetch(c, q)\n+\tctx := r.Context()\n+\treturn fetch(ctx, q)",
    ),
    "a helper pulled out": (
        "handler.go",
        (
            "-\tvar q Query\n-\tif err := decode(r.Body, &q); err != nil {\n-\t\thttp.Error(w, err.Error(), 400)\n-\t\treturn\n-\t}\n"
            "+\tq, err := decodeQuery(r)\n+\tif err != nil {\n+\t\twriteError(w, http.StatusBadRequest, err)\n+\t\treturn\n+\t}"
        ),
    ),
    "an error passed on at once": (
        "lookup.go",
        "-\titem, err := s.load(key)\n-\tif err != nil { return nil, err }\n-\treturn item, nil\n+\treturn s.load(key)",
    ),
    "a cache a fifth larger": ("cache.yaml", "-  entries: 50000\n+  entries: 60000"),
    "a counter": ("metrics.go", "+\thits.Inc()"),
    "another log call": ("log.go", '-\tlog.Printf("%s", path)\n+\tlogger.Info("handled", "route", path)'),
    "a comment": ("config.go", "-\t// ttl is 5 minutes\n+\t// ttl is 50 minutes"),
    "lines in another order": ("list.go", "-\tA,\n-\tB,\n+\tB,\n+\tA,"),
    "an index made beside the traffic": ("0042.sql", "+CREATE INDEX CONCURRENTLY IF NOT EXISTS idx ON items (at);"),
}


@pytest.mark.parametrize("name", GUILTY)
def test_what_can_hurt_is_seen(name):
    file, diff = GUILTY[name]
    assert read_diff(diff, (file,)).weight >= 0.5


@pytest.mark.parametrize("name", INNOCENT)
def test_what_cannot_hurt_is_let_go(name):
    file, diff = INNOCENT[name]
    assert read_diff(diff, (file,)).weight <= 0.2


def test_it_says_what_it_saw():
    file, diff = GUILTY["minutes become seconds"]
    assert read_diff(diff, (file,)).why == "changes 900 to 15"


def test_words_are_taken_apart_and_cut():
    assert words_of("DefaultCASRetryPolicy retries") == {"default", "cas", "retry", "policy", "retr"}


@pytest.mark.parametrize(
    "name", ["app/latest_config.py", "contest_rules.py", "requirements.txt", "requirements/run.txt"]
)
def test_a_file_is_inert_by_its_folder_or_whole_name_and_not_by_a_piece_of_it(name):
    assert not is_inert((name,))
    assert is_inert(("tests/test_retry.py", "docs/requirements.md", "a_test.go", "test_x.py"))


def test_a_dependencys_next_major_release_counts_in_a_list_of_requirements():
    assert read_diff("-psycopg==2.9.9\n+psycopg==3.2.1", ("requirements.txt",)).weight == 0.5
