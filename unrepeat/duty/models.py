"""The catalogue: teams, services, and which service depends on which."""

from __future__ import annotations

from django.db import models


class Team(models.Model):
    """People who own services together."""

    name = models.SlugField(max_length=120, unique=True)
    title = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)

    class Meta:
        db_table = "duty_team"


class Contact(models.Model):
    """Where a person is reached, by the name under which logs know them. The edge keeps it level with its accounts."""

    name = models.CharField(max_length=150, unique=True)
    email = models.EmailField()

    class Meta:
        db_table = "duty_contact"


class Service(models.Model):
    """Something that runs. `name` is what alerts and changes call it."""

    name = models.CharField(max_length=120, unique=True)
    title = models.CharField(max_length=200, blank=True)
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="services")
    repository = models.CharField(max_length=300, blank=True)
    labels = models.JSONField(
        default=dict
    )  # the label values that its series carry in Prometheus, for example {"job": "sessions"}
    slow_over = models.FloatField(null=True)  # seconds: its objective; a request that takes longer is slow
    steps = models.JSONField(default=list)  # business steps that its users take, see duty.catalogue.StepText
    known_since = models.DateTimeField()

    class Meta:
        db_table = "duty_service"


class Dependency(models.Model):
    """`service` calls `needs`, and suffers when it is slow or gone."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="dependencies")
    needs = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="dependents")

    class Meta:
        db_table = "duty_dependency"
        constraints = [models.UniqueConstraint(fields=["service", "needs"], name="dependency_once")]
