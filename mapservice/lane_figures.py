"""Prometheus figures of the kept answers. Counted in passing, added up when the database gives its word."""

from prometheus_client import Counter, Gauge

from mapservice.kept_answers import KeptAnswers
from mapservice.middleware import REQUESTS

HITS = Counter("mapservice_cache_hits_total", "Requests answered from memory.", ("status",))
MADE = Counter("mapservice_cache_made_total", "Answers made because none was kept; kept then, or not.", ("kept",))
DROPPED = Counter("mapservice_cache_dropped_total", "Kept answers forgotten because a change touched them.")
EVICTED = Counter("mapservice_cache_evicted_total", "Kept answers forgotten for want of room.")
BYTES = Gauge("mapservice_cache_bytes", "Bytes of kept answers.", multiprocess_mode="livesum")
ENTRIES = Gauge("mapservice_cache_answers", "Kept answers.", multiprocess_mode="livesum")


def note(kept: KeptAnswers) -> None:
    """Adds what has been counted since the last time."""
    for (route, status), times in kept.answered.items():
        REQUESTS.labels("GET", route, str(status)).inc(times)
        HITS.labels(str(status)).inc(times)
    kept.answered.clear()
    cache = kept.cache
    DROPPED.inc(cache.dropped)
    EVICTED.inc(cache.evicted)
    cache.dropped = cache.evicted = 0
    BYTES.set(cache.bytes)
    ENTRIES.set(len(cache.entries))
