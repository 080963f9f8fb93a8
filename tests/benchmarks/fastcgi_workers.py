"""Runs N processes of a FastCGI program on one Unix socket: `fastcgi_workers.py SOCKET N PROGRAM`.

They end with it, and are killed, not asked: MapServer's processes ignore SIGTERM.
"""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType


def main() -> None:
    path, count, program = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen(128)
        workers = [subprocess.Popen([program], stdin=listener.fileno()) for _ in range(count)]

        def end(_signal: int, _frame: FrameType | None) -> None:
            for worker in workers:
                worker.kill()

        signal.signal(signal.SIGTERM, end)
        for worker in workers:
            worker.wait()


if __name__ == "__main__":
    main()
