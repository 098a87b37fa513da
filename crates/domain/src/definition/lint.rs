//! What a definition must satisfy before it is taken in.

use std::collections::BTreeSet;

use super::{Block, Definition, FieldKind, Form, MessageTemplate, Needed};
use crate::{Moment, stage::Stage};

impl Definition {
    /// Every fault of the definition and its forms: where (`forms/x: prefill/title`), and what to mend.
    #[must_use]
    pub fn lint(&self, now: Moment) -> Vec<String> {
        let mut faults = Vec::new();
        let offered: BTreeSet<&str> = self.scopes.iter().map(|scope| scope.value.as_str()).collect();
        let has = |wanted: fn(&Block) -> bool| self.blocks.iter().any(wanted);
        if self.name.is_blank() || self.description.is_blank() {
            faults.push("name and description must be written in French and in English".to_owned());
        }
        if self.validity_months == Some(0) {
            faults.push("validity_months: a permit lasts at least one month; leave it out for one without end".to_owned());
        }
        if self.apis.is_empty() {
            faults.push("apis: name at least one API that a permit opens".to_owned());
        }
        if offered.len() != self.scopes.len() {
            faults.push("scopes: a scope is offered twice".to_owned());
        }
        for rule in &self.scope_rules {
            faults.extend(
                rule.names()
                    .into_iter()
                    .filter(|name| !offered.contains(name.as_str()))
                    .map(|name| format!("scope_rules: `{name}` is not offered under `scopes`")),
            );
        }
        if has(|block| matches!(block, Block::Scopes {})) == self.scopes.is_empty() {
            faults.push("the block `scopes` and the list `scopes` go together: add or remove one of them".to_owned());
        }
        if has(|block| matches!(block, Block::Modalities {})) == self.modalities.is_empty() {
            faults.push("the block `modalities` and the list `modalities` go together: add or remove one of them".to_owned());
        }
        if self.stages.len() > 1 && self.stages != [Stage::Sandbox, Stage::Production] {
            faults.push("stages: write [sandbox, production], one of them, or leave it out".to_owned());
        }
        self.lint_messages(&mut faults);
        self.lint_fields(&mut faults);
        if self.forms.is_empty() {
            faults.push("forms: add at least one file under `forms/`".to_owned());
        }
        let slugs: BTreeSet<_> = self.forms.iter().map(|form| &form.slug).collect();
        if slugs.len() != self.forms.len() {
            faults.push("forms: two forms have the same slug".to_owned());
        }
        for form in &self.forms {
            self.lint_form(form, now, &mut faults);
        }
        faults
    }

    fn lint_messages(&self, faults: &mut Vec<String>) {
        let mut seen = BTreeSet::new();
        for message in &self.messages {
            if !seen.insert(&message.id) {
                faults.push(format!("messages: `{}` is there twice", message.id));
            }
            if message.name.is_blank() || message.text.is_blank() {
                faults.push(format!("messages: `{}` must have its name and its text in French and in English", message.id));
            }
            if [&message.text.fr, &message.text.en].iter().any(|text| text.chars().count() > MessageTemplate::MAX) {
                faults.push(format!("messages: the text of `{}` has more than {} characters", message.id, MessageTemplate::MAX));
            }
        }
    }

    fn lint_fields(&self, faults: &mut Vec<String>) {
        let fields = self.fields(None);
        let mut seen = BTreeSet::new();
        for (block, field) in &fields {
            let good = !field.id.is_empty()
                && field.id.len() <= 64
                && field.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !good {
                faults.push(format!("blocks/{block}: `{}` is not a field name (lower-case letters, digits, `_`)", field.id));
            }
            if !seen.insert(&field.id) {
                faults.push(format!("blocks/{block}: the field `{}` is there twice", field.id));
            }
            if let Needed::Above { field: other, .. } = &field.needed
                && !fields.iter().any(|(_, candidate)| candidate.id == *other)
            {
                faults.push(format!("blocks/{block}: `{}` depends on `{other}`, which is not a field", field.id));
            }
            let empty = match &field.kind {
                FieldKind::Choice { options } | FieldKind::Choices { options } => options.is_empty(),
                FieldKind::Level { options } => options.is_empty(),
                FieldKind::Integer { minimum, maximum } => minimum > maximum,
                _ => false,
            };
            if empty {
                faults.push(format!("blocks/{block}: `{}` offers nothing to choose from", field.id));
            }
        }
    }

    fn lint_form(&self, form: &Form, now: Moment, faults: &mut Vec<String>) {
        let at = format!("forms/{}", form.slug);
        let fields = self.fields(None);
        let known = |name: &String| fields.iter().any(|(block, field)| block == name || field.id == *name);
        for name in form.locked.iter().chain(&form.hidden).filter(|name| !known(name)) {
            faults.push(format!("{at}: `{name}` (locked or hidden) is neither a field nor a block"));
        }
        for (name, value) in &form.prefill {
            match fields.iter().find(|(_, field)| field.id == *name) {
                None => faults.push(format!("{at}: prefill/{name} is not a field")),
                Some((_, field)) => {
                    for (pointer, _, text) in field.kind.check(value).err().into_iter().flatten() {
                        faults.push(format!("{at}: prefill/{name}{pointer}: {}", text.en));
                    }
                }
            }
        }
        for scope in form.scopes.iter().filter(|scope| !self.scopes.iter().any(|offer| offer.value == **scope)) {
            faults.push(format!("{at}: the scope `{scope}` is not offered by the definition"));
        }
        for asked in self.asked(form, None) {
            if asked.hidden && asked.prefill.is_none() && matches!(asked.field.kind, FieldKind::Scopes { .. }) {
                faults.push(format!("{at}: the scopes are hidden and have no prefilled answer: a permit would open nothing"));
            }
            if asked.locked && asked.prefill.is_none() && matches!(asked.field.needed, Needed::Always) {
                faults.push(format!("{at}: `{}` is locked and has no prefilled answer", asked.field.id));
            }
        }
        let stages: Vec<Option<Stage>> = if self.stages.is_empty() { vec![None] } else { self.stages.iter().copied().map(Some).collect() };
        for stage in stages {
            for error in self.example(form, stage, now).err().into_iter().flatten() {
                faults.push(format!("{at}: its example{}: {} (write an `example`)", error.pointer, error.message.en));
            }
        }
    }
}
