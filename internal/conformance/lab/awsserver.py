"""Answers for the aws command out of one process.

Usage: awsserver.py SOCKET

Most of what an aws command does is to load itself, its description of a service,
and where that is. This process loads all of it once, a service's when the first
command asks for it, and forks for each command, which then has the caller's
environment, folder, and standard input and output.
"""

import array
import gc
import json
import os
import signal
import socket
import sys

from awscli.clidriver import create_clidriver


def receive(caller):
    """Returns what a caller asks for, and its standard files."""
    files = array.array("i")
    message, control, _, _ = caller.recvmsg(1 << 20, socket.CMSG_SPACE(3 * files.itemsize))
    for _, _, data in control:
        files.frombytes(data)
    return json.loads(message), files


def answer(caller, driver, asked, files):
    """Runs one command, and tells the caller how it ended."""
    for number, file in enumerate(files):
        os.dup2(file, number)
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


def describe(driver, warm, command):
    """Loads a service's description, which the commands to come then have."""
    service = driver.create_help_command().command_table.get(command)
    if not service:
        return
    service.create_help_command()
    model = getattr(service, "service_model", None)
    if model:  # "s3" is more than a service, and has none
        warm.create_client(model.service_name)
    gc.freeze()


def serve(path):
    # A first command, by a session of its own: a session remembers who it is.
    first = create_clidriver()
    first.main(["sts", "get-caller-identity"])
    warm = first.session
    driver = create_clidriver()
    driver.session.register_component("data_loader", warm.get_component("data_loader"))
    described = set()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a command here
    # One message is one command, whatever its length.
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(path)
    server.listen(64)
    while True:
        caller, _ = server.accept()
        asked, files = receive(caller)
        command = asked["args"][0]
        if command not in described:
            described.add(command)
            describe(driver, warm, command)
        if os.fork() == 0:
            status = 1
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                answer(caller, driver, asked, files)
                status = 0
            finally:
                os._exit(status)
        for file in files:
            os.close(file)
        caller.close()


serve(sys.argv[1])
