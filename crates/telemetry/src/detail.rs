//! `ev_ticks` and `charger_ticks`: the rows of each tick, and the files that they go to.

use crate::{
    charger_rows::ChargerRows,
    closed::{ClosedDay, Stretch},
    error::TelemetryError,
    ev_rows::EvRows,
    file::Place,
    frame::Frame,
    selection::Selection,
    span::Span,
    table::{CHARGER_TICKS, EV_TICKS},
    table_file::{TableFile, WrittenFile},
    wanted::Wanted,
};
use arrow_array::RecordBatch;
use chrono::NaiveDate;
use voltide_model::{clock::Clock, id::StayId, scenario::Scenario};

/// Rows are handed to the files in batches of at least this many, and of not many more.
const BATCH_ROWS: usize = 1 << 15;

/// The tables of single cars and chargers.
pub(crate) struct Detail {
    place: Place,
    /// That of all scenarios of a history.
    clock: Clock,
    selection: Selection,
    cars: EvRows,
    chargers: ChargerRows,
    before: Before,
    /// What the recorded cars wanted in the current tick.
    wanted: Wanted,
    /// What a file of cars spans.
    span: Span,
    /// The current day, or longer span, and its file; no file where the day's was kept.
    day: Option<(String, Option<TableFile>)>,
    /// The first tick of the day.
    first_tick: u32,
    /// The local date of the tick before.
    last_date: Option<NaiveDate>,
    /// The last tick that was recorded, and the chain hash after it.
    sealed: Option<(u32, [u8; 32])>,
    kept_days: Vec<ClosedDay>,
    whole_days: Vec<WrittenFile>,
    charger_file: TableFile,
    /// Rows of the current tick, kept for its memory.
    places: Vec<u32>,
}

/// The recorded tick before, for telling what has changed.
#[derive(Default)]
struct Before {
    any: bool,
    stay: Vec<StayId>,
    power_kw: Vec<f64>,
    wanted: Wanted,
}

impl Before {
    /// Whether the car at a place has another stay or another power now, wanted another, or was not
    /// there before.
    fn differs(&self, frame: &Frame, wanted: &Wanted, place: usize) -> bool {
        self.stay.get(place) != Some(&frame.stay[place])
            || frame.power_kw[place].to_bits() != self.power_kw[place].to_bits()
            || wanted.bits(place, &frame.power_kw) != self.wanted.bits(place, &self.power_kw)
    }
}

impl Detail {
    /// Begins the files in a place.
    pub(crate) fn create(
        place: &Place,
        clock: Clock,
        selection: Selection,
        kept_days: Vec<ClosedDay>,
    ) -> Result<Self, TelemetryError> {
        Ok(Self {
            place: place.clone(),
            clock,
            selection,
            cars: EvRows::default(),
            chargers: ChargerRows::default(),
            before: Before::default(),
            wanted: Wanted::default(),
            span: Span::of(&clock),
            day: None,
            first_tick: 0,
            last_date: None,
            sealed: None,
            kept_days,
            whole_days: Vec::new(),
            charger_file: TableFile::create(place, &CHARGER_TICKS, CHARGER_TICKS.glob())?,
            places: Vec::new(),
        })
    }

    /// A scenario begins to hold, with the cars of the one before and maybe more after them.
    pub(crate) fn enter(&mut self, scenario: &Scenario) {
        self.selection.enter(scenario);
        self.cars.enter(scenario, self.selection.ids_of(scenario));
        self.chargers.enter(scenario);
    }

    /// Records one tick.
    pub(crate) fn tick(
        &mut self,
        scenario: &Scenario,
        frame: &mut Frame,
    ) -> Result<(), TelemetryError> {
        // Of ticks that are not recorded, too: what a stay began with holds as long as it lasts.
        self.cars.plug_in(scenario, &frame.plugged_in);
        let Some(tick) = frame.tick.filter(|&tick| self.selection.records(tick)) else {
            return Ok(());
        };
        self.begin_day(tick)?;
        self.sealed = frame.chain_hash.map(|hash| (tick, hash));
        self.wanted.take_in(frame, self.cars.ids());
        self.add_cars(scenario, frame, tick)?;
        self.add_chargers(scenario, frame, tick)?;
        self.before.any = true;
        if self.selection.records_changes() {
            // Swapped instead of copied: nobody reads the frame after this, and it is filled anew.
            std::mem::swap(&mut self.before.stay, &mut frame.stay);
            std::mem::swap(&mut self.before.power_kw, &mut frame.power_kw);
            std::mem::swap(&mut self.before.wanted, &mut self.wanted);
        }
        Ok(())
    }

    fn add_cars(
        &mut self,
        scenario: &Scenario,
        frame: &Frame,
        tick: u32,
    ) -> Result<(), TelemetryError> {
        let before = &self.before;
        let wanted = &self.wanted;
        // The first recorded tick tells of all cars: what readers carry forward begins there.
        let all = !self.selection.records_changes() || !self.before.any;
        let is_told = |place: &u32| all || before.differs(frame, wanted, *place as usize);
        self.places.clear();
        self.places.extend((0..frame.stay.len() as u32).filter(is_told));
        // The file of a day that was kept has its rows already.
        let Some((_, Some(file))) = &mut self.day else { return Ok(()) };
        self.cars.set_prices(scenario, tick);
        for places in self.places.chunks(BATCH_ROWS) {
            self.cars.add(scenario, frame, wanted, tick, places);
            if self.cars.pending() >= BATCH_ROWS {
                file.write(&self.cars.batch())?;
            }
        }
        let cars = &mut self.cars;
        end_tick(file, cars.pending(), || cars.batch())
    }

    fn add_chargers(
        &mut self,
        scenario: &Scenario,
        frame: &Frame,
        tick: u32,
    ) -> Result<(), TelemetryError> {
        self.chargers.occupy(scenario, frame, self.cars.ids().iter().copied());
        // Taken out for as long as `self` is asked which chargers are told of.
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        let chargers = 0..self.chargers.len() as u32;
        places.extend(chargers.filter(|&charger| self.tells_of_charger(charger as usize)));
        self.places = places;
        for places in self.places.chunks(BATCH_ROWS) {
            self.chargers.add(&self.clock, tick, places);
            if self.chargers.pending() >= BATCH_ROWS {
                self.charger_file.write(&self.chargers.batch())?;
            }
        }
        let chargers = &mut self.chargers;
        end_tick(&mut self.charger_file, chargers.pending(), || chargers.batch())
    }

    /// Whether a charger has a row in the tick that is recorded. Of a sample's cars only those
    /// chargers are known that one of them stands at.
    fn tells_of_charger(&self, charger: usize) -> bool {
        if self.selection.records_changes() && self.before.any {
            return self.chargers.has_changed(charger);
        }
        self.selection.ids().is_none() || self.chargers.is_occupied(charger)
    }

    /// Begins another file where the tick is the first of a local day, or of a longer span.
    fn begin_day(&mut self, tick: u32) -> Result<(), TelemetryError> {
        let local = self.clock.local(tick).date();
        // Most ticks: a name need not be made for each.
        if self.last_date.replace(local) == Some(local) && self.day.is_some() {
            return Ok(());
        }
        let date = self.span.name(local);
        if self.day.as_ref().is_some_and(|(day, _)| *day == date) {
            return Ok(());
        }
        self.end_day()?;
        self.first_tick = tick;
        let whole = |kept: &ClosedDay| kept.date == date && self.is_all_of(kept);
        if let Some(place) = self.kept_days.iter().position(whole) {
            self.whole_days.push(self.kept_days.remove(place).adopt(&self.place));
            self.day = Some((date, None));
            return Ok(());
        }
        // What was kept of the day and is not all of it gives way to the file that begins here.
        self.kept_days.retain(|kept| kept.date != date);
        let name = format!("ev_ticks-{date}.parquet");
        self.day = Some((date, Some(TableFile::create(&self.place, &EV_TICKS, name)?)));
        Ok(())
    }

    /// The local date of a tick, as in the name of its file.
    fn date(&self, tick: u32) -> String {
        self.span.name(self.clock.local(tick).date())
    }

    /// Whether a file holds all of its day, which begins now: a run that is cut off closes its last
    /// one early.
    fn is_all_of(&self, kept: &ClosedDay) -> bool {
        let next = kept.last_tick.saturating_add(1);
        let is_end = next >= self.selection.ticks().end || self.date(next) != kept.date;
        kept.first_tick == self.first_tick && is_end
    }

    fn end_day(&mut self) -> Result<(), TelemetryError> {
        let Some((date, Some(mut file))) = self.day.take() else { return Ok(()) };
        if self.cars.pending() > 0 {
            file.write(&self.cars.batch())?;
        }
        let file = file.close()?;
        if let (Some(hidden_in), Some((last_tick, chain_hash))) = (self.place.notes(), self.sealed)
        {
            // With the chain hash a resumed run can tell whether the file is of its own history.
            let stretch = Stretch { first_tick: self.first_tick, last_tick, chain_hash };
            ClosedDay::note(hidden_in, &date, &file, stretch)?;
        }
        self.whole_days.push(file);
        Ok(())
    }

    /// Writes the footers. There is at least one file of `ev_ticks`, so that a glob finds one.
    pub(crate) fn close(mut self) -> Result<Vec<WrittenFile>, TelemetryError> {
        self.end_day()?;
        if self.whole_days.is_empty() {
            self.begin_day(self.selection.ticks().start)?;
            self.end_day()?;
        }
        if self.chargers.pending() > 0 {
            self.charger_file.write(&self.chargers.batch())?;
        }
        self.whole_days.push(self.charger_file.close()?);
        // What was kept and is of no day, because an earlier version cut days in another way, is
        // removed.
        self.kept_days.iter().for_each(|kept| drop(kept.adopt(&self.place)));
        Ok(self.whole_days)
    }
}

/// Ends the row group if it is full, so that groups end at tick borders only.
fn end_tick(
    file: &mut TableFile,
    pending: usize,
    batch: impl FnOnce() -> RecordBatch,
) -> Result<(), TelemetryError> {
    if !file.group_is_full(pending) {
        return Ok(());
    }
    if pending > 0 {
        file.write(&batch())?;
    }
    file.end_group()
}
