//! Samples of one quantity, one a round.

use serde::Serialize;

/// Values in the order in which they were measured.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value that half of the samples do not exceed; not a number without samples.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1) as f64;
        sorted.get((last * percent / 100.0).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub fn median(&self) -> f64 {
        self.percentile(50.0)
    }

    /// From the least to the greatest, in parts of the median.
    pub fn spread(&self) -> f64 {
        (self.percentile(100.0) - self.percentile(0.0)) / self.median().abs()
    }

    /// Round by round, these in parts of those.
    pub fn per(&self, others: &Self) -> Self {
        self.0.iter().zip(&others.0).map(|(ours, other)| ours / other).collect()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_spread_do_not_depend_on_order() {
        let samples: Samples = [30.0, 10.0, 20.0].into_iter().collect();
        assert_eq!((samples.median(), samples.spread()), (20.0, 1.0));
    }

    #[test]
    fn ratio_is_taken_round_by_round() {
        let ours: Samples = [50.0, 10.0].into_iter().collect();
        let limit: Samples = [100.0, 20.0].into_iter().collect();
        assert_eq!(ours.per(&limit).spread(), 0.0);
    }
}
