//! Which passwords are refused. Length and guessability count; there are no rules on which characters to use
//! (NIST SP 800-63B section 5.1.1.2; CNIL, délibération 2022-100, case 1: 80 bits of guessing are out of reach of a throttled sign-in).

use unicode_normalization::UnicodeNormalization;

use crate::fold;

/// Characters.
pub const MIN_LENGTH: usize = 12;
/// A longer password is refused unread.
pub const MAX_LENGTH: usize = 128;
/// What a word of the list, of the person or of the platform must leave over, in different characters.
const LEFT: usize = 4;

/// Words and beginnings that guessers try first, folded: one a line.
const WORDS: &str = include_str!("words.txt");
/// Whole passwords of twelve characters or more that are in every list of leaked ones, folded and without spaces.
const WHOLE: &str = include_str!("whole.txt");

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    TooShort,
    TooLong,
    /// It is in lists of leaked passwords, or made of words, keyboard rows and numbers that are.
    Common,
    /// It is made of the person's own name or address.
    Own,
    /// It is made of the name of the platform.
    Platform,
}

/// What a password must not be made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// Names and address of the person.
    pub person: &'a [&'a str],
    /// Names of the platform.
    pub platform: &'a [&'a str],
}

/// One spelling for a password, however the keyboard composed its letters (Unicode NFC).
#[must_use]
pub fn normal(password: &str) -> String {
    password.nfc().collect()
}

/// # Errors
/// Why it is refused.
pub fn check(password: &str, about: About<'_>) -> Result<(), Weakness> {
    let password = normal(password);
    let length = password.chars().count();
    if length < MIN_LENGTH {
        return Err(Weakness::TooShort);
    }
    if length > MAX_LENGTH {
        return Err(Weakness::TooLong);
    }
    let plain = letters(&password);
    let unleet: String = plain.chars().map(unleet).collect();
    if WHOLE.lines().any(|whole| whole == plain || whole == unleet) {
        return Err(Weakness::Common);
    }
    for spelling in [&plain, &unleet] {
        if contains(spelling, about.platform, 5) {
            return Err(Weakness::Platform);
        }
        if contains(spelling, about.person, 4) {
            return Err(Weakness::Own);
        }
        if distinct(&without_common(spelling)) < LEFT {
            return Err(Weakness::Common);
        }
    }
    Ok(())
}

/// Lower case without accents or spaces; other signs stay.
fn letters(password: &str) -> String {
    let folded = |c: char| {
        let text = fold::folded(&c.to_string());
        if text.trim().is_empty() { c.to_string() } else { text.trim().to_owned() }
    };
    password.chars().filter(|c| !c.is_whitespace()).map(folded).collect()
}

/// The letter that a sign stands for in `p4$$w0rd`.
const fn unleet(sign: char) -> char {
    match sign {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Does it hold one of these words? Short ones are in everything.
fn contains(password: &str, words: &[&str], shortest: usize) -> bool {
    let parts = words.iter().flat_map(|text| fold::words(text));
    parts.filter(|part| part.chars().count() >= shortest && !COMMON_PARTS.contains(&part.as_str())).any(|part| password.contains(&part))
}

/// Parts of an address that say nothing of the person.
const COMMON_PARTS: [&str; 8] = ["gouv", "mairie", "gmail", "orange", "example", "contact", "hotmail", "outlook"];

/// What is left when words of the list, runs and repetitions are taken out.
fn without_common(password: &str) -> String {
    let mut rest = password.to_owned();
    // The longest first: `password` before `pass`.
    let mut words: Vec<&str> = WORDS.lines().filter(|word| word.len() >= 3 && rest.contains(word)).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        rest = rest.replace(word, "");
    }
    without_runs(&rest)
}

/// Without what repeats the character before it, or goes one up or down from it: `aaaa`, `12345`, `fedc`.
fn without_runs(text: &str) -> String {
    let mut last = None;
    let mut kept = String::new();
    for character in text.chars() {
        let near = last.is_some_and(|last: char| (i64::from(u32::from(last)) - i64::from(u32::from(character))).abs() <= 1);
        if !near {
            kept.push(character);
        }
        last = Some(character);
    }
    kept
}

fn distinct(text: &str) -> usize {
    let mut all: Vec<char> = text.chars().filter(|c| c.is_alphabetic() || !c.is_ascii_digit() && !c.is_ascii_punctuation()).collect();
    let letters = all.len();
    all.sort_unstable();
    all.dedup();
    // Many digits and signs that are no run are worth something: a number that nobody knows.
    let mut others: Vec<char> = text.chars().filter(|c| c.is_ascii_digit() || c.is_ascii_punctuation()).collect();
    let count = others.len();
    others.sort_unstable();
    others.dedup();
    if letters == 0 && (count < 8 || others.len() < 5) { 0 } else { all.len() + if count >= 5 { others.len() } else { 0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn verdict(password: &str, expected: Result<(), Weakness>) {
        let about =
            About { person: &["Amina", "Benali", "amina.benali@rivebelle.example"], platform: &["Octroi", "Portail des habilitations"] };
        assert_eq!(check(password, about), expected, "{password}");
    }

    #[test]
    fn length_and_guessability_count_and_nothing_else() {
        for good in [
            "a long enough password",
            "trois chevaux dans la neige",
            "ijtrwqpzxcvm",
            "Xk2#pL9@qR4!",
            "le facteur chante à midi",
            "83920174665138",
            "пароль из девяти слов",
        ] {
            verdict(good, Ok(()));
        }
        // Characters are counted, not bytes: twelve and 128 are enough, and not too many.
        let varied = |length: usize| "🦊brume🌲sept🚲lac🌊".chars().cycle().take(length).collect::<String>();
        for (length, expected) in [(11, Err(Weakness::TooShort)), (12, Ok(())), (127, Ok(())), (128, Ok(())), (129, Err(Weakness::TooLong))]
        {
            verdict(&varied(length), expected);
        }
        verdict("onze carac.", Err(Weakness::TooShort));
        verdict(&"aé".repeat(65), Err(Weakness::TooLong));
        for common in [
            "motdepasse2024",
            "Motdepasse2024!",
            "P@ssw0rd1234",
            "Password!Password!",
            "azertyuiopqsdf",
            "AzertyAzerty123!",
            "aaaaaaaaaaaa",
            "123456789012",
            "abcdefghijklmnop",
            "qwertyuiop123456",
            "correct horse battery staple",
            "Iloveyou123456",
            "20002000200020",
            "bonjour bonjour!",
            "000000000000",
            "admin1234567890",
        ] {
            verdict(common, Err(Weakness::Common));
        }
        for own in ["Amina2026 soleil", "jesuisbenali!!x", "B3nal1 et ses amis", "rivebelle pour toujours"] {
            verdict(own, Err(Weakness::Own));
        }
        verdict("octroi pour toujours", Err(Weakness::Platform));
        verdict("0ctr01 pour toujours", Err(Weakness::Platform));
    }

    #[test]
    fn one_spelling() {
        assert_eq!(normal("e\u{301}te\u{301}"), "été");
        // Characters are counted once composed.
        assert_eq!(check(&"e\u{301}".repeat(11), About::default()), Err(Weakness::TooShort));
    }
}
