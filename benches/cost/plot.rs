//! Line plots with a logarithmic x-axis, side by side, as SVG. The background is opaque, so that the plot is legible on
//! light and dark pages.

use std::fmt::Write;

use crate::figures::count;

pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    /// Label of the x-axis.
    pub(crate) x: &'a str,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) name: String,
    /// Pairs of size and value.
    pub(crate) points: Vec<(usize, f64)>,
}

/// Size of a panel, in pixels.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 300.0;
/// Edges of the plot area in a panel: left, right, top, bottom.
const FRAME: (f64, f64, f64, f64) = (50.0, 380.0, 50.0, 245.0);

/// Line colours that remain distinguishable with red-green colour blindness.
const COLOURS: [&str; 3] = ["#0b62a8", "#b35900", "#5a5a5a"];

pub(crate) fn draw(panels: &[Panel]) -> String {
    let width = WIDTH * count(panels.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"#222\">\n<rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        writeln!(svg, "<g transform=\"translate({} 0)\">", WIDTH * count(number)).expect("text");
        panel.draw(&mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel<'_> {
    fn draw(&self, svg: &mut String) {
        let (left, right, _, bottom) = FRAME;
        text(svg, left - 30.0, 25.0, "start", self.title);
        text(svg, f64::midpoint(left, right), bottom + 40.0, "middle", self.x);
        let step = step(self.highest());
        for tick in 0..=4 {
            let y = self.y(step * f64::from(tick));
            writeln!(svg, "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/>").expect("text");
            text(svg, left - 6.0, y + 4.0, "end", &format!("{}", step * f64::from(tick)));
        }
        for (size, _) in self.lines.iter().flat_map(|line| &line.points).take(self.sizes().count()) {
            text(svg, self.x(*size), bottom + 20.0, "middle", &thousands(*size));
        }
        // Labels of close lines must not overlap: those of the first line are above it, those of the others below.
        for ((line, colour), shift) in self.lines.iter().zip(COLOURS).zip([-8.0, 18.0, 30.0]) {
            self.draw_line(svg, line, colour, shift);
        }
    }

    fn draw_line(&self, svg: &mut String, line: &Line, colour: &str, shift: f64) {
        let places: Vec<_> = line.points.iter().map(|(size, value)| (self.x(*size), self.y(*value), value)).collect();
        let path: Vec<String> = places.iter().map(|(x, y, _)| format!("{x:.1} {y:.1}")).collect();
        let path = path.join("L");
        writeln!(svg, "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>").expect("text");
        writeln!(svg, "<g fill=\"{colour}\">").expect("text");
        for (x, y, value) in &places {
            writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>").expect("text");
            text(svg, *x, y + shift, "middle", &format!("{value:.1}"));
        }
        if let Some((x, y, _)) = places.last() {
            text(svg, x + 18.0, y + shift, "start", &line.name);
        }
        svg.push_str("</g>\n");
    }

    fn sizes(&self) -> impl Iterator<Item = usize> {
        self.lines.iter().take(1).flat_map(|line| line.points.iter().map(|(size, _)| *size))
    }

    fn highest(&self) -> f64 {
        self.lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value).fold(0.0, f64::max)
    }

    /// Returns the x coordinate of a size, on a logarithmic scale.
    fn x(&self, size: usize) -> f64 {
        let (left, right, ..) = FRAME;
        let log = |size: usize| count(size).log10();
        let (lowest, highest) = (self.sizes().min().unwrap_or(1), self.sizes().max().unwrap_or(10));
        left + 15.0 + (right - left - 30.0) * (log(size) - log(lowest)) / (log(highest) - log(lowest)).max(1.0)
    }

    /// Returns the y coordinate of a value, on a linear scale from zero.
    fn y(&self, value: f64) -> f64 {
        let (_, _, top, bottom) = FRAME;
        bottom - (bottom - top) * value / (4.0 * step(self.highest()))
    }
}

/// Returns a round number `step` with `4 * step >= highest`.
fn step(highest: f64) -> f64 {
    let least = highest.max(0.1) / 4.0;
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= least).unwrap_or(least)
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>").expect("text");
}

/// Formats a number with thousands separators, such as `10,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
