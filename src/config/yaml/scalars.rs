//! What a plain scalar is in YAML 1.1 (the types of <https://yaml.org/type/>), as `safe_load` of PyYAML
//! resolves them. What is in quotes is a string, and never comes here.

use crate::config::node::Kind;

/// The tag of the types that every YAML has.
pub(super) const CORE: &str = "tag:yaml.org,2002:";

/// What the plain scalar `text` is.
pub(super) fn resolve(text: &str) -> Kind {
    let float = || float(text).map(Kind::Float);
    let date = || is_date(text).then(|| Kind::Date(text.to_owned()));
    null(text)
        .or_else(|| boolean(text))
        .or_else(|| integer(text).map(Kind::Integer))
        .or_else(float)
        .or_else(date)
        .unwrap_or_else(|| Kind::String(text.to_owned()))
}

/// What `text` is by a tag of its own, `!!int`; `None` where it can't be that.
pub(super) fn tagged(kind: &str, text: &str) -> Option<Kind> {
    match kind {
        "str" => Some(Kind::String(text.to_owned())),
        "int" => integer(text).map(Kind::Integer),
        "float" => {
            let integer = || Some(Kind::Float(text.parse::<i64>().ok()? as f64));
            float(text).map(Kind::Float).or_else(integer)
        }
        "bool" => boolean(text),
        "null" => null(text),
        "timestamp" => is_date(text).then(|| Kind::Date(text.to_owned())),
        _ => None,
    }
}

fn null(text: &str) -> Option<Kind> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Kind::Null)
}

fn boolean(text: &str) -> Option<Kind> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Kind::Bool(true))
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Kind::Bool(false))
        }
        _ => None,
    }
}

/// A sign, and what is behind it.
fn signed(text: &str) -> (i128, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The digits without the underscores between them; `None` unless all are of this base.
fn digits(text: &str, base: u32) -> Option<String> {
    let is_one = |c: char| c == '_' || c.is_digit(base);
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    (text.chars().all(is_one) && !digits.is_empty()).then_some(digits)
}

fn number(text: &str, base: u32) -> Option<i128> {
    i128::from_str_radix(&digits(text, base)?, base).ok()
}

/// Binary, octal with a leading zero, decimal, hexadecimal, or of base 60.
fn integer(text: &str) -> Option<i128> {
    let (sign, rest) = signed(text);
    let value = match rest.as_bytes() {
        [b'0'] => Some(0),
        [b'0', b'b', ..] => number(&rest[2..], 2),
        [b'0', b'x', ..] => number(&rest[2..], 16),
        [b'0', ..] => number(rest, 8),
        [b'1'..=b'9', ..] if rest.contains(':') => sexagesimal(rest),
        [b'1'..=b'9', ..] => number(rest, 10),
        _ => None,
    };
    value.and_then(|value| value.checked_mul(sign))
}

/// `1:30` is ninety: hours, minutes, seconds.
fn sexagesimal(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let first = number(parts.next()?, 10)?;
    parts.try_fold(first, |value, part| {
        value.checked_mul(60)?.checked_add(sixtieth(part)?)
    })
}

/// A number below sixty.
fn sixtieth(text: &str) -> Option<i128> {
    let is_one = matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    is_one.then(|| text.parse().ok())?
}

/// A number with a point; its exponent has a sign.
fn float(text: &str) -> Option<f64> {
    let (sign, rest) = signed(text);
    let sign = if sign < 0 { -1.0 } else { 1.0 };
    match rest {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if rest == text => return Some(f64::NAN),
        _ => {}
    }
    let (whole, behind) = rest.split_once('.')?;
    if let Some((last, before)) = whole
        .contains(':')
        .then(|| whole.rsplit_once(':'))
        .flatten()
        .map(|(b, l)| (l, b))
    {
        return sexagesimal_float(before, last, behind).map(|value| sign * value);
    }
    let (fraction, exponent) = match behind.find(['e', 'E']) {
        Some(at) => (&behind[..at], Some(&behind[at + 1..])),
        None => (behind, None),
    };
    let is_decimal = |text: &str| text.chars().all(|c| c == '_' || c.is_ascii_digit());
    let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let exponent_is_right = exponent.is_none_or(|text| {
        let digits = text.strip_prefix(['-', '+']);
        digits
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    // Without a number in front of the point there is no sign either.
    let has_number = starts(whole) || (whole.is_empty() && rest == text && starts(fraction));
    if !is_decimal(whole) || !is_decimal(fraction) || !exponent_is_right || !has_number {
        return None;
    }
    let plain: String = rest.chars().filter(|c| *c != '_').collect();
    plain.parse::<f64>().ok().map(|value| sign * value)
}

/// `1:30.5` is ninety and a half.
fn sexagesimal_float(before: &str, last: &str, fraction: &str) -> Option<f64> {
    let mut parts = before.split(':');
    let first = parts.next()?;
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let first = number(first, 10)?;
    let whole = parts.chain([last]).try_fold(first, |value, part| {
        value.checked_mul(60)?.checked_add(sixtieth(part)?)
    })?;
    if !fraction.chars().all(|c| c == '_' || c.is_ascii_digit()) {
        return None;
    }
    let fraction: String = fraction.chars().filter(|c| *c != '_').collect();
    format!("{whole}.{fraction}").parse().ok()
}

/// `2001-01-01`, or with a time behind it.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ', '\t']) {
        Some(at) => (
            &text[..at],
            Some(text[at + 1..].trim_start_matches([' ', '\t'])),
        ),
        None => (text, None),
    };
    let is_number = |text: &str, lengths: [usize; 2]| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let lengths = match time {
        None => [2, 2],
        Some(_) => [1, 2],
    };
    let is_right = is_number(year, [4, 4]) && is_number(month, lengths) && is_number(day, lengths);
    is_right && time.is_none_or(is_time)
}

/// `2:30:59.25 -05:00`.
fn is_time(text: &str) -> bool {
    let zone = text.find(['Z', '+', '-', ' ', '\t']).unwrap_or(text.len());
    let (clock, zone) = (&text[..zone], text[zone..].trim_start_matches([' ', '\t']));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let is_number = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else {
        return false;
    };
    let is_zone = match zone.strip_prefix(['+', '-']) {
        None => matches!(zone, "" | "Z"),
        Some(offset) => {
            let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
            is_number(hours, 1, 2) && is_number(minutes, 2, 2)
        }
    };
    let is_clock = is_number(hour, 1, 2) && is_number(minute, 2, 2) && is_number(second, 2, 2);
    is_clock && fraction.bytes().all(|byte| byte.is_ascii_digit()) && is_zone
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row is what `yaml.safe_load` of PyYAML 6 gives.
    #[test]
    fn plain_scalars_are_what_they_are_in_yaml_1_1() {
        let (int, float) = (Kind::Integer, Kind::Float);
        let string = |text: &str| Kind::String(text.to_owned());
        let date = |text: &str| Kind::Date(text.to_owned());
        for (text, expected) in [
            // Octal with a leading zero, as modes of files are written.
            ("0644", int(0o644)),
            ("0777", int(0o777)),
            ("644", int(644)),
            ("0o644", string("0o644")),
            ("012", int(10)),
            ("089", string("089")),
            ("00", int(0)),
            ("0_7", int(7)),
            ("0_", int(0)),
            ("0", int(0)),
            ("-0", int(0)),
            ("+12", int(12)),
            ("-12", int(-12)),
            ("1_000", int(1000)),
            ("_1", string("_1")),
            ("0b101", int(5)),
            ("0b102", string("0b102")),
            ("0x1F", int(31)),
            ("-0x1f", int(-31)),
            ("0X1F", string("0X1F")),
            ("1G", string("1G")),
            ("100%", string("100%")),
            ("10MiB", string("10MiB")),
            ("-", string("-")),
            // Base 60.
            ("1:30", int(90)),
            ("-1:30", int(-90)),
            ("1:30:00", int(5400)),
            ("1:60", string("1:60")),
            ("0:30", string("0:30")),
            ("1:5", int(65)),
            ("1:30.5", float(90.5)),
            // A float has a point, and its exponent a sign.
            ("8E00", string("8E00")),
            ("1e3", string("1e3")),
            ("1.0e3", string("1.0e3")),
            ("1.0e+3", float(1000.0)),
            ("1.5", float(1.5)),
            ("-1.5", float(-1.5)),
            ("1.", float(1.0)),
            (".5", float(0.5)),
            ("+.5", string("+.5")),
            ("1_0.5", float(10.5)),
            ("1.2.3", string("1.2.3")),
            (".", string(".")),
            (".inf", float(f64::INFINITY)),
            ("-.INF", float(f64::NEG_INFINITY)),
            ("yes", Kind::Bool(true)),
            ("Yes", Kind::Bool(true)),
            ("YES", Kind::Bool(true)),
            ("yEs", string("yEs")),
            ("no", Kind::Bool(false)),
            ("on", Kind::Bool(true)),
            ("Off", Kind::Bool(false)),
            ("true", Kind::Bool(true)),
            ("FALSE", Kind::Bool(false)),
            ("y", string("y")),
            ("n", string("n")),
            ("~", Kind::Null),
            ("null", Kind::Null),
            ("Null", Kind::Null),
            ("nULL", string("nULL")),
            ("", Kind::Null),
            ("2001-01-01", date("2001-01-01")),
            ("2001-1-1", string("2001-1-1")),
            ("2001-1-1 2:03:04", date("2001-1-1 2:03:04")),
            (
                "2001-12-14T21:59:43.10-05:00",
                date("2001-12-14T21:59:43.10-05:00"),
            ),
            (
                "2001-12-14 21:59:43.10 -5",
                date("2001-12-14 21:59:43.10 -5"),
            ),
            ("2001-12-14 21:59", string("2001-12-14 21:59")),
            ("2001-12-15Z", string("2001-12-15Z")),
            ("bookworm", string("bookworm")),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
        assert!(matches!(resolve(".nan"), Kind::Float(value) if value.is_nan()));
        assert_eq!(resolve("-.nan"), string("-.nan"));
    }

    #[test]
    fn a_tag_says_what_a_scalar_is() {
        for (kind, text, expected) in [
            ("str", "0644", Some(Kind::String("0644".into()))),
            ("int", "0644", Some(Kind::Integer(0o644))),
            ("int", "x", None),
            ("float", "1", Some(Kind::Float(1.0))),
            ("bool", "yes", Some(Kind::Bool(true))),
            ("bool", "y", None),
            ("null", "~", Some(Kind::Null)),
            ("binary", "x", None),
        ] {
            assert_eq!(tagged(kind, text), expected, "{kind} {text}");
        }
    }
}
