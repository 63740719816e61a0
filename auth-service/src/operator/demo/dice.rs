//! Numbers that look random and come again with their seed: for demonstrations alone, never for secrets.

/// The step of SplitMix64 (Steele, Lea and Flood, 2014): 2^64 by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A row of throws. That of one person depends on nobody else's.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, place: u64) -> Self {
        let mut dice = Self(seed);
        let mixed = dice.throw() ^ place.wrapping_mul(STEP);
        Self(mixed)
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, each number as likely as the others.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The upper half of a product with less than 2^64 fits.
        ((u128::from(self.throw()) * u128::from(bound)) >> 64) as u64
    }

    /// From 0 up to but without 1.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in this share of all throws.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.fraction() < share
    }

    /// One of several, which must not be none.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// One of several, each as likely as its weight says.
    pub(super) fn pick_weighted<'a, T>(&mut self, all: &'a [(u32, T)]) -> &'a T {
        let total = all.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (weight, one) in all {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return one,
            }
        }
        &all[0].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_come_again_with_their_seed_and_place_alone() {
        let throws = |seed, place| {
            let mut dice = Dice::new(seed, place);
            [dice.below(1 << 40), dice.below(1 << 40)]
        };
        assert_eq!(throws(1, 2), throws(1, 2));
        assert_ne!(throws(1, 2), throws(1, 3));
        assert_ne!(throws(1, 2), throws(2, 2));
    }

    #[test]
    fn a_weight_is_a_likelihood() {
        let mut dice = Dice::new(7, 0);
        let rare = (0..10_000).filter(|_| *dice.pick_weighted(&[(90, false), (10, true)])).count();
        assert!((800..1_200).contains(&rare), "{rare}");
        assert!((0..1_000).all(|_| dice.below(3) < 3 && dice.fraction() < 1.0));
    }
}
