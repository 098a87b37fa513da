//! One-time codes of an application (RFC 6238): SHA-1, six digits, steps of 30 seconds, which is what applications can do.

use aws_lc_rs::{hmac, rand};

use crate::secret::RandomError;

/// Seconds of a step.
pub const STEP: i64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ.
const WINDOW: i64 = 1;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Twenty random bytes (RFC 4226 section 4, R6).
///
/// # Errors
/// When the system's random generator fails.
pub fn seed() -> Result<Vec<u8>, RandomError> {
    let mut seed = vec![0; 20];
    rand::fill(&mut seed).map_err(|_| RandomError)?;
    Ok(seed)
}

/// The code of a step (RFC 4226 section 5.3).
#[must_use]
pub fn code(seed: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0xf);
    let number = bytes.iter().skip(offset).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is, within a step of now and after `last`, the last one that was accepted; none when there is none.
#[must_use]
pub fn step_of(seed: &[u8], given: &str, now_seconds: i64, last: i64) -> Option<i64> {
    let present = now_seconds.div_euclid(STEP);
    // All are made and compared, whichever it is.
    let mut found = None;
    for step in (present - WINDOW)..=(present + WINDOW) {
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(code(seed, step).as_bytes(), given.as_bytes()).is_ok();
        if same && step > last && found.is_none() {
            found = Some(step);
        }
    }
    found
}

/// What a person may type where no picture can be read: base 32 (RFC 4648 section 6) without padding.
#[must_use]
pub fn base32(seed: &[u8]) -> String {
    let (mut bits, mut held, mut text) = (0_u32, 0_u32, String::new());
    for byte in seed {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.extend(BASE32.get(((held >> bits) & 31) as usize).map(|letter| char::from(*letter)));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.extend(BASE32.get(((held << (5 - bits)) & 31) as usize).map(|letter| char::from(*letter)));
    }
    text
}

/// The address that a picture holds (Google's key URI format, which is what applications read).
#[must_use]
pub fn uri(issuer: &str, account: &str, seed: &[u8]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            })
            .collect()
    };
    let issuer = escaped(issuer);
    format!("otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}", escaped(account), base32(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn the_codes_of_the_standard() {
        let seed = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(seed, seconds / STEP), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_near_its_time_and_once() {
        let seed = seed().unwrap();
        assert_eq!(seed.len(), 20);
        let now = 1_790_000_000;
        let present = now / STEP;
        for near in [-1, 0, 1] {
            assert_eq!(step_of(&seed, &code(&seed, present + near), now, 0), Some(present + near));
        }
        for far in [-2, 2, 100] {
            assert_eq!(step_of(&seed, &code(&seed, present + far), now, 0), None);
        }
        assert_eq!(step_of(&seed, &code(&seed, present), now, present), None);
        assert_eq!(step_of(&seed, &code(&seed, present - 1), now, present), None);
        for bad in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(step_of(&seed, bad, now, 0), None);
        }
    }

    #[test]
    fn a_seed_as_people_and_applications_read_it() {
        for (bytes, expected) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), expected);
        }
        assert_eq!(uri("Octroi é", "a+b@x.fr", b"foo"), "otpauth://totp/Octroi%20%C3%A9:a%2Bb@x.fr?secret=MZXW6&issuer=Octroi%20%C3%A9");
    }
}
