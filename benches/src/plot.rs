//! Bars as SVG: readable on white and on black, without any font of ours.

use std::fmt::Write as _;

use crate::report::{Plot, number};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 210.0;
const VALUES: f64 = 90.0;
const TOP: f64 = 40.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;

/// Draws it.
pub(crate) fn draw(plot: &Plot) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a few bars")]
    let height = TOP + ROW * plot.bars.len() as f64 + 12.0;
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\" role=\"img\" aria-label=\"{title}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"bold\" fill=\"#1f2937\">{title}, {unit}</text>\n",
        title = escape(&plot.title),
        unit = escape(&plot.unit),
    );
    let scale = Scale::of(plot);
    let mut y = TOP;
    for bar in &plot.bars {
        let (end, middle) = (scale.x(bar.value.median), y + BAR / 2.0);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#1f2937\">{}</text>\n\
             <rect x=\"{LABELS}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"#2563eb\"/>\n",
            LABELS - 8.0,
            middle + 4.5,
            escape(&bar.label),
            (end - LABELS).max(1.0),
        );
        let (from, until) = (scale.x(bar.value.min), scale.x(bar.value.max));
        if until - from > 1.0 {
            let _ = writeln!(
                svg,
                "<path d=\"M{from:.1} {middle}H{until:.1}M{from:.1} {}v8M{until:.1} {}v8\" stroke=\"#0f172a\"/>",
                middle - 4.0,
                middle - 4.0,
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" fill=\"#1f2937\">{}</text>",
            end.max(until) + 6.0,
            middle + 4.5,
            number(bar.value.median)
        );
        y += ROW;
    }
    if let Some(goal) = plot.goal {
        let x = scale.x(goal);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {}V{y}\" stroke=\"#dc2626\" stroke-dasharray=\"4 3\"/>\n\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#dc2626\">goal {}</text>",
            TOP - 4.0,
            TOP - 7.0,
            number(goal)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where a value lies.
struct Scale {
    logarithmic: bool,
    smallest: f64,
    largest: f64,
}

impl Scale {
    fn of(plot: &Plot) -> Self {
        let values = || {
            plot.bars
                .iter()
                .flat_map(|bar| [bar.value.min, bar.value.max])
                .chain(plot.goal)
        };
        let largest = values().fold(f64::MIN_POSITIVE, f64::max);
        let smallest = values().filter(|it| *it > 0.0).fold(largest, f64::min);
        Self {
            logarithmic: plot.logarithmic,
            // So that the smallest has a bar as well.
            smallest: smallest / 2.0,
            largest,
        }
    }

    fn x(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value.max(self.smallest) / self.smallest).ln() / (self.largest / self.smallest).ln()
        } else {
            value / self.largest
        };
        LABELS + part * (WIDTH - LABELS - VALUES)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
