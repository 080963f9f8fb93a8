"""Reads vector tiles (Mapbox Vector Tile 2.1) as far as tests need it: layers, points, properties."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class TileFeature:
    """A feature: its kind (1 points, 2 lines, 3 areas), the grid points that it goes through, its properties."""

    id: int | None
    kind: int
    points: list[tuple[int, int]]
    properties: dict[str, Any]


@dataclass
class TileLayer:
    """A layer of a tile."""

    name: str = ""
    version: int = 1
    extent: int = 4096
    features: list[TileFeature] = field(default_factory=list)


def layers_of(tile: bytes) -> list[TileLayer]:
    """The layers of a tile. Raises ValueError for bytes that are none."""
    return [_layer(value) for number, value in _fields(tile) if number == 3 and isinstance(value, bytes)]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found, shift = 0, 0
    while True:
        byte = data[at]
        found, at, shift = found | (byte & 0x7F) << shift, at + 1, shift + 7
        if byte < 0x80:
            return found, at


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value: int | bytes
            value, at = _varint(data, at)
        elif key & 7 == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif key & 7 in (1, 5):
            size = 8 if key & 7 == 1 else 4
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {key & 7}")
        if at > len(data):
            raise ValueError("cut off")
        yield key >> 3, value


def _layer(data: bytes) -> TileLayer:
    found, keys, values, raw = TileLayer(), [], [], []
    for number, value in _fields(data):
        if isinstance(value, bytes):
            if number == 1:
                found.name = value.decode()
            elif number == 2:
                raw.append(value)
            elif number == 3:
                keys.append(value.decode())
            elif number == 4:
                values.append(_value(value))
        elif number == 15:
            found.version = value
        elif number == 5:
            found.extent = value
    found.features = [_feature(each, keys, values) for each in raw]
    return found


def _value(data: bytes) -> Any:
    [(number, value)] = list(_fields(data))
    if isinstance(value, bytes):
        return value.decode() if number == 1 else struct.unpack("<d" if number == 3 else "<f", value)[0]
    if number == 6:
        return (value >> 1) ^ -(value & 1)
    return bool(value) if number == 7 else value


def _feature(data: bytes, keys: list[str], values: list[Any]) -> TileFeature:
    found = TileFeature(None, 0, [], {})
    for number, value in _fields(data):
        if number == 1 and isinstance(value, int):
            found.id = value
        elif number == 3 and isinstance(value, int):
            found.kind = value
        elif isinstance(value, bytes):
            numbers = _packed(value)
            if number == 2:
                found.properties = {keys[k]: values[v] for k, v in zip(numbers[::2], numbers[1::2], strict=True)}
            elif number == 4:
                found.points = _points(numbers)
    return found


def _packed(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _points(commands: list[int]) -> list[tuple[int, int]]:
    found, x, y, at = [], 0, 0, 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        for _ in range(count if command in (1, 2) else 0):
            x += (commands[at] >> 1) ^ -(commands[at] & 1)
            y += (commands[at + 1] >> 1) ^ -(commands[at + 1] & 1)
            found.append((x, y))
            at += 2
    return found
