//! The questions of a step as controls: what stands in them is what was typed, never less.

use std::collections::BTreeMap;

use octroi_domain::{
    Moment,
    definition::{
        Answers, AskedField, Choice, Definition, FieldKind, Needed, Typed,
        field::{CERTIFICATION_MEMBERS, CONTACT_MEMBERS, DOCUMENT_MEMBERS, MAX_DOCUMENTS},
    },
    scope::Scope,
};

use super::{
    answers,
    kit::{self, Check, CheckGroup, Control, Field},
    words::Words,
};

/// Beyond so many choices a list is shorter than buttons.
const FEW: usize = 7;

/// A part of a step.
pub enum Part {
    One(Field),
    /// Fields of one thing, with the buttons that act on it.
    Group {
        legend: String,
        hint: String,
        fields: Vec<Field>,
        buttons: Vec<Button>,
    },
    Buttons(Vec<Button>),
}

/// A button that does something to the step before it is sent: its name, value and words.
pub struct Button {
    pub name: &'static str,
    pub value: String,
    pub text: String,
}

/// What controls are made from.
pub struct Controls<'a> {
    pub w: Words,
    pub definition: &'a Definition,
    pub typed: &'a Typed,
    pub errors: &'a [kit::FieldError],
    /// What is stored: shown for what the form fixes.
    pub answers: &'a Answers,
    /// When the request was created: scopes that were given up before are not offered.
    pub created_at: Moment,
    /// The fields of answers that each scope opens.
    pub opens: &'a BTreeMap<String, Vec<String>>,
}

impl Controls<'_> {
    /// The parts of a step.
    pub fn parts(&self, fields: &[AskedField]) -> Vec<Part> {
        fields.iter().flat_map(|asked| self.part(asked, fields)).collect()
    }

    fn part(&self, asked: &AskedField, all: &[AskedField]) -> Vec<Part> {
        let w = self.w;
        let id = asked.field.id.as_str();
        let label = w.text(&asked.field.label);
        if asked.locked {
            let value = self.answers.get(id).map(|value| answers::cell(w, self.definition, asked, value));
            let shown = value.map_or_else(|| w.of("answer-none").to_string(), plain);
            return vec![Part::One(Field::new(id, label, Control::Fixed { value: shown }).hint(w.of("form-fixed")))];
        }
        let control = match &asked.field.kind {
            FieldKind::Contact { .. } => return vec![self.contact(asked, label)],
            FieldKind::Certification => return vec![self.certification(asked, label)],
            FieldKind::Documents => return self.documents(asked, label),
            FieldKind::Text | FieldKind::Siret | FieldKind::Integer { .. } => line("text", self.typed.get(id)),
            FieldKind::LongText => Control::Area { value: self.typed.get(id).to_owned(), rows: 5 },
            FieldKind::Email => line("email", self.typed.get(id)),
            FieldKind::Phone => line("tel", self.typed.get(id)),
            FieldKind::Date => line("date", self.typed.get(id)),
            FieldKind::Url => line("url", self.typed.get(id)),
            FieldKind::Agreement => Control::Box { checked: self.typed.get(id) == "true" },
            FieldKind::Boolean => Control::Radios {
                options: [("true", w.of("answer-yes")), ("false", w.of("answer-no"))]
                    .map(|(value, label)| Check {
                        value: value.into(),
                        label: label.into(),
                        checked: self.typed.get(id) == value,
                        ..Check::default()
                    })
                    .into(),
            },
            FieldKind::Choice { options } => self.choice(id, options),
            FieldKind::Choices { options } => {
                let check = |option: &Choice| Check { checked: self.typed.has(id, &option.value), ..self.check(option) };
                Control::Checks { groups: vec![CheckGroup { name: String::new(), checks: options.iter().map(check).collect() }] }
            }
            FieldKind::Level { options } => {
                let option = |level: &u32| (level.to_string(), w.number(*level));
                let none = (String::new(), w.of("form-choose").into());
                Control::Select {
                    options: std::iter::once(none).chain(options.iter().map(option)).collect(),
                    value: self.typed.get(id).to_owned(),
                }
            }
            FieldKind::Scopes { offered } => Control::Checks { groups: self.scopes(id, offered) },
        };
        let field = Field::new(id, label, control).hint(self.hint(asked, all)).error(self.error(id));
        vec![Part::One(match asked.field.needed {
            Needed::Always => field.required(),
            Needed::Never => field.optional(w.of("optional")),
            Needed::Above { .. } => field,
        })]
    }

    /// The help of the catalogue, and when the field is needed where that depends on another.
    fn hint(&self, asked: &AskedField, all: &[AskedField]) -> String {
        let help = asked.field.help.as_ref().map(|help| self.w.text(help));
        let condition = match &asked.field.needed {
            Needed::Above { field, limit } => {
                let other = all
                    .iter()
                    .find(|other| other.field.id == *field)
                    .map_or_else(|| field.clone(), |other| self.w.text(&other.field.label));
                Some(self.w.of("form-needed-above").with("field", other).with("limit", *limit).to_string())
            }
            _ => None,
        };
        [help, condition].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What is wrong with a control, or with something inside it.
    fn error(&self, name: &str) -> String {
        let inside = |found: &str| found == name || found.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let said: Vec<&str> = self.errors.iter().filter(|error| inside(&error.name)).map(|error| error.message.as_str()).collect();
        said.join(" ; ")
    }

    fn check(&self, option: &Choice) -> Check {
        Check { value: option.value.clone(), label: self.w.text(&option.name), ..Check::default() }
    }

    fn choice(&self, id: &str, options: &[Choice]) -> Control {
        let value = self.typed.get(id);
        if options.len() < FEW {
            let check = |option: &Choice| Check { checked: option.value == value, ..self.check(option) };
            return Control::Radios { options: options.iter().map(check).collect() };
        }
        let none = (String::new(), self.w.of("form-choose").into());
        let option = |option: &Choice| (option.value.clone(), self.w.text(&option.name));
        Control::Select { options: std::iter::once(none).chain(options.iter().map(option)).collect(), value: value.to_owned() }
    }

    /// The offered scopes in the groups of the definition, with what each opens.
    fn scopes(&self, id: &str, offered: &[Scope]) -> Vec<CheckGroup> {
        let mut groups: Vec<CheckGroup> = Vec::new();
        for scope in self.definition.scopes.iter().filter(|scope| offered.contains(&scope.value)) {
            let value = scope.value.as_str();
            let chosen = scope.included || self.typed.has(id, value);
            let given_up = scope.deprecated_since.is_some_and(|date| date <= self.created_at);
            if given_up && !chosen {
                continue;
            }
            let check = Check {
                value: value.to_owned(),
                label: self.w.text(&scope.name),
                hint: self.scope_hint(scope, given_up),
                checked: chosen,
                locked: scope.included,
            };
            let name = self.w.text(&scope.group);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.checks.push(check),
                None => groups.push(CheckGroup { name, checks: vec![check] }),
            }
        }
        groups
    }

    fn scope_hint(&self, scope: &octroi_domain::scope::OfferedScope, given_up: bool) -> String {
        let w = self.w;
        let fields = self.opens.get(scope.value.as_str()).filter(|fields| !fields.is_empty());
        let opens = fields.map(|fields| {
            let shown: Vec<&str> = fields.iter().take(FEW).map(String::as_str).collect();
            let more = if fields.len() > FEW { " …" } else { "" };
            w.of("scope-opens").with("fields", format!("{}{more}", shown.join(", "))).to_string()
        });
        let said = [
            scope.description.as_ref().map(|text| w.text(text)),
            opens,
            scope.included.then(|| w.of("scope-included").into()),
            given_up.then(|| w.of("scope-given-up").into()),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn member(&self, name: String, label: String, kind: &'static str) -> Field {
        let error = self.error(&name);
        Field::new(name.as_str(), label, line(kind, self.typed.get(&name))).required().error(error)
    }

    fn contact(&self, asked: &AskedField, legend: String) -> Part {
        let id = asked.field.id.as_str();
        let kind = |member: &str| match member {
            "email" => "email",
            "phone" => "tel",
            _ => "text",
        };
        let field = |member: &&str| self.member(format!("{id}.{member}"), self.w.one_of("contact", member).into(), kind(member));
        let mine = Button { name: "me", value: id.to_owned(), text: self.w.of("contact-is-me").into() };
        Part::Group {
            legend,
            hint: asked.field.help.as_ref().map(|help| self.w.text(help)).unwrap_or_default(),
            fields: CONTACT_MEMBERS.iter().map(field).collect(),
            buttons: vec![mine],
        }
    }

    fn certification(&self, asked: &AskedField, legend: String) -> Part {
        let id = asked.field.id.as_str();
        let field = |member: &&str| {
            let kind = if *member == "authority" { "text" } else { "date" };
            self.member(format!("{id}.{member}"), self.w.one_of("certification", member).into(), kind)
        };
        Part::Group { legend, hint: String::new(), fields: CERTIFICATION_MEMBERS.iter().map(field).collect(), buttons: Vec::new() }
    }

    fn documents(&self, asked: &AskedField, label: String) -> Vec<Part> {
        let (w, id) = (self.w, asked.field.id.as_str());
        let rows = self.typed.rows(id).max(1);
        let row = |place: usize| {
            let field = |member: &&str| {
                let kind = if *member == "url" { "url" } else { "text" };
                let field = self.member(format!("{id}.{place}.{member}"), w.one_of("document", member).into(), kind);
                Field { required: false, ..field }
            };
            let remove =
                Button { name: "remove", value: format!("{id}.{place}"), text: w.of("document-remove").with("number", place + 1).into() };
            Part::Group {
                legend: w.of("document-number").with("label", label.clone()).with("number", place + 1).into(),
                hint: String::new(),
                fields: DOCUMENT_MEMBERS.iter().map(field).collect(),
                buttons: if rows > 1 { vec![remove] } else { Vec::new() },
            }
        };
        let mut parts: Vec<Part> = (0..rows).map(row).collect();
        if rows < MAX_DOCUMENTS {
            parts.push(Part::Buttons(vec![Button { name: "add", value: id.to_owned(), text: w.of("document-add").into() }]));
        }
        parts
    }
}

fn line(kind: &'static str, value: &str) -> Control {
    Control::Line { kind, value: value.to_owned(), autocomplete: "off" }
}

/// A cell as text, for what cannot be changed.
fn plain(cell: kit::Cell) -> String {
    match cell {
        kit::Cell::Text(text) | kit::Cell::Typed(text) | kit::Cell::Code(text) => text,
        kit::Cell::Link(link) => link.text,
        kit::Cell::Items(items) => items.join("\n"),
        kit::Cell::Links(links) => links.into_iter().map(|link| format!("{} {}", link.text, link.href)).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}
