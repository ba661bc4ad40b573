//! Where energy comes from and where it goes, with what is lost in cars apart.

use crate::{
    chart::{
        Chart, Form,
        bars::{Bars, Part},
    },
    ink::Colour,
    run::Run,
    scale::range,
    words::{energy_unit, number},
};

/// Energy of one kind, kWh: what a run gives of it, and what it takes.
struct Flow {
    name: String,
    given: Vec<f64>,
    taken: Vec<f64>,
}

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let flows = flows(runs);
    let (_, most) =
        range(flows.iter().flat_map(|flow| flow.given.iter().chain(&flow.taken)).copied());
    if most <= 0.0 {
        return vec![];
    }
    let (factor, unit) = energy_unit(most);
    let parts = flows.iter().enumerate().map(|(at, flow)| Part {
        name: flow.name.clone(),
        colour: Colour::Series(at),
        values: (0..runs.len())
            .flat_map(|run| [flow.given[run] * factor, flow.taken[run] * factor])
            .collect(),
    });
    let parts: Vec<Part> = parts.collect();
    let names = runs
        .iter()
        .flat_map(|run| [format!("{}: given", run.label), format!("{}: taken", run.label)]);
    let lost = runs.iter().enumerate().map(|(at, run)| {
        let lost = flows.iter().filter(|flow| flow.name == LOST).map(|flow| flow.taken[at]);
        format!("{} {unit} under {}", number(lost.sum::<f64>() * factor), run.label)
    });
    let says = format!(
        "What is given is taken in the same slot. In cars and their chargers are lost {}.",
        lost.collect::<Vec<_>>().join(", ")
    );
    vec![Chart {
        id: "flow".to_owned(),
        title: "Energy: where it comes from, and where it goes".to_owned(),
        says,
        unit: unit.to_owned(),
        query: "WITH kinds AS (SELECT run_id, unit_kind, sum(output_kw * step_h) AS kwh FROM unit_ticks \
                WHERE stage = 'settled' GROUP BY run_id, unit_kind, tick) \
                SELECT run_id, unit_kind, sum(greatest(kwh, 0)) AS given, sum(greatest(-kwh, 0)) AS taken \
                FROM kinds GROUP BY ALL UNION ALL \
                SELECT run_id, 'load without cars', 0, sum(base_load_kw * step_h) FROM system_ticks \
                GROUP BY run_id UNION ALL \
                SELECT run_id, 'batteries of cars', sum(drawn_kwh), sum(stored_kwh) FROM sessions \
                GROUP BY run_id UNION ALL \
                SELECT run_id, 'lost in cars', 0, \
                sum(charged_kwh - stored_kwh + drawn_kwh - discharged_kwh) FROM sessions GROUP BY run_id \
                UNION ALL SELECT run_id, 'unserved', sum(unserved_kw * step_h), 0 FROM system_ticks \
                GROUP BY run_id UNION ALL \
                SELECT run_id, 'spilled', 0, sum(spilled_kw * step_h) FROM system_ticks GROUP BY run_id \
                ORDER BY ALL"
            .to_owned(),
        form: Form::Bars(Bars { names: names.collect(), parts }),
    }]
}

const LOST: &str = "lost in cars";

/// All kinds of energy that a run has, in an order of their own.
fn flows(runs: &[Run]) -> Vec<Flow> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut add = |run: usize, name: &str, given: f64, taken: f64| {
        let at = flows.iter().position(|flow| flow.name == name).unwrap_or_else(|| {
            let none = vec![0.0; runs.len()];
            flows.push(Flow { name: name.to_owned(), given: none.clone(), taken: none });
            flows.len() - 1
        });
        flows[at].given[run] += given;
        flows[at].taken[run] += taken;
    };
    for (at, run) in runs.iter().enumerate() {
        let hours = run.slot_hours();
        for (kind, output_kw) in run.output_by_kind() {
            let sum =
                |sign: f64| hours * output_kw.iter().map(|kw| (sign * kw).max(0.0)).sum::<f64>();
            add(at, &kind.replace('_', " "), sum(1.0), sum(-1.0));
        }
        let [charged, given, stored, drawn] =
            ["charged_kwh", "discharged_kwh", "stored_kwh", "drawn_kwh"]
                .map(|column| run.of_sessions(column));
        add(at, "load without cars", 0.0, run.energy_kwh("base_load_kw"));
        // On the way into a battery is lost what of the charge is not stored; on the way out, what
        // is drawn and does not come.
        add(at, "batteries of cars", drawn, stored);
        add(at, LOST, 0.0, charged - stored + drawn - given);
        add(at, "unserved", run.energy_kwh("unserved_kw"), 0.0);
        add(at, "spilled", 0.0, run.energy_kwh("spilled_kw"));
    }
    flows.retain(|flow| flow.given.iter().chain(&flow.taken).any(|kwh| kwh.abs() > 1e-6));
    flows
}
