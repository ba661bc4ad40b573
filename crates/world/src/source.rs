//! The files that a user names, opened with care: whatever the path leads to, reading it ends.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

/// Largest world file, calendar or problem that is read, in bytes.
pub(crate) const TEXT_MAX: u64 = 16 << 20;
/// Largest data file that is read, in bytes.
pub(crate) const DATA_MAX: u64 = 512 << 20;

/// Why a file cannot be read at all.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// There is none.
    Missing,
    /// This is why, in lower case, and what would be right where that can be said.
    Other(String, Option<&'static str>),
}

impl Unreadable {
    /// A reason that needs no help.
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self::Other(reason.into(), None)
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::because(error.to_string()),
        }
    }
}

/// Reads a text file that a user names, as [`load`](crate::load) reads a world: a regular file of
/// UTF-8 text of at most 16 MiB. The error is the reason, in lower case.
pub fn read_text(path: &Path) -> Result<String, String> {
    text(path, TEXT_MAX).map(|text| text.to_string()).map_err(|error| match error {
        Unreadable::Missing => "there is no such file".to_owned(),
        Unreadable::Other(reason, None) => reason,
        Unreadable::Other(reason, Some(help)) => format!("{reason}; {help}"),
    })
}

/// Opens a regular file of at most `most` bytes. Neither pipes nor devices are opened, since that
/// may wait for ever and reading from them need not end.
pub(crate) fn open(path: &Path, most: u64) -> Result<File, Unreadable> {
    // Asked before it is opened: opening a pipe waits until somebody writes to it.
    let found = std::fs::metadata(path)?;
    if found.is_dir() {
        return Err(Unreadable::because("it is a folder"));
    }
    if !found.is_file() {
        let help = "write what it gives to a file, and name that";
        return Err(Unreadable::Other(
            "it is a pipe or a device, not a file".to_owned(),
            Some(help),
        ));
    }
    if found.len() > most {
        let reason =
            format!("it has {} MiB, and {} MiB are read at most", found.len() >> 20, most >> 20);
        return Err(Unreadable::Other(reason, Some("split it, or keep only what the run needs")));
    }
    Ok(File::open(path)?)
}

/// The text of a regular file of at most `most` bytes, without a byte order mark.
pub(crate) fn text(path: &Path, most: u64) -> Result<Arc<str>, Unreadable> {
    let file = open(path, most)?;
    // A buffer that grows is up to twice as large as what it holds.
    let mut bytes = Vec::with_capacity(file.metadata()?.len() as usize);
    // The file may have grown since it was measured.
    file.take(most).read_to_end(&mut bytes)?;
    decode(&bytes).map(Arc::from)
}

/// What the bytes say, where they are UTF-8.
fn decode(bytes: &[u8]) -> Result<&str, Unreadable> {
    const HELP: &str = "save it as UTF-8";
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let is_utf_16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    // Without its mark, UTF-16 is known by every other byte, which is 0 where the text is ASCII.
    let is_wide =
        bytes.len() > 1 && bytes.iter().take(64).skip(1).step_by(2).all(|&byte| byte == 0);
    if is_utf_16 || is_wide {
        return Err(Unreadable::Other("it is UTF-16 text".to_owned(), Some(HELP)));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').skip(1).count();
        Unreadable::Other(format!("it is not UTF-8 text (line {line})"), Some(HELP))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        match decode(bytes) {
            Err(Unreadable::Other(reason, _)) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn utf_16_is_named_with_and_without_its_mark() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(refused(&wide("\u{feff}ts,load")), "it is UTF-16 text");
        assert_eq!(refused(&wide("ts,load")), "it is UTF-16 text");
        assert_eq!(refused(b"a\nb\nL\xE4nge"), "it is not UTF-8 text (line 3)");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(decode(b"\xEF\xBB\xBFts").unwrap(), "ts");
    }

    #[test]
    fn what_may_never_end_is_not_opened() {
        let reason = |path: &str| match open(Path::new(path), 8) {
            Err(Unreadable::Other(reason, _)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason("/dev/zero"), "it is a pipe or a device, not a file");
        assert_eq!(reason("/"), "it is a folder");
    }
}
