//! What the solvers did.

use crate::{
    chart::{
        Chart, Form,
        bars::{Bars, Part},
    },
    ink::Colour,
    key_figures::highest,
    run::Run,
    words::number,
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let statuses: Vec<Vec<Option<&str>>> =
        runs.iter().map(|run| run.solves.words("status")).collect();
    let mut names: Vec<&str> = Vec::new();
    for &status in statuses.iter().flatten().flatten() {
        if !names.contains(&status) {
            names.push(status);
        }
    }
    if names.is_empty() {
        return vec![];
    }
    let count = |run: &[Option<&str>], name: &str| {
        run.iter().filter(|status| **status == Some(name)).count() as f64
    };
    let parts = names.iter().enumerate().map(|(at, name)| Part {
        name: name.replace('_', " "),
        colour: Colour::Series(at),
        values: statuses.iter().map(|run| count(run, name)).collect(),
    });
    let gaps = runs.iter().map(|run| {
        let gap = highest(&run.solves.numbers("gap"));
        format!("{} % under {}", number(100.0 * gap), run.label)
    });
    vec![Chart {
        id: "solves".to_owned(),
        title: "Problems solved, by how solving ended".to_owned(),
        says: format!("The largest gap left open is {}.", gaps.collect::<Vec<_>>().join(", ")),
        unit: "problems".to_owned(),
        query: "SELECT run_id, status, count(*), max(gap) FROM solves GROUP BY ALL ORDER BY ALL"
            .to_owned(),
        form: Form::Bars(Bars {
            names: runs.iter().map(|run| run.label.clone()).collect(),
            parts: parts.collect(),
        }),
    }]
}
