//! Each offence alone, wherever it is cut, and among others.

use proptest::prelude::*;

use super::*;

const FINE: [&str; 14] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab\ncd",
    "POST / HTTP/1.1\r\ncontent-length:0005\t \r\nX: y\r\n\r\n\r\n\r\n\n",
    "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length-Of: +1\r\nTransfer-Encodings: gzip\r\nContent_Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nTRANSFER-ENCODING: Chunked\r\n\r\n5\r\na\nb\nc\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding:chunked\r\n\r\na\r\n0123456789\r\nB;ext=\"v\"\r\n0123456789A\r\n000\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000001\r\nx\r\n0\r\nDigest: a\r\nB: c\r\n\r\n",
    "PRI * HTTP/2.\r\nA: b\r\n\r\n",
    "PUT /\u{e9} HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: c\r\nTE: trailers\r\nConnection: close\r\nT\r\nC\r\n\r\n",
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "GET / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
];

const BAD_LINES: [&str; 6] = [
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\n\n",
    "\nGET / HTTP/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\n",
];

const BAD_FIELDS: [&str; 27] = [
    "Content-Length: 5\r\nContent-Length: 5",
    "Content-Length: 5\r\ncontent-length: 6",
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nA: b\r\nContent-Length: 5",
    "Transfer-Encoding: chunked\r\nContent-Length: x",
    "Content-Length: 5, 5",
    "Content-Length: 5,",
    "Content-Length: +5",
    "Content-Length: -5",
    "Content-Length: 0x5",
    "Content-Length: 5 5",
    "Content-Length: 5.0",
    "Content-Length:",
    "Content-Length: 18446744073709551616",
    "Content-Length : 5",
    "Content-Length\t: 5",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding:",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding : chunked",
    "A: b\r\n folded: c",
];

const BAD_CHUNKS: [&str; 19] = [
    "5\nabcde\r\n0\r\n\r\n",
    "5;a\nabcde\r\n0\r\n\r\n",
    "5;a=\"\n\"\r\nabcde\r\n0\r\n\r\n",
    "5\r\r\nabcde\r\n0\r\n\r\n",
    "+5\r\nabcde\r\n0\r\n\r\n",
    "-5\r\nabcde\r\n0\r\n\r\n",
    "0x5\r\nabcde\r\n0\r\n\r\n",
    " 5\r\nabcde\r\n0\r\n\r\n",
    "5 \r\nabcde\r\n0\r\n\r\n",
    "5\t;a\r\nabcde\r\n0\r\n\r\n",
    "00000000000000005\r\nabcde\r\n0\r\n\r\n",
    "\r\nabcde\r\n0\r\n\r\n",
    ";a\r\nabcde\r\n0\r\n\r\n",
    "5\r\nabcde\n0\r\n\r\n",
    "5\r\nabcdef\r\n0\r\n\r\n",
    "5\r\nabcd\r\n0\r\n\r\n",
    "0\r\n\n",
    "0\r\nA: b\n\r\n",
    "0\r\nContent-Length: 5\r\n\r\n",
];

fn hostile() -> Vec<(String, Part)> {
    let lines = BAD_LINES.iter().map(|line| ((*line).to_owned(), Part::Head));
    let padded = format!("Content-Length:{}5", " ".repeat(200));
    let fields = BAD_FIELDS.iter().copied().chain([padded.as_str()]);
    let fields = fields.map(|field| (format!("POST / HTTP/1.1\r\n{field}\r\n\r\n"), Part::Head));
    let chunks = BAD_CHUNKS
        .iter()
        .map(|body| (format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}"), Part::Body));
    lines.chain(fields).chain(chunks).collect()
}

/// Feeds the pieces one after the other: the part at fault, and how many bytes were let through altogether.
fn check<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Guard, Option<Part>, usize) {
    let (mut guard, mut passed) = (Guard::new(), 0);
    for piece in pieces {
        match guard.check(piece) {
            Verdict::Pass => passed += piece.len(),
            Verdict::Refuse { passed: few, part } => return (guard, Some(part), passed + few),
        }
    }
    (guard, None, passed)
}

#[test]
fn fine_requests_pass_and_end_where_they_should() {
    for fine in FINE {
        assert_eq!(check([fine.as_bytes()]).1, None, "{fine:?}");
    }
    // The last announces more than comes. After the others the next head is read as one, and none of it passes.
    for fine in &FINE[..FINE.len() - 1] {
        let (_, part, passed) = check([format!("{fine}{}", BAD_LINES[1]).as_bytes()]);
        assert_eq!((part, passed), (Some(Part::Head), fine.len()), "{fine:?}");
    }
}

#[test]
fn each_offence_is_refused_and_its_head_never_passes() {
    for (request, part) in hostile() {
        let (_, refused, passed) = check([request.as_bytes()]);
        assert_eq!(refused, Some(part), "{request:?}");
        if part == Part::Head {
            assert_eq!(passed, 0, "{request:?}");
        }
    }
}

#[test]
fn offences_after_other_requests_leave_those_alone() {
    let before = FINE[..9].concat();
    for (request, part) in hostile() {
        let (_, refused, passed) = check([format!("{before}{request}").as_bytes()]);
        assert_eq!(refused, Some(part), "{request:?}");
        assert!(passed >= before.len(), "{request:?}");
        if part == Part::Head {
            assert_eq!(passed, before.len(), "{request:?}");
        }
    }
}

#[test]
fn no_cut_hides_an_offence() {
    for (request, part) in hostile() {
        for cut in 0..request.len() {
            let (first, second) = request.as_bytes().split_at(cut);
            let (_, refused, passed) = check([first, second]);
            assert_eq!(refused, Some(part), "{request:?} cut at {cut}");
            assert!(passed < request.len(), "{request:?} cut at {cut}");
        }
    }
}

#[test]
fn nothing_passes_after_a_refusal() {
    let (mut guard, ..) = check([BAD_LINES[0].as_bytes()]);
    assert_eq!(guard.check(FINE[0].as_bytes()), Verdict::Refuse { passed: 0, part: Part::Head });
}

#[test]
fn http2_is_left_alone_and_what_only_begins_like_it_is_not() {
    let (guard, part, _) = check([PREFACE, b"\n\n anything \0"]);
    assert!(guard.is_multiplexed() && part.is_none());
    let (guard, part, _) = check(PREFACE.chunks(1));
    assert!(guard.is_multiplexed() && part.is_none());
    for (cut, end) in [(3, " / HTTP/1.1\n\n"), (13, "1\nA: b\r\n\r\n"), (2, "X / HTTP/1.1\n\r\n")] {
        let like = [&PREFACE[..cut], end.as_bytes()].concat();
        assert_eq!(check([like.as_slice()]).1, Some(Part::Head), "{end:?}");
        assert_eq!(check(like.chunks(1)).1, Some(Part::Head), "{end:?}");
    }
}

#[test]
fn memory_does_not_grow_with_a_line() {
    let mut guard = Guard::new();
    guard.check(b"GET / HTTP/1.1\r\nX: ");
    for _ in 0..1000 {
        assert_eq!(guard.check(&[b'x'; 1000]), Verdict::Pass);
    }
    assert!(format!("{guard:?}").len() < 2_000, "{guard:?}");
}

/// Requests, offences, and pieces of both with a byte changed.
pub(in crate::serve) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<String> =
        FINE.iter().map(|fine| (*fine).to_owned()).chain(hostile().into_iter().map(|(bad, _)| bad)).collect();
    let mutated = (prop::sample::select(known.clone()), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(text, at, byte)| {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        },
    );
    let piece = prop_oneof![3 => prop::sample::select(FINE.to_vec()).prop_map(|fine| fine.as_bytes().to_vec()),
        1 => prop::sample::select(known).prop_map(String::into_bytes), 1 => mutated];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// What cuts the bytes into pieces.
pub(in crate::serve) fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..8)
}

pub(in crate::serve) fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_verdict(bytes in bytes(), cuts in cuts()) {
        let (whole, part, least) = check([bytes.as_slice()]);
        let (single, slowly, most) = check(bytes.chunks(1));
        let (split, cut, passed) = check(pieces(&bytes, &cuts));
        prop_assert_eq!(part, slowly);
        prop_assert_eq!(part, cut);
        prop_assert!(least <= passed && passed <= most);
        prop_assert_eq!(whole.is_multiplexed(), single.is_multiplexed());
        prop_assert_eq!(whole.is_multiplexed(), split.is_multiplexed());
    }
}
