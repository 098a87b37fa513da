//! From words to a mail: one file of words gives the subject, the text and the HTML (`mails/README.md`).

use std::fmt;

use askama::{Template, filters::Escaper};
use octroi_domain::{mail::Mail, text::Language};

/// Longest subject, characters.
const SUBJECT: usize = 200;
/// Most lines of what a person wrote that a mail quotes; the page that it links to has them all.
const QUOTED: usize = 200;
const QUOTE: &str = "[quote]";

/// Makes a value of the words one line: what was typed into a title can neither end the subject nor begin a paragraph,
/// nor turn the direction of what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneLine;
impl Escaper for OneLine {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        for character in string.chars() {
            match character {
                '\u{2028}' | '\u{2029}' => dest.write_char(' ')?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
                character if character.is_control() => dest.write_char(' ')?,
                character => dest.write_char(character)?,
            }
        }
        Ok(())
    }
}

enum Block<'a> {
    Paragraph(String),
    Quote { heading: String, lines: Vec<&'a str> },
}

struct Page<'a> {
    french: bool,
    subject: String,
    preheader: String,
    body: Vec<Block<'a>>,
    action: String,
    why: String,
    link: String,
    portal: &'a str,
}

#[derive(Template)]
#[template(path = "layout.txt")]
struct AsText<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct AsHtml<'a> {
    page: &'a Page<'a>,
}

/// What stands around the words.
pub(super) struct Frame<'a> {
    pub to: &'a str,
    pub language: Language,
    /// What a person wrote, as they wrote it.
    pub quote: Option<&'a str>,
    /// Path of the page that the mail leads to, from `/`.
    pub path: String,
    /// Where people reach the portal.
    pub portal: &'a str,
}

/// A mail. Words that do not render would stop the operation that they tell of, so plain ones stand in for them.
pub(super) fn compose(words: &impl Template, frame: &Frame<'_>) -> Mail {
    let words = words.render().unwrap_or_default();
    let page = page(&words, frame).unwrap_or_else(|| Page {
        french: frame.language == Language::Fr,
        subject: "Octroi".to_owned(),
        preheader: String::new(),
        body: Vec::new(),
        action: "Portail, portal".to_owned(),
        why: String::new(),
        link: format!("{}{}", frame.portal, frame.path),
        portal: frame.portal,
    });
    let text = AsText { page: &page }.render().unwrap_or_else(|_| page.link.clone());
    let html = AsHtml { page: &page }.render().unwrap_or_default();
    Mail { to: frame.to.to_owned(), from: None, reply_to: None, subject: page.subject, preheader: page.preheader, text, html }
}

/// Reads the paragraphs in their order: subject, preheader, body, action, why.
fn page<'a>(words: &str, frame: &Frame<'a>) -> Option<Page<'a>> {
    let mut paragraphs = paragraphs(words);
    let why = paragraphs.pop()?;
    let action = paragraphs.pop()?;
    let mut paragraphs = paragraphs.into_iter();
    let subject = paragraphs.next()?.chars().take(SUBJECT).collect();
    let preheader = paragraphs.next()?;
    let quote = frame.quote.map(str::trim).filter(|quote| !quote.is_empty());
    let body = paragraphs.filter_map(|paragraph| match (paragraph.strip_prefix(QUOTE), quote) {
        (None, _) => Some(Block::Paragraph(paragraph)),
        (Some(_), None) => None,
        (Some(heading), Some(quote)) => {
            Some(Block::Quote { heading: heading.trim_start().to_owned(), lines: quote.lines().take(QUOTED).collect() })
        }
    });
    Some(Page {
        french: frame.language == Language::Fr,
        subject,
        preheader,
        body: body.collect(),
        action,
        why,
        link: format!("{}{}", frame.portal, frame.path),
        portal: frame.portal,
    })
}

/// The paragraphs, each as one line.
fn paragraphs(words: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in words.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(source = "Sujet {{ title }}\n\nÀ faire\n\nBonjour {{ title }},\n\n[quote] Motif :\n\nVoir\n\nParce que", ext = "words")]
    struct Words<'a> {
        title: &'a str,
    }

    fn mail(title: &str, quote: Option<&str>) -> Mail {
        let frame = Frame { to: "a@ville.example", language: Language::Fr, quote, path: "/x/1".into(), portal: "https://p.example" };
        compose(&Words { title }, &frame)
    }

    #[test]
    fn what_was_typed_neither_breaks_a_line_nor_the_page() {
        let mail = mail("a\r\nBcc: x\u{2028}\u{202e}<script>\n\nb", Some("1\r\n<b>2</b>\n\n3\n"));
        assert_eq!(mail.subject, "Sujet a  Bcc: x <script>  b");
        assert!(
            mail.text
                .contains("Bonjour a  Bcc: x <script>  b,\n\nMotif :\n\n> 1\n> <b>2</b>\n> \n> 3\n\nVoir\u{a0}: https://p.example/x/1\n")
        );
        assert!(mail.html.contains("&#60;script&#62;") && !mail.html.contains("<script") && !mail.html.contains("<b>"), "{}", mail.html);
    }

    #[test]
    fn nothing_is_quoted_when_nobody_wrote() {
        for nothing in [None, Some(" \n ")] {
            let mail = mail("t", nothing);
            assert!(!mail.text.contains("Motif") && !mail.html.contains("<blockquote"), "{}", mail.text);
        }
    }
}
