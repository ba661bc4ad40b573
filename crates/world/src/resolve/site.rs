//! Sites: parents before children.

use crate::{dialect::Report, file::SiteFile, ranges::Limits};
use ron_places::{Named, Spanned, Try, suggest};
use voltide_model::{physical, quantity::Kilowatts, site::Site};

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
    if let Some(left) = (0..parents.len()).find(|index| !order.contains(index)) {
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
    let rank = |index: usize| order.iter().position(|&site| site == index).map(|rank| rank as u32);
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
            parent: parents[index].and_then(rank),
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
    let parent = site.parent.as_ref().map(|name| site_index(file.names(), name, report));
    (import && export && parent != Some(None), parent.flatten())
}

fn limit(field: &str, power: &Spanned<Kilowatts>, report: &mut Report) -> bool {
    report.power_within(&physical::SITE_POWER, field, power).is_some()
}

/// Indices with parents before children; without those that lead round in a circle.
fn order(parents: &[Option<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    loop {
        let ready = |index: &usize| {
            !order.contains(index) && parents[*index].is_none_or(|parent| order.contains(&parent))
        };
        // Always the first that is ready, so that the order of the file is kept where it can be.
        match (0..parents.len()).find(ready) {
            Some(next) => order.push(next),
            None => return order,
        }
    }
}

/// The index of a site among `names`.
pub(super) fn site_index<'a>(
    names: impl Iterator<Item = &'a str>,
    name: &Spanned<String>,
    report: &mut Report,
) -> Option<usize> {
    let names: Vec<&str> = names.collect();
    let index = names.iter().position(|known| *known == name.value);
    if index.is_none() {
        let message = format!("site `{}` is not declared under `sites`", name.value);
        report.add_help(name.place, message, "no site has this name", suggest(name, "site", names));
    }
    index
}
