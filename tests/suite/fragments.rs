//! RFC 6455, byte by byte: fragmented messages (section 5.4) and valid UTF-8 in text (section 8.1).

use crate::support::frame::{
    BINARY, CONTINUATION, FINAL_BINARY, FINAL_CONTINUATION, FINAL_TEXT, PING, PONG, TEXT, masked,
};
use crate::support::{Mockd, RawSocket};

/// Characters of one, two, three and four bytes.
const CATEGORY: &str = "a ß 甘 🍬";

/// The order that a socket receives when it selects that category.
const UPDATED: &[u8] = br#"{"id":"C1","total":5}"#;

async fn shop_of_sweets() -> Mockd {
    let sweets = format!("  {CATEGORY}:\n    prefix: C\n    products: [{{ id: C1, total: 5 }}]\n");
    Mockd::shop_with(&sweets, &[]).await
}

async fn socket(mockd: &Mockd) -> RawSocket {
    RawSocket::open(mockd.address(), "/orders/nothing").await
}

fn update() -> Vec<u8> {
    format!(r#"{{"cmd":"update-category","payload":{{"category":"{CATEGORY}"}}}}"#).into_bytes()
}

/// Returns the frames of one message.
fn fragments(first_byte: u8, parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let kind = |at: usize| match (at, at + 1 == parts.len()) {
        (0, is_final) => first_byte | u8::from(is_final) << 7,
        (_, true) => FINAL_CONTINUATION,
        (_, false) => CONTINUATION,
    };
    parts.iter().enumerate().map(|(at, part)| masked(kind(at), part)).collect()
}

/// Splits a payload into `count` parts, the last of which may be empty.
fn parts(payload: &[u8], count: usize) -> Vec<&[u8]> {
    let mut parts: Vec<&[u8]> = payload.chunks(payload.len().div_ceil(count)).collect();
    parts.resize(count, b"");
    parts
}

#[tokio::test]
async fn up_to_1000_fragments_with_pings_between_are_one_message() {
    let mockd = shop_of_sweets().await;
    let update = update();
    let cut = |count| parts(&update, count);
    let empty_first = [&[&b""[..], b""][..], &cut(2)].concat();
    for parts in [cut(1), cut(2), cut(3), cut(1_000), empty_first] {
        for first_byte in [TEXT, BINARY] {
            let mut socket = socket(&mockd).await;
            let frames = fragments(first_byte, &parts);
            socket.send_bytes(&frames.join(&masked(PING, b"x")[..])).await;
            for _ in 1..parts.len() {
                assert_eq!(socket.receive().await, (PONG, b"x".to_vec()));
            }
            assert_eq!(socket.receive().await, (FINAL_TEXT, UPDATED.to_vec()), "{} fragments", parts.len());
        }
    }
}

#[tokio::test]
async fn empty_fragments_form_an_empty_message() {
    let mockd = shop_of_sweets().await;
    let mut socket = socket(&mockd).await;
    socket.send_bytes(&fragments(TEXT, &[b"", b"", b""]).concat()).await;
    socket.send(FINAL_TEXT, &update()).await;
    assert_eq!(socket.receive().await, (FINAL_TEXT, UPDATED.to_vec()));
    let journal = mockd.get("/__mockd/journal?kind=received").await.json();
    assert_eq!((&journal["entries"][0]["text"], journal["entries"].as_array().unwrap().len()), (&"".into(), 2));
}

#[tokio::test]
async fn fragments_out_of_order_get_1002() {
    let mockd = shop_of_sweets().await;
    let unfinished = || masked(TEXT, b"{");
    for frames in [
        vec![masked(FINAL_CONTINUATION, b"x")],
        vec![masked(CONTINUATION, b"x")],
        vec![masked(CONTINUATION, b"")],
        vec![unfinished(), masked(FINAL_CONTINUATION, b"}"), masked(FINAL_CONTINUATION, b"x")],
        vec![masked(FINAL_BINARY, b"{}"), masked(CONTINUATION, b"x")],
        vec![unfinished(), masked(FINAL_TEXT, &update())],
        vec![unfinished(), unfinished()],
        vec![unfinished(), masked(FINAL_BINARY, &update())],
        vec![masked(BINARY, b""), masked(FINAL_TEXT, b"")],
    ] {
        let mut socket = socket(&mockd).await;
        socket.send_bytes(&frames.concat()).await;
        assert_eq!(socket.close_code().await, 1002, "{frames:x?}");
        assert_eq!(socket.ended().await, b"");
    }
}

#[tokio::test]
async fn a_character_may_be_split_across_fragments_and_writes() {
    let mockd = shop_of_sweets().await;
    let mut socket = socket(&mockd).await;
    let update = update();
    for at in 1..update.len() {
        let (first, second) = update.split_at(at);
        let [first, second] = &fragments(TEXT, &[first, second])[..] else { panic!("expected two fragments") };
        // The pong shows that the first fragment has been read and accepted.
        socket.send_bytes(&[&first[..], &masked(PING, b"")].concat()).await;
        assert_eq!(socket.receive().await, (PONG, vec![]), "cut at {at}");
        socket.send_bytes(second).await;
        assert_eq!(socket.receive().await, (FINAL_TEXT, UPDATED.to_vec()), "cut at {at}");
    }
}

/// Byte sequences that no text may contain, whatever follows.
const NOT_UTF_8: [&[u8]; 16] = [
    b"\x80",
    b"\xbf\xbf",
    b"\xfe",
    b"\xff",
    // Overlong encodings.
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\xaf",
    b"\xf0\x8f\xbf\xbf",
    // UTF-16 surrogates.
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    // Above U+10FFFF.
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    // Truncated by another character.
    b"\xe7\x94.",
];

#[tokio::test]
async fn invalid_utf_8_gets_1007_before_the_message_ends() {
    let mockd = shop_of_sweets().await;
    for wrong in NOT_UTF_8 {
        let text = ["κόσμε ".as_bytes(), wrong].concat();
        let whole = masked(FINAL_TEXT, &[&text[..], b" and on"].concat());
        let at_the_end = fragments(TEXT, &[&text[..7], &text[7..]]).concat();
        let unfinished = masked(TEXT, &text);
        let continued = [masked(TEXT, &text[..text.len() - 1]), masked(CONTINUATION, &text[text.len() - 1..])].concat();
        for bytes in [whole, at_the_end, unfinished, continued] {
            let mut socket = socket(&mockd).await;
            socket.send_bytes(&bytes).await;
            assert_eq!(socket.close_code().await, 1007, "{wrong:x?} in {bytes:x?}");
            assert_eq!(socket.ended().await, b"");
        }
    }
}

#[tokio::test]
async fn text_that_ends_within_a_character_gets_1007() {
    let mockd = shop_of_sweets().await;
    for character in ["ß", "甘", "🍬"] {
        for length in 1..character.len() {
            let text = [b"a", &character.as_bytes()[..length]].concat();
            for bytes in [masked(FINAL_TEXT, &text), fragments(TEXT, &[&text, b""]).concat()] {
                let mut socket = socket(&mockd).await;
                socket.send_bytes(&bytes).await;
                assert_eq!(socket.close_code().await, 1007, "{text:x?}");
            }
        }
    }
}

#[tokio::test]
async fn binary_messages_need_not_be_utf_8() {
    let mockd = shop_of_sweets().await;
    let mut socket = socket(&mockd).await;
    for wrong in NOT_UTF_8 {
        socket.send(FINAL_BINARY, wrong).await;
        socket.send_bytes(&fragments(BINARY, &[wrong, wrong]).concat()).await;
    }
    socket.send(FINAL_BINARY, &update()).await;
    assert_eq!(socket.receive().await, (FINAL_TEXT, UPDATED.to_vec()));
}
