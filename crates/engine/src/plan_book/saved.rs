//! The plan book in a snapshot.

use super::{Ahead, PlanBook, Span};
use crate::snapshot::{Future, copy, flat, ids, lists, numbers, only};
use std::ops::Range;
use voltide_journal::snapshot::{Column, Lacking, Part};

impl PlanBook {
    /// What there is to carry.
    pub(crate) fn save(&self, future: Future) -> Part {
        // What is dead need not be carried.
        let live = self.written_anew();
        let coming = self.coming_changes(future);
        let summed = self.coming_sums(future);
        let (change_lengths, changes) = flat(&self.changes[coming.clone()]);
        let sums_of = |sums: &Vec<f64>| sums[summed.clone()].to_vec();
        let ahead = || self.ahead.values();
        Part::default()
            .with("segment_slot", Column::Ids(live.segment_slot))
            .with("segment_kw", Column::Reals(live.segment_kw))
            .with("segments", Column::Ids(self.of_ev.iter().map(|span| span.len).collect()))
            .with("first_change", Column::Ids(vec![coming.start as u32]))
            .with("change_lengths", Column::Ids(change_lengths))
            .with("changes", Column::Ids(numbers(&changes)))
            .with("first_sum", Column::Ids(vec![summed.start as u32]))
            .with("committed_kw", Column::Reals(sums_of(&self.committed_kw)))
            .with(
                "site_committed_kw",
                Column::Reals(self.site_committed_kw.iter().flat_map(sums_of).collect()),
            )
            .with("ahead_stay", Column::Ids(self.ahead.keys().map(|stay| stay.0).collect()))
            .with(
                "ahead_segments",
                Column::Ids(ahead().map(|it| it.segment_slot.len() as u32).collect()),
            )
            .with(
                "ahead_slot",
                Column::Ids(ahead().flat_map(|it| it.segment_slot.clone()).collect()),
            )
            .with("ahead_kw", Column::Reals(ahead().flat_map(|it| it.segment_kw.clone()).collect()))
            .with("ahead_expected_kwh", Column::Reals(ahead().map(|it| it.expected_kwh).collect()))
            .with("ahead_setting", Column::Ids(ahead().map(|it| it.setting).collect()))
    }

    /// Takes it up, in a world of the same scenario.
    pub(crate) fn load(&mut self, part: &Part) -> Result<(), Lacking> {
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
        let changes = lists(part.ids("change_lengths")?, &ids(part.ids("changes")?))?;
        let first = only(part.ids("first_change")?)? as usize;
        let coming = self.changes.get_mut(first..first + changes.len());
        coming.ok_or_else(|| Lacking("calendar of changes".to_owned()))?.clone_from_slice(&changes);
        self.load_sums(part)?;
        self.load_ahead(part)
    }

    /// The live segments next to each other.
    fn written_anew(&self) -> Self {
        let mut book = Self {
            segment_slot: self.segment_slot.clone(),
            segment_kw: self.segment_kw.clone(),
            of_ev: self.of_ev.clone(),
            live: self.live,
            ..Self::new(0, 0, 0, self.clock)
        };
        book.compact();
        book
    }

    /// The slots from the next one on in which schedules change.
    fn coming_changes(&self, future: Future) -> Range<usize> {
        // Changes of slots that are over have been taken up.
        let first = (future.next as usize).min(self.changes.len());
        let last = self.changes[first..].iter().rposition(|changes| !changes.is_empty());
        first..last.map_or(first, |last| first + last + 1)
    }

    /// The slots whose sums are still asked for and are not 0. Prices that follow net load follow
    /// its mean over the day, so that its first slot counts as well; a day that comes again counts
    /// whole.
    fn coming_sums(&self, future: Future) -> Range<usize> {
        let all = || std::iter::once(&self.committed_kw).chain(&self.site_committed_kw);
        let first = if self.clock.typical_day().is_some() { 0 } else { future.day as usize };
        let first = first.min(self.committed_kw.len());
        let last = |sums: &Vec<f64>| sums[first..].iter().rposition(|kw| kw.to_bits() != 0);
        first..all().filter_map(last).max().map_or(first, |last| first + last + 1)
    }

    fn load_sums(&mut self, part: &Part) -> Result<(), Lacking> {
        let first = only(part.ids("first_sum")?)? as usize;
        let all = part.reals("committed_kw")?;
        let of_sites = part.reals("site_committed_kw")?;
        if of_sites.len() != all.len() * self.site_committed_kw.len() {
            return Err(Lacking("sum of every site".to_owned()));
        }
        let of_sites = of_sites.chunks(all.len().max(1));
        let sums = std::iter::once(&mut self.committed_kw).chain(&mut self.site_committed_kw);
        for (sums, values) in sums.zip(std::iter::once(all).chain(of_sites)) {
            let coming = sums.get_mut(first..first + values.len());
            copy(coming.ok_or_else(|| Lacking("sum of every slot".to_owned()))?, values)?;
        }
        Ok(())
    }

    fn load_ahead(&mut self, part: &Part) -> Result<(), Lacking> {
        let lengths = part.ids("ahead_segments")?;
        let slots = lists(lengths, part.ids("ahead_slot")?)?;
        let kw = lists(lengths, part.reals("ahead_kw")?)?;
        let expected = part.reals("ahead_expected_kwh")?;
        let settings = part.ids("ahead_setting")?;
        let rows = slots.into_iter().zip(kw).zip(expected.iter().zip(settings));
        let ahead = rows.map(|((segment_slot, segment_kw), (&expected_kwh, &setting))| Ahead {
            segment_slot,
            segment_kw,
            expected_kwh,
            setting,
        });
        self.ahead = ids(part.ids("ahead_stay")?).into_iter().zip(ahead).collect();
        Ok(())
    }
}
