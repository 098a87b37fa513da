//! A complete valid set of answers to a form, for its readers and for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answers, Definition, FieldError, FieldKind, Form, Needed, field::CONTACT_MEMBERS};
use crate::{
    Moment,
    scope::{self, Scope, ScopeRule, ScopeSet},
    stage::Stage,
};

impl Definition {
    /// Answers that [`Definition::complete`] accepts: the form's own example where it has one,
    /// otherwise made from the fields.
    ///
    /// # Errors
    /// When the example does not satisfy the definition; the lint refuses such a form.
    pub fn example(&self, form: &Form, stage: Option<Stage>, now: Moment) -> Result<Answers, Vec<FieldError>> {
        let start = self.prefilled(form, stage);
        let asked = self.asked(form, stage);
        let wanted = |id: &str| form.example.get(id);
        let mut changes: BTreeMap<String, Value> = BTreeMap::new();
        for asked in &asked {
            let id = &asked.field.id;
            if asked.locked || asked.hidden {
                continue;
            }
            match (wanted(id), &asked.prefill, &asked.field.needed) {
                (Some(value), _, _) => {
                    changes.insert(id.clone(), value.clone());
                }
                (None, Some(_), _) | (None, None, Needed::Never | Needed::Above { .. }) => {}
                (None, None, Needed::Always) => {
                    changes.insert(id.clone(), self.sample(&asked.field.kind, now));
                }
            }
        }
        let answers = self.accept(form, stage, &start, &changes)?;
        self.complete(form, stage, &answers, now).map(|complete| complete.answers().clone())
    }

    fn sample(&self, kind: &FieldKind, now: Moment) -> Value {
        match kind {
            FieldKind::Text => json!("Tarification de la restauration scolaire"),
            FieldKind::LongText => json!("Calculer le tarif de chaque famille sans lui demander de justificatif."),
            FieldKind::Email => json!("contact@ville.example"),
            FieldKind::Phone => json!("+33123456789"),
            FieldKind::Date => json!("2026-01-31"),
            FieldKind::Url => json!("https://www.legifrance.gouv.fr/codes/id/LEGITEXT000031366350"),
            FieldKind::Siret => json!("13002526500013"),
            FieldKind::Integer { minimum, maximum } => json!((*minimum).max((*maximum).min(12))),
            FieldKind::Boolean | FieldKind::Agreement => json!(true),
            FieldKind::Choice { options } => options.first().map_or(Value::Null, |option| json!(option.value)),
            FieldKind::Choices { options } => options.first().map_or_else(|| json!([]), |option| json!([option.value])),
            FieldKind::Level { options } => options.iter().min().map_or(Value::Null, |level| json!(level)),
            FieldKind::Contact { .. } => {
                let member = |name: &&str| {
                    let value = match *name {
                        "family_name" => "Dupont",
                        "given_name" => "Camille",
                        "email" => "camille.dupont@ville.example",
                        "phone" => "+33123456789",
                        _ => "Responsable",
                    };
                    ((*name).to_owned(), json!(value))
                };
                Value::Object(CONTACT_MEMBERS.iter().map(member).collect())
            }
            FieldKind::Certification => json!({ "authority": "Direction générale", "from": "2026-01-01", "until": "2029-01-01" }),
            FieldKind::Documents => json!([{ "title": "Délibération", "url": "https://ville.example/deliberation.pdf" }]),
            FieldKind::Scopes { offered } => json!(self.sample_scopes(offered, now)),
        }
    }

    /// Included scopes, then whatever the rules still ask for, then one scope if there is none yet.
    fn sample_scopes(&self, offered: &[Scope], now: Moment) -> ScopeSet {
        let current = |scope: &&Scope| {
            offered.contains(scope)
                && self.scopes.iter().any(|offer| offer.value == **scope && offer.deprecated_since.is_none_or(|date| date > now))
        };
        let mut chosen: ScopeSet = self.scopes.iter().filter(|offer| offer.included).map(|offer| offer.value.clone()).collect();
        for rule in &self.scope_rules {
            if let ScopeRule::OneOf { scopes } = rule
                && chosen.intersection(scopes).is_empty()
                && let Some(scope) = scopes.iter().find(current)
            {
                chosen.insert(scope.clone());
            }
        }
        for scope in offered.iter().filter(current) {
            let mut more = chosen.clone();
            more.insert(scope.clone());
            let few = more.len() <= 3;
            if few && scope::judge(&self.scopes, &self.scope_rules, &more, now).is_empty() {
                chosen = more;
            }
        }
        chosen
    }
}
