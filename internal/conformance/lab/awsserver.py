"""Answers for the aws command out of one process.

Usage: awsserver.py SOCKET SERVICE...

Most of what an aws command does is to load itself and its description of a
service. This process has loaded both, and forks for each command, which then
has the caller's environment, folder, and standard input and output.
"""

import array
import gc
import json
import os
import signal
import socket
import sys

from awscli.clidriver import create_clidriver


def answer(caller, driver):
    """Runs one command, and tells the caller how it ended."""
    files = array.array("i")
    message, control, _, _ = caller.recvmsg(1 << 20, socket.CMSG_SPACE(3 * files.itemsize))
    for _, _, data in control:
        files.frombytes(data)
    for number, file in enumerate(files):
        os.dup2(file, number)
    asked = json.loads(message)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    try:
        code = driver.main(asked["args"])
    except SystemExit as end:
        code = end.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    caller.send(bytes([code & 255]))


def serve(path, services):
    driver = create_clidriver()
    for name in services:
        driver.session.get_service_model(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a command here
    # One message is one command, whatever its length.
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(path)
    server.listen(64)
    while True:
        caller, _ = server.accept()
        if os.fork() == 0:
            status = 1
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                answer(caller, driver)
                status = 0
            finally:
                os._exit(status)
        caller.close()


serve(sys.argv[1], sys.argv[2:])
