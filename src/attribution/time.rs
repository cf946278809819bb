//! The times of log lines, as seconds since the epoch.

use crate::calendar::{DAY, civil, days};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The time at the begin of a line of syslog or the journal, and the rest of the line. It knows RFC 3339
/// (`2026-11-29T10:02:11.5+01:00`), RFC 3164 (`Nov 29 10:02:11`, local time without a year), and seconds since the epoch.
/// `now` and `offset` are the host's clock and its distance from UTC.
pub(super) fn of_log(line: &str, now: i64, offset: i64) -> Option<(i64, &str)> {
    let (word, rest) = line.split_once(' ')?;
    if let Some(time) = iso(word, offset) {
        return Some((time, rest));
    }
    let seconds = word.split('.').next().unwrap_or_default();
    if seconds.len() >= 9
        && let Ok(time) = seconds.parse()
    {
        return Some((time, rest));
    }
    let month = MONTHS.iter().position(|month| *month == word)?;
    let (day, rest) = rest.trim_start().split_once(' ')?;
    let (clock, rest) = rest.split_once(' ')?;
    let month = i64::try_from(month).ok()? + 1;
    let (year, _, _) = civil((now + offset).div_euclid(DAY));
    let at = |year| Some(days(year, month, day.parse().ok()?) * DAY + seconds_of(clock)? - offset);
    // A line of December that is read in January is of the last year.
    let time = at(year)?;
    Some((
        if time > now + DAY {
            at(year - 1)?
        } else {
            time
        },
        rest,
    ))
}

/// `2026-11-29T10:02:11`, with a fraction and a zone or without; without a zone it is local time.
pub(super) fn iso(text: &str, offset: i64) -> Option<i64> {
    let (date, clock) = text.split_once('T')?;
    let time = local(date, clock.get(..8)?)?;
    let rest = clock.get(8..)?;
    let zone = rest
        .find(['+', '-', 'Z'])
        .and_then(|at| rest.get(at..))
        .unwrap_or_default();
    let offset = match zone {
        "" => offset,
        "Z" => 0,
        zone => of_zone(zone)?,
    };
    Some(time - offset)
}

/// A date (`2026-11-29`) and a time of day, as if they were UTC.
pub(super) fn local(date: &str, clock: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * DAY + seconds_of(clock)?)
}

/// The seconds of `+01:00` or `+0100`.
fn of_zone(zone: &str) -> Option<i64> {
    let (sign, digits) = zone.split_at_checked(1)?;
    let digits: i64 = digits.replace(':', "").parse().ok()?;
    let seconds = digits / 100 * 3600 + digits % 100 * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

fn seconds_of(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = hour < 24 && minute < 60 && second <= 60 && hour.min(minute).min(second) >= 0;
    valid.then_some(hour * 3600 + minute * 60 + second)
}

/// A time as RFC 3339 in UTC, to the second.
#[must_use]
pub fn rfc3339(time: i64) -> String {
    let (year, month, day) = civil(time.div_euclid(DAY));
    let second = time.rem_euclid(DAY);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-29T10:02:11Z.
    const AT: i64 = 1_795_946_531;

    #[test]
    fn each_form_of_a_time_is_read() {
        for (line, offset) in [
            ("2026-11-29T10:02:11.123456+00:00 host x", 0),
            ("2026-11-29T11:02:11+01:00 host x", 0),
            ("2026-11-29T05:32:11-0430 host x", 3600),
            ("2026-11-29T11:02:11 host x", 3600),
            ("1795946531.123456 host x", 0),
            ("Nov 29 11:02:11 host x", 3600),
        ] {
            assert_eq!(of_log(line, AT + 5, offset), Some((AT, "host x")), "{line}");
        }
        for line in [
            "",
            "x",
            "Nov",
            "Nov 29",
            "Foo 29 10:02:11 x",
            "2026-99-29T10:02:11Z x",
            "12 x",
        ] {
            assert_eq!(of_log(line, AT, 0), None, "{line}");
        }
        assert_eq!(rfc3339(AT), "2026-11-29T10:02:11Z");
    }

    #[test]
    fn a_line_of_december_is_of_the_last_year_in_january() {
        let new_year = local("2027-01-01", "00:00:10").unwrap_or_default();
        let line = of_log("Dec 31 23:59:50 host x", new_year, 0);
        assert_eq!(line.map(|(time, _)| new_year - time), Some(20));
    }
}
