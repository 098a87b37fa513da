//! `[portal.look]`: whose portal it is.

use std::path::PathBuf;

use octroi_web::{Colour, Site};
use serde::Deserialize;

use crate::config::ConfigError;

/// A logo is on every page: it stays small.
const MAX_LOGO: usize = 100_000;

/// Name, logo and colours, and who answers for the site.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Look {
    /// Stands at the top of every page and in its title.
    pub name: Option<String>,
    /// A file `….svg` or `….png`, at most 100 kB, shown 40 pixels high.
    pub logo: Option<PathBuf>,
    /// `#rrggbb`, readable on white: links and buttons.
    pub accent: Option<String>,
    /// `#rrggbb`, readable on a dark page.
    pub accent_dark: Option<String>,
    /// Who publishes the site (law 2004-575, article 1-1): several lines, for the legal notices.
    pub publisher: String,
    /// Where people write to: an e-mail address.
    pub contact: String,
}

impl Look {
    /// # Errors
    /// The setting that cannot be: a colour that is none or cannot be read, a logo that is not there.
    pub fn site(&self) -> Result<Site, ConfigError> {
        let bad = |name: &'static str, why: String| ConfigError::Bad { name, why };
        let mut site = Site { publisher: self.publisher.clone(), contact: self.contact.clone(), ..Site::default() };
        if let Some(name) = self.name.as_deref().map(str::trim) {
            if name.is_empty() || name.chars().count() > 60 || name.chars().any(char::is_control) {
                return Err(bad("portal.look.name", "expected 1 to 60 characters".to_owned()));
            }
            name.clone_into(&mut site.name);
        }
        let colour = |name: &'static str, text: &Option<String>, otherwise: Colour| match text {
            Some(text) => text.parse::<Colour>().map_err(|why| bad(name, why.to_owned())),
            None => Ok(otherwise),
        };
        site.accent = colour("portal.look.accent", &self.accent, site.accent)?;
        site.accent_dark = colour("portal.look.accent_dark", &self.accent_dark, site.accent_dark)?;
        site.check().map_err(|which| {
            let name = if which == "accent" { "portal.look.accent" } else { "portal.look.accent_dark" };
            bad(name, "too little contrast with the page: 4.5 to 1 is needed (WCAG 2.2, 1.4.3)".to_owned())
        })?;
        if let Some(path) = &self.logo {
            let name = match path.extension().and_then(|ending| ending.to_str()) {
                Some("svg") => "logo.svg",
                Some("png") => "logo.png",
                _ => return Err(bad("portal.look.logo", "expected a file .svg or .png".to_owned())),
            };
            let content = std::fs::read(path).map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
            if content.len() > MAX_LOGO {
                return Err(bad("portal.look.logo", "larger than 100 kB".to_owned()));
            }
            site.logo = Some((name.to_owned(), content.into()));
        }
        Ok(site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_checked() {
        assert_eq!(Look::default().site().unwrap().name, "Octroi");
        let look = |text: &str| toml::from_str::<Look>(text).unwrap().site().map_err(|error| error.to_string());
        assert_eq!(look("name = 'Données'\naccent = '#7a1f4f'").unwrap().accent.to_string(), "#7a1f4f");
        for (bad, named) in [
            ("name = ' '", "portal.look.name"),
            ("accent = 'red'", "portal.look.accent"),
            ("accent = '#ffee00'", "portal.look.accent"),
            ("accent_dark = '#000000'", "portal.look.accent_dark"),
            ("logo = 'a.gif'", "portal.look.logo"),
            ("logo = 'not-there.svg'", "not-there.svg"),
        ] {
            assert!(look(bad).unwrap_err().contains(named), "{bad}");
        }
    }
}
