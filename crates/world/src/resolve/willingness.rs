//! On which terms the cars of a fleet may discharge.

use super::Resolver;
use crate::{
    file::{BatteryFile, FleetFile, LogisticFile, WillingnessFile},
    ranges::Limits,
};
use ron_places::Place;
use voltide_model::{
    battery::Battery,
    fleet::V2gTerms,
    physical,
    quantity::Share,
    willingness::{INCENTIVE_RATIO_MAX, Logistic, Participation, Willingness, WillingnessError},
};

impl Resolver<'_> {
    /// The terms of the fleet at `path`; `battery` is `None` where a problem with it was reported.
    pub(super) fn v2g_terms(
        &mut self,
        path: &str,
        file: &FleetFile,
        battery: Option<&Battery>,
    ) -> Option<V2gTerms> {
        let willingness = match file.willingness.get()? {
            Some(willingness) => self.willingness(path, willingness).map(Some),
            None => Some(None),
        };
        let soc_min = self.soc_min_v2g(file.battery.get()?, battery?);
        Some(V2gTerms { soc_min: soc_min?, willingness: willingness? })
    }

    fn soc_min_v2g(&mut self, file: &BatteryFile, battery: &Battery) -> Option<Share> {
        let Some(share) = &file.soc_min_v2g else { return Some(battery.soc_min) };
        let (what, bound) = if share.value < battery.soc_min {
            ("below `soc_min`", battery.soc_min)
        } else if share.value > battery.soc_max {
            ("above `soc_max`", battery.soc_max)
        } else {
            return Some(share.value);
        };
        let message = format!("`soc_min_v2g` {} is {what} {bound}", share.value);
        self.report.add_help(
            share.place,
            message,
            "out of range",
            "it lies from `soc_min` to `soc_max`; left out, it is `soc_min`",
        );
        None
    }

    fn willingness(
        &mut self,
        path: &str,
        file: &WillingnessFile,
    ) -> Option<(Willingness, Participation)> {
        let participation = file.participation;
        let curves = Willingness::new(file.optimistic.curve(), file.pessimistic.curve());
        let curves = curves.map_err(|error| self.refuse_curves(path, file, &error)).ok();
        // An `incentive` that is wrong was reported where it stands, and counts as one that is
        // there.
        if let Some(None) = self.file.incentive.get() {
            let message =
                format!("`{path}.willingness` needs the world's `incentive`, which drivers judge");
            let help = "add to the world for example\nincentive: (rho: 0.6),";
            self.report.add_help(file.place, message, "nothing to be willing for", help);
            return None;
        }
        for curve in [&file.optimistic, &file.pessimistic] {
            self.report.within(&physical::RELUCTANCE, "a", curve.a.value, curve.a.place)?;
            self.report.within(&physical::STEEPNESS, "b", curve.b.value, curve.b.place)?;
        }
        curves.map(|curves| (curves, participation))
    }

    fn refuse_curves(&mut self, path: &str, file: &WillingnessFile, error: &WillingnessError) {
        let message = format!("`{path}.willingness`: {error}");
        let (place, label) = match error {
            WillingnessError::Parameter { curve, parameter, .. } => {
                let curve =
                    if *curve == "optimistic" { &file.optimistic } else { &file.pessimistic };
                (curve.place_of(parameter), "out of range")
            }
            WillingnessError::CeilingsCrossed { .. } => (file.optimistic.c.place, "too low"),
            WillingnessError::Crossing { .. } => (file.place, "these curves"),
        };
        let problem = self.report.add(place, message, label);
        if !matches!(error, WillingnessError::Parameter { .. }) {
            problem.help = Some(format!(
                "`optimistic` may not lie below `pessimistic` at any incentive ratio from 0 to \
                 {INCENTIVE_RATIO_MAX}"
            ));
        }
    }
}

impl LogisticFile {
    fn curve(&self) -> Logistic {
        Logistic { a: self.a.value, b: self.b.value, c: self.c.value }
    }

    fn place_of(&self, parameter: &str) -> Place {
        match parameter {
            "a" => self.a.place,
            "b" => self.b.place,
            _ => self.c.place,
        }
    }
}
