//! Moments as a manifest writes them: a day, or a day and a time of it, in UTC.

use super::{DAY, civil, days};

/// The seconds from 1970 to a moment: `2026-12-18` (its begin), `2026-12-18T16:00Z` or `2026-12-18T16:00:30Z`.
#[must_use]
pub fn moment(text: &str) -> Option<u64> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time.strip_suffix('Z')?)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, date) = (number(year)?, two(month)?, two(date)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let day = days(year, month, date);
    if civil(day) != (year, month, date) {
        return None;
    }
    let seconds = match time {
        Some(time) => of_the_day(time)?,
        None => 0,
    };
    u64::try_from(day * DAY + seconds).ok()
}

/// A moment as `2026-12-18T16:00:00Z`, from the seconds since 1970.
#[must_use]
pub fn written_moment(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let ((year, month, day), time) = (civil(seconds / DAY), seconds % DAY);
    let (hours, minutes) = (time / 3600, time / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}Z",
        time % 60
    )
}

fn of_the_day(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let (hours, minutes) = (two(parts.next()?)?, two(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), two)?;
    let whole = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    whole.then_some(hours * 3600 + minutes * 60 + seconds)
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn two(text: &str) -> Option<i64> {
    number(text).filter(|_| text.len() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_1970() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2000-03-01", Some(951_868_800)),
            ("2026-12-18T16:00Z", Some(1_797_609_600)),
            ("2026-12-18T16:00:30Z", Some(1_797_609_630)),
            ("2026-02-29", None),
            ("2028-02-29", Some(1_835_395_200)),
            ("2026-13-01", None),
            ("2026-1-1", None),
            ("2026-01-01T24:00Z", None),
            ("2026-01-01T10:00", None),
            ("tomorrow", None),
        ] {
            assert_eq!(moment(text), seconds, "{text}");
            let again = seconds.map(|seconds| moment(&written_moment(seconds)));
            assert_eq!(again.flatten(), seconds, "{text}");
        }
    }
}
