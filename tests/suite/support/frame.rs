//! WebSocket frames as bytes: the first byte of each kind, and masking.

pub(crate) const CONTINUATION: u8 = 0x00;
pub(crate) const FINAL_CONTINUATION: u8 = 0x80;
pub(crate) const TEXT: u8 = 0x01;
pub(crate) const FINAL_TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x02;
pub(crate) const FINAL_BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// Returns a frame that is masked with the key of the example in RFC 6455, section 5.7.
pub(crate) fn masked(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first_byte];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..126), _) => frame.push(0x80 | short),
        (_, Ok(long)) => {
            frame.push(0x80 | 0x7e);
            frame.extend(long.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 0x7f);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}
