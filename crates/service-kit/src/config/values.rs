//! Forms of values: each function takes the text of a variable and says what it means, or that it means nothing.

use std::{fs::File, net::IpAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use http::Uri;

/// A whole number in the range, in decimal digits.
pub fn integer<T: FromStr + PartialOrd>(range: RangeInclusive<T>) -> impl Fn(&str) -> Option<T> {
    // `FromStr` would take `+7`.
    move |value| {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|number| digits && range.contains(number))
    }
}

/// A number of whole seconds in the range.
pub fn seconds(range: RangeInclusive<u64>) -> impl Fn(&str) -> Option<Duration> {
    move |value| integer(range.clone())(value).map(Duration::from_secs)
}

/// `true` or `false`.
#[must_use]
pub fn boolean(value: &str) -> Option<bool> {
    value.parse().ok()
}

/// Any text; what is empty counts as not set before it comes here.
#[must_use]
pub fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// One of the words, with what it stands for.
pub fn one_of<T: Copy>(words: &[(&str, T)]) -> impl Fn(&str) -> Option<T> {
    move |value| {
        words
            .iter()
            .find(|(word, _)| *word == value)
            .map(|(_, meaning)| *meaning)
    }
}

/// An `http` or `https` address, without its closing slash.
#[must_use]
pub fn http_address(value: &str) -> Option<String> {
    address(value, |_| true)
}

/// An `https` address, or an `http` one that stays on this machine, without its closing slash.
#[must_use]
pub fn https_address(value: &str) -> Option<String> {
    address(value, is_loopback)
}

/// Path of a file that this process can open.
#[must_use]
pub fn readable_file(value: &str) -> Option<PathBuf> {
    let readable = File::open(value)
        .and_then(|file| file.metadata())
        .is_ok_and(|it| it.is_file());
    readable.then(|| PathBuf::from(value))
}

fn address(value: &str, may_be_plain: impl Fn(&str) -> bool) -> Option<String> {
    let uri: Uri = value.parse().ok()?;
    let authority = uri.authority()?;
    let clean = uri.query().is_none() && !value.contains('#') && !authority.as_str().contains('@');
    let safe = match uri.scheme_str()? {
        "https" => true,
        "http" => may_be_plain(authority.host()),
        _ => false,
    };
    (clean && safe && !authority.host().is_empty()).then(|| value.trim_end_matches('/').to_owned())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
