//! The design system: the only place that knows classes and markup. A page puts typed components
//! together; a body that may use another look gives these templates a skin and touches no page.
//!
//! Every component is shown, in every state, at `/dev/components` (demo only).

mod chart;
mod form;
mod table;

use askama::Template;

pub use self::{
    chart::{Chart, ChartKind, Hue, Series, whole},
    form::{Check, CheckGroup, Control, Field, FieldError, Guard, Hidden, Options, PasskeyForm, PostButton},
    table::{Cell, Column, Facts, Filters, Pages, Table},
};

/// Components write markup that is already escaped.
macro_rules! markup {
    ($($name:ident),+ $(,)?) => { $(impl askama::filters::HtmlSafe for $name {})+ };
}
pub(crate) use markup;

/// What a colour says; each also has a sign and a word, so that no colour stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Neutral,
    Info,
    Good,
    Warning,
    Bad,
}
impl Tone {
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Neutral => "•",
            Self::Info => "i",
            Self::Good => "✓",
            Self::Warning => "!",
            Self::Bad => "✕",
        }
    }
}

/// A link: where to, and its words.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<a href="{{ href }}">{{ text }}</a>"#, ext = "html")]
pub struct Link {
    pub href: String,
    pub text: String,
}
impl Link {
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), text: text.into() }
    }
}

/// A link that looks like a button: the main way on.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<a class="button{% if secondary %} secondary{% endif %}" href="{{ link.href }}">{{ link.text }}</a>"#, ext = "html")]
pub struct ButtonLink {
    pub link: Link,
    pub secondary: bool,
}
impl ButtonLink {
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { link: Link::new(href, text), secondary: false }
    }
    #[must_use]
    pub fn secondary(self) -> Self {
        Self { secondary: true, ..self }
    }
}

/// A moment, for people and for programs. Made by `Words::when`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<time datetime="{{ moment }}">{{ text }}</time>"#, ext = "html")]
pub struct When {
    pub moment: String,
    pub text: String,
}

/// Says what happened, or what to look out for.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/alert.html")]
pub struct Alert {
    pub tone: Tone,
    pub title: String,
    /// May be empty.
    pub text: String,
    /// Ways on.
    pub links: Vec<Link>,
    /// The reader is taken to it: it says why what they sent was not done.
    pub focused: bool,
}
impl Alert {
    pub fn new(tone: Tone, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone, title: title.into(), text: text.into(), links: Vec::new(), focused: false }
    }
    #[must_use]
    pub const fn focused(mut self) -> Self {
        self.focused = true;
        self
    }
    #[must_use]
    pub fn link(mut self, href: impl Into<String>, text: impl Into<String>) -> Self {
        self.links.push(Link::new(href, text));
        self
    }
    /// Is it read out at once?
    const fn urgent(&self) -> bool {
        matches!(self.tone, Tone::Bad)
    }
}

/// The errors of a form, at its top, each linked to its field.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/error_summary.html")]
pub struct ErrorSummary {
    pub title: String,
    /// `href` is `#` and the id of the field.
    pub errors: Vec<Link>,
}

/// A state or a kind, in a word.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="tag {{ tone.class() }}"><span aria-hidden="true">{{ tone.sign() }}</span> {{ text }}</span>"#,
    ext = "html"
)]
pub struct Tag {
    pub tone: Tone,
    pub text: String,
}
impl Tag {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

/// A thing to choose: a title that is a link, some words, tags.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/tile.html")]
pub struct Tile {
    pub link: Link,
    pub text: String,
    pub tags: Vec<Tag>,
    /// Small, below.
    pub note: String,
    /// The level of its title: 2 or 3.
    pub level: u8,
}

/// Tiles beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<ul class="tiles">{% for tile in tiles %}<li>{{ tile }}</li>{% endfor %}</ul>"#, ext = "html")]
pub struct Tiles {
    pub tiles: Vec<Tile>,
}

/// One step of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub name: String,
    /// None: not reachable yet.
    pub href: Option<String>,
    pub done: bool,
    /// Filled in by somebody else than the reader, who has not read it yet.
    pub unread: bool,
}

/// Where one is in a form of several steps.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/stepper.html")]
pub struct Stepper {
    /// For example "Steps of the request".
    pub label: String,
    /// For example "Step 2 of 6".
    pub position: String,
    /// For example "done".
    pub done_word: String,
    /// For example "filled in for you, to be checked".
    pub unread_word: String,
    pub steps: Vec<Step>,
    /// From 0.
    pub current: usize,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    pub when: When,
    pub title: String,
    /// As it was typed, several lines perhaps; may be empty.
    pub text: String,
    pub tone: Tone,
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/timeline.html")]
pub struct Timeline {
    pub happenings: Vec<Happening>,
}

/// Code to copy.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/code.html")]
pub struct Code {
    /// What it is, read out before it.
    pub label: String,
    pub code: String,
    /// The words of the button; it is there with JavaScript alone.
    pub copy: String,
    pub copied: String,
}

/// Pieces of code of which one is open at a time.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/snippets.html")]
pub struct Snippets {
    /// One word in lower case, unique on the page.
    pub id: String,
    pub snippets: Vec<Code>,
}

/// A secret that is shown this once.
#[derive(Clone, PartialEq, Eq, Template)]
#[template(path = "components/secret.html")]
pub struct OneTimeSecret {
    pub label: String,
    pub value: String,
    pub warning: String,
    pub copy: String,
    pub copied: String,
}

/// A picture for a telephone to read. What it holds must stand beside it in letters too.
#[derive(Clone, PartialEq, Eq, Template)]
#[template(path = "components/qr.html")]
pub struct Qr {
    pub label: String,
    size: usize,
    path: String,
}
impl Qr {
    /// None when the text is too long for one.
    pub fn of(label: impl Into<String>, text: &str) -> Option<Self> {
        const QUIET: usize = 4;
        let code = qrcode::QrCode::new(text).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (place, colour) in code.to_colors().into_iter().enumerate() {
            if colour == qrcode::Color::Dark {
                path.push_str(&format!("M{} {}h1v1h-1z", place % width + QUIET, place / width + QUIET));
            }
        }
        Some(Self { label: label.into(), size: width + 2 * QUIET, path })
    }
}

/// More, for who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<details class="more"><summary>{{ summary }}</summary><div>{{ body|safe }}</div></details>"#, ext = "html")]
pub struct Disclosure {
    pub summary: String,
    /// Components, displayed: markup that is already escaped.
    pub body: String,
}

/// A question before something that cannot be undone. Without JavaScript its link leads to the page
/// that asks the same; with it, the form opens over the page.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/dialog.html")]
pub struct Dialog {
    /// One word in lower case, unique on the page.
    pub id: String,
    /// Opens it; leads to the page of the same form.
    pub opener: Link,
    pub title: String,
    pub text: String,
    pub form: PostButton,
    pub close: String,
}

/// What was and what is: removed and added lines.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/difference.html")]
pub struct Difference {
    pub before_word: String,
    pub after_word: String,
    pub parts: Vec<DifferencePart>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferencePart {
    Same(String),
    Removed(String),
    Added(String),
}

/// A number that matters, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub value: String,
    pub name: String,
    pub href: Option<String>,
}

/// Numbers beside each other; also the counts by state of a list.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/figures.html")]
pub struct Figures {
    pub figures: Vec<Figure>,
}

/// Views of one thing, as links: the current one is marked.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/tabs.html")]
pub struct Tabs {
    pub label: String,
    pub tabs: Vec<Link>,
    /// From 0.
    pub current: usize,
}

/// Where the page stands: from the home page down to the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/breadcrumb.html")]
pub struct Breadcrumb {
    pub label: String,
    pub links: Vec<Link>,
    pub here: String,
}

/// How far long work is.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<div class="progress"><label for="{{ id }}">{{ label }}</label><progress id="{{ id }}" max="100" value="{{ percent }}">{{ percent }} %</progress></div>"#,
    ext = "html"
)]
pub struct Progress {
    pub id: String,
    pub label: String,
    pub percent: u8,
}

/// What was typed, with its line ends and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<div class="typed">{{ text }}</div>"#, ext = "html")]
pub struct Typed {
    pub text: String,
}

/// A description of a program, as Markdown has it: what stands between backticks is code (CommonMark, 6.1). Nothing else is read.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = "{% for (code, text) in self.parts() %}{% if code %}<code>{{ text }}</code>{% else %}{{ text }}{% endif %}{% endfor %}",
    ext = "html"
)]
pub struct Prose {
    pub text: String,
}
impl Prose {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// Texts, and whether each is code. A backtick without its second is a backtick.
    fn parts(&self) -> Vec<(bool, &str)> {
        let mut parts = Vec::new();
        let mut rest = self.text.as_str();
        while let Some((before, (code, after))) = rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?))) {
            parts.extend([(false, before), (true, code)]);
            rest = after;
        }
        parts.push((false, rest));
        parts.retain(|(_, text)| !text.is_empty());
        parts
    }

    /// The same where there is text alone.
    #[must_use]
    pub fn plain(&self) -> String {
        self.parts().into_iter().map(|(_, text)| text).collect()
    }
}

/// A document of its own inside the page: nothing in it runs, and its links open elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<iframe class="document" title="{{ title }}" src="{{ src }}" sandbox="allow-popups allow-popups-to-escape-sandbox" loading="lazy"></iframe>"#,
    ext = "html"
)]
pub struct Frame {
    pub title: String,
    /// A path of ours whose answer lets itself be framed.
    pub src: String,
}

markup!(
    Link,
    ButtonLink,
    When,
    Alert,
    ErrorSummary,
    Tag,
    Tile,
    Tiles,
    Stepper,
    Timeline,
    Code,
    Snippets,
    OneTimeSecret,
    Qr,
    Disclosure,
    Dialog,
    Difference,
    Figures,
    Tabs,
    Breadcrumb,
    Progress,
    Prose,
    Typed,
    Frame,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_backticks() {
        for (text, markup, plain) in [
            ("plain", "plain", "plain"),
            ("under `data` ; then `x`", "under <code>data</code> ; then <code>x</code>", "under data ; then x"),
            ("one ` alone", "one ` alone", "one ` alone"),
            ("`<b>` & <i>", "<code>&#60;b&#62;</code> &#38; &#60;i&#62;", "<b> & <i>"),
        ] {
            let prose = Prose::new(text);
            assert_eq!((prose.to_string(), prose.plain()), (markup.to_owned(), plain.to_owned()));
        }
    }
}
