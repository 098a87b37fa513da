//! Whose portal it is: name, logo, colour. Settings, never code.

use bytes::Bytes;

/// What an operator sets of the look.
#[derive(Debug, Clone)]
pub struct Site {
    pub name: String,
    /// The colour of links and buttons on a light page, and on a dark one.
    pub accent: Colour,
    pub accent_dark: Colour,
    /// `logo.svg` or `logo.png`, and what is in it.
    pub logo: Option<(String, Bytes)>,
    /// Who answers for the site, as the legal notices say it; several lines.
    pub publisher: String,
    /// Where people write to.
    pub contact: String,
}
impl Default for Site {
    fn default() -> Self {
        Self {
            name: "Octroi".to_owned(),
            accent: Colour { red: 0x1f, green: 0x4f, blue: 0x8f },
            accent_dark: Colour { red: 0x9c, green: 0xc2, blue: 0xf5 },
            logo: None,
            publisher: String::new(),
            contact: String::new(),
        }
    }
}

/// The pages' own backgrounds, that an accent must stand out from.
const LIGHT: Colour = Colour { red: 0xff, green: 0xff, blue: 0xff };
const DARK: Colour = Colour { red: 0x1b, green: 0x1f, blue: 0x27 };

impl Site {
    /// The custom properties of the style sheet that settings choose.
    pub(super) fn theme(&self) -> String {
        let (light, dark) = (self.accent, self.accent_dark);
        format!(":root{{--accent:{light};--accent-dark:{dark}}}\n")
    }

    /// # Errors
    /// The name of the colour that cannot be read on its background: under 4.5 to 1 (WCAG 2.2, 1.4.3).
    pub fn check(&self) -> Result<(), &'static str> {
        if self.accent.contrast(LIGHT) < 4.5 {
            return Err("accent");
        }
        if self.accent_dark.contrast(DARK) < 4.5 {
            return Err("accent_dark");
        }
        Ok(())
    }
}

/// `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}
impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}
impl std::str::FromStr for Colour {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let part = |from: usize| digits?.get(from..from + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (part(0), part(2), part(4)) {
            (Some(red), Some(green), Some(blue)) => Ok(Self { red, green, blue }),
            _ => Err("expected a colour as #rrggbb"),
        }
    }
}
impl Colour {
    /// Relative luminance (WCAG 2.2, definition).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let value = f64::from(part) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.0722f64.mul_add(linear(self.blue), 0.2126f64.mul_add(linear(self.red), 0.7152 * linear(self.green)))
    }

    /// 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_compared() {
        let colour = |text: &str| text.parse::<Colour>();
        assert_eq!(colour("#1f4f8f").unwrap().to_string(), "#1f4f8f");
        for bad in ["", "1f4f8f", "#fff", "#gggggg", "red", "#é12345"] {
            assert!(colour(bad).is_err(), "{bad}");
        }
        assert!((colour("#000000").unwrap().contrast(LIGHT) - 21.0).abs() < 0.01);
        assert_eq!(Site::default().check(), Ok(()));
        assert_eq!(Site { accent: colour("#ffff00").unwrap(), ..Site::default() }.check(), Err("accent"));
    }
}
