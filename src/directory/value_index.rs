//! The index of an attribute: entries by the hash of a normalized value, found without a search by halves.

/// Entries by the hash of a value.
#[derive(Debug, Default)]
pub(super) struct ValueIndex {
    /// The hashes with their entries, sorted.
    pairs: Vec<(u64, u32)>,
    /// For each beginning of a hash, where its pairs begin; the last number is the end of all.
    starts: Vec<u32>,
    /// How many bits of a hash are not in its beginning.
    shift: u32,
}

impl ValueIndex {
    /// The index of these pairs.
    pub(super) fn new(mut pairs: Vec<(u64, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        // About two pairs have the same beginning.
        let bits = pairs.len().max(4).ilog2().saturating_sub(1).clamp(1, 30);
        let shift = 64 - bits;
        let mut starts = vec![0_u32; (1_usize << bits) + 1];
        for (hash, _) in &pairs {
            if let Some(count) = starts.get_mut((hash >> shift) as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self {
            pairs,
            starts,
            shift,
        }
    }

    /// The pairs with a hash.
    pub(super) fn find(&self, hash: u64) -> &[(u64, u32)] {
        let beginning = (hash >> self.shift) as usize;
        let bounds = self
            .starts
            .get(beginning)
            .zip(self.starts.get(beginning + 1));
        let near = bounds.and_then(|(from, to)| self.pairs.get(*from as usize..*to as usize));
        let near = near.unwrap_or_default();
        // A value that many entries have, such as an object class, has many pairs.
        let from = near.partition_point(|(known, _)| *known < hash);
        let near = near.get(from..).unwrap_or_default();
        let length = near.partition_point(|(known, _)| *known == hash);
        near.get(..length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_by_their_hashes() {
        let hash = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for count in [0_u32, 1, 2, 100, 5000] {
            let pairs = (0..count).map(|at| (hash(u64::from(at / 3)), at));
            let index = ValueIndex::new(pairs.chain([(u64::MAX, 7), (0, 9)]).collect());
            for value in 0..count.div_ceil(3) {
                let found = index.find(hash(u64::from(value))).iter();
                let found: Vec<u32> = found
                    .map(|(_, at)| *at)
                    .filter(|at| *at != 9 || value > 0)
                    .collect();
                let expected: Vec<u32> = (value * 3..(value * 3 + 3).min(count))
                    .filter(|at| *at != 9 || value > 0)
                    .collect();
                assert_eq!(found, expected, "{value} of {count}");
            }
            assert_eq!(index.find(u64::MAX), [(u64::MAX, 7)]);
            assert!(index.find(hash(u64::from(count) + 1)).is_empty());
        }
    }
}
