"""Where the kernel has no Landlock, a process goes on unconfined and says so."""

import subprocess
import sys

import pytest
from tests.fixtures.processes import package_environment

UNCONFINED = """
import logging, sys
from settlement import confinement
logging.basicConfig(level="INFO")
confinement.CREATE_RULESET = 100_000  # a system call that no kernel has, as Landlock's is none on an old one
print(confinement.confine([], [], [5432]))
open(sys.executable, "rb").close()
"""


def test_a_kernel_without_landlock_confines_nothing_and_the_log_says_so() -> None:
    command = [sys.executable, "-c", UNCONFINED]
    result = subprocess.run(command, env=package_environment(), capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
    assert "内核不支持 Landlock" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_a_process_that_closed_itself_is_not_dumpable() -> None:
    program = "import ctypes; from settlement.confinement import close_to_others as close; close();"
    program += "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=package_environment(), capture_output=True, text=True, check=True)
    assert result.stdout == "0\n"
