//! Error budgets of 30 days at 99.9 %, watched over pairs of windows (the Site Reliability Workbook, "Alerting on SLOs").

use super::definition::Record;

/// Share that may fail.
const BUDGET: f64 = 0.001;

/// The windows of both alerts.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// Two pairs of windows, long and short, with the factor by which the budget burns.
type Pairs = [(&'static str, &'static str, f64); 2];

/// 2 % of the budget in an hour, or 5 % in six.
pub(super) const FAST: Pairs = [("1h", "5m", 14.4), ("6h", "30m", 6.0)];
/// 10 % of the budget in a day or in three.
pub(super) const SLOW: Pairs = [("1d", "2h", 3.0), ("3d", "6h", 1.0)];

/// The ratio of failures in every window; `ratio` builds it for one window.
pub(super) fn records(series: &str, ratio: impl Fn(&str) -> String) -> Vec<Record> {
    WINDOWS
        .iter()
        .map(|window| Record {
            name: format!("{series}{window}"),
            expr: ratio(window),
        })
        .collect()
}

/// The budget burns too fast in both windows of a pair: the long one says that it matters, the short one that it lasts.
pub(super) fn burns(series: &str, pairs: &Pairs) -> String {
    let parts: Vec<String> = pairs
        .iter()
        .map(|(long, short, factor)| {
            let most = shown(factor * BUDGET);
            format!("({series}{long} > {most} and {series}{short} > {most})")
        })
        .collect();
    format!("({})", parts.join(" or "))
}

/// A number without the dust of binary fractions.
fn shown(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
