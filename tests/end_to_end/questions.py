"""Questions that a run asks people, waited for and answered over the API."""

import time

# A program that answers within the scheduler's next beat is asked again, and fails the run if it keeps doing so.
SECONDS_TO_READ = 2


def wait_for_question(api, run_id, dag_id="settle_day", seconds=180):
    """The open question of a run, once its task waits for an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if questions := api.open_questions(dag_id, run_id):
            return questions[0]
        time.sleep(1)
    raise AssertionError(f"{dag_id} {run_id} asked nothing within {seconds} s")


def answer_and_follow(api, question, option, reason):
    """Answer, and answer again where Airflow asks again, until the run has ended; give its state."""
    dag_id, run_id = question["task_instance"]["dag_id"], question["task_instance"]["dag_run_id"]
    for run in api.follow(dag_id, run_id, seconds=240):
        for asked in api.open_questions(dag_id, run_id):
            time.sleep(SECONDS_TO_READ)
            api.answer(asked, option, {"reason": reason})
        state = run.state
    return state
