//! Order and levels of a graph's nodes (GR-58): Kahn's algorithm with a binary heap on document index. Twin
//! and oracle: src/graph/order.ts, same ties.

use abi::memory::{inside, load, store};

/// Where the tables of one call are; all hold u32 words. `work` has room for 3·count + edges + 1 words.
pub struct Graph {
    pub count: u32,
    pub edges: u32,
    pub from: u32,
    pub to: u32,
    pub order: u32,
    pub levels: u32,
    pub work: u32,
}

/// A table of words.
#[derive(Clone, Copy)]
pub struct Words(pub u32);

impl Words {
    #[inline(always)]
    pub fn get(self, index: u32) -> u32 {
        load(self.0 + 4 * index)
    }
    #[inline(always)]
    pub fn set(self, index: u32, value: u32) {
        store(self.0 + 4 * index, value);
    }
    #[inline(always)]
    pub fn add(self, index: u32, value: u32) -> u32 {
        let sum = self.get(index).wrapping_add(value);
        self.set(index, sum);
        sum
    }
    pub fn clear(self, count: u32) {
        (0..count).for_each(|index| self.set(index, 0));
    }
}

/// Neighbours of node n: `list[start[n]]`…`list[start[n + 1]]`, in edge order. `start` holds count + 1 words, `list` one per edge.
#[derive(Clone, Copy)]
pub struct Rows {
    pub start: Words,
    pub list: Words,
}

impl Rows {
    /// Lists `value[e]` under `key[e]`.
    pub fn fill(self, count: u32, edges: u32, key: Words, value: Words) {
        self.start.clear(count + 1);
        for edge in 0..edges {
            self.start.add(key.get(edge), 1);
        }
        let mut sum = 0;
        for node in 0..=count {
            sum += self.start.get(node);
            self.start.set(node, sum);
        }
        // Backwards, so that every row ends up in edge order and its start where the row before ends.
        for edge in (0..edges).rev() {
            let at = self.start.add(key.get(edge), u32::MAX);
            self.list.set(at, value.get(edge));
        }
    }
}

/// Nodes that are ready, smallest index first.
struct Heap {
    items: Words,
    size: u32,
}

impl Heap {
    fn push(&mut self, value: u32) {
        let mut at = self.size;
        self.size += 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            let above = self.items.get(parent);
            if above <= value {
                break;
            }
            self.items.set(at, above);
            at = parent;
        }
        self.items.set(at, value);
    }
    fn pop(&mut self) -> u32 {
        let top = self.items.get(0);
        self.size -= 1;
        let last = self.items.get(self.size);
        let mut at = 0;
        loop {
            let mut child = 2 * at + 1;
            if child >= self.size {
                break;
            }
            if child + 1 < self.size && self.items.get(child + 1) < self.items.get(child) {
                child += 1;
            }
            let below = self.items.get(child);
            if below >= last {
                break;
            }
            self.items.set(at, below);
            at = child;
        }
        self.items.set(at, last);
        top
    }
}

impl Graph {
    /// True when all tables lie inside the memory and every edge joins nodes of the graph.
    pub fn sound(&self, work_words: u32) -> bool {
        let (from, to) = (Words(self.from), Words(self.to));
        let edges = self.edges == 0 || (inside(self.from, self.edges, 4) && inside(self.to, self.edges, 4));
        let nodes = self.count < 1 << 28 && self.edges < 1 << 28 && inside(self.order, self.count, 4) && inside(self.levels, self.count, 4);
        edges
            && nodes
            && inside(self.work, work_words, 4)
            && (0..self.edges).all(|edge| from.get(edge) < self.count && to.get(edge) < self.count)
    }

    /// Nodes in order; fewer than `count` when there is a cycle. −1 for tables that contradict themselves.
    pub fn sort(&self) -> i32 {
        if !self.sound(3 * self.count + self.edges + 1) {
            return -1;
        }
        let (from, to, order, levels) = (Words(self.from), Words(self.to), Words(self.order), Words(self.levels));
        let rows = Rows { start: Words(self.work), list: Words(self.work + 4 * (self.count + 1)) };
        let waiting = Words(rows.list.0 + 4 * self.edges);
        let mut heap = Heap { items: Words(waiting.0 + 4 * self.count), size: 0 };
        rows.fill(self.count, self.edges, from, to);
        waiting.clear(self.count);
        levels.clear(self.count);
        for edge in 0..self.edges {
            waiting.add(to.get(edge), 1);
        }
        // Ascending indices already form a heap.
        for node in (0..self.count).filter(|&node| waiting.get(node) == 0) {
            heap.items.set(heap.size, node);
            heap.size += 1;
        }
        let mut done = 0;
        while heap.size > 0 {
            let node = heap.pop();
            order.set(done, node);
            done += 1;
            let level = levels.get(node) + 1;
            for index in rows.start.get(node)..rows.start.get(node + 1) {
                let next = rows.list.get(index);
                if levels.get(next) < level {
                    levels.set(next, level);
                }
                if waiting.add(next, u32::MAX) == 0 {
                    heap.push(next);
                }
            }
        }
        done as i32
    }
}
