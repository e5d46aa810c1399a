//! Cycles of a graph (GR-50): one shortest cycle per strongly connected part. Twin and oracle: src/graph/cycles.ts, same cycles.

use abi::memory::inside;

use crate::graph_order::{Graph, Rows, Words};

/// Edge visits per part after which the shortest cycle found so far is taken.
const BUDGET: u64 = 20_000_000;
const NONE: u32 = u32::MAX;

/// Words of `work` that [`run`] needs.
pub fn work_words(count: u32, edges: u32) -> u64 {
    14 * u64::from(count) + 2 * u64::from(edges) + 3
}

/// Tables over nodes, one after another in `work`.
struct Tables {
    out: Rows,
    into: Rows,
    /// Nodes of each part, ascending.
    members: Rows,
    part: Words,
    /// Tarjan's index, then: node by which the search came here.
    parent: Words,
    /// Tarjan's low link, then: root of the search that saw the node.
    seen: Words,
    /// Members that are still open, then: length of the way from the root.
    distance: Words,
    /// The walk, then: the search's queue.
    queue: Words,
    /// Next edge of the walk, then: edges inside the part that still count, by their start and end.
    outs: Words,
    ins: Words,
    gone: Words,
    /// Nodes that are still to be taken out.
    pending: Words,
    /// Nodes of the best cycle so far.
    best: Words,
}

impl Tables {
    fn new(graph: &Graph) -> Tables {
        let (count, edges) = (graph.count, graph.edges);
        let mut at = graph.work;
        let mut take = |words: u32| {
            let table = Words(at);
            at += 4 * words;
            table
        };
        Tables {
            out: Rows { start: take(count + 1), list: take(edges) },
            into: Rows { start: take(count + 1), list: take(edges) },
            members: Rows { start: take(count + 1), list: take(count) },
            part: take(count),
            parent: take(count),
            seen: take(count),
            distance: take(count),
            queue: take(count),
            outs: take(count),
            ins: take(count),
            gone: take(count),
            pending: take(count),
            best: take(count),
        }
    }

    /// Strongly connected part of every node (R. Tarjan, SIAM J. Comput. 1(2), 1972).
    fn find_parts(&self, count: u32) {
        let (index, low, part, stack, walk, next) = (self.parent, self.seen, self.part, self.distance, self.queue, self.outs);
        for node in 0..count {
            index.set(node, NONE);
            part.set(node, NONE);
            next.set(node, self.out.start.get(node));
        }
        let (mut clock, mut held, mut parts) = (0, 0, 0);
        for root in 0..count {
            if index.get(root) != NONE {
                continue;
            }
            let mut depth = 0;
            let mut open = |node: u32, depth: u32, held: &mut u32| {
                walk.set(depth, node);
                index.set(node, clock);
                low.set(node, clock);
                clock += 1;
                stack.set(*held, node);
                *held += 1;
            };
            open(root, 0, &mut held);
            loop {
                let node = walk.get(depth);
                let edge = next.get(node);
                if edge < self.out.start.get(node + 1) {
                    next.set(node, edge + 1);
                    let to = self.out.list.get(edge);
                    if index.get(to) == NONE {
                        depth += 1;
                        open(to, depth, &mut held);
                    } else if part.get(to) == NONE && index.get(to) < low.get(node) {
                        low.set(node, index.get(to));
                    }
                    continue;
                }
                if low.get(node) == index.get(node) {
                    loop {
                        held -= 1;
                        let member = stack.get(held);
                        part.set(member, parts);
                        if member == node {
                            break;
                        }
                    }
                    parts += 1;
                }
                if depth == 0 {
                    break;
                }
                depth -= 1;
                let above = walk.get(depth);
                low.set(above, low.get(above).min(low.get(node)));
            }
        }
    }

    fn row(&self, rows: Rows, node: u32) -> impl Iterator<Item = u32> + '_ {
        let part = self.part.get(node);
        (rows.start.get(node)..rows.start.get(node + 1)).map(move |at| rows.list.get(at)).filter(move |&other| self.part.get(other) == part)
    }

    /// Marks a node as done with, and all that can then be on no cycle.
    fn take_out(&self, root: u32) {
        let mut size = 1;
        self.pending.set(0, root);
        self.gone.set(root, 1);
        while size > 0 {
            size -= 1;
            let node = self.pending.get(size);
            for (rows, left) in [(self.out, self.ins), (self.into, self.outs)] {
                for other in self.row(rows, node) {
                    if self.gone.get(other) == 0 && left.add(other, NONE) == 0 {
                        self.gone.set(other, 1);
                        self.pending.set(size, other);
                        size += 1;
                    }
                }
            }
        }
    }

    /// The last node of a shortest cycle through `root` that is shorter than `limit` (0: any), or none.
    fn search(&self, root: u32, limit: u32, visits: &mut u64) -> Option<u32> {
        let (mut head, mut tail) = (0, 1);
        self.queue.set(0, root);
        self.seen.set(root, root);
        self.distance.set(root, 0);
        while head < tail {
            let node = self.queue.get(head);
            head += 1;
            let length = self.distance.get(node) + 1;
            if limit > 0 && length >= limit {
                break;
            }
            for next in self.row(self.out, node) {
                *visits += 1;
                if self.gone.get(next) != 0 {
                    continue;
                }
                if next == root {
                    return Some(node);
                }
                if self.seen.get(next) == root {
                    continue;
                }
                self.seen.set(next, root);
                self.parent.set(next, node);
                self.distance.set(next, length);
                self.queue.set(tail, next);
                tail += 1;
            }
        }
        None
    }

    fn members(&self, part: u32) -> impl Iterator<Item = u32> + '_ {
        (self.members.start.get(part)..self.members.start.get(part + 1)).map(|at| self.members.list.get(at))
    }

    /// A shortest cycle of a part: its length; the nodes are in `best`.
    fn shortest(&self, part: u32) -> u32 {
        let (mut length, mut visits) = (0, 0);
        for root in self.members(part) {
            if self.gone.get(root) != 0 {
                continue;
            }
            if let Some(last) = self.search(root, length, &mut visits) {
                length = self.distance.get(last) + 1;
                let mut node = last;
                for at in (0..length).rev() {
                    self.best.set(at, node);
                    node = self.parent.get(node);
                }
                if length == 2 {
                    break;
                }
            }
            if visits > BUDGET && length > 0 {
                break;
            }
            self.take_out(root);
        }
        length
    }
}

/// Writes every cycle to `graph.order` as its length and its nodes, in order of the smallest node of each part; gives the words written, or
/// −1. `order` has room for 2·count words; `levels` is not used.
pub fn run(graph: &Graph) -> i32 {
    let (count, edges) = (graph.count, graph.edges);
    let words = work_words(count, edges);
    if words > 1 << 28 || !graph.sound(words as u32) || !inside(graph.order, 2 * count, 4) {
        return -1;
    }
    let tables = Tables::new(graph);
    tables.out.fill(count, edges, Words(graph.from), Words(graph.to));
    tables.into.fill(count, edges, Words(graph.to), Words(graph.from));
    tables.find_parts(count);
    for node in 0..count {
        tables.seen.set(node, NONE);
        tables.gone.set(node, 0);
        tables.outs.set(node, tables.row(tables.out, node).count() as u32);
        tables.ins.set(node, tables.row(tables.into, node).count() as u32);
        tables.best.set(node, node);
    }
    tables.members.fill(count, count, tables.part, tables.best);
    let target = Words(graph.order);
    let mut written = 0;
    for first in 0..count {
        if tables.gone.get(first) != 0 || tables.outs.get(first) == 0 {
            continue;
        }
        let part = tables.part.get(first);
        let own = tables.members(part).find(|&node| tables.row(tables.out, node).any(|next| next == node));
        let length = match own {
            Some(node) => {
                tables.best.set(0, node);
                1
            }
            None => tables.shortest(part),
        };
        target.set(written, length);
        (0..length).for_each(|at| target.set(written + 1 + at, tables.best.get(at)));
        written += length + 1;
        tables.members(part).for_each(|node| tables.gone.set(node, 1));
    }
    written as i32
}
