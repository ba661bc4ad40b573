//! Sites: parents before children.

use crate::{dialect::Report, file::SiteFile, ranges::Limits};
use ron_places::{Named, Spanned, Try, suggest};
use std::{cmp::Reverse, collections::BinaryHeap};
use voltide_model::{id::SiteId, physical, quantity::Kilowatts, site::Site};

/// The sites, each after its parent and else in the order of the file.
pub(super) fn sites(file: &Named<Try<SiteFile>>, report: &mut Report) -> Option<Vec<Site>> {
    let mut valid = true;
    let mut parents = Vec::new();
    for (_, site) in &file.0 {
        let (fine, parent) = site.get().map_or((false, None), |site| check(site, file, report));
        valid &= fine;
        parents.push(parent);
    }
    // Flows are summed up the tree in one pass from the last site, and shares handed down in one
    // from the first.
    let order = order(&parents);
    let mut ranks = vec![None; parents.len()];
    for (rank, &index) in order.iter().enumerate() {
        ranks[index] = Some(SiteId(rank as u32));
    }
    if let Some(left) = ranks.iter().position(Option::is_none) {
        let (key, _) = &file.0[left];
        let message = format!("site `{}` is connected through itself", key.name);
        report.add_help(
            key.place,
            message,
            "its parents lead back to it",
            "one of them must have no parent",
        );
        return None;
    }
    let site = |&index: &usize| {
        let (key, site) = &file.0[index];
        let site = site.get()?;
        Some(Site {
            name: key.name.clone(),
            import_limit: site.import_limit.value,
            export_limit: site
                .export_limit
                .as_ref()
                .map_or(site.import_limit.value, |limit| limit.value),
            parent: parents[index].and_then(|parent| ranks[parent]),
        })
    };
    if valid { order.iter().map(site).collect() } else { None }
}

/// Whether the site is fine by itself, and the index of its parent.
fn check(
    site: &SiteFile,
    file: &Named<Try<SiteFile>>,
    report: &mut Report,
) -> (bool, Option<usize>) {
    let import = limit("import_limit", &site.import_limit, report);
    let export =
        site.export_limit.as_ref().is_none_or(|power| limit("export_limit", power, report));
    let parent = site.parent.as_ref().map(|name| site_index(file, name, report));
    (import && export && parent != Some(None), parent.flatten())
}

fn limit(field: &str, power: &Spanned<Kilowatts>, report: &mut Report) -> bool {
    report.power_within(&physical::SITE_POWER, field, power).is_some()
}

/// Indices with parents before children; without those that lead round in a circle.
fn order(parents: &[Option<usize>]) -> Vec<usize> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut ready = BinaryHeap::new();
    for (index, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children[*parent].push(Reverse(index)),
            None => ready.push(Reverse(index)),
        }
    }
    let mut order = Vec::new();
    // Always the first that is ready, so that the order of the file is kept where it can be.
    while let Some(Reverse(next)) = ready.pop() {
        order.push(next);
        ready.extend(children[next].drain(..));
    }
    order
}

/// The index of a site that is declared.
pub(super) fn site_index(
    file: &Named<Try<SiteFile>>,
    name: &Spanned<String>,
    report: &mut Report,
) -> Option<usize> {
    let index = file.position(name);
    if index.is_none() {
        let message = format!("site `{}` is not declared under `sites`", name.value);
        let help = suggest(name, "site", file.names());
        report.add_help(name.place, message, "no site has this name", help);
    }
    index
}
