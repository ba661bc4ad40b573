//! Courses of stored energy as a picture.

use std::fmt::Write as _;
use voltide_flexmeasures::{Course, Problem, Slack};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
/// Room for the axes: left, right, above, below.
const MARGIN: [f64; 4] = [52.0, 14.0, 14.0, 34.0];
/// Colours of devices, one after the other.
const COLOURS: [&str; 6] = ["#1f6feb", "#1a7f37", "#8250df", "#bf8700", "#0a7ea4", "#bc4c00"];

/// Where instants and energies lie in the picture.
struct Scale {
    ticks: f64,
    most: f64,
}

impl Scale {
    fn x(&self, tick: usize) -> f64 {
        MARGIN[0] + (WIDTH - MARGIN[0] - MARGIN[1]) * tick as f64 / self.ticks
    }

    fn y(&self, kwh: f64) -> f64 {
        HEIGHT - MARGIN[3] - (HEIGHT - MARGIN[2] - MARGIN[3]) * kwh / self.most
    }
}

/// Draws the stored energy of every device over time, with its static range (dashed), the minima
/// (red) and maxima (brown) that were asked for, and a red mark at every wish for energy that is
/// missed.
pub(crate) fn courses(problem: &Problem, course: &Course, missed: &[Slack]) -> String {
    let stored = course.energy.iter().flatten().copied().fold(0.0, f64::max);
    let limits = problem.devices.iter().map(|device| device.static_range.1.unwrap_or(0.0));
    // At least 1 kWh, since energies are divided by it, also where no device stores any.
    let most = limits.fold(stored, f64::max).max(1.0) * 1.04;
    let scale = Scale { ticks: problem.grid.slots as f64, most };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    axes(&mut svg, problem, &scale);
    for (index, device) in problem.devices.iter().enumerate() {
        static_range(&mut svg, device.static_range, &scale);
        if device.soc_at_start.is_some() {
            let points = course.energy[index].iter().enumerate();
            let points =
                points.map(|(tick, &kwh)| format!("{:.1},{:.1}", scale.x(tick), scale.y(kwh)));
            let points = points.collect::<Vec<_>>().join(" ");
            let colour = COLOURS[index % COLOURS.len()];
            put(
                &mut svg,
                &format!(
                    "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
                     points=\"{points}\"/>"
                ),
            );
        }
        for (levels, colour) in [(&device.minima, "#cf222e"), (&device.maxima, "#9a6700")] {
            bounds(&mut svg, levels.as_deref().unwrap_or_default(), colour, &scale);
        }
        for slack in missed.iter().filter(|slack| slack.owner == device.name && slack.unit == "kWh")
        {
            let (x, y) = (scale.x(slack.tick), scale.y(course.energy[index][slack.tick]));
            mark(&mut svg, x, y);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws the least and the most that a device may hold, kWh, where it has such.
fn static_range(svg: &mut String, (least, most): (Option<f64>, Option<f64>), scale: &Scale) {
    let style = "stroke=\"#57606a\" stroke-dasharray=\"5 4\"";
    for kwh in [least, most].into_iter().flatten() {
        let y = scale.y(kwh);
        line(svg, (MARGIN[0], y), (WIDTH - MARGIN[1], y), style);
    }
}

/// Draws a red mark.
fn mark(svg: &mut String, x: f64, y: f64) {
    put(svg, &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#cf222e\"/>"));
}

fn put(svg: &mut String, element: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{element}");
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    put(
        svg,
        &format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
            from.0, from.1, to.0, to.1
        ),
    );
}

/// Draws bounds at the ends of slots; those of one level that follow each other as one line.
fn bounds(svg: &mut String, levels: &[Option<f64>], colour: &str, scale: &Scale) {
    let mut from = 0;
    for run in levels.chunk_by(|a, b| a.map(f64::to_bits) == b.map(f64::to_bits)) {
        let to = from + run.len();
        if let Some(level) = run[0] {
            let left = scale.x(from) + 0.5;
            let right = scale.x(to);
            let y = scale.y(level);
            line(svg, (left, y), (right, y), &format!("stroke=\"{colour}\" stroke-width=\"2.5\""));
        }
        from = to;
    }
}

/// Five levels of energy, and the time of day at twelve instants.
fn axes(svg: &mut String, problem: &Problem, scale: &Scale) {
    let step = nice(scale.most / 5.0);
    // Multiplied and not added up, lest rounding takes the last level.
    let levels = (0..).map(|level| f64::from(level) * step).take_while(|&kwh| kwh <= scale.most);
    for kwh in levels {
        let y = scale.y(kwh);
        line(svg, (MARGIN[0], y), (WIDTH - MARGIN[1], y), "stroke=\"#d0d7de\"");
        let (x, y) = (MARGIN[0] - 6.0, y + 4.0);
        put(svg, &format!("<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{kwh:.0} kWh</text>"));
    }
    let every = problem.grid.slots.div_ceil(12).max(1);
    for tick in (0..=problem.grid.slots).step_by(every) {
        let at = problem.grid.tick(tick);
        let shown = problem.grid.zone.map_or_else(
            || at.format("%H:%M").to_string(),
            |zone| at.with_timezone(&zone).format("%H:%M").to_string(),
        );
        let (x, y) = (scale.x(tick), HEIGHT - 14.0);
        put(svg, &format!("<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{shown}</text>"));
    }
}

/// The next number of 1, 2, 5, 10, 20 and so on.
fn nice(least: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if step * factor >= least {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}
