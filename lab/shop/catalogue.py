"""What the shop sells: made up, always the same, in plausible words."""

from __future__ import annotations

import random
from typing import Any

PRODUCTS = 1000

_KINDS = [
    "lamp",
    "chair",
    "kettle",
    "jacket",
    "rucksack",
    "notebook",
    "headphones",
    "bicycle",
    "teapot",
    "blanket",
    "clock",
    "mirror",
]
_LOOKS = [
    "oak",
    "walnut",
    "linen",
    "brushed",
    "enamel",
    "folding",
    "woven",
    "matte",
    "glazed",
    "quilted",
    "weatherproof",
]
_WORDS = [
    "made",
    "by",
    "hand",
    "in",
    "small",
    "batches",
    "from",
    "reclaimed",
    "timber",
    "and",
    "wool",
    "with",
    "care",
    "for",
    "the",
    "people",
    "who",
    "use",
    "it",
    "every",
    "day",
    "light",
    "enough",
    "to",
    "carry",
    "strong",
    "enough",
    "to",
    "last",
    "easy",
    "to",
    "clean",
    "simple",
    "to",
    "mend",
    "ships",
    "flat",
    "arrives",
    "within",
    "three",
    "working",
    "days",
    "returns",
    "are",
    "free",
    "of",
    "charge",
    "colours",
    "may",
    "differ",
    "slightly",
    "between",
    "screens",
    "and",
    "daylight",
]


def product(number: int) -> dict[str, Any]:
    """Product 1 to 1000; its price is in cents."""
    dice = random.Random(number)
    name = f"{dice.choice(_LOOKS)} {dice.choice(_KINDS)}".title()
    return {
        "id": number,
        "name": f"{name} No. {number}",
        "price": dice.randrange(400, 25000),
        "image": f"/images/products/{number:05d}-{dice.getrandbits(48):012x}.webp",
        "text": " ".join(dice.choices(_WORDS, k=30)).capitalize() + ".",
    }


def shown(products: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    """The context of a page for the session service: what it showed, and how well each fitted the visitor."""
    return [{**one, "fit": round(dice.random(), 6)} for one in products]
