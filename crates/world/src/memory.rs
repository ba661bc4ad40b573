//! How much memory there is, so that a world that does not fit is refused before it takes all of
//! it.

/// Bytes of memory that this program may still take: what the machine has left, or what the program
/// is limited to, if that is less. `None` where the system does not tell.
pub fn free_memory() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let left = kib(&meminfo, "MemAvailable:")?;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    // The limit is on addresses, so that what is mapped counts against it, used or not.
    let allowed = address_space(&limits).zip(kib(&status, "VmSize:"));
    let own = allowed.map(|(limit, taken)| limit.saturating_sub(taken));
    Some(own.map_or(left, |own| own.min(left)))
}

/// The bytes of a line `name  123 kB`.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

/// The bytes of address space that a program may take; `None` where that is not limited.
fn address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_sizes_are_read_as_the_system_writes_them() {
        assert_eq!(
            kib("MemTotal: 9 kB\nMemAvailable:   24 kB\n", "MemAvailable:"),
            Some(24 * 1024)
        );
        assert_eq!(address_space("Max address space         4096  unlimited  bytes\n"), Some(4096));
        assert_eq!(address_space("Max address space         unlimited  unlimited  bytes\n"), None);
    }
}
