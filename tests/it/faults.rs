//! Whatever breaks, nothing that was acknowledged is lost, and nothing wrong comes out.

mod crash_points;
mod damage;
mod full_disk;
