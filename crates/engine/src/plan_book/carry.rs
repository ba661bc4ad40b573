//! The plan book in a snapshot.

use super::{Ahead, PlanBook, Span};
use crate::snapshot::{Carry, copy, flat, lists};
use voltide_journal::snapshot::{Column, Lacking, Part};

impl Carry for PlanBook {
    fn save(&self) -> Part {
        let live = self.written_anew();
        let (change_lengths, changes) = flat(&self.changes);
        let ahead = || self.ahead.values();
        Part::default()
            .with("segment_slot", Column::Ids(live.segment_slot))
            .with("segment_kw", Column::Reals(live.segment_kw))
            .with("segments", Column::Ids(self.of_ev.iter().map(|span| span.len).collect()))
            .with("change_lengths", Column::Ids(change_lengths))
            .with("changes", Column::Ids(changes))
            .with("committed_kw", Column::Reals(self.committed_kw.clone()))
            .with("site_committed_kw", Column::Reals(self.site_committed_kw.concat()))
            .with("ahead_stay", Column::Ids(self.ahead.keys().copied().collect()))
            .with("ahead_segments", Column::Ids(ahead().map(|it| it.segment_slot.len() as u32).collect()))
            .with("ahead_slot", Column::Ids(ahead().flat_map(|it| it.segment_slot.clone()).collect()))
            .with("ahead_kw", Column::Reals(ahead().flat_map(|it| it.segment_kw.clone()).collect()))
            .with("ahead_expected_kwh", Column::Reals(ahead().map(|it| it.expected_kwh).collect()))
            .with("ahead_setting", Column::Ids(ahead().map(|it| it.setting).collect()))
    }

    fn load(&mut self, part: &Part) -> Result<(), Lacking> {
        let lengths = part.ids("segments")?;
        self.segment_slot = part.ids("segment_slot")?.to_vec();
        self.segment_kw = part.reals("segment_kw")?.to_vec();
        self.live = lengths.iter().map(|&len| len as usize).sum();
        if lengths.len() != self.of_ev.len()
            || self.live != self.segment_slot.len()
            || self.live != self.segment_kw.len()
        {
            return Err(Lacking("schedule of every car".to_owned()));
        }
        let mut start = 0;
        for (span, &len) in self.of_ev.iter_mut().zip(lengths) {
            *span = if len == 0 { Span::default() } else { Span { start, len } };
            start += len;
        }
        let changes = lists(part.ids("change_lengths")?, part.ids("changes")?)?;
        if changes.len() != self.changes.len() {
            return Err(Lacking("calendar of changes".to_owned()));
        }
        self.changes = changes;
        copy(&mut self.committed_kw, part.reals("committed_kw")?)?;
        let summed = self.committed_kw.len();
        let of_sites = part.reals("site_committed_kw")?;
        if of_sites.len() != summed * self.site_committed_kw.len() {
            return Err(Lacking("sum of every site".to_owned()));
        }
        for (sums, values) in self.site_committed_kw.iter_mut().zip(of_sites.chunks(summed.max(1))) {
            copy(sums, values)?;
        }
        self.load_ahead(part)
    }
}

impl PlanBook {
    /// The live segments next to each other.
    fn written_anew(&self) -> Self {
        let mut book = Self {
            segment_slot: self.segment_slot.clone(),
            segment_kw: self.segment_kw.clone(),
            of_ev: self.of_ev.clone(),
            live: self.live,
            ..Self::default()
        };
        book.compact();
        book
    }

    fn load_ahead(&mut self, part: &Part) -> Result<(), Lacking> {
        let lengths = part.ids("ahead_segments")?;
        let slots = lists(lengths, part.ids("ahead_slot")?)?;
        let kw = lists(lengths, part.reals("ahead_kw")?)?;
        let (expected, settings) = (part.reals("ahead_expected_kwh")?, part.ids("ahead_setting")?);
        let rows = slots.into_iter().zip(kw).zip(expected.iter().zip(settings));
        let ahead = rows.map(|((segment_slot, segment_kw), (&expected_kwh, &setting))| Ahead {
            segment_slot,
            segment_kw,
            expected_kwh,
            setting,
        });
        self.ahead = part.ids("ahead_stay")?.iter().copied().zip(ahead).collect();
        Ok(())
    }
}
