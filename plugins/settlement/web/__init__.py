"""The status API `/settlement/v1` inside Airflow's api-server: what Airflow's own REST API lacks for this job.

Nothing is imported here: the plugin that names this package is loaded by every task process.
"""
