//! Dates of the Gregorian calendar, as days since the epoch.

mod moment;

pub use moment::{moment, written_moment};

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// The days since the epoch of a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since the epoch: year, month, day.
#[must_use]
pub fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let month_number = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month_number <= 2);
    (year, month_number, of_year - (153 * month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_a_date_and_back() {
        for day in -1000..80_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }
}
