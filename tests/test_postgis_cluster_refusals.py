"""What the embedded cluster refuses, in words that say what to do."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from postgis import debian
from postgis.cluster_home import locate, server_account
from postgis.debian import Server
from postgis.local_cluster import LocalCluster
from postgis.unavailable import StoreUnavailableError
from tests.cluster_holders import remove_cluster


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory that the server's user can enter (pytest's own are private to root)."""
    directory = Path(tempfile.mkdtemp(prefix="cluster-test-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    remove_cluster(directory)


def test_a_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    with LocalCluster(data_dir):
        pass
    home = locate(data_dir)
    assert home is not None
    made_by = (home.pgdata / "PG_VERSION").read_text()
    (home.pgdata / "PG_VERSION").write_text("14\n")
    message = r"made by PostgreSQL 14.*\(installed: .*postgresql-14-postgis-3"
    with pytest.raises(StoreUnavailableError, match=re.compile(message, re.S)):
        LocalCluster(data_dir).hold()
    assert LocalCluster(data_dir).status().made_by == 14
    (home.pgdata / "PG_VERSION").write_text(made_by)
    with LocalCluster(data_dir) as cluster:
        assert cluster.running()


def test_a_directory_that_is_no_cluster_is_refused_and_left_alone(data_dir: Path) -> None:
    account = server_account()
    strange = data_dir / "postgis" / "data"
    strange.mkdir(parents=True)
    (strange / "holiday.txt").write_text("photos")
    for path in (strange.parent, strange):
        os.chown(path, account.uid, account.gid)
    with pytest.raises(StoreUnavailableError, match="is not a PostgreSQL data directory"):
        LocalCluster(data_dir).hold()
    assert (strange / "holiday.txt").read_text() == "photos"


def test_a_broken_configuration_is_told_in_the_servers_own_words(data_dir: Path) -> None:
    with LocalCluster(data_dir):
        pass
    home = locate(data_dir)
    assert home is not None
    local = home.pgdata / "local.conf"
    local.write_text("shared_buffers = 'plenty'\n")
    local.chmod(0o644)
    with pytest.raises(StoreUnavailableError, match=r"did not start[^$]*shared_buffers"):
        LocalCluster(data_dir).hold()
    local.unlink()
    with LocalCluster(data_dir) as cluster:
        assert cluster.running()


def test_a_file_in_place_of_the_data_directory_is_refused(data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="MAPSERVICE_DATA_DIR"):
        LocalCluster(data_dir / "file").hold()


def test_without_postgis_and_without_rights_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "installed_servers", lambda: [])
    monkeypatch.setattr(debian, "_privilege", lambda: None)
    with pytest.raises(StoreUnavailableError, match=r"apt-get install -y postgresql-\d+-postgis-3"):
        debian.ensure_server(print)


def test_packages_are_installed_without_a_cluster_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands that an installation runs; the installation itself is too slow to repeat in every run."""
    ran: list[str] = []

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(command))
        return subprocess.CompletedProcess(command, 0, "")

    found = [None, Server(15, Path("/usr/lib/postgresql/15/bin"), ())]
    monkeypatch.setattr(debian, "find_server", lambda _major=None: found.pop(0))
    monkeypatch.setattr(debian, "installed_servers", lambda: [Server(15, Path("/x"), ("postgis",))])
    monkeypatch.setattr(debian, "_privilege", lambda: ())
    monkeypatch.setattr(debian, "_packages_wanted", lambda _major: ["postgresql-15-postgis-3"])
    monkeypatch.setattr(debian, "_as_root", run)
    assert debian.ensure_server(print).major == 15
    before, install, after = ran
    assert "create_main_cluster = false" in before
    assert install.endswith("--no-install-recommends install postgresql-15-postgis-3")
    assert after.startswith("sh -c rm -f /etc/postgresql-common/createcluster.d/mapservice.conf")
