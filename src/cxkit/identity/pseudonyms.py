"""Pseudonyms: ids that say nothing, the same for the same key, by a keyed hash.

Without the key nobody can go back, nor try out guesses; whoever holds it can, so the data stays
personal data (GDPR, article 4(5)). Throw the key away and it is anonymous as far as ids go.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Final, Literal

import attrs
import numpy as np

from cxkit.core.codes import TEXT, Codes, Label
from cxkit.errors import DataError, DefinitionError
from cxkit.model.columnar import Column
from cxkit.model.journeys import Journeys

__all__ = ["Pseudonyms"]

_SHORTEST_KEY: Final = 16
_SMALLEST: Final = 8
_LARGEST: Final = 32


@attrs.frozen(eq=False)
class Pseudonyms:
    """A keyed hash for ids.

    Attributes:
        key: At least 16 secret random bytes, such as ``secrets.token_bytes(32)``; from a vault,
            never from the code.
        algorithm: ``"hmac-sha256"`` (RFC 2104, FIPS 198-1), or ``"blake2b"`` in its keyed form
            (RFC 7693), about twice as fast.
        size: Bytes of a pseudonym, 8 to 32. 16 keep two of a billion ids apart with certainty for
            all purposes.

    Example:
        >>> hide = Pseudonyms(b"sixteen bytes or more, random")
        >>> hide.of("ann@example.org")
        'wrlygi43fqe64jwurs4w62zs3m'
        >>> hide.of("ann@example.org", namespace="email") == hide.of("ann@example.org")
        False
    """

    key: bytes = attrs.field(repr=False)
    algorithm: Literal["hmac-sha256", "blake2b"] = "hmac-sha256"
    size: int = 16

    def __attrs_post_init__(self) -> None:
        """Check."""
        given: object = self.key
        if not isinstance(given, bytes) or len(given) < _SHORTEST_KEY:
            what = f"{len(given)} bytes" if isinstance(given, bytes) else "no bytes"
            raise DefinitionError(
                f"the key must be at least {_SHORTEST_KEY} bytes, such as secrets.token_bytes(32); "
                f"found {what}"  # never the key itself: errors end up in logs
            )
        if self.algorithm not in {"hmac-sha256", "blake2b"}:
            raise DefinitionError(
                f"algorithm must be 'hmac-sha256' or 'blake2b'; found {self.algorithm!r}"
            )
        if self.algorithm == "blake2b" and len(self.key) > hashlib.blake2b.MAX_KEY_SIZE:
            raise DefinitionError("a key of blake2b has at most 64 bytes")
        if type(self.size) is not int or not _SMALLEST <= self.size <= _LARGEST:
            raise DefinitionError(f"size must be {_SMALLEST} to {_LARGEST}; found {self.size!r}")

    def of(self, label: Label, *, namespace: str = "") -> str:
        """The pseudonym of one id: lower-case letters and digits.

        Args:
            label: Text or a whole number; 7 and ``"7"`` are one id.
            namespace: Sets ids of different kinds apart, so that they cannot be compared.
        """
        return self._hasher(namespace)(str(label))

    def codes(self, column: Codes, *, namespace: str = "") -> Codes:
        """A column with pseudonyms for labels: one hash per distinct label, not per row.

        Raises:
            DataError: Two labels have one pseudonym; take a larger ``size``.
        """
        hasher = self._hasher(namespace)
        names = [hasher(str(label)) for label in column.vocabulary]
        hidden = Codes.from_codes(column.codes, np.array(names, dtype=TEXT), missing=column.missing)
        if len(set(names)) < len(names):
            raise DataError(
                f"two of {len(names):,} ids have one pseudonym of {self.size} bytes; take a larger "
                "size"
            )
        return hidden

    def apply(
        self,
        journeys: Journeys,
        columns: str | Iterable[str] = ("customer",),
        *,
        namespace: str = "",
    ) -> Journeys:
        """Journeys with pseudonyms in some columns, ``"customer"`` among them by default.

        Raises:
            SchemaError: There is no such column, or it holds numbers.
            DataError: Two labels have one pseudonym.

        Example:
            >>> journeys = Journeys.from_codes(
            ...     customer=np.array([7, 8]), time=np.array([0, 1], "M8[s]")
            ... )
            >>> hide = Pseudonyms(b"sixteen bytes or more, random", size=8)
            >>> [journey.customer for journey in hide.apply(journeys)]
            ['kz65poqgf35zy', 'qjaiihbaujjhy']
        """
        wanted = [columns] if isinstance(columns, str) else list(columns)
        new: dict[str, Column] = dict(journeys.columns)
        for name in wanted:
            if name != "customer":
                new[name] = self.codes(journeys.codes(name), namespace=namespace)
        hidden = attrs.evolve(journeys, columns=new)
        if "customer" not in wanted:
            return hidden
        who = self.codes(journeys.customer, namespace=namespace)
        # Journeys stand in order of their customer's label, which is another one now.
        order = np.argsort(who.codes, kind="stable")
        return attrs.evolve(hidden, customer=who).take(order)

    def _hasher(self, namespace: str) -> Callable[[str], str]:
        key, size = self.key, self.size
        # The length in front: no namespace and id can be read as another namespace and id.
        head = f"{len(namespace)}:{namespace}:".encode("utf-8", "surrogatepass")

        def text(digest: bytes) -> str:
            return base64.b32encode(digest[:size]).rstrip(b"=").decode("ascii").lower()

        def by_hmac(label: str) -> str:
            data = head + label.encode("utf-8", "surrogatepass")
            return text(hmac.digest(key, data, "sha256"))

        def by_blake2b(label: str) -> str:
            data = head + label.encode("utf-8", "surrogatepass")
            return text(hashlib.blake2b(data, key=key, digest_size=size).digest())

        return by_hmac if self.algorithm == "hmac-sha256" else by_blake2b
