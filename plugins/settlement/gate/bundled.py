"""A Great Expectations expectation for SQL conditions that costs no query of its own.

`UnexpectedRowsExpectation` asks the database twice per rule (the rows, then their number), so twenty rules read a table
forty times. Here the number of rows that break a condition is an aggregate: Great Expectations puts the aggregates of
all expectations of a suite, the standard ones included, into one ``select``.

Importing this module imports Great Expectations, which costs about ten CPU-seconds: import it only to run a suite.
"""

from typing import Any, ClassVar

from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration

METRIC = "table.rows_breaking_condition"


class RowsBreakingCondition(TableMetricProvider):
    """How many rows of the batch make a SQL condition true."""

    metric_name = METRIC
    value_keys = ("condition",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        condition = sa.literal_column(f"({metric_value_kwargs['condition']})", type_=sa.Boolean)
        return sa.func.count().filter(condition), metric_domain_kwargs, {}

    @classmethod
    def _get_evaluation_dependencies(
        cls,
        metric: MetricConfiguration,
        configuration: Any = None,
        execution_engine: Any = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[str, MetricConfiguration]:
        """Wait for the column names, as the standard metrics do: what is ready at the same time shares one query."""
        dependencies: dict[str, MetricConfiguration] = super()._get_evaluation_dependencies(
            metric, configuration, execution_engine, runtime_configuration
        )
        dependencies["table.columns"] = MetricConfiguration("table.columns", metric.metric_domain_kwargs)
        return dependencies


class ExpectNoRowsWhere(BatchExpectation):
    """Expect that no row of the batch makes the SQL condition true."""

    condition: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("condition",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        return {"success": metrics[METRIC] == 0, "result": {"observed_value": metrics[METRIC]}}
