//! What the system costs, and what drivers pay.

use super::colour_of;
use crate::{
    chart::{
        Chart, Form,
        bars::{Bars, Part},
    },
    ink::Colour,
    key_figures::saved_shares,
    run::Run,
    words::{number, share},
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    system(runs).into_iter().chain([drivers(runs)]).collect()
}

fn system(runs: &[Run]) -> Option<Chart> {
    let costs: Vec<Vec<(String, f64)>> = runs.iter().map(Run::system_costs).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in costs.iter().flatten().filter(|(_, amount)| *amount != 0.0) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return None;
    }
    let amount = |run: &[(String, f64)], name: &str| {
        run.iter().filter(|(component, _)| component == name).map(|(_, amount)| amount).sum()
    };
    let parts = names.iter().enumerate().map(|(at, name)| Part {
        name: name.replace('_', " "),
        colour: Colour::Series(at),
        values: costs.iter().map(|run| amount(run, name)).collect(),
    });
    let total = |run: &[(String, f64)]| run.iter().map(|(_, amount)| amount).sum::<f64>();
    let currency = &runs[0].made.currency;
    let first = total(&costs[0]);
    let says = runs.iter().zip(&costs).enumerate().map(|(at, (run, costs))| {
        let sum = total(costs);
        let change = match at {
            0 => String::new(),
            _ => format!(" ({})", share((sum - first) / first.abs())),
        };
        format!("{} {currency} under {}{change}", number(sum), run.label)
    });
    Some(Chart {
        id: "system-cost".to_owned(),
        title: "What the system costs, by component".to_owned(),
        says: format!("It costs {}.", says.collect::<Vec<_>>().join(", ")),
        unit: currency.clone(),
        query: "SELECT run_id, component, sum(amount) FROM costs WHERE stage = 'settled' \
                GROUP BY ALL ORDER BY ALL"
            .to_owned(),
        form: Form::Bars(Bars { names: labels(runs), parts: parts.collect() }),
    })
}

fn drivers(runs: &[Run]) -> Chart {
    let of = |column: &str, sign: f64| -> Vec<f64> {
        runs.iter().map(|run| sign * run.of_sessions(column)).collect()
    };
    let part = |name: &str, colour, values| Part { name: name.to_owned(), colour, values };
    let parts = vec![
        part("energy", Colour::Series(0), of("energy_cost", 1.0)),
        part("wear", colour_of(0), of("degradation_cost", 1.0)),
        part("earned by discharging", Colour::Series(2), of("v2g_revenue", -1.0)),
    ];
    let saved = saved_shares(runs);
    let says = runs.iter().zip(&saved).skip(1).filter(|(_, saved)| saved.is_finite());
    let says = says.map(|(run, saved)| format!("{} under {}", share(*saved), run.label));
    let says = says.collect::<Vec<_>>().join(", ");
    let says = if says.is_empty() {
        "Bars left of zero are what drivers earn.".to_owned()
    } else {
        format!(
            "Like for like, with what batteries hold less at the end made up for, drivers save \
             {says} of what they pay under {}.",
            runs[0].label
        )
    };
    Chart {
        id: "drivers-cost".to_owned(),
        title: "What drivers pay and earn".to_owned(),
        says,
        unit: runs[0].made.currency.clone(),
        query: "SELECT run_id, sum(energy_cost), sum(degradation_cost), sum(v2g_revenue) \
                FROM sessions GROUP BY run_id ORDER BY run_id"
            .to_owned(),
        form: Form::Bars(Bars { names: labels(runs), parts }),
    }
}

fn labels(runs: &[Run]) -> Vec<String> {
    runs.iter().map(|run| run.label.clone()).collect()
}
