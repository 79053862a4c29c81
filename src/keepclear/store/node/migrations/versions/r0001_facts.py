"""The node's facts as they were at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_FUNCTION = """CREATE OR REPLACE FUNCTION act_never_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'acts are never changed'; END $$"""
_POSTGRES = """CREATE TRIGGER act_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON act
FOR EACH STATEMENT EXECUTE FUNCTION act_never_changed()"""
_SQLITE = "CREATE TRIGGER act_never_{0} BEFORE {0} ON act BEGIN SELECT RAISE(ABORT, 'acts are never changed'); END"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _act() -> None:
    op.create_table(
        "act",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("via", _WORDS, nullable=False),
        sa.Column("credential", _WORDS, nullable=False),
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("what", _WORDS, nullable=False),
        sa.Column("ref", _WORDS, nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("act_of_what", "act", ["what", "id"], unique=False)
    op.create_index(op.f("ix_act_at_s"), "act", ["at_s"], unique=False)
    op.create_index(op.f("ix_act_person"), "act", ["person"], unique=False)


def _alarm() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", _WHOLE, autoincrement=True, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("sentence", _WORDS, nullable=False),
        sa.Column("line", _WORDS, nullable=True),
        sa.Column("origin", _WORDS, nullable=True),
        sa.Column("number", _WHOLE, nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("times", _WHOLE, nullable=False),
        sa.Column("last_s", sa.Double(), nullable=False),
        sa.Column("over_s", sa.Double(), nullable=True),
        sa.Column("acknowledged_s", sa.Double(), nullable=True),
        sa.Column("acknowledged_by", _WORDS, nullable=True),
        sa.Column("note", _WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("alarm_by_key", "alarm", ["kind", "key", "acknowledged_s"], unique=False)
    op.create_index("alarm_open", "alarm", ["acknowledged_s", "id"], unique=False)


def _alarm_channel() -> None:
    op.create_table(
        "alarm_channel",
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("version", _WHOLE, nullable=False),
        sa.Column("tried_s", sa.Double(), nullable=True),
        sa.Column("worked", _WHOLE, nullable=True),
        sa.Column("note", _WORDS, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def _arrival() -> None:
    op.create_table(
        "arrival",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("start", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("stop", _WHOLE, nullable=False),
        sa.Column("kept_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "start"),
    )
    op.create_index("arrival_by_time", "arrival", ["kept_s", "origin", "start"], unique=False)


def _body_arrival() -> None:
    op.create_table(
        "body_arrival",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("kept_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "number"),
    )


def _body_on_file() -> None:
    op.create_table(
        "body_on_file",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "number", "leaf_hash"),
    )


def _card_on_file() -> None:
    op.create_table(
        "card_on_file",
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("party", _WORDS, nullable=False),
        sa.Column("identity", _WORDS, nullable=False),
        sa.Column("source", _WORDS, nullable=False),
        sa.Column("card", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("line", "party"),
    )


def _compared() -> None:
    op.create_table(
        "compared",
        sa.Column("identity", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("identity"),
    )


def _counting() -> None:
    op.create_table(
        "counting",
        sa.Column("id", _WHOLE, autoincrement=True, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("start", _WHOLE, nullable=False),
        sa.Column("stop", _WHOLE, nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _draft() -> None:
    op.create_table(
        "draft",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("version", _WHOLE, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("changed_s", sa.Double(), nullable=False),
        sa.Column("line", _WORDS, nullable=True),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", _WHOLE, autoincrement=True, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("type", _WORDS, nullable=False),
        sa.Column("line", _WORDS, nullable=True),
        sa.Column("origin", _WORDS, nullable=True),
        sa.Column("number", _WHOLE, nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("event_by_time", "event", ["at_s"], unique=False)


def _flash_in() -> None:
    op.create_table(
        "flash_in",
        sa.Column("party", _WORDS, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("came_s", sa.Double(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("party", "id"),
    )
    op.create_index("flash_in_by_line", "flash_in", ["line", "came_s"], unique=False)


def _flash_out() -> None:
    op.create_table(
        "flash_out",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("party", _WORDS, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("sent_s", sa.Double(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("taken_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", "party"),
    )
    op.create_index("flash_out_by_party", "flash_out", ["line", "party", "taken_s"], unique=False)


def _fork_told() -> None:
    op.create_table(
        "fork_told",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("told_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "digest"),
    )


def _guarded() -> None:
    op.create_table(
        "guarded",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("outcome", _WORDS, nullable=False),
        sa.Column("guard", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("line", _WORDS, nullable=True),
        sa.Column("origin", _WORDS, nullable=True),
        sa.Column("number", _WHOLE, nullable=True),
        sa.Column("spans", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sentence", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("guarded_entry", "guarded", ["origin", "number"], unique=False)


def _intent() -> None:
    op.create_table(
        "intent",
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("number", _WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_s", sa.Double(), nullable=False),
        sa.Column("expires_s", sa.Double(), nullable=False),
        sa.Column("acceptance", sa.LargeBinary(), nullable=True),
        sa.Column("party", _WORDS, nullable=True),
        sa.Column("came_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_invitation_line"), "invitation", ["line"], unique=False)


def _joining() -> None:
    op.create_table(
        "joining",
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("inviter", _WORDS, nullable=False),
        sa.Column("identity", _WORDS, nullable=False),
        sa.Column("acceptance", sa.LargeBinary(), nullable=False),
        sa.Column("expires_s", sa.Double(), nullable=False),
        sa.Column("sent_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("line"),
    )


def _kept_answer() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("worker", _WORDS, nullable=False),
        sa.Column("begun_s", sa.Double(), nullable=False),
        sa.Column("status", _WHOLE, nullable=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("person", "key"),
    )
    op.create_index(op.f("ix_kept_answer_begun_s"), "kept_answer", ["begun_s"], unique=False)


def _kept_value() -> None:
    op.create_table(
        "kept_value",
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _line() -> None:
    op.create_table(
        "line",
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("since_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("line"),
    )


def _line_test() -> None:
    op.create_table(
        "line_test",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("party", _WORDS, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("begun_s", sa.Double(), nullable=False),
        sa.Column("due_s", sa.Double(), nullable=False),
        sa.Column("overdue_s", sa.Double(), nullable=True),
        sa.Column("returned_s", sa.Double(), nullable=True),
        sa.Column("lost", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("origin", "number", "party"),
    )
    op.create_index("line_test_line", "line_test", ["line", "begun_s"], unique=False)
    op.create_index("line_test_open", "line_test", ["returned_s", "overdue_s"], unique=False)


def _line_test_returned() -> None:
    op.create_table(
        "line_test_returned",
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "number"),
    )


def _peer_state() -> None:
    op.create_table(
        "peer_state",
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("party", _WORDS, nullable=False),
        sa.Column("state", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("line", "party"),
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("shown", _WORDS, nullable=False),
        sa.Column("roles", _WORDS, nullable=False),
        sa.Column("password", _WORDS, nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("added_s", sa.Double(), nullable=False),
        sa.Column("disabled_s", sa.Double(), nullable=True),
        sa.Column("version", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("subject", _WORDS, nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("proposed_by", _WORDS, nullable=False),
        sa.Column("proposed_s", sa.Double(), nullable=False),
        sa.Column("ends_s", sa.Double(), nullable=False),
        sa.Column("decided_by", _WORDS, nullable=False),
        sa.Column("decided_s", sa.Double(), nullable=True),
        sa.Column("outcome", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_proposal_state"), "proposal", ["state"], unique=False)


def _reading() -> None:
    op.create_table(
        "reading",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("reading_by_person", "reading", ["person", "at_s"], unique=False)
    op.create_index("reading_of_entry", "reading", ["origin", "number"], unique=False)


def _receipt() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", _WHOLE, autoincrement=True, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("origin", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("size", _WHOLE, nullable=False),
        sa.Column("by", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _roster_post() -> None:
    op.create_table(
        "roster_post",
        sa.Column("role", _WORDS, nullable=False),
        sa.Column("rank", _WHOLE, autoincrement=False, nullable=False),
        sa.Column("holder", _WORDS, nullable=False),
        sa.Column("channels", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("role", "rank"),
    )


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("line", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("begun_s", sa.Double(), nullable=False),
        sa.Column("request", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("recurrence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("ended_s", sa.Double(), nullable=True),
        sa.Column("ended_by", _WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", _WHOLE, nullable=False),
        sa.Column("name_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sign_in_address"), "sign_in", ["address"], unique=False)
    op.create_index(op.f("ix_sign_in_at_s"), "sign_in", ["at_s"], unique=False)
    op.create_index(op.f("ix_sign_in_name_hash"), "sign_in", ["name_hash"], unique=False)


def _told() -> None:
    op.create_table(
        "told",
        sa.Column("id", _WHOLE, autoincrement=True, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("alarm", _WHOLE, nullable=True),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("channel", _WORDS, nullable=False),
        sa.Column("urgent", _WHOLE, nullable=False),
        sa.Column("notice", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("tries", _WHOLE, nullable=False),
        sa.Column("next_s", sa.Double(), nullable=True),
        sa.Column("ended_s", sa.Double(), nullable=True),
        sa.Column("note", _WORDS, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("told_alarm", "told", ["alarm"], unique=False)
    op.create_index("told_due", "told", ["state", "channel", "next_s"], unique=False)


def _series_day() -> None:
    op.create_table(
        "series_day",
        sa.Column("series", _WHOLE, nullable=False),
        sa.Column("day", _WORDS, nullable=False),
        sa.Column("state", _WORDS, nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("origin", _WORDS, nullable=True),
        sa.Column("number", _WHOLE, nullable=True),
        sa.Column("note", _WORDS, nullable=False),
        sa.ForeignKeyConstraint(
            ["series"],
            ["series.id"],
        ),
        sa.PrimaryKeyConstraint("series", "day"),
    )
    op.create_index("series_day_of_entry", "series_day", ["origin", "number"], unique=False)


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", _WORDS, nullable=False),
        sa.Column("begun_s", sa.Double(), nullable=False),
        sa.Column("used_s", sa.Double(), nullable=False),
        sa.Column("ends_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["person.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_session_ends_s"), "session", ["ends_s"], unique=False)
    op.create_index(op.f("ix_session_person"), "session", ["person"], unique=False)


def _token() -> None:
    op.create_table(
        "token",
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("label", _WORDS, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", _WORDS, nullable=False),
        sa.Column("made_s", sa.Double(), nullable=False),
        sa.Column("ends_s", sa.Double(), nullable=False),
        sa.Column("used_s", sa.Double(), nullable=True),
        sa.Column("ended_s", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person"],
            ["person.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_token_person"), "token", ["person"], unique=False)


def upgrade() -> None:
    """Make the tables."""
    _act()
    _alarm()
    _alarm_channel()
    _arrival()
    _body_arrival()
    _body_on_file()
    _card_on_file()
    _compared()
    _counting()
    _draft()
    _event()
    _flash_in()
    _flash_out()
    _fork_told()
    _guarded()
    _intent()
    _invitation()
    _joining()
    _kept_answer()
    _kept_value()
    _line()
    _line_test()
    _line_test_returned()
    _peer_state()
    _person()
    _proposal()
    _reading()
    _receipt()
    _roster_post()
    _series()
    _sign_in()
    _told()
    _series_day()
    _session()
    _token()
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in (_FUNCTION, _POSTGRES) if postgres else map(_SQLITE.format, ("UPDATE", "DELETE")):
        op.execute(statement)
