"""What a process may reach, told to the Linux kernel by the process itself: nothing it starts or reads can undo it.

- A process with secrets makes itself closed: no other process of the same user may look into its environment or memory.
- A process that reads foreign files confines itself (Landlock): it opens the folders it needs and no others, looks into
  no process that it did not start, signals none, and connects to the ports it needs.

Neither asks for rights. A kernel without Landlock (before 5.13), or another system, knows the first or nothing of both;
``confine`` says what it could do.
"""

import ctypes
import logging
import os
import struct
import sys
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""System calls of Landlock; their numbers are the same on every architecture."""
VERSION_ASKED = 1
PATH_BENEATH, NET_PORT = 1, 2

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
OF_FIRST_VERSION = (1 << 13) - 1
ADDED_RIGHTS = ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
TO_READ = EXECUTE | READ_FILE | READ_DIR
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
SCOPES = 1 << 0 | 1 << 1
"""Abstract sockets and signals reach no process outside."""
NETWORK_SINCE, SCOPES_SINCE = 4, 6


def close_to_others() -> None:
    """Let no other process of this user read this one's environment and memory, nor a core dump be written of it."""
    _prctl(PR_SET_DUMPABLE, 0)


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when the one that started it is gone."""
    _prctl(PR_SET_PDEATHSIG, signal_number)


def confine(readable: Collection[Path], writable: Collection[Path], ports: Collection[int] | None) -> bool:
    """Confine this process and what it starts, before it has any thread, to what is named; True when it is confined.

    Args:
        readable: Files and folders that may be read, with what is below them; what does not exist is left out.
        writable: Folders in which files may be made, changed and removed too.
        ports: TCP ports that may be connected to; None for every port.
    """
    version = _call(CREATE_RULESET, None, 0, VERSION_ASKED) if sys.platform == "linux" else -1
    if version < 1:
        log.warning("this kernel has no Landlock: what reads foreign files is not confined (内核不支持 Landlock)")
        return False
    every = OF_FIRST_VERSION
    for since, right in ADDED_RIGHTS:
        every |= right if version >= since else 0
    network = BIND_TCP | CONNECT_TCP if ports is not None and version >= NETWORK_SINCE else 0
    scopes = SCOPES if version >= SCOPES_SINCE else 0
    ruleset = struct.pack("=QQQ", every, network, scopes)
    size = 24 if version >= SCOPES_SINCE else 16 if version >= NETWORK_SINCE else 8
    rules = _call(CREATE_RULESET, ruleset, size, 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        for paths, rights in ((readable, TO_READ), (writable, every)):
            for path in paths:
                _allow(rules, path, rights & every)
        for port in ports or () if network else ():
            _must(_call(ADD_RULE, rules, NET_PORT, struct.pack("=QQ", CONNECT_TCP, port), 0), "landlock_add_rule")
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        _must(_call(RESTRICT_SELF, rules, 0), "landlock_restrict_self")
    finally:
        os.close(rules)
    return True


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            rights &= OF_A_FILE
        rule = struct.pack("=Qi", rights, opened)
        _must(_call(ADD_RULE, rules, PATH_BENEATH, rule, 0), "landlock_add_rule")
    finally:
        os.close(opened)


def _must(answer: int, call: str) -> None:
    if answer < 0:
        raise OSError(ctypes.get_errno(), call)


def _call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return int(library.syscall(ctypes.c_long(number), *passed))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
