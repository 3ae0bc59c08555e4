//! Bars in SVG, drawn with what any viewer has.

use std::fmt::Write;

/// Bars with a headline and a unit.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) unit: String,
    pub(super) bars: Vec<(String, f64)>,
}

const ROW: usize = 20;
const LABELS: usize = 270;
const LENGTH: f64 = 380.0;
const WIDTH: usize = 780;

/// All plots one below the other. Bars are on a logarithmic scale, since peers differ by factors of a hundred.
pub(super) fn render(plots: &[Plot]) -> String {
    let height: usize = plots.iter().map(height).sum::<usize>() + 20;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let mut top = 10;
    for plot in plots {
        one(plot, top, &mut svg);
        top += height_of(plot.bars.len());
    }
    svg.push_str("</svg>\n");
    svg
}

fn height(plot: &Plot) -> usize {
    height_of(plot.bars.len())
}

fn height_of(bars: usize) -> usize {
    bars * ROW + 50
}

fn one(plot: &Plot, top: usize, svg: &mut String) {
    let values = plot.bars.iter().map(|(_, value)| *value);
    let values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min) / 1.5;
    let greatest = values.iter().copied().fold(0.0, f64::max);
    let scale = |value: f64| {
        let whole = (greatest / least).ln().max(0.1);
        (value.max(least) / least).ln() / whole * LENGTH
    };
    // Writing to a string can not fail.
    let _ = writeln!(
        svg,
        "<text x=\"10\" y=\"{}\" font-weight=\"bold\">{}</text>\n\
         <text x=\"10\" y=\"{}\" fill=\"#555\">{}, less is better, logarithmic</text>",
        top + 14,
        escaped(&plot.title),
        top + 29,
        escaped(&plot.unit)
    );
    for (number, (name, value)) in plot.bars.iter().enumerate() {
        let y = top + 38 + number * ROW;
        let colour = match () {
            () if name.starts_with("sansmtp") => "#2a7",
            () if name.starts_with("limit") => "#bbb",
            () => "#68a",
        };
        let length = scale(*value);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"14\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            LABELS - 6,
            y + 11,
            escaped(name),
            LABELS as f64 + length + 5.0,
            y + 11,
            super::table::number(*value)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_is_drawn() {
        let plot = Plot {
            title: "a < b".to_owned(),
            unit: "seconds".to_owned(),
            bars: vec![("sansmtp".to_owned(), 1.0), ("other".to_owned(), 100.0)],
        };
        let svg = render(&[plot]);
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(svg.contains("a &lt; b") && svg.ends_with("</svg>\n"));
    }
}
