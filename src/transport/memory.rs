//! The memory that the answers of all hosts share while they arrive.
//!
//! Each host has a limit of its own, and a run reads many hosts at once. If their answers together would need too much,
//! the largest one is dropped at once, whoever it is that reads: a host that sends what others do keeps its answer
//! however many others flood.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};

use super::limits::size;

/// What all answers may have together on a machine with much memory, in bytes.
const MOST: u64 = 1 << 30;

/// What part of the memory of a small machine, container or process they may have: they are copied when they are read.
const PART: u64 = 3;

/// An answer grows by this many bytes, or by a quarter of its length.
const STEP: usize = 64 << 10;

/// The memory for answers.
#[derive(Debug)]
pub(in crate::transport) struct Pool {
    limit: u64,
    answers: Mutex<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    next: u64,
    /// Bytes that are reserved for all of them.
    used: u64,
    by_number: BTreeMap<u64, Answer>,
}

#[derive(Debug, Default)]
struct Answer {
    bytes: Vec<u8>,
    /// Why it was dropped.
    dropped: Option<String>,
}

/// The answer of one host, in the pool until it is taken or dropped.
#[derive(Debug)]
pub(in crate::transport) struct Share {
    pool: Arc<Pool>,
    number: u64,
}

impl Pool {
    /// A pool of so many bytes.
    pub(in crate::transport) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            answers: Mutex::default(),
        })
    }

    /// That of this process.
    pub(in crate::transport) fn of_process() -> Arc<Self> {
        static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(memory()));
        Arc::clone(&POOL)
    }

    /// An empty answer.
    pub(in crate::transport) fn share(self: &Arc<Self>) -> Share {
        let mut answers = self.answers();
        let number = answers.next;
        answers.next += 1;
        answers.by_number.insert(number, Answer::default());
        drop(answers);
        Share {
            pool: Arc::clone(self),
            number,
        }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Its length in bytes.
    pub(in crate::transport) fn len(&self) -> usize {
        let answers = self.pool.answers();
        let answer = answers.by_number.get(&self.number);
        answer.map_or(0, |answer| answer.bytes.len())
    }

    /// Why it was dropped, if it was.
    pub(in crate::transport) fn dropped(&self) -> Option<String> {
        let answers = self.pool.answers();
        answers.by_number.get(&self.number)?.dropped.clone()
    }

    /// Adds bytes, unless the answer was dropped, or is dropped now.
    pub(in crate::transport) fn push(&self, bytes: &[u8]) {
        let mut answers = self.pool.answers();
        let Some(answer) = answers.by_number.get(&self.number) else {
            return;
        };
        if answer.dropped.is_some() {
            return;
        }
        let (length, capacity) = (answer.bytes.len(), answer.bytes.capacity());
        if length + bytes.len() > capacity {
            let step = bytes.len().max(length / 4).max(STEP);
            let more = (length + step - capacity) as u64;
            if !answers.make_room(self.number, more, self.pool.limit) {
                return;
            }
            if let Some(answer) = answers.by_number.get_mut(&self.number) {
                answer.bytes.reserve_exact(step);
                let grown = (answer.bytes.capacity() - capacity) as u64;
                answers.used += grown;
            }
        }
        if let Some(answer) = answers.by_number.get_mut(&self.number) {
            answer.bytes.extend_from_slice(bytes);
        }
    }

    /// Takes the answer out of the pool.
    pub(in crate::transport) fn take(self) -> Vec<u8> {
        self.pool.answers().remove(self.number)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.answers().remove(self.number);
    }
}

impl Answers {
    /// Drops the largest answers until `more` bytes for one of them have room. False if that one was dropped.
    fn make_room(&mut self, number: u64, more: u64, limit: u64) -> bool {
        while self.used.saturating_add(more) > limit {
            let of = |(number, answer): (&u64, &Answer)| (answer.bytes.capacity(), *number);
            let largest = self.by_number.iter().map(of).max();
            // With nothing in the pool, one piece is more than the limit.
            let largest = largest.filter(|(bytes, _)| *bytes > 0);
            let largest = largest.map_or(number, |(_, largest)| largest);
            let sent = self.empty(largest);
            let why = format!(
                "it sent {} of output, more than any other host, when the answers of all hosts together had reached {}",
                size(sent),
                size(limit)
            );
            if let Some(answer) = self.by_number.get_mut(&largest) {
                answer.dropped = Some(why);
            }
            if largest == number {
                return false;
            }
        }
        true
    }

    /// Frees the bytes of an answer, and gives its length.
    fn empty(&mut self, number: u64) -> u64 {
        let Some(answer) = self.by_number.get_mut(&number) else {
            return 0;
        };
        let bytes = std::mem::take(&mut answer.bytes);
        self.used = self.used.saturating_sub(bytes.capacity() as u64);
        bytes.len() as u64
    }

    fn remove(&mut self, number: u64) -> Vec<u8> {
        let Some(answer) = self.by_number.remove(&number) else {
            return Vec::new();
        };
        let reserved = answer.bytes.capacity() as u64;
        self.used = self.used.saturating_sub(reserved);
        answer.bytes
    }
}

/// The part of this process's memory that answers may have, in bytes.
fn memory() -> u64 {
    let limit = getrlimit(Resource::As).current;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    let machine = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| total(&text));
    let known = [limit, group, machine].into_iter().flatten().min();
    known.map_or(MOST, |bytes| (bytes / PART).min(MOST))
}

/// `MemTotal` of /proc/meminfo (proc_meminfo(5)), in bytes.
fn total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn the_largest_answer_is_dropped_and_the_others_are_whole() {
        let pool = Pool::new(1 << 20);
        let (honest, one, two) = (pool.share(), pool.share(), pool.share());
        honest.push(&[1; 100]);
        let piece = [2; 32 * KIB];
        for _ in 0..64 {
            one.push(&piece);
            two.push(&piece);
            assert!(pool.answers().used <= 1 << 20);
        }
        honest.push(&[1; 100 * KIB]);
        assert!(one.dropped().is_some() || two.dropped().is_some());
        let why = one.dropped().or(two.dropped()).unwrap();
        assert!(why.contains("of output, more than any other host"), "{why}");
        assert_eq!(honest.dropped(), None);
        assert_eq!(honest.take(), [1; 100 + 100 * KIB]);
        drop((one, two));
        let answers = pool.answers();
        assert_eq!((answers.used, answers.by_number.len()), (0, 0));
    }

    #[test]
    fn an_answer_that_stands_still_gives_its_memory_back_too() {
        let pool = Pool::new(1 << 20);
        let still = pool.share();
        still.push(&[1; 600 * KIB]);
        let other = pool.share();
        for _ in 0..9 {
            other.push(&[2; 50 * KIB]);
        }
        assert!(still.dropped().is_some());
        assert_eq!(still.len(), 0);
        assert_eq!((other.len(), other.dropped()), (450 * KIB, None));
    }

    #[test]
    fn one_piece_above_the_limit_is_not_kept() {
        let pool = Pool::new(10);
        let share = pool.share();
        share.push(&[1; 11]);
        assert!(share.dropped().is_some());
        assert_eq!(share.take(), [0; 0]);
    }

    #[test]
    fn the_memory_of_a_machine_is_read_from_its_kernel() {
        assert_eq!(total("MemTotal:   2048 kB\nMemFree: 1 kB\n"), Some(2 << 20));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(memory() > 1 << 20);
    }
}
