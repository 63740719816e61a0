//! The people of an hour, kept so that those of any day can be told from its hours.

/// Whoever was not there for a day's hours before is as new to any day as somebody who never was.
const HOURS: usize = 24;

/// People who logged in within an hour, by how many hours earlier they had last logged in: one to 23, or longer ago.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People([i64; HOURS]);

impl People {
    /// Reads what [`Self::to_text`] wrote; nothing where that is something else.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The numbers as a JSON array.
    pub fn to_text(&self) -> String {
        // Numbers always serialise.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Adds people who were last there so many hours earlier; nothing stands for longer ago.
    pub fn add(&mut self, hours_earlier: Option<i64>, people: i64) {
        let place = hours_earlier.and_then(|hours| usize::try_from(hours - 1).ok());
        self.0[place.unwrap_or(HOURS).min(HOURS - 1)] += people;
    }

    /// Those who had not been there in so many hours before; with none, all.
    pub fn absent_for(&self, hours: i64) -> i64 {
        let hours = usize::try_from(hours).unwrap_or(0);
        self.0.iter().skip(hours).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Who logged in in which of the hours, by a rule that has people come often, seldom, once a day and never again.
    fn is_there(person: i64, hour: i64) -> bool {
        match person % 5 {
            0 => (hour * 7 + person * 13) % 11 == 0,
            1 => hour % 24 == person % 24,
            2 => (hour * hour + person) % 37 == 0,
            3 => hour == person,
            _ => (hour + person) % 23 == 0,
        }
    }

    #[test]
    fn people_of_a_day_are_those_of_its_hours_each_once_wherever_it_begins() {
        let hours: Vec<People> = (0..96)
            .map(|hour| {
                let mut people = People::default();
                for person in (0..80).filter(|person| is_there(*person, hour)) {
                    people.add((1..24).find(|earlier| is_there(person, hour - earlier)), 1);
                }
                people
            })
            .collect();
        for begins in 24..72 {
            let people: BTreeSet<i64> =
                (begins..begins + 24).flat_map(|hour| (0..80).filter(move |person| is_there(*person, hour))).collect();
            let told: i64 = (0..24).map(|hour| hours[begins as usize + hour as usize].absent_for(hour)).sum();
            assert_eq!(told, people.len() as i64, "from hour {begins}");
        }
    }

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else() {
        let mut people = People::default();
        for (hours, count) in [(Some(1), 3), (Some(23), 5), (Some(24), 1), (None, 7)] {
            people.add(hours, count);
        }
        assert_eq!(People::parse(&people.to_text()), Some(people.clone()));
        assert_eq!([0, 1, 22, 23, 24].map(|hours| people.absent_for(hours)), [16, 13, 13, 8, 0]);
        for text in ["", "[]", "[1,2]", "{}", "null"] {
            assert_eq!(People::parse(text), None, "{text}");
        }
    }
}
