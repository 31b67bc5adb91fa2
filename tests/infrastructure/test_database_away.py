"""Which errors mean that the database cannot be used now, and which are faults of ours."""

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.db.transaction import TransactionManagementError
from psycopg_pool import PoolTimeout

from common import database


def caused_by(cause: BaseException) -> OperationalError:
    error = OperationalError()
    error.__cause__ = cause
    return error


class TestIsAway:
    @pytest.mark.parametrize(
        "cause",
        [
            psycopg.errors.AdminShutdown(),
            psycopg.errors.CannotConnectNow(),
            psycopg.errors.ProtocolViolation("server_login_retry"),
            psycopg.errors.TooManyConnections(),
            psycopg.errors.ReadOnlySqlTransaction(),
            psycopg.errors.IdleInTransactionSessionTimeout(),
            psycopg.errors.QueryCanceled(),
            psycopg.errors.InvalidSqlStatementName(),
            psycopg.OperationalError("server closed the connection unexpectedly"),
            psycopg.InterfaceError("the connection is closed"),
            PoolTimeout(),
        ],
    )
    def test_is_what_nobody_here_can_help(self, cause: psycopg.Error) -> None:
        assert database.is_away(caused_by(cause))
        assert database.is_away(cause)

    def test_is_what_follows_in_the_same_transaction(self) -> None:
        broken = TransactionManagementError("An error occurred in the current transaction.")
        broken.__cause__ = caused_by(psycopg.errors.AdminShutdown())
        assert database.is_away(broken)
        assert database.is_away(ProgrammingError("Cannot open a new connection in an atomic block."))
        assert database.is_away(InterfaceError("connection already closed"))

    @pytest.mark.parametrize(
        "error",
        [
            caused_by(psycopg.errors.UniqueViolation()),
            caused_by(psycopg.errors.UndefinedTable()),
            caused_by(psycopg.errors.InFailedSqlTransaction()),
            TransactionManagementError("An error occurred in the current transaction."),
            KeyError(),
        ],
    )
    def test_is_no_fault_of_ours(self, error: Exception) -> None:
        assert not database.is_away(error)
