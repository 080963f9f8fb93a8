"""The address the service listens on: taking it, and saying in plain words why it can't be had."""

import errno
import socket
import time

PORT_PATIENCE = 3.0  # seconds for the workers of a killed service to notice and leave the port


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address but not listening yet, so that clients are refused until requests are answered."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def port_trouble(host: str, port: int, patience: float = PORT_PATIENCE) -> str | None:
    """Why the service can't listen there, None when it can; asked before anything slow happens."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with bind(host, port) as probe:
                probe.listen()  # with SO_REUSEADDR only this tells that somebody else listens
                return None
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                return explain(error, host, port)
        time.sleep(0.1)


def explain(error: OSError, host: str, port: int) -> str:
    """What a failure to listen means, for the person who started the service."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program (perhaps this service already runs). "
            f"Stop it, or choose another port: MAPSERVICE_PORT={port + 1 if port < 65535 else 8000}"
        )
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}. Choose one from 1024 on: MAPSERVICE_PORT=8000"
    return (
        f"the service can't listen on {host} port {port} ({error.strerror}). Check MAPSERVICE_HOST and MAPSERVICE_PORT."
    )
