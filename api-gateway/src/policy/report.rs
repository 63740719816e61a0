//! What policy tests found, for people.

use std::fmt;

/// The verdict on every case, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One for each case.
    pub verdicts: Vec<Verdict>,
}

/// Whether one case holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The case.
    pub name: String,
    /// What was asked for: `GET api.example.com/orders/7`.
    pub request: String,
    /// What came out differently; nothing when the case holds.
    pub differences: Vec<String>,
}

impl Report {
    /// How many cases do not hold.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.differences.is_empty()).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for verdict in &self.verdicts {
            if verdict.differences.is_empty() {
                writeln!(f, "ok    {}", verdict.name)?;
                continue;
            }
            writeln!(f, "FAIL  {}\n      {}", verdict.name, verdict.request)?;
            for difference in &verdict.differences {
                writeln!(f, "        {difference}")?;
            }
        }
        writeln!(f, "{} cases, {} failed", self.verdicts.len(), self.failed())
    }
}
