//! Runs as pictures: a page that opens from disk, and figures for papers.
//!
//! Everything shown is read from the runs' Parquet tables and from nowhere else. A chart is data
//! with a title, a sentence and a query; it is drawn as SVG once for the page and once
//! for print, and its data stand on the page as JSON.

mod chart;
mod columns;
mod data;
mod drawing;
mod error;
mod first;
mod ink;
mod key_figures;
mod local_time;
mod page;
mod run;
mod scale;
mod section;
mod words;

pub use error::ReportError;

use run::Run;
use section::Section;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Runs side by side; the first is what the others are measured against.
pub struct Report {
    runs: Vec<Run>,
    sections: Vec<Section>,
    /// The command that made it, which stands on the page.
    command: String,
}

/// Widths of figures for print, mm: a column and a page.
const PRINT_MM: [f64; 2] = [85.0, 175.0];

impl Report {
    /// Reads the tables of runs, at least one; `command` is told on the page.
    ///
    /// # Errors
    ///
    /// A folder that is no run, or a table that cannot be read.
    pub fn read(folders: &[PathBuf], command: &str) -> Result<Self, ReportError> {
        let runs: Result<Vec<Run>, _> = folders.iter().map(|folder| Run::read(folder)).collect();
        let mut runs = runs?;
        run::label(&mut runs);
        let sections = section::all(&runs)?;
        Ok(Self { runs, sections, command: command.to_owned() })
    }

    /// What readers should know before they compare: runs of other worlds, and unfinished ones.
    pub fn warnings(&self) -> Vec<String> {
        let Some(first) = self.runs.first() else { return vec![] };
        let other = |run: &&Run| run.made.world_hash != first.made.world_hash;
        let worlds = self.runs.iter().filter(other).map(|run| {
            format!(
                "{} is of another world, or of other prices and cars, than the first",
                run.label
            )
        });
        let unfinished = self.runs.iter().filter(|run| run.made.status != "finished");
        let unfinished = unfinished.map(|run| {
            format!("{} is {}: it is shown as far as it came", run.label, run.made.status)
        });
        worlds.chain(unfinished).collect()
    }

    /// The page, whole: it asks for no other file.
    pub fn html(&self) -> String {
        page::page(&self.runs, &self.sections, &self.warnings(), &self.command)
    }

    /// Writes the first picture (`first.svg`, 1200 x 630) and every chart in two widths, as SVG
    /// with text as text; gives the files.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn figures(&self, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let file = |path: &Path, source| ReportError::File { path: path.to_owned(), source };
        fs::create_dir_all(folder).map_err(|source| file(folder, source))?;
        let mut pictures = vec![("first.svg".to_owned(), self.first_picture())];
        for chart in self.sections.iter().flat_map(|section| &section.charts) {
            for width in PRINT_MM {
                pictures.push((format!("{}-{width}mm.svg", chart.id), chart.figure(width)));
            }
        }
        let mut written = Vec::new();
        for (name, svg) in pictures {
            let path = folder.join(name);
            fs::write(&path, svg).map_err(|source| file(&path, source))?;
            written.push(path);
        }
        Ok(written)
    }

    /// The first picture, on white, 1200 x 630.
    pub fn first_picture(&self) -> String {
        first::picture(&self.runs, &self.command, ink::Ink::Paper)
    }
}
