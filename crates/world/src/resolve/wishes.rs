//! Wishes for stored energy: minima, maxima and reservations.

use super::fleet::FleetResolver;
use crate::{
    calendar::{self, checked},
    file::{FleetFile, ReservationFile, SocWishFile},
    table::{on_wall_clock, parse_wall_clock},
};
use ron_places::{Place, Spanned, Try};
use voltide_model::{
    clock::Boundary,
    rules::Rules,
    wishes::{SocWish, SocWishes},
};

/// Widest window before a reservation, h.
const WINDOW_MAX: f64 = 48.0;

impl FleetResolver<'_, '_> {
    /// What the fleet's `cars` wish for their stored energy; `None` where any number of them may be
    /// named.
    pub(super) fn wishes(
        &mut self,
        file: &FleetFile,
        soc_max: f64,
        cars: Option<u32>,
    ) -> Option<SocWishes> {
        let minima = self.bounds("soc_minima", &file.soc_minima, cars);
        let maxima = self.bounds("soc_maxima", &file.soc_maxima, cars);
        let listed = file.reservations.get()?.iter().flatten();
        let reservations: Vec<Option<SocWish>> =
            listed.map(|reservation| self.reservation(reservation, cars)).collect();
        let mut reservations: Vec<SocWish> = reservations.into_iter().collect::<Option<_>>()?;
        if let Some(calendar) = file.calendar.get()? {
            let name = format!("{}.calendar", self.path);
            let resolver = &mut *self.resolver;
            let read =
                resolver.values.reservations(&name, calendar, self.clock, resolver.report)?;
            for wish in &read {
                let place = calendar.car.as_ref().map_or(calendar.path.place, |car| car.place);
                self.known_car("calendar", wish.car, place, cars)?;
            }
            // Kept as series, so that the journal has them and a rebuild opens no calendar.
            self.samples.extend(calendar::to_series(&name, &read));
            reservations.extend(read);
        }
        let widened = self.window(file.reservation_window.get()?.as_ref())?;
        let wishes = SocWishes { minima: minima?, maxima: maxima?, reservations, widened };
        if let Some(high) = wishes.reservations.iter().find(|wish| wish.soc > soc_max) {
            let message = format!(
                "`{}`: a reservation wants a state of charge of {}, but the battery's `soc_max` is \
                 {soc_max}",
                self.path, high.soc
            );
            let help = "let `soc_max` be what reservations may reach, and say under `soc_maxima` \
                        what holds otherwise";
            // It may come from a calendar, of which the world's text shows nothing but the name.
            self.resolver.report.add_help(file.place, message, "this fleet", help);
            return None;
        }
        if !wishes.is_empty() && self.boundary? == Boundary::Fold {
            let message =
                format!("`{}`: wishes for stored energy belong to their dates", self.path);
            self.resolver.report.add_help(
                file.place,
                message,
                "in a typical day",
                "use `boundary: Open`",
            );
            return None;
        }
        Some(wishes)
    }

    /// A car that a wish names is one of the fleet's.
    fn known_car(
        &mut self,
        name: &str,
        car: Option<u32>,
        place: Place,
        cars: Option<u32>,
    ) -> Option<()> {
        let (Some(car), Some(cars)) = (car, cars) else { return Some(()) };
        if car < cars {
            return Some(());
        }
        let fleet = self.path.trim_start_matches("fleets.");
        let message =
            format!("`{}.{name}` is for car {car}, which fleet `{fleet}` does not have", self.path);
        let help = match cars {
            1 => "its one car is number 0".to_owned(),
            _ => format!(
                "its {cars} cars are numbered from 0 to {last}; the nearest is {last}",
                last = cars - 1
            ),
        };
        self.resolver.report.add_help(place, message, "no such car", help);
        None
    }

    fn bounds(
        &mut self,
        name: &str,
        file: &Try<Option<Vec<SocWishFile>>>,
        cars: Option<u32>,
    ) -> Option<Vec<SocWish>> {
        let wishes = file.get()?.iter().flatten().map(|wish| {
            let from = wish.from.as_ref().map_or(Some(i64::MIN), |from| self.from(from));
            let to = wish.to.as_ref().map_or(Some(i64::MAX), |to| self.until(to));
            self.has_car(name, wish.car.as_ref(), cars)?;
            let car = wish.car.as_ref().map(|car| car.value);
            self.checked(
                name,
                &wish.soc,
                SocWish { from: from?, to: to?, soc: wish.soc.get(), car },
            )
        });
        let wishes: Vec<Option<SocWish>> = wishes.collect();
        wishes.into_iter().collect()
    }

    /// Whether the car that a wish names, if any, is one of the fleet.
    fn has_car(&mut self, name: &str, car: Option<&Spanned<u32>>, cars: Option<u32>) -> Option<()> {
        car.map_or(Some(()), |car| self.known_car(name, Some(car.value), car.place, cars))
    }

    fn reservation(&mut self, file: &ReservationFile, cars: Option<u32>) -> Option<SocWish> {
        let (from, to) = (self.from(&file.from), self.until(&file.to));
        self.has_car("reservations", file.car.as_ref(), cars)?;
        let car = file.car.as_ref().map(|car| car.value);
        let wish = SocWish { from: from?, to: to?, soc: file.soc.get(), car };
        self.checked("reservations", &file.from, wish)
    }

    fn checked<T>(&mut self, name: &str, place: &Spanned<T>, wish: SocWish) -> Option<SocWish> {
        match checked(wish) {
            Ok(wish) => Some(wish),
            Err(problem) => {
                let message = format!("`{}.{name}`: {problem}", self.path);
                self.resolver.report.add(place.place, message, "here");
                None
            }
        }
    }

    /// A beginning, in whole seconds from the clock's start.
    fn from(&mut self, text: &Spanned<String>) -> Option<i64> {
        self.instant(text).map(|at| self.clock.seconds_to(at))
    }

    /// An end likewise. Up to [`Rules::V1`] a fraction of a second was cut off.
    fn until(&mut self, text: &Spanned<String>) -> Option<i64> {
        let at = self.instant(text)?;
        let rules = self.resolver.values.rules();
        Some(if rules >= Rules::V2 {
            self.clock.seconds_until(at)
        } else {
            self.clock.seconds_to(at)
        })
    }

    /// A wall-clock time in the world's zone, or RFC 3339.
    fn instant(&mut self, text: &Spanned<String>) -> Option<chrono::DateTime<chrono::Utc>> {
        let clock = self.clock;
        let offset = chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        let wall = || {
            let wall =
                parse_wall_clock(text).ok_or_else(|| format!("`{}` is not a time", text.value))?;
            // Nothing tells which of two equal times is meant, so that it is the first.
            on_wall_clock(wall, Some(clock.zone), None)
        };
        match offset.map_or_else(wall, Ok) {
            Ok(at) => Some(at),
            Err(problem) => {
                let help = "a time is written like \"2024-02-05T08:00\", on the wall clock of the \
                            world's zone";
                self.resolver.report.add_help(text.place, problem, "not a time", help);
                None
            }
        }
    }

    fn window(&mut self, window: Option<&Spanned<voltide_model::quantity::Hours>>) -> Option<i64> {
        let Some(window) = window else { return Some(0) };
        if (0.0..=WINDOW_MAX).contains(&window.0) {
            return Some((window.0 * 3600.0).round() as i64);
        }
        let message = format!("`reservation_window` must lie between 0 h and {WINDOW_MAX} h");
        self.resolver.report.add(window.place, message, "out of range");
        None
    }
}
