"""Connecting to PostgreSQL, and what a server must be for a signed log to be entrusted to it.

A commit must be on the disk when it is acknowledged. A server can be told not to care (``fsync``,
``full_page_writes``), and is then refused; that a session does not wait (``synchronous_commit``) is put right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from keepclear.errors import Fault, InputError, StoreError

if TYPE_CHECKING:
    import psycopg

__all__ = ["check_server", "connected", "postgres_url", "server_name"]

_OLDEST = 150000
_DRIVERS = ("postgresql", "postgres", "postgresql+psycopg")
_IDLE_S = 300  # how long a transaction may wait for us before the server ends it and lets others write
_DEFAULTS = {
    "connect_timeout": "10",
    # A machine that vanished is noticed, at both ends: else its transaction would keep others from writing.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "keepclear",
}


def postgres_url(text: str) -> URL:
    """A database's address.

    Raises
    ------
    InputError
        If it is not the address of a PostgreSQL database.
    """
    right = "postgresql://USER@HOST:PORT/DATABASE"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise InputError(
            Fault("not the address of a database", right, field="database")
        ) from None  # it may hold a password
    if url.drivername not in _DRIVERS or not url.database:
        problem = "not the address of a PostgreSQL database"
        raise InputError(Fault(problem, right, field="database", value=f"{url.drivername}:…"))
    return url.set(drivername="postgresql")


def server_name(url: URL) -> str:
    """What to call the database in a message: without passwords, wherever in the address they stand."""
    host = url.host or str(url.query.get("host", "")) or "local"
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{host}{port}/{url.database}"


def connected(url: URL, *, statement_timeout_s: float, lock_timeout_s: float) -> psycopg.Connection[Any]:
    """A new connection in autocommit mode: transactions are begun and ended by statements.

    Raises
    ------
    StoreError
        If the driver is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        raise StoreError(f"PostgreSQL needs a driver: pip install 'keepclear[postgres]' ({error})") from error
    further = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    asked = {**_DEFAULTS, **further}
    parts = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    asked |= {name: str(value) for name, value in parts.items() if value is not None}
    driver = psycopg.connect(dbname=url.database, autocommit=True, **asked)  # type: ignore[arg-type]
    try:
        settings = {
            "statement_timeout": f"{statement_timeout_s * 1000:.0f}",
            "lock_timeout": f"{lock_timeout_s * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{_IDLE_S * 1000}",
            "client_min_messages": "warning",
        }
        for name, value in settings.items():
            driver.execute("SELECT set_config(%s, %s, false)", (name, value))
    except BaseException:
        driver.close()
        raise
    return driver


def check_server(connection: Connection, name: str, *, readonly: bool) -> None:
    """Refuse a server that loses what it has acknowledged, or that is no server for us; make this session wait.

    Raises
    ------
    StoreError
        If it is refused; the message says what is to be changed.
    """
    driver: Any = connection.connection.driver_connection
    if driver.info.server_version < _OLDEST:
        found = driver.info.parameter_status("server_version")
        raise StoreError(f"{name} is PostgreSQL {found}; version 15 or a later one is needed")
    encoding = driver.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"{name} keeps text as {encoding}; make the database with: createdb --encoding=UTF8")
    if readonly:
        return
    standby, fsync, pages, waits, schema = connection.exec_driver_sql(
        "SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), "
        "current_setting('synchronous_commit'), current_schema()"
    ).one()
    if standby:
        raise StoreError(f"{name} is a standby and may only be read; write to the primary")
    for setting, value in (("fsync", fsync), ("full_page_writes", pages)):
        if value != "on":
            raise StoreError(
                f"{name} runs with {setting}={value}: what it acknowledges can be lost, and a log that has lost what "
                f"it signed contradicts itself. Set {setting}=on on the server"
            )
    if schema is None:
        raise StoreError(f"{name} has no schema to make tables in: create one, or set search_path")
    if waits not in {"on", "remote_apply"}:  # the second waits for more
        connection.exec_driver_sql("SET synchronous_commit = on")
