"""The addresses of the pages.

Live parts: an element with `data-live="ADDRESS"` can be fetched again by itself from that address, and the answer is the whole
element, to be put in its place. `data-live-careful` asks to leave it alone while a form in it is open or has the focus.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from unrepeat.web.pages import (
    coverage,
    deliveries,
    evidence,
    guard,
    guards,
    incident,
    insights,
    lists,
    measure,
    measures,
    people,
    repeats,
    reports,
    services,
    settings,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", lists.now, name="now"),
    path("part/now", lists.now_part, name="now-part"),
    path("incidents", lists.incidents, name="incidents"),
    path("incidents/<int:number>", incident.incident, name="incident"),
    path("incidents/<int:number>/part/<slug:part>", incident.part, name="incident-part"),
    path("incidents/<int:number>/act/<slug:name>", incident.act, name="act"),
    path("incidents/<int:number>/repeats", repeats.name, name="name-repeat"),
    path("incidents/<int:number>/repeats/<int:postmortem>", repeats.compare, name="compare"),
    path("incidents/<int:number>/evidence/<slug:digest>", evidence.evidence, name="evidence"),
    path("incidents/<int:number>/measures/<int:measure>", measure.measure, name="measure"),
    path("incidents/<int:number>/measures/<int:measure>/guards", measure.tie, name="tie-guard"),
    path("measures", measures.board, name="measures"),
    path("measures.csv", measures.download, name="measures-csv"),
    path("guards", guards.list_of, name="guards"),
    path("guards.csv", guards.download, name="guards-csv"),
    path("guards/<str:name>", guard.guard, name="guard"),
    path("guards/<str:name>/runs/<int:number>", guard.run, name="guard-run"),
    path("guards/<str:name>/act/<slug:what>", guard.act, name="act-guard"),
    path("guards/<str:name>/promtool/<slug:which>.yml", guard.promtool, name="guard-promtool"),
    path("declare-guard", guards.kinds_of, name="declare-guard"),
    path("declare-guard/<slug:kind>", guards.declare, name="declare-guard-kind"),
    path("coverage", coverage.matrix, name="coverage"),
    path("coverage.csv", coverage.download, name="coverage-csv"),
    path("insights", insights.shown, name="insights"),
    path("insights/<slug:name>.csv", insights.download, name="insights-csv"),
    path("postmortems", reports.library, name="library"),
    path("postmortems/<int:number>", reports.postmortem, name="postmortem"),
    path("postmortems/<int:number>/publish", reports.publish, name="publish"),
    path("postmortems/<int:number>/edit/<slug:section>", reports.edit, name="edit"),
    path("postmortems/<int:number>/history/<slug:section>", reports.history, name="history"),
    path("postmortems/<int:number>/revisions/<int:revision>", reports.revision, name="revision"),
    path("postmortems/<int:number>.html", reports.download_html, name="download-html"),
    path("postmortems/<int:number>.md", reports.download_markdown, name="download-markdown"),
    path("services", services.services, name="services"),
    path("services/<path:name>", services.service, name="service"),
    path("deliveries", deliveries.deliveries, name="deliveries"),
    path("deliveries/reread", deliveries.reread, name="reread"),
    path("deliveries/<int:number>", deliveries.delivery, name="delivery"),
    path("settings", settings.settings, name="settings"),
    path("settings/sources/add", settings.add_source, name="add-source"),
    path("settings/sources/<slug:name>", settings.change_source, name="change-source"),
    path("settings/people", settings.people_page, name="people"),
    path("settings/people/<int:pk>", settings.change_person, name="change-person"),
    path("settings/configuration", settings.configuration, name="configuration"),
    path("tokens", settings.my_tokens, name="my-tokens"),
    path("tokens/<int:pk>/revoke", settings.revoke_token, name="revoke-token"),
    path("first-admin/<str:token>", people.first_admin, name="first-admin"),
    path("join/<str:person>/<str:token>", people.join, name="join"),
]
