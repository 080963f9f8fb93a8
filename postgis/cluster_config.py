"""The configuration files of the embedded cluster: who may connect, how much memory, what is logged.

They are rewritten at every start, so a new release of the service brings its settings along. An administrator's own
settings go to `local.conf` in the same directory, which is read last and never touched.
"""

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

OWNER_ROLE = "mapservice_owner"
PUBLIC_ROLE = "mapservice_public"
STAFF_ROLE = "mapservice_staff"
SUPERUSER = "postgres"
PORT = 5432  # only names the socket file: nothing listens on TCP

_INCLUDE = """
# The service's own settings, then an administrator's.
include 'mapservice.conf'
include_if_exists 'local.conf'
"""

# log_min_messages = log: an ERROR line quotes the offending value ('invalid input syntax for type date: "…"'), which
# may be a person's; the service logs its errors itself, without values. LOG, FATAL and PANIC lines stay.
_SETTINGS = """\
# Written by the service at every start: edit local.conf instead, which is read after this file.
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200

shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
max_wal_size = 2GB
wal_compression = on
jit = off

timezone = 'Asia/Ho_Chi_Minh'
log_timezone = 'Asia/Ho_Chi_Minh'

logging_collector = on
log_directory = '../log'
log_filename = 'postgresql-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] '
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_min_duration_statement = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
log_autovacuum_min_duration = -1
log_connections = off
log_disconnections = off
"""

_HBA = """\
# Written by the service at every start. Unix socket only, and only as the operating-system users of pg_ident.conf.
local all all peer map=mapservice
"""


def write_config(pgdata: Path, sockets: Path, os_users: Sequence[str], uid: int, gid: int) -> None:
    """Bring the files in `pgdata` up to date; `os_users` are the accounts that may log in, to any of the four roles.

    PostgreSQL 15 knows no `all` in pg_ident.conf, hence a line for each pair. Files belong to uid:gid, mode 0600.
    """
    settings = _SETTINGS.format(port=PORT, sockets=str(sockets).replace("'", "''"))
    roles = (SUPERUSER, OWNER_ROLE, PUBLIC_ROLE, STAFF_ROLE)
    ident = "# Written by the service at every start.\n" + "".join(
        f'mapservice "{user}" {role}\n' for user in dict.fromkeys(os_users) for role in roles
    )
    main = (pgdata / "postgresql.conf").read_text(encoding="utf-8")
    if "include 'mapservice.conf'" not in main:
        _write(pgdata / "postgresql.conf", main + _INCLUDE, uid, gid)
    for name, text in (("mapservice.conf", settings), ("pg_hba.conf", _HBA), ("pg_ident.conf", ident)):
        _write(pgdata / name, text, uid, gid)


def _write(path: Path, text: str, uid: int, gid: int) -> None:
    """Replace a file in one step, unless it already says the same.

    A new file is renamed into place: as root in a directory of another user, following that user's symbolic links
    would be a hole.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.read_text(encoding="utf-8") == text:
            return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        if os.geteuid() == 0:
            os.fchown(handle, uid, gid)
        file.write(text)
        file.flush()
        os.fsync(handle)
    Path(temporary).replace(path)
