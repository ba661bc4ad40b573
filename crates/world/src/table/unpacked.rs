//! What a page of a Parquet file really unpacks to, found out without keeping it.
//!
//! Some codecs do not tell beforehand how much will come out, and the library that unpacks them
//! keeps all of it before it looks at what the page's header told.

use parquet::basic::Compression;
use std::io::{self, Read};

/// Bytes that are unpacked at a time.
const PIECE: usize = 4096;

/// Whether no more than `most` bytes come out of a page. Of what is damaged it is what comes out
/// before that; codecs that stop by themselves at what the header told are not tried.
pub(super) fn is_within(codec: Compression, packed: impl Read, most: u64) -> bool {
    match codec {
        Compression::GZIP(_) => comes_to(flate2::read::MultiGzDecoder::new(packed), most),
        Compression::BROTLI(_) => comes_to(brotli::Decompressor::new(packed, PIECE), most),
        Compression::LZ4 => comes_to(lz4_flex::frame::FrameDecoder::new(packed), most),
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::LZO
        | Compression::ZSTD(_)
        | Compression::LZ4_RAW => true,
    }
}

/// Whether no more than `most` bytes come out of a source.
fn comes_to(source: impl Read, most: u64) -> bool {
    // One byte more than is allowed tells what goes on from what ends there.
    let mut rest = source.take(most.saturating_add(1));
    // An error is one for the library, too, which says it better.
    let _ = io::copy(&mut rest, &mut io::sink());
    rest.limit() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Zeros packed by each codec that does not tell what will come out.
    fn packed(zeros: usize) -> [(Compression, Vec<u8>); 3] {
        let zeros = vec![0; zeros];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&zeros).unwrap();
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), PIECE, 9, 22);
        brotli.write_all(&zeros).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(&zeros).unwrap();
        [
            (Compression::GZIP(parquet::basic::GzipLevel::default()), gzip.finish().unwrap()),
            (Compression::BROTLI(parquet::basic::BrotliLevel::default()), brotli.into_inner()),
            (Compression::LZ4, lz4.finish().unwrap()),
        ]
    }

    #[test]
    fn what_unpacks_to_more_than_was_told_is_noticed() {
        let zeros = 1 << 22;
        for (codec, bytes) in packed(zeros) {
            assert!(bytes.len() < 100_000, "{codec}");
            assert!(is_within(codec, &*bytes, zeros as u64), "{codec}");
            assert!(!is_within(codec, &*bytes, zeros as u64 - 1), "{codec}");
            assert!(is_within(codec, &bytes[..bytes.len() / 2], zeros as u64), "{codec}, cut off");
        }
    }
}
