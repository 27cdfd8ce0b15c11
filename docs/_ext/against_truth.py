"""Attribution against known causes: the figures of docs/concepts/attribution-against-truth.md.

The page shows this file and is built from it, so its tables are those of the code that it is built
with. Only ``setup`` needs Sphinx.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import cxkit as cx

OUTCOMES = ("add_to_cart", "checkout", "purchase")


def credits_by_model(world):
    """The conversions that each model credits to each channel, under the terms of the truth.

    Contacts work for 14 days, and outcomes are no contacts. The models are told both, so what they
    miss is no matter of settings. Two rows are no models: ``touchpoints`` shares the conversions by
    the number of contacts alone, ``true_shares`` by what the channels really caused.
    """
    journeys, truth = world.journeys, world.truth
    touches = [event for event in journeys.event.vocabulary if event not in OUTCOMES]
    table = cx.attribution.compare(journeys, "purchase", lookback="14d", touches=touches)
    given = {
        answer.model.kind: dict(zip(answer.labels, answer.conversions.tolist(), strict=True))
        for answer in table.attributions
    }
    for name, share in (
        ("touchpoints", truth.touchpoints / truth.touchpoints.sum()),
        ("true_shares", truth.share),
    ):
        credited = (share * truth.conversions).tolist()
        given[name] = dict(zip(cx.simulate.CHANNELS, credited, strict=True))
    return given


def against_truth(world):
    """How near each model comes, in one world.

    Example:
        >>> rows = against_truth(cx.simulate.retail(300, rng=1)).to_dicts()
        >>> [row["model"] for row in rows]
        ['first_touch', 'last_touch', 'linear', 'position_based', 'time_decay', 'markov',
         'touchpoints', 'true_shares']
        >>> rows[-1]["misallocated"]
        0.0
    """
    return world.truth.compare(credits_by_model(world))


def over_worlds(draw, *, worlds=100, customers=6_000):
    """Means over many worlds, with effects drawn anew in each; world ``i`` has the seed ``i``.

    A world in which no channel helps has no shares to compare with, and is left out.

    Args:
        draw: ``draw(rng)`` -> (8,) log-odds.
        worlds: How many.
        customers: In each.

    Returns:
        One row per model: the mean rank correlation with its standard error, and the means of the
        misallocated part and of the error per conversion.
    """
    models, found = [], []
    for seed in range(worlds):
        effects = draw(np.random.default_rng(seed)).tolist()
        effects = dict(zip(cx.simulate.CHANNELS, effects, strict=True))
        world = cx.simulate.retail(customers, effects=effects, rng=seed)
        if np.isnan(world.truth.share).any():
            continue
        table = against_truth(world)
        models = table.model
        error = table.error / world.truth.conversions
        found.append([table.rank_correlation, table.misallocated, error])
    rank, misallocated, error = np.array(found).transpose(1, 2, 0)
    rough = rank.std(axis=1, ddof=1) / np.sqrt(len(found))
    means = (rank.mean(axis=1), rough, misallocated.mean(axis=1), error.mean(axis=1))
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(models, *means, strict=True)]


COLUMNS = ("model", "rank correlation", "± standard error", "misallocated", "error per conversion")

DRAWS = {
    "random-positive": lambda rng: rng.uniform(0.05, 0.9, 8),
    "random-mixed": lambda rng: rng.normal(0.0, 0.5, 8),
}


def world_page(effects):
    """The tables of a named world, as Markdown."""
    world = cx.simulate.retail(customers=20_000, effects=effects, rng=1)
    truth = world.truth
    rows = [
        {
            "model": row["model"],
            "rank correlation": row["rank_correlation"],
            "misallocated": row["misallocated"],
            "total error": f"{row['error']:,.0f}",
        }
        for row in against_truth(world).to_dicts()
    ]
    columns = {"contacts": truth.touchpoints, "effect": truth.effect, "caused": truth.caused}
    channels = [
        {"": name, **{c: _cell(name, v) for c, v in zip(cx.simulate.CHANNELS, row, strict=True)}}
        for name, row in columns.items()
    ] + [
        {"": model, **{c: _cell(model, given.get(c, 0.0)) for c in cx.simulate.CHANNELS}}
        for model, given in credits_by_model(world).items()
        if model not in {"touchpoints", "true_shares"}
    ]
    summary = (
        f"{truth.conversions:,} purchases; {truth.baseline:,.0f} were to be expected without any "
        f"contact. One by one, the channels caused {truth.caused.sum():,.0f}."
    )
    return f"{summary}\n\n{_table(rows)}\n\nConversions by channel:\n\n{_table(channels)}"


def pages():
    """What the directive can show."""
    return {
        "positive": lambda: world_page("positive"),
        "mixed": lambda: world_page("mixed"),
        **{name: lambda draw=draw: _table(over_worlds(draw)) for name, draw in DRAWS.items()},
    }


def _cell(name, value):
    return f"{value:.2f}" if name == "effect" else f"{value:,.0f}"


def _table(rows):
    """Rows as a table in Markdown, numbers to the right."""
    names = list(rows[0])
    sides = ["---" if name in {"", "model"} else "---:" for name in names]
    cells = [[f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [names, sides, *cells])


def setup(app):
    """Add the directive ``against-truth`` to Sphinx; its argument is a name of ``pages()``."""
    from sphinx.util.docutils import SphinxDirective

    class AgainstTruth(SphinxDirective):
        required_arguments = 1

        def run(self):
            package = Path(cx.__file__).parent
            for folder in ("core", "model", "attribution", "simulate"):
                for file in package.joinpath(folder).glob("*.py"):
                    self.env.note_dependency(str(file))  # the page is built anew when these change
            self.env.note_dependency(__file__)
            return self.parse_text_to_nodes(pages()[self.arguments[0]]())

    app.add_directive("against-truth", AgainstTruth)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
