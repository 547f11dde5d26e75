"""What DAGs are made of: the only package that imports Airflow. Each module holds the steps of one DAG."""
