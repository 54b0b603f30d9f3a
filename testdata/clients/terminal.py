#!/usr/bin/env python3
"""Run a full-screen program on a terminal of its own: terminal.py SECONDS PROGRAM [ARGUMENT...]

What the program draws goes to standard output; the exit status is the program's, or 124 when its time was up.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

deadline = time.monotonic() + float(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
while True:
    left = deadline - time.monotonic()
    if left <= 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.exit(124)
    if not select.select([terminal], [], [], min(left, 1))[0]:
        continue
    try:
        drawn = os.read(terminal, 65536)
    except OSError:
        break
    if not drawn:
        break
    os.write(1, drawn)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
