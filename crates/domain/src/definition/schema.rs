//! The JSON Schema (2020-12) of a form's answers, so that a program can fill it.

use serde_json::{Map, Value, json};

use super::{
    AskedField, Definition, FieldKind, Form, Needed,
    field::{CERTIFICATION_MEMBERS, CONTACT_MEMBERS, DOCUMENT_MEMBERS, MAX_DOCUMENTS, MAX_LONG_TEXT, MAX_TEXT},
};
use crate::{
    scope::{ScopeRule, ScopeSet},
    stage::Stage,
};

impl Definition {
    /// The schema of complete answers to `form` for `stage`.
    #[must_use]
    pub fn schema(&self, form: &Form, stage: Option<Stage>) -> Value {
        let asked = self.asked(form, stage);
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut conditions = Vec::new();
        for asked in &asked {
            if asked.hidden && asked.prefill.is_none() {
                continue;
            }
            properties.insert(asked.field.id.clone(), self.property(asked));
            match &asked.field.needed {
                _ if asked.hidden => {}
                Needed::Always => required.push(asked.field.id.clone()),
                Needed::Never => {}
                Needed::Above { field, limit } => conditions.push(json!({
                    "if": { "properties": { field: { "exclusiveMinimum": limit } }, "required": [field] },
                    "then": { "required": [asked.field.id] },
                })),
            }
        }
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
            "required": required,
        });
        if let Some(object) = schema.as_object_mut()
            && !conditions.is_empty()
        {
            object.insert("allOf".to_owned(), Value::Array(conditions));
        }
        schema
    }

    fn property(&self, asked: &AskedField) -> Value {
        let mut schema = match &asked.field.kind {
            FieldKind::Scopes { offered } => {
                let rules: Vec<Value> = self.scope_rules.iter().flat_map(rule).collect();
                let included =
                    self.scopes.iter().filter(|scope| scope.included).map(|scope| json!({ "contains": { "const": scope.value } }));
                let all: Vec<Value> = included.chain(rules).collect();
                let mut schema = json!({ "type": "array", "items": { "enum": offered }, "uniqueItems": true, "minItems": 1 });
                if let Some(object) = schema.as_object_mut()
                    && !all.is_empty()
                {
                    object.insert("allOf".to_owned(), Value::Array(all));
                }
                schema
            }
            kind => plain(kind),
        };
        if let Some(object) = schema.as_object_mut() {
            object.insert("title".to_owned(), json!(asked.field.label.fr));
            if asked.locked || asked.hidden {
                object.insert("readOnly".to_owned(), json!(true));
                if let Some(value) = &asked.prefill {
                    object.insert("const".to_owned(), value.clone());
                }
            } else if let Some(value) = &asked.prefill {
                object.insert("default".to_owned(), value.clone());
            }
        }
        schema
    }
}

fn plain(kind: &FieldKind) -> Value {
    let text = || json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": "\\S" });
    let object = |names: &[&str], of: &dyn Fn(&str) -> Value| {
        let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), of(name))).collect();
        json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": names })
    };
    match kind {
        FieldKind::Text => text(),
        FieldKind::LongText => json!({ "type": "string", "minLength": 1, "maxLength": MAX_LONG_TEXT, "pattern": "\\S" }),
        FieldKind::Email => {
            json!({ "type": "string", "format": "email", "maxLength": 254, "pattern": "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$" })
        }
        FieldKind::Phone => json!({ "type": "string", "pattern": "^\\+?([ .()-]*[0-9]){6,15}[ .()-]*$", "maxLength": 30 }),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::Url => {
            json!({ "type": "string", "format": "uri", "pattern": "^https?://[^/?#@\\s]+[^\\s<>\"\\\\`]*$", "maxLength": 2000 })
        }
        FieldKind::Siret => json!({ "type": "string", "pattern": "^[0-9]{14}$" }),
        FieldKind::Integer { minimum, maximum } => json!({ "type": "integer", "minimum": minimum, "maximum": maximum }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Agreement => json!({ "const": true }),
        FieldKind::Choice { options } => json!({ "enum": options.iter().map(|option| &option.value).collect::<Vec<_>>() }),
        FieldKind::Choices { options } => {
            json!({ "type": "array", "uniqueItems": true, "items": { "enum": options.iter().map(|option| &option.value).collect::<Vec<_>>() } })
        }
        FieldKind::Level { options } => json!({ "enum": options }),
        FieldKind::Contact { .. } => object(&CONTACT_MEMBERS, &|name| match name {
            "email" => plain(&FieldKind::Email),
            "phone" => plain(&FieldKind::Phone),
            _ => text(),
        }),
        FieldKind::Certification => {
            object(&CERTIFICATION_MEMBERS, &|name| if name == "authority" { text() } else { plain(&FieldKind::Date) })
        }
        FieldKind::Documents => json!({
            "type": "array", "maxItems": MAX_DOCUMENTS,
            "items": object(&DOCUMENT_MEMBERS, &|name| if name == "title" { text() } else { plain(&FieldKind::Url) }),
        }),
        FieldKind::Scopes { offered } => json!({ "type": "array", "items": { "enum": offered }, "uniqueItems": true }),
    }
}

/// A scope rule in the words of JSON Schema.
fn rule(rule: &ScopeRule) -> Vec<Value> {
    let has = |scope: &crate::scope::Scope| json!({ "contains": { "const": scope } });
    let has_any = |scopes: &ScopeSet| json!({ "contains": { "enum": scopes } });
    match rule {
        ScopeRule::OneOf { scopes } => vec![has_any(scopes)],
        ScopeRule::Exclusive { scope, with } => vec![json!({ "not": { "allOf": [has(scope), has_any(with)] } })],
        ScopeRule::Incompatible { left, right } => vec![json!({ "not": { "allOf": [has_any(left), has_any(right)] } })],
        ScopeRule::Alone { scope } => vec![json!({ "if": has(scope), "then": { "maxItems": 1 } })],
        ScopeRule::Requires { scope, needs } => needs.iter().map(|needed| json!({ "if": has(scope), "then": has(needed) })).collect(),
    }
}
