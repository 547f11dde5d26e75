"""Registers what Airflow must know at start-up. It stays light: every task process loads it."""

from airflow.plugins_manager import AirflowPlugin

from settlement.tasks.working_day_timetable import WorkingDayTimetable


class SettlementPlugin(AirflowPlugin):
    """The working-day timetable of the payment DAG."""

    name = "settlement"
    timetables = [WorkingDayTimetable]
