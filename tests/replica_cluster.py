"""A second PostgreSQL cluster that follows an embedded one by streaming replication, as a city's replica does."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from postgis import cluster_home, debian
from postgis.cluster_config import PORT, SUPERUSER
from postgis.cluster_home import ClusterHome
from postgis.debian import Server
from postgis.engine import Database


@dataclass
class ReplicaCluster:
    """The following cluster, made by `follow`."""

    path: Path
    home: ClusterHome
    server: Server
    database_name: str

    @property
    def url(self) -> str:
        """For MAPSERVICE_REPLICA_URLS."""
        return f"postgresql://{SUPERUSER}@/{self.database_name}?host={self.path}&port={PORT}"

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.path} -c logging_collector=off"
        self._pg_ctl("start", "-l", str(self.path / "log"), "-o", options, "-w", "-t", "60")

    def stop(self) -> None:
        """Ends it at once, as a power cut does."""
        self._pg_ctl("stop", "-m", "immediate", "-w")

    def _pg_ctl(self, *arguments: str) -> None:
        done = self.home.account.run(self.server.program("pg_ctl"), *arguments, "-D", str(self.path / "data"))
        assert done.returncode == 0, done.stdout


def follow(primary: Database, path: Path) -> ReplicaCluster:
    """Copies the running primary into `path` and starts the copy as its replica."""
    assert primary.cluster is not None
    home = cluster_home.locate(primary.settings.data_dir)
    assert home is not None
    server = debian.find_server(home.made_by())
    assert server is not None
    # The embedded cluster lets nobody copy it; a city's primary names its replicas there.
    with (home.pgdata / "pg_hba.conf").open("a") as hba:
        hba.write("local replication all peer map=mapservice\n")
    with primary.administrator() as connection:
        connection.execute(text("SELECT pg_reload_conf()"))
    path.mkdir(mode=0o755)
    shutil.chown(path, home.account.uid, home.account.gid)
    cluster = ReplicaCluster(path, home, server, primary.name)
    done = home.account.run(
        server.program("pg_basebackup"), "-h", str(home.sockets), "-p", str(PORT), "-U", SUPERUSER,
        "-D", str(path / "data"), "-R", "-X", "stream", "-c", "fast",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    cluster.start()
    return cluster
