import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core import rows, threads
from cxkit.identity import unionfind
from cxkit.identity.unionfind import Hooks, components


@st.composite
def graphs(draw):
    nodes = draw(st.integers(1, 30))
    node = st.integers(0, nodes - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=60))
    return np.array(pairs, np.int64).reshape(-1, 2), nodes


@given(graphs())
def test_components_are_those_of_scipy(graph):
    csgraph = pytest.importorskip("scipy.sparse.csgraph")
    sparse = pytest.importorskip("scipy.sparse")
    pairs, nodes = graph
    matrix = sparse.coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(nodes, nodes))
    _, label = csgraph.connected_components(matrix, directed=False)
    smallest = [int(np.flatnonzero(label == mine)[0]) for mine in label]
    assert components(pairs[:, 0], pairs[:, 1], nodes).tolist() == smallest


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=30), st.booleans())
def test_two_kinds_of_nodes_either_way_up(pairs, swap):
    # Many of one kind below few of another are turned over inside; nobody may notice.
    left = np.array([a for a, _ in pairs], np.int64)
    right = np.array([b + 10 for _, b in pairs], np.int64)
    given_ = (right, left) if swap else (left, right)
    expected = list(range(14))
    for _ in range(14):
        for a, b in zip(left, right, strict=True):
            expected[a] = expected[b] = min(expected[a], expected[b])
    assert components(*given_, 14).tolist() == expected


SIZE = 100_000


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.arange(SIZE - 1), np.arange(1, SIZE)),
        (np.arange(1, SIZE)[::-1], np.arange(SIZE - 1)[::-1]),
        (np.full(SIZE - 1, SIZE - 1), np.arange(SIZE - 1)[::-1]),
        (np.zeros(SIZE - 1, np.int64), np.arange(1, SIZE)),
        (np.append(np.arange(SIZE - 1), SIZE - 1), np.append(np.arange(1, SIZE), 0)),
    ],
    ids=["path", "path backwards", "star of the largest", "star of the smallest", "cycle"],
)
def test_shapes_that_take_simple_rules_a_round_per_node(left, right):
    assert not components(left, right, SIZE).any()


def test_a_shuffled_path():
    order = np.random.default_rng(0).permutation(SIZE)
    assert not components(order[:-1], order[1:], SIZE).any()


@pytest.mark.parametrize("count", ["1", "2"])
@pytest.mark.parametrize("narrow", [0, 2**31])
@given(graph=graphs(), data=st.data())
def test_without_some_nodes_and_some_pairs(count, narrow, graph, data):
    pairs, nodes = graph
    among = np.array(data.draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs))))
    among = among.astype(bool)
    gone = np.zeros(nodes, dtype=bool)
    gone[data.draw(st.lists(st.integers(0, nodes - 1), max_size=4))] = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXKIT_THREADS", count)
        patch.setattr(threads, "FEWEST_ROWS", 1)
        patch.setattr(rows, "PIECE", 3)
        patch.setattr(unionfind, "_NARROW", narrow)
        hooks = Hooks.of(pairs[:, 0], pairs[:, 1], among, nodes)
        kept = pairs[among & ~gone[pairs].any(axis=1)]
        once = hooks.without(gone).components()
        assert once.tolist() == components(kept[:, 0], kept[:, 1], nodes).tolist()
        assert hooks.without(gone).components().tolist() == once.tolist()  # nothing is used up


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=60),
    st.sampled_from([0, 3, 9, 13]),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
)
def test_who_is_paired_with_more(pairs, bound, most, other, apart):
    # Two ranges of nodes with limits of their own, or one side that lies above the other.
    pairs = [(a, b + 13 if apart else b) for a, b in pairs]
    pairs = [(a, b) for a, b in pairs if a != b]
    nodes = 26 if apart else 13
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    hooks = Hooks.of(left, right, np.ones(len(pairs), dtype=bool), nodes)
    for limits in (
        [(slice(0, bound), most), (slice(bound, nodes), other)],
        [(slice(0, bound), most)],
        [(slice(13, nodes), other)],
        [],
    ):
        expected = [
            any(
                part.start <= node < part.stop
                and len({x for pair in pairs if node in pair for x in pair} - {node}) > limit
                for part, limit in limits
            )
            for node in range(nodes)
        ]
        assert hooks.paired_with_more(limits).tolist() == expected


def test_nothing():
    none = np.zeros(0, np.int64)
    assert components(none, none, 0).tolist() == []
    assert components(none, none, 3).tolist() == [0, 1, 2]


def test_arguments_stay_as_they_are():
    left, right = np.array([3, 1]), np.array([1, 2])
    components(left, right, 4)
    assert left.tolist() == [3, 1]
    assert right.tolist() == [1, 2]
