//! A map of counters that a flood of new subjects cannot grow: what has been idle, or soonest will be, makes room.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

const SHARDS: usize = 64;
/// Seven eighths of a power of two: just what a hash table holds before it doubles.
const PLACES_PER_SHARD: usize = 7 * 1024;

/// Counters by subject: at most 458,752 places, whoever comes.
///
/// Subjects are kept as keyed 64-bit hashes, which nobody outside can make collide. When a shard is full, idle counters
/// go; if that frees less than a quarter, those that soonest will be idle follow. So whoever is blocked longest is
/// forgotten last, and a sweep pays for a quarter of a shard of insertions.
pub(crate) struct BoundedMap<S> {
    hasher: RandomState,
    places_per_shard: usize,
    shards: Box<[Mutex<Shard<S>>]>,
}

type Shard<S> = HashMap<u64, Counter<S>>;

struct Counter<S> {
    /// Microseconds; from then on the counter says no more than a new one.
    idle_at: i64,
    state: S,
}

impl<S: Default> BoundedMap<S> {
    pub(crate) fn new() -> Self {
        Self::with_shards_of(PLACES_PER_SHARD)
    }

    fn with_shards_of(places_per_shard: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), places_per_shard, shards }
    }

    /// The hash by which this map knows `key`.
    pub(crate) fn hash(&self, key: impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Changes the state under `hash`, new if it is unknown. `change` returns its result and when the counter is idle.
    /// A state holds up to `places` values; all states together hold no more than the map has places.
    pub(crate) fn update<R>(&self, hash: u64, now: i64, places: u32, change: impl FnOnce(&mut S) -> (R, i64)) -> R {
        let capacity = (self.places_per_shard / places as usize).max(1);
        let mut shard = self.shard(hash).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= capacity && !shard.contains_key(&hash) {
            make_room(&mut shard, capacity, now);
        }
        let counter = shard.entry(hash).or_insert_with(|| Counter { idle_at: now, state: S::default() });
        let (result, idle_at) = change(&mut counter.state);
        counter.idle_at = idle_at;
        result
    }

    pub(crate) fn remove(&self, hash: u64) {
        self.shard(hash).lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
    }

    fn shard(&self, hash: u64) -> &Mutex<Shard<S>> {
        // The table inside hashes again, so the low bits may choose the shard.
        &self.shards[hash as usize % SHARDS]
    }
}

/// Moves what stays into a new table: removal in place leaves tombstones, for which the old one would double.
fn make_room<S>(shard: &mut Shard<S>, capacity: usize, now: i64) {
    let keep = capacity * 3 / 4;
    let mut idle_times: Vec<i64> = shard.values().map(|counter| counter.idle_at).filter(|at| *at > now).collect();
    let gone_until = match idle_times.len().checked_sub(keep + 1) {
        Some(last_to_go) => *idle_times.select_nth_unstable(last_to_go).1,
        None => now,
    };
    let crowded = std::mem::replace(shard, HashMap::with_capacity(capacity));
    shard.extend(crowded.into_iter().filter(|(_, counter)| counter.idle_at > gone_until));
}

#[cfg(test)]
mod tests {
    use super::*;

    impl<S> BoundedMap<S> {
        fn places_taken(&self) -> usize {
            self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
        }

        fn places_allocated(&self) -> usize {
            self.shards.iter().map(|shard| shard.lock().unwrap().capacity()).sum()
        }
    }

    #[test]
    fn a_million_subjects_stay_within_the_cap() {
        let map = BoundedMap::<i64>::new();
        for subject in 0..1_000_000_u64 {
            let now = subject.cast_signed();
            map.update(map.hash(subject), now, 1, |state| {
                *state += 1;
                ((), now + 60_000_000)
            });
        }
        assert!(map.places_taken() <= SHARDS * PLACES_PER_SHARD);
        assert_eq!(map.places_allocated(), SHARDS * PLACES_PER_SHARD);
    }

    #[test]
    fn a_blocked_subject_is_not_forgotten_in_a_flood_of_new_ones() {
        let map = BoundedMap::<i64>::with_shards_of(112);
        let blocked = map.hash("blocked");
        map.update(blocked, 0, 1, |state| {
            *state = 7;
            ((), 3_600_000_000)
        });
        for subject in 0..20_000_u64 {
            map.update(map.hash(subject), 0, 1, |_| ((), 2_000_000));
        }
        assert_eq!(map.update(blocked, 0, 1, |state| (*state, 0)), 7);
    }

    #[test]
    fn idle_subjects_go_first() {
        let map = BoundedMap::<i64>::with_shards_of(112);
        for subject in 0..20_000_u64 {
            map.update(map.hash(subject), 0, 1, |_| ((), 1_000));
        }
        for subject in 20_000..23_000_u64 {
            map.update(map.hash(subject), 2_000, 1, |state| {
                *state = 1;
                ((), 3_000)
            });
        }
        let kept = (20_000..23_000_u64).filter(|subject| map.update(map.hash(subject), 2_500, 1, |s| (*s == 1, 3_000)));
        assert_eq!(kept.count(), 3_000);
    }

    #[test]
    fn states_of_many_values_count_as_many_places() {
        let map = BoundedMap::<Vec<i64>>::with_shards_of(112);
        for subject in 0..5_000_u64 {
            map.update(map.hash(subject), 0, 10, |_| ((), 1));
        }
        assert!(map.places_taken() <= SHARDS * (112 / 10));
    }
}
