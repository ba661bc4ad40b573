//! How many cars are plugged in, by weekday and hour.

use crate::{
    chart::{Chart, Form, heat::Heat},
    run::Run,
    words::{count, number},
};
use chrono::{Datelike, Timelike};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let run = &runs[0];
    let mut sums = [[(0.0, 0_u32); 24]; 7];
    for (slot, cars) in run.system.numbers("plugged").into_iter().enumerate() {
        let at = run.times.local(slot);
        let cell = &mut sums[at.weekday().num_days_from_monday() as usize][at.hour() as usize];
        cell.0 += cars;
        cell.1 += 1;
    }
    let mean =
        |&(sum, count): &(f64, u32)| if count == 0 { f64::NAN } else { sum / f64::from(count) };
    let values: Vec<Vec<f64>> = sums.iter().map(|day| day.iter().map(mean).collect()).collect();
    let days = DAYS.iter().zip(values).filter(|(_, day)| day.iter().any(|it| it.is_finite()));
    let (rows, values): (Vec<String>, Vec<Vec<f64>>) =
        days.map(|(name, day)| ((*name).to_owned(), day)).unzip();
    let cells = rows.iter().zip(&values).flat_map(|(day, hours)| {
        hours.iter().enumerate().map(move |(hour, cars)| (*cars, day.clone(), hour))
    });
    let fullest = cells.filter(|(cars, ..)| cars.is_finite()).max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((cars, day, hour)) = fullest else { return vec![] };
    vec![Chart {
        id: "occupancy".to_owned(),
        title: "Cars plugged in on average, by weekday and hour".to_owned(),
        says: format!(
            "Most are there on {day} from {hour:02}:00: {} of {} cars.",
            number(cars),
            count(run.made.cars as f64)
        ),
        unit: "cars".to_owned(),
        query: "SELECT run_id, dayofweek(ts AT TIME ZONE time_zone) AS day, \
                hour(ts AT TIME ZONE time_zone) AS hour, avg(plugged) \
                FROM system_ticks JOIN runs USING (run_id) GROUP BY ALL ORDER BY ALL"
            .to_owned(),
        form: Form::Heat(Heat {
            rows,
            columns: (0..24).map(|hour| format!("{hour:02}:00")).collect(),
            values,
        }),
    }]
}
