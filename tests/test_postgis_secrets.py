"""The key is made once, kept from others, and opens only what belongs where it is read."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postgis import secrets
from postgis.secrets import FILE_NAME, KEY_BYTES, Secrets, Undecipherable, open_secrets
from postgis.unavailable import StoreUnavailableError

SECRETS = Secrets(bytes(range(KEY_BYTES)))


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    first = open_secrets(folder)
    file = folder / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) == KEY_BYTES
    secrets._open.cache_clear()
    assert open_secrets(folder).decrypt(first.encrypt(b"x")) == b"x"
    assert list(folder.iterdir()) == [file]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secrets._read(file) or secrets._make(file), range(64)))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_another_installation_reads_nothing(tmp_path: Path) -> None:
    theirs, ours = open_secrets(tmp_path / "a"), open_secrets(tmp_path / "b")
    with pytest.raises(Undecipherable):
        theirs.decrypt(ours.encrypt(b"0905123456"))
    assert theirs.lookup_hash("0905123456") != ours.lookup_hash("0905123456")


def test_a_file_that_is_no_key_is_said_so(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"short")
    with pytest.raises(StoreUnavailableError, match="no secret key"):
        open_secrets(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the file away")
def test_a_key_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreUnavailableError, match="can't be used"):
        open_secrets(tmp_path)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_encrypted_comes_back(plain: bytes, context: str) -> None:
    ciphertext = SECRETS.encrypt(plain, context=context)
    assert SECRETS.decrypt(ciphertext, context=context) == plain
    assert ciphertext != SECRETS.encrypt(plain, context=context), "equal values must not look equal"
    assert len(plain) < 8 or plain not in ciphertext


@given(st.binary(max_size=60), st.integers(min_value=0))
def test_a_changed_byte_is_found(plain: bytes, where: int) -> None:
    ciphertext = bytearray(SECRETS.encrypt(plain))
    ciphertext[where % len(ciphertext)] ^= 1
    with pytest.raises(Undecipherable):
        SECRETS.decrypt(bytes(ciphertext))


@pytest.mark.parametrize("ciphertext", [b"", b"\x01", b"\x02" + bytes(40), bytes(13)])
def test_what_is_no_ciphertext_is_refused(ciphertext: bytes) -> None:
    with pytest.raises(Undecipherable):
        SECRETS.decrypt(ciphertext)


def test_a_value_copied_to_another_row_does_not_open() -> None:
    with pytest.raises(Undecipherable):
        SECRETS.decrypt(SECRETS.encrypt(b"x", context="owner_phone:LE1"), context="owner_phone:LE2")


def test_equal_texts_of_one_kind_have_equal_hashes() -> None:
    assert SECRETS.lookup_hash("a", kind="phone") == SECRETS.lookup_hash("a", kind="phone")
    assert SECRETS.lookup_hash("a", kind="phone") != SECRETS.lookup_hash("a", kind="id")
    assert SECRETS.lookup_hash("b", kind="a") != SECRETS.lookup_hash("", kind="ab")
    assert len(SECRETS.lookup_hash("a")) == 32
