//! A form step by step, and what a person types into a step: names and texts, as a browser sends them.
//!
//! A control is named after its field: `title`; a member `contact_dpo.email`; a row `documents.0.url`;
//! boxes of one field share its name. Field ids hold no dot, so names never meet.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Answers, AskedField, Block, Definition, FieldError, FieldKind, Form,
    field::{CERTIFICATION_MEMBERS, CONTACT_MEMBERS, DOCUMENT_MEMBERS, MAX_DOCUMENTS, REQUIRED},
};
use crate::{Moment, stage::Stage, text::Text};

/// One block of a form that asks something.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The block's name.
    pub block: String,
    pub title: Text,
    /// What the block is for, in a sentence.
    pub hint: Option<Text>,
    /// Without those that the form hides.
    pub fields: Vec<AskedField>,
}
impl Step {
    /// Does the form fix every answer, so that there is nothing to fill in?
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.fields.iter().all(|asked| asked.locked)
    }

    /// Is there a prefilled answer, and no other than the form's?
    #[must_use]
    pub fn is_as_prefilled(&self, answers: &Answers) -> bool {
        let same = |asked: &AskedField| answers.get(&asked.field.id) == asked.prefill.as_ref();
        self.fields.iter().any(|asked| asked.prefill.is_some()) && self.fields.iter().all(same)
    }

    /// Is it a fault that one is told of before the next step: which data are asked for? What else is
    /// missing can be left for later; here an empty list looks like a good answer.
    #[must_use]
    pub fn holds_back(&self, error: &FieldError) -> bool {
        let field = error.pointer.split('/').nth(1).unwrap_or_default();
        self.fields.iter().any(|asked| asked.field.id == field && matches!(asked.field.kind, FieldKind::Scopes { .. }))
    }

    /// Is this one of the step's faults?
    #[must_use]
    pub fn owns(&self, error: &FieldError) -> bool {
        let field = error.pointer.split('/').nth(1).unwrap_or_default();
        self.fields.iter().any(|asked| asked.field.id == field)
    }
}

/// The control that a pointer into the answers is about: `/contact_dpo/email` → `contact_dpo.email`.
#[must_use]
pub fn control(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// What was typed: names and texts in order; boxes repeat their name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed(Vec<(String, String)>);

impl Typed {
    #[must_use]
    pub const fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Answers as somebody would have typed them.
    #[must_use]
    pub fn of(answers: &Answers, fields: &[AskedField]) -> Self {
        let mut pairs = Vec::new();
        for asked in fields {
            if let Some(value) = answers.get(&asked.field.id) {
                spell(&asked.field.id, value, &mut pairs);
            }
        }
        Self(pairs)
    }

    /// The text of a control; empty when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    pub fn all<'t, 'n>(&'t self, name: &'n str) -> impl Iterator<Item = &'t str> + use<'t, 'n> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, text)| text.as_str())
    }

    /// Is the box with this value ticked?
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|text| text == value)
    }

    /// Writes into a control, over what is there.
    pub fn set(&mut self, name: &str, text: impl Into<String>) {
        self.0.retain(|(found, _)| found != name);
        self.0.push((name.to_owned(), text.into()));
    }

    /// How many rows of documents were shown, the empty ones included; at most [`MAX_DOCUMENTS`].
    #[must_use]
    pub fn rows(&self, field: &str) -> usize {
        let row = |name: &str| name.strip_prefix(field)?.strip_prefix('.')?.split('.').next()?.parse::<usize>().ok();
        self.0.iter().filter_map(|(name, _)| row(name)).filter(|row| *row < MAX_DOCUMENTS).max().map_or(0, |row| row + 1)
    }

    /// One more empty row, if there is room.
    pub fn add_row(&mut self, field: &str) {
        let rows = self.rows(field);
        if rows < MAX_DOCUMENTS {
            self.set(&row_name(field, rows, "title"), "");
        }
    }

    /// Takes a row out; those after it move up.
    pub fn remove_row(&mut self, field: &str, row: usize) {
        let rows = self.rows(field);
        for place in row..rows {
            for member in DOCUMENT_MEMBERS {
                let next = self.get(&row_name(field, place + 1, member)).to_owned();
                let name = row_name(field, place, member);
                if place + 1 < rows {
                    self.set(&name, next);
                } else {
                    self.0.retain(|(found, _)| *found != name);
                }
            }
        }
    }
}

fn row_name(field: &str, row: usize, member: &str) -> String {
    format!("{field}.{row}.{member}")
}

fn spell(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => pairs.push((name.to_owned(), value.to_string())),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                // Rows are numbered; boxes share one name.
                if item.is_object() { spell(&format!("{name}.{place}"), item, pairs) } else { spell(name, item, pairs) }
            }
        }
        Value::Object(members) => members.iter().for_each(|(member, item)| spell(&format!("{name}.{member}"), item, pairs)),
    }
}

/// What was read from a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filled {
    /// Good answers, for [`Definition::accept`]; null where a control was left empty.
    pub answers: BTreeMap<String, Value>,
    /// What cannot be an answer: it is shown again as it was typed.
    pub errors: Vec<FieldError>,
}

impl Definition {
    /// The form's blocks that ask something, in order. A block that the form hides is left out.
    #[must_use]
    pub fn steps(&self, form: &Form, stage: Option<Stage>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for asked in self.asked(form, stage).into_iter().filter(|asked| !asked.hidden) {
            match steps.last_mut().filter(|step| step.block == asked.block) {
                Some(step) => step.fields.push(asked),
                None => {
                    let (title, hint) = self.words_of_block(&asked.block);
                    steps.push(Step { block: asked.block.clone(), title, hint, fields: vec![asked] });
                }
            }
        }
        steps
    }

    /// Everything that keeps the answers from being submitted; nothing: they are complete.
    #[must_use]
    pub fn missing(&self, form: &Form, stage: Option<Stage>, answers: &Answers, created: Moment) -> Vec<FieldError> {
        self.complete(form, stage, answers, created).err().unwrap_or_default()
    }

    /// Reads what was typed into these fields; those that the form fixes are not read.
    #[must_use]
    pub fn read(&self, fields: &[AskedField], typed: &Typed) -> Filled {
        let mut filled = Filled::default();
        for asked in fields.iter().filter(|asked| !asked.locked && !asked.hidden) {
            let field = &asked.field;
            let (value, rows) = self.value(&field.kind, &field.id, typed);
            let faults = if value.is_null() { Vec::new() } else { field.kind.check(&value).err().unwrap_or_default() };
            let before = filled.errors.len();
            for (inner, code, text) in faults.into_iter().filter(|(_, code, _)| *code != REQUIRED) {
                let inner = if rows.is_empty() { inner } else { as_typed(&inner, &rows) };
                filled.errors.push(FieldError::new(format!("/{}{inner}", field.id), code, text));
            }
            if filled.errors.len() == before {
                filled.answers.insert(field.id.clone(), value);
            }
        }
        filled
    }

    /// The value of a field, and for documents the typed row of each item. A text that is no number stays
    /// a text, so that the check of the kind says what it expects.
    fn value<'t>(&'t self, kind: &'t FieldKind, name: &str, typed: &'t Typed) -> (Value, Vec<usize>) {
        let text = typed.get(name);
        let line = text.trim();
        let value = match kind {
            FieldKind::Text | FieldKind::Email | FieldKind::Phone | FieldKind::Date | FieldKind::Url | FieldKind::Choice { .. } => {
                words(line)
            }
            // A browser sends CR LF (WHATWG HTML, form submission); answers hold LF.
            FieldKind::LongText if line.is_empty() => Value::Null,
            FieldKind::LongText => words(&text.replace("\r\n", "\n")),
            FieldKind::Siret => words(&without_spaces(text)),
            FieldKind::Integer { .. } | FieldKind::Level { .. } => {
                let digits = without_spaces(text);
                digits.parse::<i64>().map_or_else(|_| words(line), Value::from)
            }
            FieldKind::Boolean => line.parse::<bool>().map_or_else(|_| words(line), Value::Bool),
            FieldKind::Agreement if line == "true" => Value::Bool(true),
            FieldKind::Agreement => Value::Null,
            FieldKind::Choices { options } => list(chosen(typed, name, options.iter().map(|option| option.value.as_str()))),
            FieldKind::Scopes { offered } => {
                let mut chosen = chosen(typed, name, offered.iter().map(crate::scope::Scope::as_str));
                // What is always included has no box to tick.
                let included = offered.iter().filter(|scope| self.is_included(scope)).map(|scope| scope.as_str());
                let more: Vec<&str> = included.filter(|scope| !chosen.contains(scope)).collect();
                chosen.extend(more);
                list(chosen)
            }
            FieldKind::Contact { .. } => members(typed, name, &CONTACT_MEMBERS),
            FieldKind::Certification => members(typed, name, &CERTIFICATION_MEMBERS),
            FieldKind::Documents => {
                let rows = (0..typed.rows(name)).map(|row| (row, members(typed, &format!("{name}.{row}"), &DOCUMENT_MEMBERS)));
                let (rows, items): (Vec<usize>, Vec<Value>) = rows.filter(|(_, item)| !item.is_null()).unzip();
                return (if items.is_empty() { Value::Null } else { Value::Array(items) }, rows);
            }
        };
        (value, Vec::new())
    }

    /// The title of a block, and what it is for.
    #[must_use]
    pub fn words_of_block(&self, name: &str) -> (Text, Option<Text>) {
        let block = self.blocks.iter().find(|block| block.name() == name);
        block.map_or_else(|| (Text::new(name, name), None), words_of)
    }
}

/// `/1/url` of the items, as the row that was typed.
fn as_typed(inner: &str, rows: &[usize]) -> String {
    let mut parts = inner.splitn(3, '/').skip(1);
    let row = parts.next().and_then(|item| item.parse::<usize>().ok()).and_then(|item| rows.get(item));
    match (row, parts.next()) {
        (Some(row), Some(member)) => format!("/{row}/{member}"),
        (Some(row), None) => format!("/{row}/title"),
        (None, _) => String::new(),
    }
}

fn words(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The ticked boxes, each once, in the order in which they are offered; what is not offered last, to be refused.
fn chosen<'t>(typed: &'t Typed, name: &str, offered: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let ticked: BTreeSet<&str> = typed.all(name).filter(|text| !text.is_empty()).collect();
    let mut values: Vec<&str> = offered.filter(|value| ticked.contains(value)).collect();
    let others: Vec<&str> = ticked.into_iter().filter(|value| !values.contains(value)).collect();
    values.extend(others);
    values
}

fn list(values: Vec<&str>) -> Value {
    if values.is_empty() { Value::Null } else { values.into_iter().map(Value::from).collect() }
}

fn members(typed: &Typed, name: &str, names: &[&str]) -> Value {
    let of = |member: &&str| {
        let text = typed.get(&format!("{name}.{member}")).trim();
        (!text.is_empty()).then(|| ((*member).to_owned(), Value::from(text)))
    };
    let object: Map<String, Value> = names.iter().filter_map(of).collect();
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

fn words_of(block: &Block) -> (Text, Option<Text>) {
    let (title, hint) = match block {
        Block::BasicInformation {} => (
            ("Votre projet", "Your project"),
            (
                "Ce que vous voulez faire, en quelques phrases qu’un lecteur extérieur comprend.",
                "What you want to do, in a few sentences that an outsider understands.",
            ),
        ),
        Block::LegalBasis {} => (
            ("Cadre juridique", "Legal basis"),
            (
                "Le texte ou la délibération qui vous autorise à traiter ces données.",
                "The text or deliberation that lets you process these data.",
            ),
        ),
        Block::PersonalData {} => (
            ("Données personnelles", "Personal data"),
            (
                "À quoi servent les données, qui les voit, et combien de temps vous les gardez.",
                "What the data are for, who sees them, and how long you keep them.",
            ),
        ),
        Block::Scopes {} => (
            ("Données demandées", "Data asked for"),
            (
                "Ne demandez que ce dont votre projet a besoin : c’est ce que le fournisseur vérifie.",
                "Ask only for what your project needs: this is what the provider checks.",
            ),
        ),
        Block::Modalities {} => (
            ("Modalité d’appel", "Way of calling"),
            (
                "Comment votre logiciel désignera la personne dont il demande les données.",
                "How your software will say whose data it asks for.",
            ),
        ),
        Block::Contacts { .. } => (
            ("Personnes à contacter", "Contacts"),
            ("À qui le fournisseur s’adresse, et pour quoi.", "Whom the provider turns to, and for what."),
        ),
        Block::Volumes { .. } => (
            ("Volumétrie", "Volumes"),
            (
                "Le nombre d’appels par minute dont vous avez besoin aux heures chargées.",
                "How many calls per minute you need at busy hours.",
            ),
        ),
        Block::OperationalAcceptance { .. } => (
            ("Recette fonctionnelle", "Operational acceptance"),
            ("Votre logiciel a été essayé de bout en bout dans le bac à sable.", "Your software was tried from end to end in the sandbox."),
        ),
        Block::SecurityCertification { .. } => (
            ("Homologation de sécurité", "Security certification"),
            ("Qui a homologué votre système, et jusqu’à quand.", "Who certified your system, and until when."),
        ),
        Block::Documents { .. } => (
            ("Pièces justificatives", "Supporting documents"),
            ("Des liens vers les documents qui appuient votre demande.", "Links to the documents that support your request."),
        ),
        Block::Custom { title, .. } => return (title.clone(), None),
    };
    (Text::new(title.0, title.1), Some(Text::new(hint.0, hint.1)))
}

#[cfg(test)]
mod tests;
