"""Estimates what requests cost upstream, in seconds: by the contract's figures, corrected by measurements.

A detail costs about 17 ms; a page costs a fixed part, a part for each record, and a little for each record before
it (contract section 7). The measurements are weighted exponentially, the newest most.

What a skipped record costs is not measured: nearly all deep pages are a crawl's, which reads from the head to the
end, so whatever else changes meanwhile, like the load or the requests in flight, would be taken for the depth.

Only requests that were alone with upstream are measured, as the contract's were: what one of our requests waits for
another in upstream is no price. Plans compare details with pages, so both come from one state of knowledge: what was
never measured is taken to be as much slower or quicker than the contract's figure as what was.
"""

from __future__ import annotations

from upstream.client.v4_records import Kind, R

NOMINAL_DETAIL = 0.017
NOMINAL_PAGE = {"package": (0.012, 0.00035), "grid": (0.012, 0.0013), "category": (0.012, 0.0003)}
"""The fixed part and the part for each record. A grid costs more: upstream loads all its packages to print ids."""
NOMINAL_SKIPPED = 8e-6
"""Each record that is skipped: a page of 20 takes 19 to 23 ms at the head, and 60 to 76 behind 5,380 records."""
KEEP = 0.95
"""The weight that older measurements keep with each new one."""
MIN_BASE = 1e-4
MIN_SLOPE = 1e-6


class Costs:
    """Holds the model for each kind of record."""

    def __init__(self) -> None:
        # The keys are kinds, each from its first measurement on.
        self._details: dict[str, float] = {}
        self._pages: dict[str, _Line] = {}

    def detail(self, kind: Kind[R]) -> float:
        """Return what a detail costs."""
        known = self._details.get(kind.singular)
        return NOMINAL_DETAIL * self._pace_of_pages(kind) if known is None else known

    def page(self, kind: Kind[R], records: int) -> float:
        """Return what a page of this many records costs."""
        return self._line(kind).at(records)

    def page_parts(self, kind: Kind[R]) -> tuple[float, float]:
        """Return the fixed part of a page's cost, and the part for each record."""
        line = self._line(kind)
        return line.base, line.slope

    def skipped(self, kind: Kind[R]) -> float:
        """Return what each record before a page costs: less than by the contract if upstream is quicker with
        all records."""
        _, nominal = NOMINAL_PAGE[kind.singular]
        return NOMINAL_SKIPPED * min(1.0, self._line(kind).slope / nominal)

    def measured_detail(self, kind: Kind[R], seconds: float) -> None:
        """Learn how long a detail took that was alone with upstream."""
        self._details[kind.singular] = KEEP * self.detail(kind) + (1 - KEEP) * seconds

    def measured_page(self, kind: Kind[R], records: int, seconds: float, skipped: int = 0) -> None:
        """Learn how long a page of this many records took, behind this many skipped ones, alone at upstream."""
        # An upstream that is quicker than the contract's is quicker with all parts.
        pace = min(1.0, seconds / nominal_page(kind, records, skipped))
        line = self._pages.setdefault(kind.singular, self._line(kind))
        line.add(records, seconds - NOMINAL_SKIPPED * skipped * pace)

    def _line(self, kind: Kind[R]) -> _Line:
        """Return what pages cost: as measured, or else by the contract, at the pace of details."""
        known = self._pages.get(kind.singular)
        if known is not None:
            return known
        base, each = NOMINAL_PAGE[kind.singular]
        pace = self._details.get(kind.singular, NOMINAL_DETAIL) / NOMINAL_DETAIL
        return _Line(max(base * pace, MIN_BASE), max(each * pace, MIN_SLOPE))

    def _pace_of_pages(self, kind: Kind[R]) -> float:
        """Return how many times as long as by the contract pages take, of the size that was measured on average."""
        line = self._pages.get(kind.singular)
        if line is None:
            return 1.0
        base, each = NOMINAL_PAGE[kind.singular]
        return line.at(line.usual_size) / (base + each * line.usual_size)


def nominal_detail() -> float:
    """Return what a detail cost when the contract was measured."""
    return NOMINAL_DETAIL


def nominal_page(kind: Kind[R], records: int, skipped: int = 0) -> float:
    """Return what a page of this many records cost, behind this many skipped ones, when the contract was measured."""
    base, each = NOMINAL_PAGE[kind.singular]
    return base + each * records + NOMINAL_SKIPPED * skipped


class _Line:
    """Fits a line through weighted points by least squares. Each new point reduces the weight of the older ones."""

    def __init__(self, base: float, slope: float) -> None:
        self.base = base
        self.slope = slope
        self._weight = self._n = self._nn = self._t = self._nt = 0.0
        for n in (1, 100):
            self._note(n, base + slope * n)

    @property
    def usual_size(self) -> float:
        return self._n / self._weight

    def at(self, n: float) -> float:
        return self.base + self.slope * n

    def add(self, n: int, seconds: float) -> None:
        for name in ("_weight", "_n", "_nn", "_t", "_nt"):
            setattr(self, name, KEEP * getattr(self, name))
        self._note(n, seconds)
        spread = self._weight * self._nn - self._n**2
        if spread > 1e-6 * self._nn:
            slope = (self._weight * self._nt - self._n * self._t) / spread
            # Noise can turn a line of few points upside down, but neither part is ever free.
            self.slope = max(slope, MIN_SLOPE)
        self.base = (self._t - self.slope * self._n) / self._weight
        if self.base < MIN_BASE:
            # The best line through the least base: raising the base alone would lift it above all points.
            self.base = MIN_BASE
            if self._nn:
                self.slope = max((self._nt - self.base * self._n) / self._nn, MIN_SLOPE)

    def _note(self, n: int, seconds: float) -> None:
        self._weight += 1
        self._n += n
        self._nn += n * n
        self._t += seconds
        self._nt += n * seconds
