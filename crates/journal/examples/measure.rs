use std::{path::Path, time::Instant};
use voltide_journal::{event::*, log::*, mcap_log::McapLog, reader};
use voltide_model::scenario::Durability;
fn main() {
    let cars: u32 = std::env::args().nth(1).unwrap().parse().unwrap();
    let ticks: u32 = std::env::args().nth(2).unwrap().parse().unwrap();
    let run = std::env::args().nth(3).unwrap();
    let run = Path::new(&run);
    let _ = std::fs::remove_dir_all(run);
    let t0 = Instant::now();
    let mut log = McapLog::create(run, Durability::Every(16)).unwrap();
    let seq = std::cell::Cell::new(0u64);
    let put = |log: &mut McapLog, tick, event| {
        log.append(&Recorded { seq: seq.get(), cause_seq: None, tick, event }).unwrap();
        seq.set(seq.get() + 1);
        seq.get()
    };
    put(
        &mut log,
        0,
        Event::RunStarted(Box::new(RunStarted {
            build: Build::default(),
            world: "w".into(),
            world_text: "x".repeat(5000),
            overrides: vec![],
            config_hash: "ab".repeat(32),
            seed: 1,
            policy: "u".into(),
            policy_config: String::new(),
            start_us: 1_538_956_800_000_000,
            slot_seconds: 900,
            slots: ticks,
            time_zone: "UTC".into(),
            ev_count: cars,
        })),
    );
    log.open_run().unwrap();
    let mut x = 1u64;
    let mut rnd = move || {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (x >> 33) as u32
    };
    let mut rows = 0u64;
    let mut gen_time = 0.0;
    for tick in 0..ticks {
        let g = Instant::now();
        // every car starts and ends one session a day: cars / 96 a tick
        let ev: Vec<u32> = (0..cars).filter(|_| rnd() % 96 == 0).collect();
        let n = ev.len();
        rows += n as u64;
        let f =
            |rnd: &mut dyn FnMut() -> u32| -> Vec<f64> { (0..n).map(|_| f64::from(rnd()) / 1e8).collect() };
        let stay: Vec<u32> = ev.iter().map(|e| e * 7).collect();
        let started = SessionStarted {
            ev: ev.clone(),
            stay: stay.clone(),
            charger: ev.clone(),
            energy_kwh: f(&mut rnd),
            driven_kwh: f(&mut rnd),
            departure_slot: ev.iter().map(|e| tick + 40 + e % 13).collect(),
            departure_kwh: vec![48.0; n],
        };
        let ended = SessionEnded {
            ev: ev.clone(),
            stay: stay.clone(),
            energy_kwh: f(&mut rnd),
            charged_kwh: f(&mut rnd),
            discharged_kwh: vec![0.0; n],
            energy_cost: f(&mut rnd),
            v2g_revenue: vec![0.0; n],
            missing_kwh: vec![0.0; n],
            reason: vec![0; n],
        };
        let plans = PlansAccepted {
            ev: ev.clone(),
            stay,
            segment_offset: (0..=n as u32).map(|r| 2 * r).collect(),
            segment_slot: ev.iter().flat_map(|e| [tick, tick + 3 + e % 20]).collect(),
            segment_kw: ev.iter().flat_map(|_| [7.0, 0.0]).collect(),
        };
        let clipped =
            SetPointClipped { asked_kw: vec![7.0; n], applied_kw: f(&mut rnd), reason: vec![1; n], ev };
        gen_time += g.elapsed().as_secs_f64();
        put(&mut log, tick, Event::TickStarted(TickStarted { at_us: 0 }));
        put(&mut log, tick, Event::SessionEnded(ended));
        put(&mut log, tick, Event::SessionStarted(started));
        put(&mut log, tick, Event::PlansAccepted(plans));
        put(&mut log, tick, Event::SetPointClipped(clipped));
        let s = put(&mut log, tick, Event::SlotElapsed);
        let _ = log
            .seal(Seal {
                seq: s,
                tick,
                components: vec!["energy".into(), "ledger".into(), "session".into()],
                block_hashes: (0..cars.div_ceil(2048) * 3).map(|b| u64::from(b) * u64::from(rnd())).collect(),
                ..Seal::default()
            })
            .unwrap();
        seq.set(seq.get() + 1);
    }
    log.close().unwrap();
    let wall = t0.elapsed().as_secs_f64() - gen_time;
    let t1 = Instant::now();
    let s = reader::verify(run).unwrap();
    println!(
        "{cars} cars {ticks} ticks: write {wall:.3} s wall, {} rows x 4 batches, {} bytes, read {:.3} s",
        rows,
        s.bytes,
        t1.elapsed().as_secs_f64()
    );
    for (k, v) in s.kinds {
        println!("  {k} {v:?}");
    }
}
