"""The rules of stitching as plain loops, to compare with."""


class Groups:
    """A union-find of the textbook."""

    def __init__(self):
        self.parent = {}

    def find(self, node):
        self.parent.setdefault(node, node)
        while self.parent[node] != node:
            node = self.parent[node]
        return node

    def join(self, a, b):
        self.parent[self.find(b)] = self.find(a)

    def sets(self):
        found = {}
        for node in list(self.parent):
            found.setdefault(self.find(node), set()).add(node)
        return {frozenset(members) for members in found.values()}


def stitch(rows, *, exclusive=(), max_shared=None, blocked=(), earliest=True, timed=True):
    """Groups of identifiers. A row is (identifier or None, identifier or None, time)."""
    known = {i for a, b, _ in rows for i in (a, b) if i is not None}
    pairs = [(a, b, t) for a, b, t in rows if a is not None and b is not None and a != b]
    pairs = [p for p in pairs if p[0][1] not in blocked and p[1][1] not in blocked]
    partners = {}
    for a, b, _ in pairs:
        partners.setdefault(a, set()).add(b)
        partners.setdefault(b, set()).add(a)
    shared = {
        i
        for i, others in partners.items()
        if max_shared is not None and i[0] not in exclusive and len(others) > max_shared
    }
    pairs = [p for p in pairs if p[0] not in shared and p[1] not in shared]
    links = {}
    for a, b, t in pairs:
        links.setdefault((min(a, b), max(a, b)), []).append(t if timed else 0)

    def place(link):
        keys = (min(links[link]), -len(links[link]))
        return (keys if earliest else keys[::-1]), link

    groups = Groups()
    for i in known:
        groups.find(i)
    held = {i: {i[0]} & set(exclusive) for i in known}
    for link in sorted(links, key=place):
        a, b = map(groups.find, link)
        if a != b and not held[a] & held[b]:
            groups.join(a, b)
            held[a] |= held[b]
    nobody = shared | {i for i in known if i[1] in blocked}
    return groups.sets(), nobody
