"""The fork server: forks workers that have everything imported. `python -m wetink.sandbox FD`.

The socket FD receives the name of a module with a socket for each new worker. The fork server calls the module's
`ready()` once, before it forks the first worker of its kind; `ready()` returns the function that answers requests.
"""

import gc
import importlib
import os
import signal
import socket
import sys

from wetink.sandbox.child import ANSWER, FAILED, Answer, die_with_parent, work


def main() -> None:
    """Fork workers until the socket ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; our parent decides when to stop
    control = socket.socket(fileno=int(sys.argv[1]))
    ready: dict[str, Answer] = {}
    while True:
        request, files, _, _ = socket.recv_fds(control, 1024, 1)
        if not request:
            return
        _reap()
        with socket.socket(fileno=files[0]) as sock:
            name = request.decode()
            try:
                if name not in ready:
                    ready[name] = importlib.import_module(name).ready()
                    gc.collect()
                    gc.freeze()  # keeps shared memory shared: no collector writes into it
            except Exception as error:
                words = f"{type(error).__name__}: {error}".encode()
                sock.sendall(ANSWER.pack(len(words), FAILED) + words)
                continue
            if os.fork() == 0:
                control.close()
                die_with_parent()
                _live(sock, ready[name])


def _live(sock: socket.socket, answer: Answer) -> None:
    """Run a worker, and exit without the fork server's cleanup."""
    try:
        work(sock, answer)
    except OSError:
        pass  # the pool has closed our socket
    finally:
        os._exit(0)


def _reap() -> None:
    """Reap workers that have ended. Until then no other process can get their ids."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    main()
