"""The same flash sale a minute after a release that is healthy, and keeps more: 2.0.1 remembers the visits of those who are in the shop.

Its memory doubles with the visitors, and a release has just been shipped. It is no leak all the same: it follows the load.
"""

from __future__ import annotations

from lab.deploy import deploy, retire
from lab.outage import change_body
from lab.stage import Stage
from lab.stories.flash_sale import ABOUT_SECONDS as SALE
from lab.stories.flash_sale import Rush, sell

TITLE = "a flash sale, four times the visitors, on the healthy release 2.0.1, a minute after it was shipped, in about five minutes"
RELEASE = "2.0.1"
TIMES = 4.0  # at six times its checkpoints are an outage of their own
ABOUT_SECONDS = SALE + 10


def play(stage: Stage) -> Rush:
    """Ship the release, then hold the sale."""
    deployed = deploy(stage.house, RELEASE)
    stage.link.announce(change_body(deployed, "Remember which pages a visitor saw, for as long as the session lives"))
    stage.say(f"deployed sessions {RELEASE}: {deployed.sessions} live sessions handed over")
    retire(stage.house, deployed)
    return sell(stage, Rush(name="flash_sale_after_release", release=RELEASE, wanted=TIMES))
