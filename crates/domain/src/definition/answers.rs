//! Answers: what an applicant wrote, and when it is enough.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Definition, FieldKind, Form,
    field::{REQUIRED, escape},
};
use crate::{
    Moment,
    scope::{self, Scope, ScopeSet},
    stage::Stage,
    text::Text,
};

/// What was written so far: field → value. Each value has the right type; nothing says that it is complete.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<String, Value>);

impl Answers {
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    #[must_use]
    pub const fn values(&self) -> &BTreeMap<String, Value> {
        &self.0
    }

    /// The text answered to a field.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// Answers read back from storage, where they were checked on their way in.
    #[must_use]
    pub const fn trusted(values: BTreeMap<String, Value>) -> Self {
        Self(values)
    }
}

/// Answers that satisfy the definition: made by [`Definition::complete`] alone.
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteAnswers {
    answers: Answers,
    scopes: ScopeSet,
    modality: Option<String>,
}
impl CompleteAnswers {
    #[must_use]
    pub const fn answers(&self) -> &Answers {
        &self.answers
    }
    #[must_use]
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }
    #[must_use]
    pub fn modality(&self) -> Option<&str> {
        self.modality.as_deref()
    }
}

/// One thing to mend in the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the answers, for example `/contact_dpo/email`.
    pub pointer: String,
    /// `unknown_field`, `locked_field`, `invalid`, `required` or `scope_rule`.
    pub code: String,
    pub message: Text,
}
impl FieldError {
    pub(super) fn new(pointer: String, code: &str, message: Text) -> Self {
        Self { pointer, code: code.to_owned(), message }
    }
}

impl Definition {
    /// The answers that a new request begins with: the form's prefilled ones.
    #[must_use]
    pub fn prefilled(&self, form: &Form, stage: Option<Stage>) -> Answers {
        Answers(self.asked(form, stage).into_iter().filter_map(|asked| asked.prefill.map(|value| (asked.field.id, value))).collect())
    }

    /// Takes new values into the answers; `null` takes a value out. A contact, a certification or a
    /// document may lack members for now: [`Definition::complete`] asks for them.
    ///
    /// # Errors
    /// Every unknown, locked or ill-typed field; then nothing is taken.
    pub fn accept(
        &self,
        form: &Form,
        stage: Option<Stage>,
        current: &Answers,
        changes: &BTreeMap<String, Value>,
    ) -> Result<Answers, Vec<FieldError>> {
        let asked = self.asked(form, stage);
        let mut errors = Vec::new();
        let mut answers = current.clone();
        for (name, value) in changes {
            let pointer = format!("/{}", escape(name));
            let Some(field) = asked.iter().find(|asked| asked.field.id == *name) else {
                errors.push(FieldError::new(
                    pointer,
                    "unknown_field",
                    Text::new("Ce formulaire n’a pas ce champ.", "This form has no such field."),
                ));
                continue;
            };
            let unchanged = current.get(name) == Some(value);
            if (field.locked || field.hidden) && !unchanged {
                errors.push(FieldError::new(
                    pointer,
                    "locked_field",
                    Text::new("Ce champ est fixé par le formulaire.", "The form fixes this field."),
                ));
                continue;
            }
            if value.is_null() {
                answers.0.remove(name);
                continue;
            }
            let faults = field.field.kind.check(value).err().unwrap_or_default();
            let before = errors.len();
            let wrong = faults.into_iter().filter(|(_, code, _)| *code != REQUIRED);
            errors.extend(wrong.map(|(inner, code, text)| FieldError::new(format!("{pointer}{inner}"), code, text)));
            if errors.len() == before {
                answers.0.insert(name.clone(), value.clone());
            }
        }
        if errors.is_empty() { Ok(answers) } else { Err(errors) }
    }

    /// Judges whether the answers are complete. `created` is when the request was created.
    ///
    /// # Errors
    /// Everything that is missing or breaks a rule.
    pub fn complete(
        &self,
        form: &Form,
        stage: Option<Stage>,
        answers: &Answers,
        created: Moment,
    ) -> Result<CompleteAnswers, Vec<FieldError>> {
        let asked = self.asked(form, stage);
        let mut errors = Vec::new();
        let mut chosen = ScopeSet::empty();
        for asked in &asked {
            let field = &asked.field;
            let pointer = format!("/{}", field.id);
            let Some(value) = answers.get(&field.id) else {
                if field.needed.holds(|other| answers.get(other)) && !asked.hidden {
                    errors.push(FieldError::new(pointer, "required", field.kind.missing()));
                }
                continue;
            };
            if let Err(faults) = field.kind.check(value) {
                errors.extend(faults.into_iter().map(|(inner, code, text)| FieldError::new(format!("{pointer}{inner}"), code, text)));
                continue;
            }
            if matches!(field.kind, FieldKind::Scopes { .. }) {
                chosen =
                    value.as_array().into_iter().flatten().filter_map(Value::as_str).filter_map(|text| Scope::new(text).ok()).collect();
                let faults = scope::judge(&self.scopes, &self.scope_rules, &chosen, created);
                errors.extend(faults.into_iter().map(|fault| FieldError::new(pointer.clone(), "scope_rule", fault.text())));
                if chosen.is_empty() {
                    errors.push(FieldError::new(pointer, "required", field.kind.missing()));
                }
            }
        }
        for name in answers.0.keys().filter(|name| !asked.iter().any(|asked| asked.field.id == **name)) {
            errors.push(FieldError::new(
                format!("/{}", escape(name)),
                "unknown_field",
                Text::new("Ce formulaire n’a pas ce champ.", "This form has no such field."),
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let modality = answers.text("modality").map(str::to_owned);
        Ok(CompleteAnswers { answers: answers.clone(), scopes: chosen, modality })
    }
}
