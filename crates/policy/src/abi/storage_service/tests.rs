use super::*;
use crate::testing::{Car, ObservationBuilder};

fn shown() -> ObservationBuilder {
    let mut shown = ObservationBuilder::new(9).at(3).car(Car::default()).car(Car::default());
    shown.buy_price = (0..18).map(f64::from).collect();
    shown.agreed = vec![0b1010_0101, 1, 0, 0];
    shown
}

#[test]
fn a_request_crosses_unchanged() {
    let shown = shown();
    let request = StorageRequest {
        method: Method::Milp,
        tie: TieRule::ValleyFill,
        strict: true,
        load_kw: &[5.0; 9],
        bound_offset: &[0, 0, 1],
        bound_slot: &[6],
        bound_kwh_min: &[30.0],
        bound_kwh_max: &[60.0],
        ..StorageRequest::of(&shown.build())
    };
    // SAFETY: the columns are alive.
    let there = unsafe { StorageProblems::new(&request).unwrap().view() }.unwrap();
    assert_eq!(format!("{there:?}"), format!("{request:?}"));
}

#[test]
fn sites_cross_unchanged_and_figures_come_back() {
    let sites = GroupSites {
        site_id: &[1, u32::MAX],
        parent_site: &[u32::MAX, 0],
        import_kw_max: &[1.0, 2.0, 3.0, 4.0],
        export_kw_max: &[5.0, 6.0, 7.0, 8.0],
        given_kw: &[],
        planned_kw: &[9.0, 10.0, 11.0, 12.0],
        costs: &[],
        share: Share::Even,
    };
    // SAFETY: the columns are alive.
    let there = unsafe { StorageSites::new(&sites, 2, 2).unwrap().view() }.unwrap();
    assert_eq!(format!("{there:?}"), format!("{sites:?}"));
    let refused = StorageSites::new(&sites, 2, 3).unwrap_err().to_string();
    assert_eq!(refused, "column import_kw_max has 4 values, not 6");
    let figures = GroupFigures {
        violation_kwh: 1.0,
        missing_kwh: 2.0,
        missing_bound_kwh: 3.0,
        cost: 4.0,
        cost_bound: f64::NEG_INFINITY,
    };
    let mut read = GroupFigures::default();
    // SAFETY: the figures are alive.
    unsafe { StorageFigures::point_at(&mut read).write(&figures) };
    assert_eq!(read, figures);
}

#[test]
fn a_program_of_before_groups_gives_an_error_and_no_answer() {
    // What is beyond the size that an older program says reads as absent.
    let table = StorageTable {
        size: std::mem::offset_of!(StorageTable, solve_group) as u32,
        reserved: 0,
        context: ptr::null_mut(),
        solve: None,
        solve_group: None,
    };
    // SAFETY: the table is alive and longer than it says.
    let table = unsafe { copy_prefix(&raw const table) };
    let storage = Storage { table, host: PhantomData };
    let shown = shown();
    let request = StorageRequest::of(&shown.build());
    let mut power_kw = [1.0; 18];
    let mut schedules = Schedules { power_kw: &mut power_kw, horizon: 9 };
    let solved = storage.solve_group(&request, &GroupSites::default(), &mut schedules);
    assert_eq!(solved, Err(StorageError::NoGroups));
    assert_eq!(power_kw.to_vec(), vec![1.0; 18]);
}

#[test]
fn a_column_of_another_length_is_refused() {
    let shown = shown();
    let request = StorageRequest { end_slot: &[1], ..StorageRequest::of(&shown.build()) };
    let refused = StorageProblems::new(&request).unwrap_err().to_string();
    assert_eq!(refused, "column end_slot has 1 values, not 2");
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    let shown = shown();
    let problems = StorageProblems::new(&StorageRequest::of(&shown.build())).unwrap();
    let refused = |change: fn(&mut StorageProblems)| {
        let mut changed = problems;
        change(&mut changed);
        // SAFETY: where the sizes no longer fit, nothing is read.
        unsafe { changed.view() }.unwrap_err().to_string()
    };
    assert_eq!(refused(|it| it.method = 4), "no method has the number 4");
    assert_eq!(refused(|it| it.tie = 9), "no tie rule has the number 9");
    let most = refused(|it| (it.rows, it.horizon) = (u32::MAX, u32::MAX));
    assert_eq!(most, "4294967295 rows and 2 tariffs of 4294967295 slots are too many");
}

#[test]
fn answers_cross_unchanged() {
    let outcomes = [
        Outcome::Optimal,
        Outcome::Feasible { gap: 0.25 },
        Outcome::Infeasible,
        Outcome::Unbounded,
        Outcome::NoSolution,
    ];
    let reasons = [MissedReason::TooShort, MissedReason::AboveMaximum, MissedReason::HeldByBounds];
    let missed = |reason| Some(TargetMissed { missing_kwh: 7.0, reason });
    let targets = reasons.map(missed).into_iter().chain([None, None]);
    let bounds = [None, Some(BoundsMissed { slots: 3, worst_kwh: -2.0 })];
    let answers: Vec<_> = outcomes
        .into_iter()
        .zip(targets)
        .zip(bounds.into_iter().cycle())
        .map(|((outcome, target), bounds)| StorageAnswer {
            outcome,
            objective: 1.5,
            unmet: Unmet { target, bounds },
        })
        .collect();
    let mut columns = AnswerColumns::new(answers.len());
    let sink = ByteSink::new(&mut Vec::new());
    let there = columns.point_at(&mut [], 0, &sink);
    // SAFETY: the columns are alive.
    unsafe { there.write(&answers) };
    assert_eq!(columns.read(), Ok(answers));
    columns.outcome[4] = 5;
    assert_eq!(columns.read().unwrap_err().to_string(), "no outcome has the number 5");
    columns.target[0] = 4;
    assert_eq!(columns.read().unwrap_err().to_string(), "no state of a target has the number 4");
}
