"""Products and orders in PostgreSQL."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from lab.shop import catalogue

SCHEMA = """
create table products (
    id integer primary key, name text not null, price integer not null, image text not null, text text not null
);
create table orders (
    id uuid primary key, session text not null, total integer not null, status text not null default 'pending'
        check (status in ('pending', 'paid')),
    placed_at timestamptz not null default now(), paid_at timestamptz
);
create table order_lines (
    order_id uuid not null references orders, product integer not null references products,
    quantity integer not null check (quantity > 0), price integer not null
);
create unique index one_paid_order on orders (session) where status = 'paid';
"""


def prepare(dsn: str) -> None:
    """Make the tables and fill in what the shop sells. Once, on an empty database."""
    with psycopg.connect(dsn) as connection:
        connection.execute(SCHEMA)
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into products values (%(id)s, %(name)s, %(price)s, %(image)s, %(text)s)",
                [catalogue.product(number) for number in range(1, catalogue.PRODUCTS + 1)],
            )


class Database:
    """The shop's pool of connections."""

    def __init__(self, dsn: str) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            dsn, min_size=2, max_size=8, open=False, timeout=2.0, kwargs={"row_factory": dict_row}
        )

    async def open(self) -> None:
        """Connect, and wait until the database answers."""
        await self._pool.open(wait=True, timeout=10.0)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._pool.close()

    async def shelf(self, after: int, count: int) -> list[dict[str, Any]]:
        """`count` products, beginning with number `after` + 1."""
        async with self._pool.connection() as connection:
            rows = await connection.execute(
                "select id, name, price, image, text from products where id > %s order by id limit %s", (after, count)
            )
            return await rows.fetchall()

    async def place(self, session: str, cart: list[dict[str, Any]]) -> str:
        """Write a pending order with its lines; its id."""
        order = str(uuid.uuid4())
        total = sum(line["price"] * line["quantity"] for line in cart)
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into orders (id, session, total) values (%s, %s, %s)", (order, session, total)
            )
            async with connection.cursor() as cursor:
                await cursor.executemany(
                    "insert into order_lines values (%s, %s, %s, %s)",
                    [(order, line["product"], line["quantity"], line["price"]) for line in cart],
                )
        return order

    async def paid(self, order: str) -> None:
        """The order is paid."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "update orders set status = 'paid', paid_at = now() where id = %s and status = 'pending'", (order,)
            )
