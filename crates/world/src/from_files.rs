//! The values that a world's text only names, from its data files.

use crate::{
    calendar,
    data_file::{CalendarFile, EmpiricalFile, SessionsFile},
    dialect::Report,
    input::{FleetSessions, SeriesRequest, Values},
    published::{self, PublishedFigure},
    series::{read_samples, read_series},
    sessions::{self, SessionsRead},
    table::Files,
};
use ron_places::Spanned;
use std::{path::Path, sync::Arc};
use voltide_model::{clock::Clock, wishes::SocWish};

/// The data files of a world.
#[derive(Debug)]
pub(crate) struct FromFiles {
    files: Files,
    /// What became of the rows of the files of sessions.
    pub(crate) sessions_read: Vec<SessionsRead>,
}

impl FromFiles {
    /// Those of a world in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { files: Files::new(folder), sessions_read: Vec::new() }
    }
}

impl Values for FromFiles {
    fn published(
        &mut self,
        path: &Spanned<String>,
        report: &mut Report,
    ) -> Option<Vec<PublishedFigure>> {
        published::read(&mut self.files, path, report)
    }

    fn series(&mut self, request: SeriesRequest<'_>, report: &mut Report) -> Option<Arc<[f64]>> {
        read_series(&mut self.files, request, report)
    }

    fn samples(
        &mut self,
        name: &str,
        _unit: &str,
        file: &EmpiricalFile,
        factor: f64,
        report: &mut Report,
    ) -> Option<Arc<[f64]>> {
        read_samples(&mut self.files, name, file, factor, report)
    }

    fn reservations(
        &mut self,
        _name: &str,
        file: &CalendarFile,
        clock: &Clock,
        report: &mut Report,
    ) -> Option<Vec<SocWish>> {
        calendar::read(&mut self.files, file, clock, report)
    }

    fn sessions(
        &mut self,
        fleet: &str,
        file: &SessionsFile,
        clock: &Clock,
        report: &mut Report,
    ) -> Option<FleetSessions> {
        let (sessions, read) = sessions::read(&mut self.files, fleet, file, clock, report)?;
        self.sessions_read.push(read);
        Some(sessions)
    }
}
