//! The headers of a Parquet file's pages, looked at before a page is unpacked.
//!
//! A page's header says how much memory it takes unpacked. The library that unpacks it believes
//! that, so a damaged byte there would take all memory there is, which no error can be made of.
//!
//! Headers are structs of Thrift's compact protocol; only whole numbers of them are of interest
//! here.

use super::unpacked;
use parquet::{
    arrow::ProjectionMask,
    basic::Compression,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData},
        reader::ChunkReader,
    },
};
use std::{
    fs::File,
    io::{self, Read},
};

/// Most rows that are read of a file.
const ROWS_MAX: u64 = 1 << 25;
/// Most bytes that a page may take.
const PAGE_MAX: u64 = 256 << 20;
/// Most bytes that the columns read may take together.
const UNPACKED_MAX: u64 = 1 << 30;
/// Deepest nesting of structs in a header; real ones have three levels.
const DEPTH_MAX: u32 = 8;

/// Looks at all pages of the columns that are to be read. The error is the reason.
pub(super) fn check(
    file: &File,
    metadata: &ParquetMetaData,
    mask: &ProjectionMask,
) -> Result<(), String> {
    let mut unpacked = 0;
    let mut rows = 0_u64;
    for group in metadata.row_groups() {
        let here =
            u64::try_from(group.num_rows()).map_err(|_| "a part of it has fewer rows than none")?;
        rows = rows.saturating_add(here);
        if rows > ROWS_MAX {
            return Err(format!("it tells of {rows} rows, and {ROWS_MAX} are read at most"));
        }
        let read = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
        for (_, chunk) in read {
            unpacked += chunk_bytes(file, chunk, here)?;
            if unpacked > UNPACKED_MAX {
                return Err(format!(
                    "unpacked, its columns take more than {} MiB",
                    UNPACKED_MAX >> 20
                ));
            }
        }
    }
    Ok(())
}

/// Bytes that the pages of a column take unpacked, in a part of the file with so many rows.
fn chunk_bytes(file: &File, chunk: &ColumnChunkMetaData, rows: u64) -> Result<u64, String> {
    // A dictionary stands before the pages that are written by it.
    let begins = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    let size = |size: i64| u64::try_from(size).map_err(|_| "a size in it is negative");
    let mut at = size(begins)?;
    let end = at.saturating_add(size(chunk.compressed_size())?);
    let values = size(chunk.num_values())?;
    let mut found = 0;
    let mut unpacked = 0;
    while at < end && found < values {
        let mut header = Header::at(file, at).map_err(|error| error.to_string())?;
        let page = header.page().map_err(|_| "the header of a page is not one")?;
        let content = at.saturating_add(header.bytes);
        at = at.saturating_add(header.bytes).saturating_add(page.packed);
        if page.unpacked > PAGE_MAX || at > end {
            return Err(format!(
                "a page tells of {} bytes, {} of them unpacked",
                page.packed, page.unpacked
            ));
        }
        // A column of a table has a value a row, and a dictionary holds a bit of each at the least.
        let most = if page.is_data { rows } else { page.unpacked.saturating_mul(8) };
        if page.values > most {
            return Err(format!("a page tells of {} values, where {most} have room", page.values));
        }
        if !page.tells_its_size(file, content, chunk.compression())? {
            return Err(format!(
                "a page unpacks to more than the {} bytes that it tells of",
                page.unpacked
            ));
        }
        found += if page.is_data { page.values } else { 0 };
        unpacked += page.unpacked;
    }
    Ok(unpacked)
}

/// What the header of a page tells.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Page {
    /// Whether it holds the column's values, not its dictionary.
    is_data: bool,
    /// Bytes in the file.
    packed: u64,
    /// Bytes unpacked.
    unpacked: u64,
    values: u64,
    /// Bytes of both sizes, at the beginning, that are not packed.
    levels: u64,
    /// Whether the rest is not packed either, whatever the column's codec is.
    is_plain: bool,
}

impl Page {
    /// Whether no more comes out of the page, whose content begins at a byte of the file, than it
    /// tells.
    fn tells_its_size(
        &self,
        file: &File,
        content: u64,
        codec: Compression,
    ) -> Result<bool, String> {
        let sizes =
            self.packed.checked_sub(self.levels).zip(self.unpacked.checked_sub(self.levels));
        let (packed, unpacked) = sizes.ok_or("a page is smaller than its levels")?;
        if self.is_plain {
            return Ok(true);
        }
        let source = file
            .get_read(content.saturating_add(self.levels))
            .map_err(|error| error.to_string())?;
        Ok(unpacked::is_within(codec, source.take(packed), unpacked))
    }
}

/// The header of a page while it is read.
struct Header<R> {
    source: R,
    /// Bytes read so far.
    bytes: u64,
}

impl Header<<File as ChunkReader>::T> {
    fn at(file: &File, start: u64) -> parquet::errors::Result<Self> {
        Ok(Self { source: file.get_read(start)?, bytes: 0 })
    }
}

/// Kinds of fields.
const STOP: u8 = 0;
const BOOLS: [u8; 2] = [1, 2];
const BYTE: u8 = 3;
const WHOLE: [u8; 3] = [4, 5, 6];
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const STRUCT: u8 = 12;

impl<R: Read> Header<R> {
    /// Reads the header. The fields are 2 and 3, the sizes, and 5, 7 and 8: a page of data, of a
    /// dictionary, and of data in the second version, each with its number of values first.
    fn page(&mut self) -> io::Result<Page> {
        let mut page = Page::default();
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            match (id, kind) {
                (2, kind) if WHOLE.contains(&kind) => page.unpacked = self.size()?,
                (3, kind) if WHOLE.contains(&kind) => page.packed = self.size()?,
                (5 | 7 | 8, STRUCT) => {
                    // Of a dictionary the values are no rows, and do not count for the column's
                    // end.
                    page.is_data = id != 7;
                    self.content(id == 8, &mut page)?;
                }
                (_, kind) => self.skip(kind, 0)?,
            }
        }
        Ok(page)
    }

    /// The kind of the next field of a struct, whose number goes to `id`; `None` at the struct's
    /// end.
    fn field(&mut self, id: &mut i64) -> io::Result<Option<u8>> {
        let byte = self.byte()?;
        let step = byte >> 4;
        let kind = byte & 15;
        if kind == STOP {
            return Ok(None);
        }
        // A number is told by its distance from the one before, or in full where four bits do not
        // hold that.
        *id = if step == 0 { self.signed()? } else { id.saturating_add(i64::from(step)) };
        Ok(Some(kind))
    }

    /// What a page holds: field 1 is its number of values, and in the second version 5 and 6 are
    /// bytes of levels, which are not packed, and 7 is false where the values are not packed
    /// either.
    fn content(&mut self, is_second: bool, page: &mut Page) -> io::Result<()> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            match (id, kind) {
                (1, kind) if WHOLE.contains(&kind) => page.values = self.size()?,
                (5 | 6, kind) if is_second && WHOLE.contains(&kind) => {
                    page.levels = page.levels.saturating_add(self.size()?);
                }
                // A boolean has no byte of its own: its kind says which of both it is.
                (7, kind) if is_second => page.is_plain = kind == BOOLS[1],
                (_, kind) => self.skip(kind, 1)?,
            }
        }
        Ok(())
    }

    fn skip(&mut self, kind: u8, depth: u32) -> io::Result<()> {
        match kind {
            kind if BOOLS.contains(&kind) => Ok(()),
            kind if WHOLE.contains(&kind) => self.unsigned().map(drop),
            BYTE => self.skip_bytes(1),
            DOUBLE => self.skip_bytes(8),
            BINARY => {
                let length = self.unsigned()?;
                self.skip_bytes(length)
            }
            STRUCT if depth < DEPTH_MAX => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            // Lists, sets and maps occur in no header.
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn skip_bytes(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
        self.bytes += skipped;
        if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.source.read_exact(&mut byte)?;
        self.bytes += 1;
        Ok(byte[0])
    }

    /// A number of seven bits a byte, the lowest first.
    fn unsigned(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    /// A number whose lowest bit is its sign.
    fn signed(&mut self) -> io::Result<i64> {
        let number = self.unsigned()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A number that is not negative.
    fn size(&mut self) -> io::Result<u64> {
        u64::try_from(self.signed()?).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: &[u8]) -> io::Result<Page> {
        Header { source: bytes, bytes: 0 }.page()
    }

    /// Type 0, 300 bytes unpacked and 100 packed, a page of data with 7 values and an encoding.
    const HEADER: [u8; 14] =
        [0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0xc8, 0x01, 0x2c, 0x15, 0x0e, 0x15, 0x00, 0x00];

    #[test]
    fn a_header_tells_sizes_and_values() {
        let header = [&HEADER[..], &[0]].concat();
        let expected =
            Page { is_data: true, packed: 100, unpacked: 300, values: 7, ..Page::default() };
        assert_eq!(page(&header).unwrap(), expected);
    }

    #[test]
    fn a_header_that_ends_early_or_nests_without_end_is_none() {
        assert!(page(&HEADER).is_err());
        assert!(page(&[0x1c; 1000]).is_err());
        assert!(
            page(&[0x25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                .is_err()
        );
    }
}
