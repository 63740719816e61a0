//! One line of the table: what was measured, beside what, and which goal it reaches.

use serde::Serialize;

use crate::samples::Samples;

/// Floor, target and stretch, of which the floor must hold.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goals {
    /// More is better.
    AtLeast(f64, f64, f64),
    /// Less is better.
    AtMost(f64, f64, f64),
}

/// The best goal that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    BelowFloor,
    Floor,
    Target,
    Stretch,
}

/// A measured quantity.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub what: String,
    pub unit: &'static str,
    pub ours: Samples,
    /// What limits us, measured in the same rounds: then the goals are for the ratio.
    pub limit: Option<Limit>,
    pub goals: Option<Goals>,
}

/// The rate, or the cost, of the least that could be done.
#[derive(Debug, Serialize)]
pub struct Limit {
    pub what: &'static str,
    pub samples: Samples,
}

impl Goals {
    pub fn grade(self, value: f64) -> Grade {
        let reached = match self {
            Self::AtLeast(floor, target, stretch) => [floor, target, stretch].map(|goal| value >= goal),
            Self::AtMost(floor, target, stretch) => [floor, target, stretch].map(|goal| value <= goal),
        };
        match reached {
            [_, _, true] => Grade::Stretch,
            [_, true, _] => Grade::Target,
            [true, ..] => Grade::Floor,
            [false, false, false] => Grade::BelowFloor,
        }
    }

    /// How much of the target a value is: 1 is the target, more is better.
    pub fn share_of_target(self, value: f64) -> f64 {
        match self {
            Self::AtLeast(_, target, _) => value / target,
            Self::AtMost(_, target, _) => target / value,
        }
    }

    pub fn levels(self) -> [f64; 3] {
        match self {
            Self::AtLeast(floor, target, stretch) | Self::AtMost(floor, target, stretch) => [floor, target, stretch],
        }
    }
}

impl Figure {
    /// A quantity that is only reported.
    pub fn new(what: impl Into<String>, unit: &'static str, ours: Samples) -> Self {
        Self { what: what.into(), unit, ours, limit: None, goals: None }
    }

    /// Beside what limits it.
    pub fn beside(self, what: &'static str, samples: &Samples) -> Self {
        Self { limit: Some(Limit { what, samples: samples.clone() }), ..self }
    }

    pub fn with(self, goals: Goals) -> Self {
        Self { goals: Some(goals), ..self }
    }

    /// Ours in parts of the limit, round by round.
    pub fn ratio(&self) -> Option<Samples> {
        self.limit.as_ref().map(|limit| self.ours.per(&limit.samples))
    }

    /// What the goals are about.
    pub fn judged(&self) -> f64 {
        self.ratio().as_ref().unwrap_or(&self.ours).median()
    }

    pub fn grade(&self) -> Option<Grade> {
        self.goals.map(|goals| goals.grade(self.judged()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grade_is_the_best_goal_reached_in_either_direction() {
        let (more, less) = (Goals::AtLeast(0.5, 0.7, 0.8), Goals::AtMost(25.0, 8.0, 5.0));
        assert_eq!([0.4, 0.5, 0.75, 0.9].map(|value| more.grade(value)), GRADES);
        assert_eq!([26.0, 25.0, 6.0, 1.0].map(|value| less.grade(value)), GRADES);
    }

    #[test]
    fn value_that_is_no_number_reaches_nothing() {
        assert_eq!(Goals::AtMost(3.0, 2.0, 1.0).grade(f64::NAN), Grade::BelowFloor);
    }

    const GRADES: [Grade; 4] = [Grade::BelowFloor, Grade::Floor, Grade::Target, Grade::Stretch];
}
