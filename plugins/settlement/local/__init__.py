"""A complete installation inside the checkout: embedded PostgreSQL and Airflow's four processes."""
