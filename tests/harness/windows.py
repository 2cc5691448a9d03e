"""Runs a command where what Windows lacks is taken away: ``python tests/harness/windows.py WORDS``.

Names that Windows does not have are taken away, and calls that it refuses are refused. Modules that
others need these names for are loaded before.
"""
from __future__ import annotations

import errno
import os
import runpy
import signal
import subprocess
import sys
import types

import h5py  # noqa: F401  (may look at the platform when it is loaded)
import numpy  # noqa: F401
import PIL.Image  # noqa: F401
import scipy  # noqa: F401

NAMES = {
    os: ("fork", "forkpty", "getppid", "getuid", "geteuid", "getgid", "getegid", "setsid", "killpg",
         "memfd_create", "posix_fallocate", "pread", "pwrite", "sched_getaffinity", "getloadavg",
         "uname", "sysconf", "fchmod", "fchown", "chown", "statvfs", "mkfifo", "O_DIRECTORY",
         "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"),
    signal: ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGCHLD",
             "pthread_sigmask", "setitimer", "alarm", "pause", "sigwait"),
}
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty")
WRITABLE = os.O_WRONLY | os.O_RDWR


class Kernel32:
    """What Windows answers about processes, of which this one alone runs."""

    class _Function:
        def __init__(self, function):
            self._function = function

        def __call__(self, *args):
            return self._function(*args)

    def __init__(self, *_, **__):
        self.OpenProcess = self._Function(lambda rights, inherit, process: process)
        self.WaitForSingleObject = self._Function(
            lambda handle, limit: 258 if handle == os.getpid() else 0)
        self.CloseHandle = self._Function(lambda handle: 1)


class Msvcrt(types.ModuleType):
    """Windows' locks of files: one byte from the place of the descriptor on."""

    LK_NBLCK = 2

    def locking(self, descriptor, mode, count):
        assert (mode, count) == (self.LK_NBLCK, 1)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) > 0  # else nobody could read the file


def hide() -> None:
    """Make this process like one on Windows."""
    import ctypes
    signal.CTRL_C_EVENT = 0
    ctypes.WinDLL, ctypes.get_last_error = Kernel32, lambda: 0
    for module, names in NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES:
        sys.modules[name] = None
    sys.modules["msvcrt"] = Msvcrt("msvcrt")
    true_open, true_fsync, access = os.open, os.fsync, {}

    def open_(path, flags, *args, **kwargs):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        descriptor = true_open(path, flags, *args, **kwargs)
        access[descriptor] = flags
        return descriptor

    def fsync(descriptor):
        if not access.pop(descriptor, WRITABLE) & WRITABLE:
            raise OSError(errno.EBADF, "Bad file descriptor")
        true_fsync(descriptor)

    def refuse(*args, **_):
        raise AssertionError(f"not on Windows: {args}")

    os.open, os.fsync, os.kill, subprocess.Popen = open_, fsync, refuse, refuse


if __name__ == "__main__":
    hide()
    sys.argv = ["caffe-lrcn", *sys.argv[1:]]
    runpy.run_module("caffe_lrcn", run_name="__main__", alter_sys=True)
