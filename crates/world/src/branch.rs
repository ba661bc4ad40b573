//! The values of a world that was changed after it was run: what an override touches is read from
//! its file, everything else is what was read then.

use crate::{
    data_file::{CalendarFile, EmpiricalFile, SessionsFile},
    dialect::Report,
    from_files::FromFiles,
    input::{FleetSessions, Inputs, SeriesRequest, Values},
    published::PublishedFigure,
};
use ron_places::{Place, Spanned};
use std::sync::Arc;
use voltide_model::{clock::Clock, rules::Rules, wishes::SocWish};

/// What was read then, and the files that there are now.
pub(crate) struct Branch {
    /// From the journal.
    pub(crate) inputs: Inputs,
    /// For what is different.
    pub(crate) files: FromFiles,
}

impl Branch {
    /// Where the values of what stands at `place` come from.
    fn source(&mut self, place: Place, report: &Report) -> &mut dyn Values {
        if report.document.is_overridden(place) { &mut self.files } else { &mut self.inputs }
    }
}

impl Values for Branch {
    fn may_lack_cars(&self) -> bool {
        self.inputs.may_lack_cars()
    }

    fn rules(&self) -> Rules {
        self.inputs.rules
    }

    fn tells_sums(&self, whole: Place, report: &Report) -> bool {
        // What a fork changes is read from files, where addends stand by themselves.
        !report.document.is_overridden(whole)
    }

    fn published(
        &mut self,
        path: &Spanned<String>,
        report: &mut Report,
    ) -> Option<Vec<PublishedFigure>> {
        self.inputs.published(path, report)
    }

    fn series(&mut self, request: SeriesRequest<'_>, report: &mut Report) -> Option<Arc<[f64]>> {
        self.source(request.whole, report).series(request, report)
    }

    fn samples(
        &mut self,
        name: &str,
        unit: &str,
        file: &EmpiricalFile,
        factor: f64,
        report: &mut Report,
    ) -> Option<Arc<[f64]>> {
        self.source(file.place, report).samples(name, unit, file, factor, report)
    }

    fn reservations(
        &mut self,
        name: &str,
        file: &CalendarFile,
        clock: &Clock,
        report: &mut Report,
    ) -> Option<Vec<SocWish>> {
        self.source(file.place, report).reservations(name, file, clock, report)
    }

    fn sessions(
        &mut self,
        fleet: &str,
        file: &SessionsFile,
        clock: &Clock,
        report: &mut Report,
    ) -> Option<FleetSessions> {
        self.source(file.place, report).sessions(fleet, file, clock, report)
    }
}
