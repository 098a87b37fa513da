//! Forms: fields with their label, help and error, and what guards every form.

use askama::Template;

use super::markup;

/// What every form that changes something carries: the session's token against forged requests, and
/// a word that makes a double click act once. Comes from `Shell::guard`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(
    source = r#"{% if csrf.is_empty() %}{% else %}<input type="hidden" name="_csrf" value="{{ csrf }}">{% endif %}<input type="hidden" name="_once" value="{{ once }}">"#,
    ext = "html"
)]
pub struct Guard {
    pub csrf: String,
    pub once: String,
}

/// A value that travels with a form.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<input type="hidden" name="{{ name }}" value="{{ value }}">"#, ext = "html")]
pub struct Hidden {
    pub name: String,
    pub value: String,
}

/// A form that is one button.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/post_button.html")]
pub struct PostButton {
    pub action: String,
    pub label: String,
    /// Read out after the label where several buttons on a page have the same one: what it acts on.
    pub about: String,
    pub danger: bool,
    pub secondary: bool,
    pub hidden: Vec<Hidden>,
    pub guard: Guard,
}
impl PostButton {
    pub fn new(action: impl Into<String>, label: impl Into<String>, guard: Guard) -> Self {
        Self { action: action.into(), label: label.into(), about: String::new(), danger: false, secondary: true, hidden: Vec::new(), guard }
    }
    #[must_use]
    pub fn primary(self) -> Self {
        Self { secondary: false, ..self }
    }
    #[must_use]
    pub fn danger(self) -> Self {
        Self { danger: true, ..self }
    }
    #[must_use]
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }
    #[must_use]
    pub fn hidden(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.hidden.push(Hidden { name: name.into(), value: value.into() });
        self
    }
}

/// One choice of several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    pub value: String,
    pub label: String,
    /// May be empty.
    pub hint: String,
    pub checked: bool,
    /// Shown, and not to be changed.
    pub locked: bool,
}

/// Choices that belong together; an empty name: they stand by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckGroup {
    pub name: String,
    pub checks: Vec<Check>,
}

/// The options of a list: value and words.
pub type Options = Vec<(String, String)>;

/// How a field is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// One line. `kind` is the `type` of the input: `text`, `email`, `tel`, `url`, `date`, `number`, `search`, `password`.
    Line { kind: &'static str, value: String, autocomplete: &'static str },
    /// Several lines.
    Area { value: String, rows: u8 },
    /// One of a list.
    Select { options: Options, value: String },
    /// One of a few.
    Radios { options: Vec<Check> },
    /// Any of several, in groups.
    Checks { groups: Vec<CheckGroup> },
    /// One box.
    Box { checked: bool },
    /// A file.
    File { accept: String },
    /// Shown, and not to be changed here.
    Fixed { value: String },
    /// Sent along, and seen by nobody.
    Kept { value: String },
}

/// A question of a form. Its `id` in the page is `f-` and its name.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/field.html")]
pub struct Field {
    /// The name in what is sent.
    pub name: String,
    pub label: String,
    /// May be empty.
    pub hint: String,
    /// What is wrong with it; may be empty.
    pub error: String,
    pub required: bool,
    /// The words after the label of one that is not required, for example "(optional)"; may be empty.
    pub optional: String,
    pub control: Control,
}
impl Field {
    pub fn new(name: impl Into<String>, label: impl Into<String>, control: Control) -> Self {
        let (name, label) = (name.into(), label.into());
        Self { name, label, hint: String::new(), error: String::new(), required: false, optional: String::new(), control }
    }
    pub fn line(name: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(name, label, Control::Line { kind: "text", value: value.into(), autocomplete: "off" })
    }
    pub fn area(name: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(name, label, Control::Area { value: value.into(), rows: 5 })
    }
    pub fn select(name: impl Into<String>, label: impl Into<String>, options: Options, value: impl Into<String>) -> Self {
        Self::new(name, label, Control::Select { options, value: value.into() })
    }
    #[must_use]
    pub fn kind(self, kind: &'static str, autocomplete: &'static str) -> Self {
        match self.control {
            Control::Line { value, .. } => Self { control: Control::Line { kind, value, autocomplete }, ..self },
            control => Self { control, ..self },
        }
    }
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
    #[must_use]
    pub fn error(self, error: impl Into<String>) -> Self {
        Self { error: error.into(), ..self }
    }
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }
    #[must_use]
    pub fn optional(self, words: impl Into<String>) -> Self {
        Self { required: false, optional: words.into(), ..self }
    }

    /// Where an error summary leads.
    #[must_use]
    pub fn id(&self) -> String {
        id(&self.name)
    }
    fn described_by(&self) -> String {
        let id = self.id();
        [(!self.hint.is_empty()).then(|| format!("{id}-hint")), (!self.error.is_empty()).then(|| format!("{id}-error"))]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The id of a field in its page.
fn id(name: &str) -> String {
    format!("f-{}", name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-"))
}

/// An error of one field, by the field's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub name: String,
    pub message: String,
}
impl FieldError {
    /// Where an error summary leads.
    #[must_use]
    pub fn href(&self) -> String {
        format!("#{}", id(&self.name))
    }
}

/// A form that a passkey fills in. It is there with JavaScript alone, where the browser knows passkeys; the other ways of the page remain.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/passkey.html")]
pub struct PasskeyForm {
    pub action: String,
    /// Where the challenge comes from.
    pub options: String,
    /// Is one made, or shown?
    pub make: bool,
    pub label: String,
    /// What is said when the browser gives none.
    pub failed: String,
    pub guard: Guard,
    pub hidden: Vec<Hidden>,
    pub fields: Vec<Field>,
}

markup!(Guard, Hidden, PostButton, Field, PasskeyForm);
