//! Whatever breaks, nothing that was acknowledged is lost, and nothing wrong comes out.

mod crash_points;
mod damage;
mod foreign;
mod full_disk;
mod salvage;
