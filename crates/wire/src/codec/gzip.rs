use super::DecodeError;
use bytes::Bytes;
use std::io::Read;

/// Bytes that one compressed body may inflate to.
pub const INFLATED_BYTES_MAX: usize = 32 << 20;

/// Inflates a gzip body.
pub fn inflate(packed: &[u8]) -> Result<Bytes, DecodeError> {
    let mut plain = Vec::with_capacity(packed.len().saturating_mul(4).min(INFLATED_BYTES_MAX));
    let mut reader = flate2::read::MultiGzDecoder::new(packed).take(INFLATED_BYTES_MAX as u64 + 1);
    reader.read_to_end(&mut plain).map_err(|_| DecodeError::Malformed("the body is no gzip".into()))?;
    if plain.len() > INFLATED_BYTES_MAX { Err(DecodeError::Inflated) } else { Ok(plain.into()) }
}

/// Deflates a body.
pub fn deflate(plain: &[u8]) -> Bytes {
    use std::io::Write;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(plain).and_then(|()| writer.finish()).expect("a vector takes all bytes").into()
}
