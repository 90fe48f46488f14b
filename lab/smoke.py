"""`python -m lab smoke`: everything up, visitors, one deploy with a drain, everything down. Under a minute, for CI."""

from __future__ import annotations

import time

from rich.console import Console

from lab.deploy import deploy, retire
from lab.progress import Progress
from lab.shop_house import ShopHouse, measured_here
from lab.supervisor import Supervisor
from lab.visits import read, shares
from lab.webhook_recorder import WebhookRecorder

BEFORE_SECONDS = 8.0
AFTER_SECONDS = 12.0


def smoke(console: Console) -> int:
    """0 when everybody who came was served, before, during and after the deploy."""
    recorder = WebhookRecorder()
    about = BEFORE_SECONDS + AFTER_SECONDS + 20
    with Progress(console, about) as progress, Supervisor(lambda part: progress.say(f"ready: {part}")) as supervisor:
        house = ShopHouse(supervisor, measured_here())
        house.open([recorder.url])
        began = time.time()
        time.sleep(BEFORE_SECONDS)
        deployed = deploy(house, "2.0.1")
        progress.say(f"deployed sessions 2.0.1: {deployed.sessions} live sessions handed over")
        retire(house, deployed)
        time.sleep(AFTER_SECONDS - (time.time() - deployed.switched))
        supervisor.check()
        supervisor.stop(house.users)
        counted = shares(read(house.users.visits), began, time.time())
        failed = [
            request for visit in read(house.users.visits) for request in visit.requests if request["status"] >= 400
        ]
    recorder.close()
    console.print(f"{counted.visitors} visitors, {counted.buyers} wanted to pay, {len(failed)} requests failed.")
    print(f"FIGURE lab_smoke_visitors={counted.visitors} unit=visitors against=1")
    print(f"FIGURE lab_smoke_failed_requests={len(failed)} unit=requests against=0")
    return 0 if counted.visitors and deployed.sessions and not failed else 1
