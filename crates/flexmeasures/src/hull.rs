//! What devices behind one limit can do at once, as the hull of their sums.
//!
//! Each device consumes or produces, never both. For every choice of who does which, what all
//! consume together (x) and produce together (y) lies in a rectangle between the limits of their
//! flow x − y; what is possible at all lies in the hull of these polygons. Without it a program
//! whose binaries are not whole yet lets three devices behind a limit for two consume for three, by
//! letting the third produce what it consumes, and branch and bound has to find out for every slot
//! that it cannot.

/// Up to this many devices every choice is looked at; of more only how many produce.
const EVERY_CHOICE: usize = 8;
/// Powers closer than this are one, kW.
const SAME: f64 = 1e-9;

/// A point: what is consumed and what is produced, kW.
type Point = (f64, f64);

/// What is allowed: `consumed · x + produced · y ≤ most`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    /// Factor of all that is consumed.
    pub(crate) consumed: f64,
    /// Factor of all that is produced.
    pub(crate) produced: f64,
    /// kW.
    pub(crate) most: f64,
}

/// Cuts that hold for devices of given consumption and production capacities, kW, whose flow
/// x − y lies between `least` and `most`. Those that bounds and limits say already are left out.
pub(crate) fn cuts(capacities: &[(f64, f64)], least: f64, most: f64) -> Vec<Cut> {
    let choices =
        if capacities.len() > EVERY_CHOICE { by_number(capacities) } else { each(capacities) };
    let polygons = choices.into_iter().flat_map(|(charge, discharge)| {
        let corners = vec![(0.0, 0.0), (charge, 0.0), (charge, discharge), (0.0, discharge)];
        // An infinite limit has all corners within, so that no share of infinity is formed.
        let below = clipped(&corners, |(x, y)| most - (x - y));
        clipped(&below, |(x, y)| x - y - least)
    });
    let hull = hull(polygons.collect());
    let edges = hull.iter().zip(hull.iter().cycle().skip(1));
    edges.filter_map(|(&from, &to)| outward(from, to)).collect()
}

/// Capacities of those that consume, and of those that produce, for every choice.
fn each(capacities: &[(f64, f64)]) -> Vec<Point> {
    let choice = |choice: usize| {
        let sides = capacities.iter().enumerate();
        sides.fold((0.0, 0.0), |(x, y), (index, &(charge, discharge))| {
            if choice >> index & 1 == 1 { (x + charge, y) } else { (x, y + discharge) }
        })
    };
    (0..1_usize << capacities.len()).map(choice).collect()
}

/// The same by the number of those that consume: at most what the largest of them can.
fn by_number(capacities: &[(f64, f64)]) -> Vec<Point> {
    let mut charge: Vec<f64> = capacities.iter().map(|capacity| capacity.0).collect();
    let mut discharge: Vec<f64> = capacities.iter().map(|capacity| capacity.1).collect();
    charge.sort_unstable_by(|a, b| b.total_cmp(a));
    discharge.sort_unstable_by(|a, b| b.total_cmp(a));
    // The largest consume and the largest produce, though these may be the same: more than can be,
    // so that no cut takes away what can.
    let consuming = 0..=capacities.len();
    consuming
        .map(|k| (charge[..k].iter().sum(), discharge[..capacities.len() - k].iter().sum()))
        .collect()
}

/// The part of a convex polygon in which `inside` is not negative (Sutherland and Hodgman 1974).
fn clipped(polygon: &[Point], inside: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::with_capacity(polygon.len() + 1);
    for (&from, &to) in polygon.iter().zip(polygon.iter().cycle().skip(1)) {
        let (start, end) = (inside(from), inside(to));
        if start >= 0.0 {
            kept.push(from);
        }
        if (start < 0.0) != (end < 0.0) {
            let share = start / (start - end);
            kept.push((from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)));
        }
    }
    kept
}

/// The corners of the convex hull, counterclockwise (Andrew 1979).
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    // Points that differ by rounding would stand in the wrong order, and hide a corner.
    for (x, y) in &mut points {
        *x = snapped(*x);
        *y = snapped(*y);
    }
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup();
    if points.len() < 3 {
        return Vec::new();
    }
    let mut corners = half(points.iter());
    corners.pop();
    let mut upper = half(points.iter().rev());
    upper.pop();
    corners.append(&mut upper);
    corners
}

/// On a grid so fine that nothing changes but rounding.
fn snapped(value: f64) -> f64 {
    libm::round(value / SAME) * SAME + 0.0
}

/// One side of the hull, along points in order.
fn half<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<Point> {
    let mut side: Vec<Point> = Vec::new();
    for &point in points {
        while let [.., a, b] = side[..]
            && turn(a, b, point) <= 0.0
        {
            side.pop();
        }
        side.push(point);
    }
    side
}

/// Twice the area of a triangle, positive where it turns left.
fn turn(a: Point, b: Point, c: Point) -> f64 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

/// The cut along an edge of the hull; `None` where neither sum is bounded from above, or where it
/// is the limit of the flow.
fn outward(from: Point, to: Point) -> Option<Cut> {
    // Corners go round counterclockwise, so that what is outside lies to the right of an edge.
    let (x, y) = (to.1 - from.1, from.0 - to.0);
    let length = x.abs().max(y.abs());
    if length < SAME {
        return None;
    }
    let consumed = x / length;
    let produced = y / length;
    let bounds = consumed >= 0.0 && produced >= 0.0;
    // Corners were moved by up to half of `SAME` to their grid, and may lie that much too far
    // inside.
    bounds.then_some(Cut { consumed, produced, most: consumed * from.0 + produced * from.1 + SAME })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_devices_behind_a_limit_for_two_consume_for_two() {
        let found = cuts(&[(50.0, 50.0); 3], -100.0, 100.0);
        let for_two = |cut: &Cut| {
            (cut.consumed - 1.0).abs() < 1e-9 && cut.produced < 1e-9 && cut.most < 100.001
        };
        assert!(found.iter().any(for_two), "{found:?}");
    }

    /// 22 and 7 kW clipped at a flow of 0 meet in one corner but for rounding, beside which 7 kW
    /// consumed and 22 produced is possible.
    #[test]
    fn a_corner_beside_one_that_differs_by_rounding_is_kept() {
        for cut in cuts(&[(22.0, 22.0), (7.0, 7.0)], f64::NEG_INFINITY, 0.0) {
            assert!(cut.consumed * 7.0 + cut.produced * 22.0 <= cut.most, "{cut:?}");
        }
    }

    proptest! {
        #[test]
        fn no_cut_loses_what_devices_can_do(
            capacities in prop::collection::vec((0.0..30.0_f64, 0.0..30.0_f64), 2..11),
            shares in prop::collection::vec(-1.0..1.0_f64, 11),
            room in (0.0..20.0_f64, 0.0..20.0_f64),
        ) {
            let (mut x, mut y) = (0.0, 0.0);
            for ((charge, discharge), share) in capacities.iter().zip(&shares) {
                if *share > 0.0 { x += charge * share } else { y -= discharge * share }
            }
            let flow = x - y;
            for (least, most) in [
                (flow - room.0, flow + room.1),
                (f64::NEG_INFINITY, flow + room.1),
                (flow - room.0, f64::INFINITY),
            ] {
                for cut in cuts(&capacities, least, most) {
                    let sum = cut.consumed * x + cut.produced * y;
                    prop_assert!(sum <= cut.most + 1e-6, "{cut:?}: {sum} of {x} and {y}");
                }
            }
        }
    }
}
