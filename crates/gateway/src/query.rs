//! `application/x-www-form-urlencoded` text, as a query string and a form body carry it
//! (WHATWG URL, section 5.1: "parsing").

/// More pairs than this are left unread: a request with so many parameters fits no contract.
pub const MOST_PAIRS: usize = 1_000;

/// The pairs `name=value` of `text` in their order, decoded: `+` is a space, `%XX` a byte, and what
/// is not UTF-8 after that becomes U+FFFD. Empty pairs are skipped; a name without `=` has the value "".
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).take(MOST_PAIRS).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name, true), decode(value, true))
    })
}

/// Decodes `%XX`, and `+` as a space when `plus` says so. A `%` that two hexadecimal digits do not
/// follow stays as it is.
#[must_use]
pub fn decode(text: &str, plus: bool) -> String {
    if !text.bytes().any(|byte| byte == b'%' || (plus && byte == b'+')) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, beyond @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push((high << 4) | low);
                    rest = beyond;
                }
                _ => bytes.push(b'%'),
            },
            (b'+', _) if plus => bytes.push(b' '),
            _ => bytes.push(first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let read: Vec<_> = pairs(text).collect();
        assert_eq!(read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn pairs_are_decoded() {
        check("", &[]);
        check("&&", &[]);
        check("a=1&b=&c", &[("a", "1"), ("b", ""), ("c", "")]);
        check("prenoms[]=A&prenoms%5B%5D=B+C", &[("prenoms[]", "A"), ("prenoms[]", "B C")]);
        check("a=b=c", &[("a", "b=c")]);
        check("n=%C3%89LISE&bad=%C3&cut=%4&odd=%zz%", &[("n", "ÉLISE"), ("bad", "\u{fffd}"), ("cut", "%4"), ("odd", "%zz%")]);
    }

    #[test]
    fn a_plus_is_a_plus_outside_of_forms() {
        assert_eq!(decode("a+b%20c", false), "a+b c");
    }

    #[test]
    fn the_number_of_pairs_is_bounded() {
        assert_eq!(pairs(&"a=1&".repeat(MOST_PAIRS + 5)).count(), MOST_PAIRS);
    }
}
