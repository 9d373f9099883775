//! Single values as people write them: percentages, rates, thresholds, names, addresses, grids.

use url::Url;

use crate::diagnostic;
use crate::diagnostic::Diagnostic;
use crate::domain::decimal::{Decimal, Fraction};
use crate::domain::quantity::{Quantity, SIZES, Unit};
use crate::domain::time::{Span, SpanError};

use super::codes;
use super::node::{Faults, Located};

/// A percentage over 0 % and up to 100 %, such as `90%` or `90`; a share such as 0.9 is refused.
pub(super) fn percent(text: &str) -> Result<Decimal, String> {
    let number = text.strip_suffix('%').map_or(text, str::trim_end);
    let percent: Decimal = number
        .parse()
        .map_err(|_| format!("`{text}` is not a percentage; write it as 90%"))?;
    let value = percent.fraction();
    if value <= Fraction::new(0, 1) || value > Fraction::new(100, 1) {
        return Err(format!(
            "`{text}` is out of range; write a percentage over 0% and up to 100%"
        ));
    }
    if value <= Fraction::ONE && number == text {
        return Err(format!(
            "`{text}` looks like a share; did you mean {}%?",
            percent.shifted(2)
        ));
    }
    Ok(percent)
}

/// `percent` as a share, 0..1.
pub(super) fn share(percent: Decimal) -> Fraction {
    percent.shifted(-2).fraction()
}

/// A positive number.
pub(super) fn positive(text: &str) -> Result<Decimal, String> {
    text.parse::<Decimal>()
        .ok()
        .filter(|number| number.fraction() > Fraction::new(0, 1))
        .ok_or_else(|| format!("`{text}` is not a number above 0; write it as 14.4"))
}

/// A whole number of bad events, at least one.
pub(super) fn number_of_bad(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        format!("`{text}` is not a number of bad events; write a whole number, as in bad: 3")
    })
}

/// Events per second from `5/s`, `300/m` or `1/h`.
pub(super) fn rate(text: &str) -> Result<Fraction, String> {
    let refused = || format!("`{text}` is not a rate; write it as 5/s, 300/m or 1/h");
    let (number, unit) = text.split_once('/').ok_or_else(refused)?;
    let seconds = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(refused()),
    };
    let number = positive(number.trim()).map_err(|_| refused())?;
    Ok(number.fraction().times(Fraction::new(1, seconds)))
}

/// A threshold in base units: a plain number, or as people write shares, times, sizes of data and
/// rates: `90%`, `300ms`, `2GiB`, `5/s`.
pub(super) fn quantity(text: &str) -> Result<Quantity, String> {
    let refused = || {
        format!(
            "`{text}` is not a threshold; write a number, or 90%, 300ms, 1h, 2GiB, 500MB or 5/s"
        )
    };
    let number = |text: &str| {
        let parsed: Result<Decimal, _> = text.trim_end().parse();
        parsed.map(Decimal::fraction).map_err(|_| refused())
    };
    if let Some(percent) = text.strip_suffix('%') {
        let value = number(percent)?.times(Fraction::new(1, 100));
        let unit = Unit::Percent;
        return Ok(Quantity { value, unit });
    }
    if text.contains('/') {
        let unit = Unit::PerSecond;
        return rate(text).map(|value| Quantity { value, unit });
    }
    if let Ok(value) = number(text) {
        let unit = Unit::Plain;
        return Ok(Quantity { value, unit });
    }
    for (size, name) in SIZES {
        if let Some(value) = text.strip_suffix(name).and_then(|text| number(text).ok()) {
            let value = value.times(Fraction::new(size, 1));
            let unit = Unit::Bytes;
            return Ok(Quantity { value, unit });
        }
    }
    let span: Span = text.parse().map_err(|_| refused())?;
    Ok(Quantity {
        value: Fraction::new(span.as_millis().into(), 1_000),
        unit: Unit::Time,
    })
}

/// A threshold of time in seconds, from `300ms` or `1m30s`. Seconds may stand without their unit as `le` shows them, with a
/// point: parts of a millisecond have no other form. A whole number may be anything.
pub(super) fn seconds(text: &str) -> Result<Decimal, String> {
    if !text.ends_with(|last: char| last.is_ascii_digit()) {
        let span: Result<Span, SpanError> = text.parse();
        let span = span.map_err(|error| error.to_string())?;
        return Ok(Decimal::new(span.as_millis(), 3));
    }
    let number = positive(text)
        .map_err(|_| format!("`{text}` is not a length of time; write it as 300ms"))?;
    if text.contains('.') {
        Ok(number)
    } else {
        Err(format!("`{text}` has no unit; write {text}ms or {text}s"))
    }
}

/// A name of letters, digits, `.`, `_` and `-`, which can stand in an address.
pub(super) fn name(text: &str) -> Result<String, String> {
    let is_plain = |char: char| char.is_ascii_alphanumeric();
    let valid = text.len() <= 100
        && text.starts_with(is_plain)
        && text.ends_with(is_plain)
        && text
            .chars()
            .all(|char| is_plain(char) || matches!(char, '.' | '_' | '-'));
    if valid {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a name; write at most 100 letters, digits, dots, dashes and underscores, as in checkout-api"
        ))
    }
}

/// An identity: any text without white space.
pub(super) fn identity(text: &str) -> Result<String, String> {
    if text.len() <= 200 && !text.contains(|char: char| char.is_whitespace() || char.is_control()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not an identity; write at most 200 letters without white space, as in checkout/availability"
        ))
    }
}

/// The IANA name of a time zone.
pub(super) fn time_zone(text: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "`{text}` is not a time zone; write its IANA name, as in Europe/Berlin"
        )),
    }
}

/// An address by HTTP.
pub(super) fn url(text: &str) -> Result<String, String> {
    let refused = |why: &str| {
        format!("`{text}` is not a usable address: {why}; write it as https://host/path")
    };
    if !text.contains("://") {
        return Err(refused("it begins without https://"));
    }
    let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("only http and https are spoken"));
    }
    Ok(text.to_owned())
}

/// Whether an address holds a secret: a user, whose name may be a token, a password, or Slack's webhooks, which are one
/// as a whole.
pub(super) fn is_secret_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        !url.username().is_empty()
            || url.password().is_some()
            || url.host_str() == Some("hooks.slack.com")
    })
}

/// Whether others can read on its way what is sent to an address.
pub(super) fn is_in_the_clear(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| diagnostic::is_in_the_clear(&url))
}

/// Whether `span`, the value of `key`, is a multiple of the tick; tells when it is not.
pub(super) fn on_grid(span: &Located<Span>, key: &str, tick: Span, faults: &Faults) -> bool {
    let is_multiple = span.value.as_millis() % tick.as_millis() == 0;
    if !is_multiple {
        faults.add(
            Diagnostic::error(
                codes::DURATION,
                format!(
                    "`{key}` of {} is no multiple of the tick, {tick}",
                    span.value
                ),
            )
            .at(&span.place)
            .help("write a multiple of the tick, or change the daemon's `tick`"),
        );
    }
    is_multiple
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused_with_what_to_write() {
        let told = |result: Result<String, String>| result.unwrap_or_else(|error| error);
        let percent = |text| told(percent(text).map(|it| format!("{it}%")));
        let rate = |text| told(rate(text).map(|it| format!("{it:?}")));
        let seconds = |text| told(seconds(text).map(|it| format!("{it}s")));
        let quantity =
            |text| told(quantity(text).map(|it| format!("{it} = {}", it.value.to_f64())));
        let cases = [
            quantity("80"),
            quantity("-2.5"),
            quantity("90%"),
            quantity("250 %"),
            quantity("300ms"),
            quantity("1h30m"),
            quantity("2GiB"),
            quantity("1.5 GiB"),
            quantity("500MB"),
            quantity("64kB"),
            quantity("5/s"),
            quantity("5m"),
            quantity("1M"),
            quantity("lots"),
            percent("90%"),
            percent("99.95"),
            percent("0.5%"),
            percent("1"),
            percent("0.9"),
            percent("0%"),
            percent("101%"),
            percent("many"),
            rate("5/s"),
            rate("300 / m"),
            rate("1/h"),
            rate("5"),
            rate("5/d"),
            rate("0/s"),
            seconds("300ms"),
            seconds("0.25"),
            seconds("0.0005"),
            seconds("1"),
            seconds("300"),
            seconds("2.5"),
            seconds("1m30s"),
            seconds("-1"),
            seconds("1M"),
            seconds("fast"),
            told(name("checkout-api")),
            told(name("check out")),
            told(url("https://example.com/")),
            told(url("example.com")),
            told(url("ftp://example.com")),
            told(url("http://host:99999")),
        ];
        insta::assert_snapshot!(cases.join("\n"), @"
        80 = 80
        -2.5 = -2.5
        90% = 0.9
        250% = 2.5
        300ms = 0.3
        1h30m = 5400
        2GiB = 2147483648
        1536MiB = 1610612736
        500MB = 500000000
        64kB = 64000
        5/s = 5
        5m = 300
        `1M` is not a threshold; write a number, or 90%, 300ms, 1h, 2GiB, 500MB or 5/s
        `lots` is not a threshold; write a number, or 90%, 300ms, 1h, 2GiB, 500MB or 5/s
        90%
        99.95%
        0.5%
        `1` looks like a share; did you mean 100%?
        `0.9` looks like a share; did you mean 90%?
        `0%` is out of range; write a percentage over 0% and up to 100%
        `101%` is out of range; write a percentage over 0% and up to 100%
        `many` is not a percentage; write it as 90%
        Fraction { numerator: 5, denominator: 1 }
        Fraction { numerator: 5, denominator: 1 }
        Fraction { numerator: 1, denominator: 3600 }
        `5` is not a rate; write it as 5/s, 300/m or 1/h
        `5/d` is not a rate; write it as 5/s, 300/m or 1/h
        `0/s` is not a rate; write it as 5/s, 300/m or 1/h
        0.3s
        0.25s
        0.0005s
        `1` has no unit; write 1ms or 1s
        `300` has no unit; write 300ms or 300s
        2.5s
        90s
        `-1` is not a length of time; write it as 300ms
        `1M`: a month has no fixed length; write 30d
        `fast` is not a length of time; write it as 30d, 1h30m or 500ms
        checkout-api
        `check out` is not a name; write at most 100 letters, digits, dots, dashes and underscores, as in checkout-api
        https://example.com/
        `example.com` is not a usable address: it begins without https://; write it as https://host/path
        `ftp://example.com` is not a usable address: only http and https are spoken; write it as https://host/path
        `http://host:99999` is not a usable address: invalid port number; write it as https://host/path
        ");
    }
}
