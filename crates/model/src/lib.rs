//! The domain of voltide as pure data and pure functions.
//!
//! | module           | what it holds                                                     |
//! |------------------|-------------------------------------------------------------------|
//! | [`quantity`]     | kW, kWh, prices, shares, and the one parser for `"7 kW"`          |
//! | [`clock`]        | the time grid: UTC slots, local days of 23, 24 or 25 hours        |
//! | [`random`]       | random streams keyed by seed, purpose, fleet, car and draw        |
//! | [`distribution`] | what a fleet's numbers are drawn from                             |
//! | [`battery`]      | how stored energy answers to power at the plug                    |
//! | [`stay`]         | planned parking, the slots it can use, and its calendar           |
//! | [`fleet`]        | fleets and the population of cars drawn from them                 |
//! | [`id`]             | numbers of cars, stays, chargers and sites, a type each           |
//! | [`site`]         | chargers, and connections with a limit that chargers share        |
//! | [`price`]        | incentive prices that follow net load, (1)-(5)                    |
//! | [`willingness`]  | how willing drivers are to discharge, (6)-(10)                    |
//! | [`wishes`]       | minima, maxima and reservations of stored energy                  |
//! | [`eligibility`]  | which stays are long enough for V2G, (13)                         |
//! | [`normal`]       | quantiles of the normal distribution, the same on every platform  |
//! | [`series`]       | values per slot, prices among them                                |
//! | [`device`]       | what generates, stores and sheds, one file a kind                 |
//! | [`plant`]        | a list of such units                                              |
//! | [`forecast`]     | what is known of wind and sun before they come                    |
//! | [`mod@unit`]     | what one unit does in one slot, and where it stands before it     |
//! | [`dispatch`]     | what every unit does in one slot, and what that costs             |
//! | [`flexibility`]  | demand, supply and margin, (15)-(35)                              |
//! | [`virtual_battery`] | the band of stored energy in which every wish is still met     |
//! | [`offer`]        | what a car could add to its schedule, or take off it              |
//! | [`chance`]       | sums of parts that come by chance                                 |
//! | [`cost`]         | what running the system costs, (36)-(43)                          |
//! | [`saving`]       | what drivers save under one policy against another                |
//! | [`foresight`]    | what policies and prices may know of load, wind and sun           |
//! | [`two_stage`]    | how a plant is scheduled, day-ahead and intra-day                 |
//! | [`scenario`]     | everything one run is made of                                     |
//! | [`rules`]        | which rules a run goes by: those of the version that began it     |
//! | [`columns`]      | what one tick looked like, for whoever records it                 |
//! | [`figure`]       | records of figures: what a run comes to, each declared once       |
//!
//! Nothing here knows an ECS, a file, a clock on the wall, a thread or a plugin.
//!
//! Units are kW, kWh, hours and price per kWh throughout. At a charger positive power
//! charges; EV power is measured on the grid side in both directions.

pub mod battery;
pub mod chance;
pub mod clock;
pub mod columns;
pub mod cost;
pub mod device;
pub mod dispatch;
pub mod distribution;
pub mod eligibility;
pub mod figure;
pub mod fleet;
pub mod flexibility;
pub mod forecast;
pub mod foresight;
pub mod id;
pub mod normal;
pub mod offer;
pub mod physical;
pub mod plant;
pub mod price;
pub mod quantity;
pub mod random;
pub mod rounding;
pub mod rules;
pub mod saving;
pub mod scenario;
pub mod series;
pub mod site;
pub mod stay;
pub mod two_stage;
pub mod unit;
pub mod virtual_battery;
pub mod willingness;
pub mod wishes;
