"""Visitors who come back a few times a second."""

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def visit(self):
        self.client.get("/", name="visit")
