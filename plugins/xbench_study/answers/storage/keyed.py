"""Hashes that only the study's secret can make."""

import hashlib
import hmac


def keyed(secret: str, *words: object) -> str:
    """64 hexadecimal digits of these words under a secret; other words give others."""
    text = "\0".join(map(str, words))
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()


def participant_key(secret: str, number: int) -> str:
    """What exports call a participant: it leads back with the study's secret alone."""
    return keyed(secret, "participant", number)[:16]


def drawn(seed: int, *words: object) -> int:
    """A number drawn by a seed for these words: what is sorted by it is shuffled."""
    text = "\0".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
