//! `voltide log recover --salvage`: what is whole of a damaged run, in a new one.

use crate::{
    args::Args,
    failure::{Code, Failure},
    output::{self, counted},
};
use serde_json::json;
use std::{fs, path::Path};
use voltide_journal::salvage::{self, DamagedBytes, FILE, Mended, Missing, Parent, Piece, Salvage};

/// Writes what is whole of a run's log to the new folder `into`.
pub(crate) fn salvage(run: &Path, into: &Path, args: &Args) -> Result<(), Failure> {
    check_place(run, into)?;
    let salvage = salvage::salvage(run, into)?;
    if let Some(parent) = salvage.parent.as_ref().filter(|parent| !parent.is_there) {
        output::complain(&orphaned(parent, into, &salvage.source));
    }
    if args.json {
        output::say_json("salvage", &json!(salvage));
        return Ok(());
    }
    salvage.damaged.iter().for_each(|damaged| output::mention(args.quiet, &damage(damaged)));
    salvage.mended.iter().for_each(|mended| output::tell(&mending(mended)));
    output::tell(&kept(&salvage, into));
    salvage.beyond.iter().for_each(|piece| output::tell(&beyond(piece, into)));
    salvage
        .missing
        .iter()
        .for_each(|missing| output::tell(&format!("missing: {}", lost(missing, &salvage))));
    if !salvage.build_known {
        output::tell("missing: which version of voltide and which policy file made the run");
    }
    if !salvage.head_known {
        output::tell("HEAD is damaged: whether anything is missing at the end is not known");
    }
    output::tell(&format!("all of this is in {}", into.join(FILE).display()));
    Ok(())
}

fn is_empty_folder(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Refuses folders that hold something, and those inside the run.
fn check_place(run: &Path, into: &Path) -> Result<(), Failure> {
    let is_file = fs::symlink_metadata(into).is_ok_and(|found| !found.is_dir());
    if is_file || (into.exists() && !is_empty_folder(into)) {
        let what = format!("{} is there already", into.display());
        return Err(Failure::new(Code::Input, what, Some("give a folder that is new or empty")));
    }
    // The folder itself need not be there: the nearest one above it that is tells where it lies.
    let above = into.ancestors().skip(1).find_map(|above| {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        fs::canonicalize(above).ok()
    });
    if let (Some(above), Ok(run)) = (above, fs::canonicalize(run))
        && above.starts_with(run)
    {
        let help = Some("nothing is written to a damaged run: give a folder outside of it");
        return Err(Failure::new(
            Code::Input,
            format!("{} is inside the run", into.display()),
            help,
        ));
    }
    Ok(())
}

/// That a salvaged fork does not find its parent, and what to do.
fn orphaned(parent: &Parent, into: &Path, source: &Path) -> String {
    let beside = source.parent().unwrap_or(source);
    format!(
        "{} is a fork of {}, and finds its parent only at {}, where it is not: put the parent \
         there, or salvage to a new folder in {}",
        into.display(),
        parent.run,
        parent.path.display(),
        beside.display()
    )
}

fn damage(damaged: &DamagedBytes) -> String {
    let DamagedBytes { file, from_byte, to_byte, what } = damaged;
    match to_byte - from_byte {
        0 => format!("{file} ends at byte {from_byte}: {what}"),
        _ => format!("{file} is damaged from byte {from_byte} to {to_byte}: {what}"),
    }
}

fn mending(mended: &Mended) -> String {
    let Mended { file, tick, byte } = mended;
    let what = byte
        .map_or("what is around the records".to_owned(), |byte| format!("a bit of byte {byte}"));
    format!(
        "mended: {what} in {file} was wrong; the chain hash proves that tick {tick} is whole again"
    )
}

fn kept(salvage: &Salvage, into: &Path) -> String {
    let into = into.display();
    match &salvage.log {
        Some(log) if salvage.missing.is_empty() => {
            format!("all of the run is in {into}: {}", span(log))
        }
        Some(log) => format!(
            "the run up to the damage is in {into}: {}; `voltide replay` builds its tables, and \
             `voltide resume` goes on from there and makes up what is missing",
            span(log)
        ),
        None => {
            "the opening is lost, and without world and policy no tick can be replayed".to_owned()
        }
    }
}

fn beyond(piece: &Piece, into: &Path) -> String {
    let folder = into.join(&piece.folder);
    let proof = if piece.proved { "" } else { "; for the first of them only a checksum vouches" };
    format!(
        "beyond the damage, to be listed and exported: {} in {}{proof}",
        span(piece),
        folder.display()
    )
}

fn span(piece: &Piece) -> String {
    match (piece.first_tick, piece.last_tick) {
        (Some(first), Some(last)) => {
            format!("{} ({first} to {last})", counted(piece.ticks.into(), "tick", "ticks"))
        }
        _ => counted(piece.next_seq - piece.first_seq, "event", "events"),
    }
}

fn lost(missing: &Missing, salvage: &Salvage) -> String {
    let events = counted(missing.next_seq - missing.first_seq, "event", "events");
    let before = missing.before_tick.or(salvage.acknowledged_tick.map(|tick| tick + 1));
    let opening = if missing.first_seq == 0 { "the opening, " } else { "" };
    match (first_lost(missing, salvage), before) {
        (Some(first), Some(next)) if next > first + 1 => {
            format!("{opening}ticks {first} to {} ({events})", next - 1)
        }
        (Some(first), Some(next)) if next == first + 1 => {
            format!("{opening}tick {first} ({events})")
        }
        (None, Some(next)) => format!("{events} before tick {next}"),
        (Some(_), Some(_)) | (_, None) => format!("{opening}{events} after the last whole tick"),
    }
}

/// The first tick of what is missing; `None` where that is not known: a fork begins where it left
/// its parent, which its opening tells.
fn first_lost(missing: &Missing, salvage: &Salvage) -> Option<u32> {
    let begins_at_0 = missing.first_seq == 0 || (salvage.log.is_some() && salvage.parent.is_none());
    missing.after_tick.map(|tick| tick + 1).or(begins_at_0.then_some(0))
}
