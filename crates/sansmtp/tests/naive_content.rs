//! The content's way through the codec beside implementations that are slow and plain.

use proptest::prelude::*;
use sansmtp::wire::chunk::{self, LineEnds};
use sansmtp::wire::dot::{Decoder, Encoder};

/// Content with whole lines, lines of one width as in base64, and all that makes trouble.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => prop::sample::select(vec![
            "\r\n", "\r\n", "\r\n", "\r", "\n", ".", "..", "\r\n.", "\n.", "\r.", "\r\n..\r\n", "\r\n.\r\n",
            "\r\n\r\n", "a", "word ", "\t", "\u{e9}", "\0",
        ]).prop_map(|word| word.as_bytes().to_vec()),
        2 => (0..300_usize).prop_map(|length| vec![b'x'; length]),
        2 => (0..120_usize, 0..14_usize).prop_map(|(width, lines)| {
            [vec![b'y'; width], b"\r\n".to_vec()].concat().repeat(lines)
        }),
    ];
    // One octet is changed, so that trouble comes in the middle of what is fast.
    (
        prop::collection::vec(word, 0..24),
        any::<prop::sample::Index>(),
        prop::sample::select(b"\r\n.xx\t".to_vec()),
    )
        .prop_map(|(words, at, octet)| {
            let mut content = words.concat();
            if !content.is_empty() {
                let at = at.index(content.len());
                content[at] = octet;
            }
            content
        })
}

fn split() -> impl Strategy<Value = usize> {
    prop_oneof![1..80_usize, Just(256), Just(4096), Just(1 << 20)]
}

/// What stands on the wire: each CR LF, CR or LF ends a line.
fn lines(content: &[u8], dots: bool) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut line_start = true;
    let mut octets = content.iter().peekable();
    while let Some(&octet) = octets.next() {
        if octet == b'\r' && octets.peek() == Some(&&b'\n') {
            octets.next();
        }
        match octet {
            b'\r' | b'\n' => wire.extend(b"\r\n"),
            b'.' if dots && line_start => wire.extend(b".."),
            octet => wire.push(octet),
        }
        line_start = octet == b'\r' || octet == b'\n';
    }
    if !line_start {
        wire.extend(b"\r\n");
    }
    wire
}

/// Octet by octet: the content, whether a CR or LF stood alone, and what was read.
fn take_apart(wire: &[u8]) -> (Vec<u8>, bool, usize, bool) {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        Start,
        Inside,
        Cr,
        Dot,
        DotCr,
    }
    let (mut content, mut bare, mut at) = (Vec::new(), false, At::Start);
    for (position, &octet) in wire.iter().enumerate() {
        match (at, octet) {
            (At::Start, b'.') => {
                at = At::Dot;
                continue;
            }
            (At::Dot, b'\r') => {
                at = At::DotCr;
                continue;
            }
            (At::DotCr, b'\n') => return (content, bare, position + 1, true),
            (At::Cr, b'\n') => at = At::Start,
            (before, octet) => {
                bare |= octet == b'\n' || before == At::Cr || before == At::DotCr;
                at = if octet == b'\r' { At::Cr } else { At::Inside };
            }
        }
        content.push(octet);
    }
    (content, bare, wire.len(), false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn dots_out(wire in content(), split in split()) {
        let mut decoder = Decoder::default();
        let (mut got, mut read) = (Vec::new(), 0);
        for mut piece in wire.chunks(split) {
            while !piece.is_empty() && !decoder.ended() {
                let (used, stretch) = decoder.decode(piece);
                prop_assert!(used > 0);
                got.extend_from_slice(stretch);
                read += used;
                piece = &piece[used..];
            }
        }
        let expected = take_apart(&wire);
        prop_assert_eq!((got, decoder.bare(), read, decoder.ended()), expected);
    }

    #[test]
    fn dots_in(content in content(), split in split(), room in split()) {
        let mut encoder = Encoder::default();
        let (mut got, mut out) = (Vec::new(), vec![0; room.min(1 << 16)]);
        for mut piece in content.chunks(split) {
            while !piece.is_empty() {
                let (read, written) = encoder.encode(piece, &mut out);
                prop_assert!(read + written > 0);
                got.extend_from_slice(&out[..written]);
                piece = &piece[read..];
            }
        }
        got.extend_from_slice(encoder.terminator());
        let mut expected = lines(&content, true);
        expected.extend_from_slice(b".\r\n");
        prop_assert_eq!(&got, &expected);
        // And back.
        let (back, bare, read, ended) = take_apart(&got);
        prop_assert_eq!((back, bare, read, ended), (lines(&content, false), false, got.len(), true));
    }

    #[test]
    fn chunks(content in content(), split in split(), room in split()) {
        let mut encoder = chunk::Encoder::default();
        let (mut got, mut out) = (Vec::new(), vec![0; room.min(1 << 16)]);
        for mut piece in content.chunks(split) {
            let promised = got.len() + encoder.count(piece);
            while !piece.is_empty() {
                let (read, written) = encoder.encode(piece, &mut out);
                prop_assert!(written > 0);
                got.extend_from_slice(&out[..written]);
                piece = &piece[read..];
            }
            prop_assert_eq!(got.len(), promised);
        }
        got.extend_from_slice(encoder.completion());
        prop_assert_eq!(got, lines(&content, false));
    }

    #[test]
    fn line_ends(content in content(), split in split()) {
        let mut ends = LineEnds::default();
        content.chunks(split).for_each(|piece| ends.look(piece));
        let bare = (0..content.len()).any(|at| match content[at] {
            b'\r' => content.get(at + 1) != Some(&b'\n'),
            b'\n' => at == 0 || content[at - 1] != b'\r',
            _ => false,
        });
        prop_assert_eq!(ends.bare_at_end(), bare);
        let open = content.ends_with(b"\r");
        prop_assert!(ends.bare() || !bare || open);
    }
}
