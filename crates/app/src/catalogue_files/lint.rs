//! What a catalogue must satisfy as a whole: names that meet, mounts that do not overlap, scopes that
//! are offered and open something.

use std::collections::{BTreeMap, BTreeSet};

use octroi_domain::{
    Moment,
    api::{Access, ApiDocument},
    definition::Definition,
    scope::Scope,
};

use super::{
    fault::{Fault, Source},
    lint_api,
    read::Gathered,
};

pub(super) fn lint(gathered: &Gathered, now: Moment, faults: &mut Vec<Fault>) {
    for (source, document) in &gathered.apis {
        lint_api::lint(source, document, faults);
    }
    for (source, definition, forms) in &gathered.definitions {
        own_faults(source, definition, forms, now, faults);
    }
    twice(&gathered.providers, |provider| format!("provider `{}`", provider.slug), faults);
    twice(&gathered.apis, |document| format!("API `{}`", document.api.full_name()), faults);
    let definitions: Vec<_> = gathered.definitions.iter().map(|(source, definition, _)| (source.clone(), definition)).collect();
    twice(&definitions, |definition| format!("definition `{}`", definition.slug), faults);
    mounts(gathered, faults);
    // What is not found may stand in a file that could not be read.
    if !gathered.incomplete {
        providers(gathered, faults);
        permits(gathered, faults);
        definitions_meet_apis(gathered, faults);
    }
}

/// The definition's own lint, each fault with the file of the definition or of the form.
fn own_faults(source: &Source, definition: &Definition, forms: &[Source], now: Moment, faults: &mut Vec<Fault>) {
    for message in definition.lint(now) {
        let form = message.strip_prefix("forms/").and_then(|rest| {
            let (slug, message) = rest.split_once(": ")?;
            let place = definition.forms.iter().position(|form| form.slug.as_str() == slug)?;
            Some((forms.get(place)?, message.to_owned()))
        });
        let (source, message) = form.unwrap_or((source, message));
        // The key or the quoted name that the fault begins with is where to look.
        let quoted = message.split('`').nth(1).unwrap_or_default().to_owned();
        let key = message.split([':', ' ']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        let needles: Vec<&str> = [quoted.as_str(), key.as_str()].into_iter().filter(|needle| !needle.is_empty()).collect();
        faults.push(source.fault_at(&needles, message.clone(), "mend what the sentence names; catalogue/README.md describes each key"));
    }
}

fn twice<T>(items: &[(Source, T)], name: impl Fn(&T) -> String, faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<String, &Source> = BTreeMap::new();
    for (source, item) in items {
        let name = name(item);
        match seen.get(&name) {
            Some(first) => {
                let message = format!("the {name} is also in {}", first.path.display());
                faults.push(source.fault_at(&["slug"], message, "give each a slug of its own"));
            }
            None => {
                seen.insert(name, source);
            }
        }
    }
}

fn mounts(gathered: &Gathered, faults: &mut Vec<Fault>) {
    for (index, (source, document)) in gathered.apis.iter().enumerate() {
        for (_, other) in gathered.apis.iter().take(index) {
            let (mine, theirs) = (&document.api.mount, &other.api.mount);
            let under = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if under(mine, theirs) || under(theirs, mine) {
                let message = format!("the mount `{mine}` overlaps `{theirs}` of {}", other.api.full_name());
                faults.push(source.fault_at(&["mount"], message, "choose a path that is not above or below another"));
            }
        }
    }
}

fn providers(gathered: &Gathered, faults: &mut Vec<Fault>) {
    let known: BTreeSet<_> = gathered.providers.iter().map(|(_, provider)| &provider.slug).collect();
    let apis = gathered.apis.iter().map(|(source, document)| (source, &document.api.provider));
    let definitions = gathered.definitions.iter().map(|(source, definition, _)| (source, &definition.provider));
    for (source, provider) in apis.chain(definitions).filter(|(_, provider)| !known.contains(provider)) {
        let message = format!("the provider `{provider}` is not in the catalogue");
        faults.push(source.fault_at(&["provider"], message, format!("add `{provider}/provider.yaml`, or name another")));
    }
}

/// A permit API: its definitions exist and list it, and they offer every scope that it asks for.
fn permits(gathered: &Gathered, faults: &mut Vec<Fault>) {
    for (source, document) in &gathered.apis {
        let Access::Permit { definitions } = &document.api.access else { continue };
        if definitions.is_empty() {
            faults.push(source.fault_at(&["definitions"], "no definition opens this API", "name the definitions whose permits open it"));
        }
        let mut offered: BTreeSet<&Scope> = BTreeSet::new();
        for slug in definitions {
            match gathered.definitions.iter().find(|(_, definition, _)| definition.slug == *slug) {
                None => faults.push(source.fault_at(
                    &[slug.as_str()],
                    format!("the definition `{slug}` is not in the catalogue"),
                    "add its `definition.yaml`, or name another",
                )),
                Some((_, definition, _)) => {
                    if !definition.apis.contains(&document.api.full_name()) {
                        let message = format!("the definition `{slug}` does not list this API");
                        let mend = format!("add `{}` to its `apis`", document.api.full_name());
                        faults.push(source.fault_at(&[slug.as_str()], message, mend));
                    }
                    offered.extend(definition.scopes.iter().map(|scope| &scope.value));
                }
            }
        }
        for scope in asked(document).iter().filter(|scope| !offered.contains(scope)) {
            let message = format!("the scope `{scope}` is offered by none of the definitions of this API");
            faults.push(source.fault_at(&[scope.as_str()], message, "add it to the `scopes` of a definition, or remove it here"));
        }
    }
}

/// A definition: its APIs exist and name it, and each scope that it offers opens something.
fn definitions_meet_apis(gathered: &Gathered, faults: &mut Vec<Fault>) {
    for (source, definition, _) in &gathered.definitions {
        let mut opened: BTreeSet<Scope> = BTreeSet::new();
        for name in &definition.apis {
            let text = name.to_string();
            match gathered.apis.iter().find(|(_, document)| document.api.full_name() == *name) {
                None => {
                    let message = format!("the API `{text}` is not in the catalogue");
                    faults.push(source.fault_at(&[&text], message, "add its `api.yaml`, or name another"));
                }
                Some((_, document)) => {
                    let named = matches!(&document.api.access, Access::Permit { definitions } if definitions.contains(&definition.slug));
                    if !named {
                        let message = format!("the API `{text}` is not opened by permits of this definition");
                        let mend = format!("write `access: {{ mode: permit, definitions: [{}] }}` in its api.yaml", definition.slug);
                        faults.push(source.fault_at(&[&text], message, mend));
                    }
                    opened.extend(asked(document));
                }
            }
        }
        for scope in definition.scopes.iter().map(|scope| &scope.value).filter(|scope| !opened.contains(scope)) {
            let message = format!("the scope `{scope}` opens nothing in any API of this definition");
            faults.push(source.fault_at(&[scope.as_str()], message, "name it in a contract of the API, or offer it no more"));
        }
    }
}

/// Every scope that a contract of the API asks for.
fn asked(document: &ApiDocument) -> BTreeSet<Scope> {
    document.api.contracts.iter().flat_map(|contract| contract.opening_scopes().iter().cloned().collect::<Vec<_>>()).collect()
}
