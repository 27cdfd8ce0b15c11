"""Distances of paths, and clusters of them, against plain definitions."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DefinitionError, Journeys
from cxkit.core.codes import Codes
from cxkit.flow import PathVariants, clusters, path_distances, similar_paths
from cxkit.flow.pathways import editdistance
from cxkit.flow.pathways.editdistance import edit_distances
from cxkit.flow.pathways.medoids import adjusted_rand, k_medoids, silhouettes
from tests.examples import some

few = settings(max_examples=some(25))
WORDS = st.lists(st.text("abcd", min_size=1, max_size=7), min_size=1, max_size=15)


def of_words(words):
    return Journeys.from_codes(
        customer=np.repeat(np.arange(len(words)), [len(w) for w in words]),
        time=np.arange(sum(map(len, words))),
        columns={"event": Codes.of(list("".join(words)))},
    )


def slow_edit(a, b):
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        line = [i]
        for j, y in enumerate(b, start=1):
            line.append(min(above[j - 1] + (x != y), above[j] + 1, line[-1] + 1))
        above = line
    return above[-1]


def slow_distance(a, b, metric):
    if metric == "edit":
        return slow_edit(a, b) / max(len(a), len(b))
    if metric == "jaccard":
        return 1 - len(set(a) & set(b)) / len(set(a) | set(b))
    letters = set(a) | set(b)
    return 1 - sum(min(a.count(x), b.count(x)) for x in letters) / sum(
        max(a.count(x), b.count(x)) for x in letters
    )


@pytest.mark.parametrize("longest", [5, 64, 65, 200])
def test_edit_distances_of_short_and_long_paths(longest, monkeypatch):
    rng = np.random.default_rng(longest)
    size = rng.integers(1, longest + 1, 14)
    size[:2] = longest
    offsets = np.append(0, np.cumsum(size))
    codes = rng.integers(0, 3, offsets[-1]).astype(np.uint8)
    left, right = np.triu_indices(len(size))
    want = [
        slow_edit(
            codes[offsets[a] : offsets[a + 1]].tolist(), codes[offsets[b] : offsets[b + 1]].tolist()
        )
        for a, b in zip(left, right, strict=True)
    ]
    assert edit_distances(offsets, codes, left, right).tolist() == want
    monkeypatch.setattr(editdistance, "_TABLE", 8)  # one pattern at a time
    monkeypatch.setattr(editdistance, "_PAIRS", 7)
    assert edit_distances(offsets, codes, right, left).tolist() == want


@few
@given(WORDS, st.sampled_from(["edit", "jaccard", "weighted-jaccard"]))
def test_distances_are_those_of_the_definition(words, metric):
    table = path_distances(of_words(words), metric=metric)
    paths = ["".join(path) for path in table.paths]
    assert sorted(paths) == sorted(set(words))
    assert table.journeys.tolist() == [words.count(path) for path in paths]
    assert np.array_equal(table.matrix, table.matrix.T)
    assert (np.diag(table.matrix) == 0).all()
    for i, j in combinations(range(len(paths)), 2):
        assert table.matrix[i, j] == pytest.approx(slow_distance(paths[i], paths[j], metric))


@few
@given(WORDS, st.text("abz", min_size=1, max_size=5), st.sampled_from(["edit", "jaccard"]))
def test_similar_paths_are_the_nearest(words, wanted, metric):
    table = similar_paths(of_words(words), list(wanted), metric=metric, top=3)
    far = sorted(slow_distance(word, wanted, metric) for word in set(words))
    assert table.distance.tolist() == pytest.approx(far[:3])
    for path, distance in zip(table.paths, table.distance, strict=True):
        assert slow_distance("".join(path), wanted, metric) == pytest.approx(distance)


def test_a_chunk_at_a_time_gives_the_same(monkeypatch):
    journeys = cx.simulate.retail(100, rng=1).journeys.sessions()
    want = path_distances(journeys, metric="weighted-jaccard", most=40).matrix
    monkeypatch.setattr(cx.flow.pathways.similarity, "_CELLS", 100)
    assert np.array_equal(path_distances(journeys, metric="weighted-jaccard", most=40).matrix, want)


def cost(matrix, weight, medoids):
    return float(weight @ matrix[:, list(medoids)].min(axis=1))


@few
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_no_swap_of_a_medoid_makes_the_cost_smaller(seed, k):
    rng = np.random.default_rng(seed)
    points, weight = rng.random((9, 2)), rng.integers(1, 5, 9)
    matrix = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    found = k_medoids(matrix, weight, k)
    assert len(set(found.tolist())) == k
    here = cost(matrix, weight, found)
    for out in found:
        for into in set(range(9)) - set(found.tolist()):
            assert cost(matrix, weight, (set(found.tolist()) - {out}) | {into}) >= here - 1e-9
    best = min(cost(matrix, weight, m) for m in combinations(range(9), k))
    assert here <= 1.35 * best + 1e-9


@few
@given(st.integers(0, 10**6))
def test_silhouettes_and_agreement_are_those_of_single_points(seed):
    rng = np.random.default_rng(seed)
    weight, cluster = rng.integers(1, 4, 7), rng.integers(0, 3, 7)
    other = rng.integers(0, 3, 7)
    points = rng.random(7)
    matrix = np.abs(points[:, None] - points)
    got = silhouettes(matrix, weight, cluster, 3)
    spread = np.repeat(np.arange(7), weight)  # one point for each journey
    for at in range(7):
        means = {}
        for c in set(cluster.tolist()):
            near = [matrix[at, q] for q in spread if cluster[q] == c]
            if c == cluster[at]:
                near.remove(0.0)
            means[c] = np.mean(near) if near else None
        own, rest = means.pop(cluster[at]), [m for m in means.values() if m is not None]
        want = 0.0
        if own is not None and rest and max(own, min(rest)) > 0:
            want = (min(rest) - own) / max(own, min(rest))
        assert got[at] == pytest.approx(want)
    pairs = list(combinations(range(len(spread)), 2))
    a = np.array([cluster[spread[i]] == cluster[spread[j]] for i, j in pairs])
    b = np.array([other[spread[i]] == other[spread[j]] for i, j in pairs])
    expected = a.sum() * b.sum() / len(pairs)
    most = (a.sum() + b.sum()) / 2
    want = 1.0 if most == expected else ((a & b).sum() - expected) / (most - expected)
    assert adjusted_rand(cluster, other, weight) == pytest.approx(want)


def three_kinds(seed=0, customers=600):
    rng = np.random.default_rng(seed)
    kinds = ["abcab", "xyzxyz", "mmnn"]
    words = []
    for _ in range(customers):
        word = list(kinds[rng.integers(3)])
        if rng.random() < 0.5:
            word[rng.integers(len(word))] = str(rng.choice(list("abcxyzmn")))
        words.append("".join(word))
    return words


def test_clusters_find_the_kinds_that_there_are():
    words = three_kinds()
    found = clusters(of_words(words), 3)
    assert {"".join(path) for path in found.paths} == {"abcab", "xyzxyz", "mmnn"}
    assert found.journeys.sum() == len(words)
    assert found.share.sum() == pytest.approx(1)
    assert found.overall_silhouette > 0.5
    assert found.agreement > 0.95
    assert (found.stability > 0.9).all()
    two = clusters(of_words(words), 6, draws=5)
    assert two.agreement < found.agreement
    assert clusters(of_words(words), 3, draws=0).stability.tolist() == pytest.approx(
        [np.nan] * 3, nan_ok=True
    )


def test_journeys_go_to_the_nearest_medoid_also_those_that_were_not_seen():
    words = three_kinds()
    found = clusters(of_words(words), 3, most=20)
    assigned = found.assign(of_words(words))
    assert np.bincount(assigned, minlength=3).tolist() == found.journeys.tolist()
    new = ["xyqxyz", "qqqq", "mn"]
    for word, cluster in zip(new, found.assign(of_words(new)).tolist(), strict=True):
        far = [slow_distance("".join(path), word, "edit") for path in found.paths]
        assert far[cluster] == min(far)
    assert found.assign(Journeys.empty()).tolist() == []
    one = of_words(words)[5]
    assert found.assign(one).tolist() == [assigned[5]]


def test_clusters_come_from_the_summary_and_are_the_same_again():
    journeys = of_words(three_kinds())
    parts = PathVariants.of(journeys[:200]) + PathVariants.of(journeys[200:])
    assert repr(clusters(parts, 3)) == repr(clusters(journeys, 3))


def test_the_jaccard_metrics_have_no_limit_of_length_and_edit_says_so():
    long = ["ab" * 3000, "ba" * 3000, "a"]
    assert path_distances(of_words(long), metric="jaccard").matrix.shape == (3, 3)
    with pytest.raises(DefinitionError, match=r"a path of 6,000 labels is too long .*jaccard"):
        path_distances(of_words(long))


def test_bad_questions_are_refused():
    journeys = of_words(["a", "b"])
    with pytest.raises(
        DefinitionError, match="3 clusters need as many different paths; there are 2"
    ):
        clusters(journeys, 3)
    with pytest.raises(DefinitionError, match="k must be a whole number from 1 to 5,000"):
        clusters(journeys, 0)
    with pytest.raises(DefinitionError, match="metric must be one of"):
        path_distances(journeys, metric="cosine")
    with pytest.raises(DefinitionError, match="the path to compare with is empty"):
        similar_paths(journeys, [])
    with pytest.raises(DefinitionError, match="there are 0"):
        clusters(Journeys.empty(), 1)
    assert path_distances(Journeys.empty()).to_dicts() == []
    assert similar_paths(Journeys.empty(), ["a"]).to_dicts() == []
    assert clusters(journeys, 1).silhouette.tolist() == [0.0]
    assert repr(clusters(journeys, 2)).startswith("2 clusters of 2 journeys by event")
