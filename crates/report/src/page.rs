//! The page: one file that asks for no other.

use crate::{
    chart::{Chart, Frame, courses::Course},
    data::times_json,
    drawing::escape,
    first,
    ink::{Ink, properties},
    key_figures::{self, KeyFigure},
    run::Run,
    section::Section,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Version of the JSON in `#voltide-data`.
const SCHEMA_VERSION: u32 = 1;

const UPLOT_CSS: &str = include_str!("../vendor/uplot/uPlot.min.css");

/// The whole page.
pub(crate) fn page(
    runs: &[Run],
    sections: &[Section],
    warnings: &[String],
    command: &str,
) -> String {
    let title = escape(&first::sentence(runs));
    let colours = format!(":root {{ color-scheme: light; {} }}", properties(false));
    let style = include_str!("page.css").replace("DARK", &properties(true));
    let figures = key_figures::all(runs);
    let data = data(runs, sections, &figures, command);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{colours}\n{UPLOT_CSS}\n{style}</style>\n</head>\n<body>\n<main>\n\
         <h1 class=\"heard\">{title}</h1>\n"
    );
    for warning in warnings {
        let _ = writeln!(html, "<p class=\"warning\">{}</p>", escape(warning));
    }
    let _ = writeln!(
        html,
        "<figure class=\"picture\">{}</figure>",
        first::picture(runs, command, Ink::Page)
    );
    html.push_str(&contents(sections));
    html.push_str(&table(runs, &figures));
    for section in sections {
        html.push_str(&section_html(section));
    }
    let _ = writeln!(
        html,
        "</main>\n<p class=\"about\">{}</p>\n\
         <script type=\"application/json\" id=\"voltide-data\">{}</script>\n\
         <script>\n{}\n{}</script>\n</body>\n</html>",
        about(runs, command),
        in_script(&data),
        include_str!("../vendor/uplot/uPlot.iife.min.js"),
        include_str!("page.js")
    );
    html
}

/// No text of JSON can end the element that it stands in.
fn in_script(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c")
}

fn contents(sections: &[Section]) -> String {
    let links = sections.iter().map(|it| format!("<a href=\"#{}\">{}</a>", it.id, it.title));
    format!("<nav>{}</nav>\n", links.collect::<Vec<_>>().join(" "))
}

/// All figures, a row each, a column a run.
fn table(runs: &[Run], figures: &[KeyFigure]) -> String {
    let heads = runs.iter().map(|run| format!("<th>{}</th>", escape(&run.label)));
    let rows = figures.iter().map(|figure| {
        let cells = (0..runs.len()).map(|run| {
            let (value, change) = figure.told(run);
            format!("<td>{value} <small>{change}</small></td>")
        });
        let cells = cells.collect::<String>();
        let name = escape(&format!("{}, {}", figure.name, figure.unit));
        format!("<tr title=\"{}\"><td>{name}</td>{cells}</tr>\n", escape(figure.query))
    });
    let first = escape(&runs[0].label);
    let note = if runs.len() > 1 {
        format!(
            "<p class=\"note\">Shares are differences to {first}: of what drivers pay like for like, with \
             what batteries hold less at the end made up for, else of the sums as they are.</p>\n"
        )
    } else {
        String::new()
    };
    format!(
        "<h2 id=\"figures\">Figures</h2>\n<div class=\"figures\"><table>\n<thead><tr><th></th>{}</tr>\
         </thead>\n<tbody>\n{}</tbody>\n</table></div>\n{note}",
        heads.collect::<String>(),
        rows.collect::<String>()
    )
}

fn section_html(section: &Section) -> String {
    let charts = section.charts.iter().map(figure).collect::<String>();
    format!("<section>\n<h2 id=\"{}\">{}</h2>\n{charts}</section>\n", section.id, section.title)
}

fn figure(chart: &Chart) -> String {
    format!(
        "<figure id=\"chart-{id}\">\n<h3>{title}</h3>\n<p>{says}</p>\n\
         <div class=\"picture\" data-series=\"{id}\">{svg}</div>\n\
         <details><summary>query</summary><pre>{query}</pre></details>\n\
         <button data-chart=\"{id}\" hidden>Copy as CSV</button>\n</figure>\n",
        id = escape(&chart.id),
        title = escape(&chart.title),
        says = escape(&chart.says),
        svg = chart.svg(Frame::PAGE),
        query = escape(&chart.query),
    )
}

fn about(runs: &[Run], command: &str) -> String {
    let ids = runs.iter().map(|run| escape(&run.made.id)).collect::<Vec<_>>().join(", ");
    format!("<code>{}</code><br>Runs: {ids}", escape(command))
}

/// How a line is drawn where time series can be zoomed.
fn line(course: &Course) -> Value {
    json!({ "colour": course.colour.property(), "dashed": course.dashed })
}

/// What the page carries: `{schema_version, command, runs: [{id, label, world, policy, seed,
/// status, world_hash}], figures: [{key, name, unit, query, values: one a run}], charts: [{id,
/// title, says, unit, query, columns: [{name, values}], lines: [{colour, dashed}]}], times: [{local,
/// zone, start_s, step_s}]}`. A column of time has `times`, its place in the list of that name,
/// instead of values; `lines` are there where the columns after it are lines and nothing else. Numbers are in the
/// unit that stands beside them, in charts with seven digits; null is none.
fn data(runs: &[Run], sections: &[Section], figures: &[KeyFigure], command: &str) -> Value {
    let made = runs.iter().map(|run| {
        json!({
            "id": run.made.id, "label": run.label, "world": run.made.world,
            "policy": run.made.policy, "seed": run.made.seed, "status": run.made.status,
            "world_hash": run.made.world_hash,
        })
    });
    let figures = figures.iter().map(|it| {
        json!({
            "key": it.key, "name": it.name, "unit": it.unit, "query": it.query,
            "values": it.values.iter().map(|it| it.is_finite().then_some(*it)).collect::<Vec<_>>(),
        })
    });
    let mut times = Vec::new();
    let charts = sections.iter().flat_map(|section| &section.charts).map(|chart| {
        json!({
            "id": chart.id, "title": chart.title, "says": chart.says, "unit": chart.unit,
            "query": chart.query, "columns": chart.data().json(&mut times),
            "lines": chart.lines().map(line).collect::<Vec<_>>(),
        })
    });
    let charts: Vec<Value> = charts.collect();
    json!({
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "runs": made.collect::<Vec<_>>(),
        "figures": figures.collect::<Vec<_>>(),
        "charts": charts,
        "times": times.iter().map(times_json).collect::<Vec<_>>(),
    })
}
