//! Global allocator of the core module (MW-62, PK-26): a fixed region of the module's own data plus spans that the engine thread donates.
//! It never grows the memory (std's allocator only grows, and traps where initial = maximum). Used by `init`, planning and thread start
//! (stack and thread-local block), never by `process`: `alloc_count` proves it.
//! First fit over a list of free blocks in order of address; neighbours merge on free. Starts are rare and one at a time, so a spin lock
//! suffices. A thread may be ended while it holds the lock: every change of the list leaves it sound between any two writes (a span may be
//! lost), and the engine's thread, which never starts two threads at once, breaks the lock of a start that is gone (MW-76) and frees what
//! it had taken: a journal keeps what was allocated since the start began and not freed.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Bytes of the region that every core module has from the start.
const REGION_BYTES: usize = 512 * 1024;
/// Blocks start and end on this boundary, so a free block always has room for its own record.
const GRAIN: usize = 16;

#[repr(C, align(64))]
struct Region(UnsafeCell<[u8; REGION_BYTES]>);
// SAFETY: only the allocator touches it, under its lock.
unsafe impl Sync for Region {}
static REGION: Region = Region(UnsafeCell::new([0; REGION_BYTES]));

/// Allocations of a start that the journal can hold; a start makes two, the engine's thread few beside it.
const JOURNAL: usize = 16;

/// Record at the start of a free block.
struct Free {
    bytes: usize,
    next: *mut Free,
}

struct List {
    head: *mut Free,
    ready: bool,
    /// While a thread starts: (address, bytes) of what was allocated meanwhile, address 0 for an empty place.
    watched: bool,
    journal: [(usize, usize); JOURNAL],
}

impl List {
    fn note(&mut self, of: usize, to: (usize, usize)) {
        if self.watched {
            if let Some(place) = self.journal.iter_mut().find(|(at, _)| *at == of) {
                *place = to;
            }
        }
    }
}

pub struct Allocator {
    busy: AtomicBool,
    list: UnsafeCell<List>,
    calls: AtomicU32,
    used: AtomicU32,
}
// SAFETY: `list` is only reached through `with`, which holds the lock.
unsafe impl Sync for Allocator {}

impl Allocator {
    pub const fn new() -> Allocator {
        Allocator {
            busy: AtomicBool::new(false),
            list: UnsafeCell::new(List { head: core::ptr::null_mut(), ready: false, watched: false, journal: [(0, 0); JOURNAL] }),
            calls: AtomicU32::new(0),
            used: AtomicU32::new(0),
        }
    }
    /// Allocations since the module was loaded.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
    /// Bytes handed out now.
    pub fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }
    /// Adds a span of zero or more whole grains. The caller owns it for the module's whole life.
    pub fn donate(&self, address: usize, bytes: usize) {
        let start = address.next_multiple_of(GRAIN);
        let bytes = (address + bytes).saturating_sub(start) / GRAIN * GRAIN;
        self.with(|list| unsafe { insert(list, start, bytes) });
    }
    /// A thread starts, or has started: begins or ends the journal.
    pub fn watch(&self, starts: bool) {
        self.with(|list| {
            list.watched = starts;
            list.journal = [(0, 0); JOURNAL];
        });
    }
    /// The thread that started is gone before it could say what it took: opens its lock and frees what the journal
    /// has. No other thread may be starting.
    pub fn undo(&self) {
        self.busy.store(false, Ordering::Release);
        let bytes = self.with(|list| {
            list.watched = false;
            let taken = list.journal;
            taken
                .iter()
                .filter(|(at, _)| *at != 0)
                .map(|&(at, bytes)| unsafe {
                    insert(list, at, bytes);
                    bytes
                })
                .sum::<usize>()
        });
        self.used.fetch_sub(bytes as u32, Ordering::Relaxed);
    }
    fn with<R>(&self, act: impl FnOnce(&mut List) -> R) -> R {
        while self.busy.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            core::hint::spin_loop();
        }
        // SAFETY: the lock is held.
        let list = unsafe { &mut *self.list.get() };
        if !list.ready {
            list.ready = true;
            unsafe { insert(list, REGION.0.get() as usize, REGION_BYTES) };
        }
        let result = act(list);
        self.busy.store(false, Ordering::Release);
        result
    }
}

/// Gives a span to the list and merges it with its neighbours.
unsafe fn insert(list: &mut List, start: usize, bytes: usize) {
    if bytes == 0 {
        return;
    }
    let (mut before, mut after) = (core::ptr::null_mut::<Free>(), list.head);
    while !after.is_null() && (after as usize) < start {
        before = after;
        after = unsafe { (*after).next };
    }
    let block = start as *mut Free;
    unsafe {
        block.write(Free { bytes, next: after });
        if !after.is_null() && start + bytes == after as usize {
            (*block).bytes += (*after).bytes;
            (*block).next = (*after).next;
        }
        if before.is_null() {
            list.head = block;
        } else if before as usize + (*before).bytes == start {
            // In this order: between the two a span is in no list, never in two.
            core::ptr::addr_of_mut!((*before).next).write_volatile((*block).next);
            core::ptr::addr_of_mut!((*before).bytes).write_volatile((*before).bytes + (*block).bytes);
        } else {
            core::ptr::addr_of_mut!((*before).next).write_volatile(block);
        }
    }
}

/// Takes a span out of the first free block that holds it.
unsafe fn take(list: &mut List, bytes: usize, align: usize) -> *mut u8 {
    let (mut before, mut block) = (core::ptr::null_mut::<Free>(), list.head);
    while !block.is_null() {
        let start = block as usize;
        let (end, next) = unsafe { (start + (*block).bytes, (*block).next) };
        let at = start.next_multiple_of(align.max(GRAIN));
        if at + bytes <= end {
            let link: &mut *mut Free = if before.is_null() { &mut list.head } else { unsafe { &mut (*before).next } };
            *link = next;
            unsafe {
                insert(list, start, at - start);
                insert(list, at + bytes, end - at - bytes);
            }
            return at as *mut u8;
        }
        before = block;
        block = next;
    }
    core::ptr::null_mut()
}

fn grains(bytes: usize) -> usize {
    bytes.max(1).next_multiple_of(GRAIN)
}

// SAFETY: spans are unique (the list holds each free byte once), aligned, and live until `dealloc`.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let bytes = grains(layout.size());
        self.with(|list| {
            let at = unsafe { take(list, bytes, layout.align()) };
            if !at.is_null() {
                self.used.fetch_add(bytes as u32, Ordering::Relaxed);
                list.note(0, (at as usize, bytes));
            }
            at
        })
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let bytes = grains(layout.size());
        self.used.fetch_sub(bytes as u32, Ordering::Relaxed);
        self.with(|list| {
            list.note(at as usize, (0, 0));
            unsafe { insert(list, at as usize, bytes) }
        });
    }
}
