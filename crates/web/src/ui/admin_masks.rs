//! What the masks of an API show: scope by field, and on a sample answer.

use std::collections::BTreeSet;

use askama::Template;
use octroi_app::{Error, api_administration::MaskPreviewView, catalogue::OperationView};
use octroi_domain::scope::ScopeSet;

use super::{
    admin_api::{tabs, way},
    api_page::named,
    kit::{Alert, Cell, Check, CheckGroup, Code, Column, Control, Field, Filters, Table, Tabs, Tone},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};

/// Scopes that stand beside each other; where there are more, each has a row with its fields.
const COLUMNS: usize = 6;

#[derive(Template)]
#[template(path = "api_admin_masks.html")]
struct MasksPage {
    shell: Shell,
    tabs: Tabs,
    choose: Option<Filters>,
    notice: Option<Alert>,
    table: Option<Table>,
    preview: Option<Preview>,
}

struct Preview {
    scopes: Filters,
    outcome: Alert,
    whole: Option<Code>,
    masked: Option<Code>,
}

/// `GET /admin/apis/{provider}/{api}/masks?operation=&scope=&scope=`
pub async fn show(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let view = call.app().read_administered_line(&call.context(), &name).await?;
    let masked: Vec<&OperationView> = view.api.operations.iter().filter(|operation| !operation.opens.is_empty()).collect();
    let asked = call.query.text("operation");
    let chosen = masked.iter().find(|operation| operation.operation == asked).or_else(|| masked.first()).copied();
    let w = call.words;
    let here = format!("/admin/apis/{name}/masks");
    let preview = match chosen {
        None => None,
        Some(operation) => {
            let granted = granted(&call, operation);
            let parsed = operation.operation.parse().map_err(|_| Error::NotFound)?;
            let sample = call.app().preview_mask(&call.context(), &name, &parsed, granted.clone()).await?;
            Some(preview(w, &here, operation, &granted, sample))
        }
    };
    let options = masked.iter().map(|operation| (operation.operation.clone(), operation.operation.clone())).collect();
    call.render(&MasksPage {
        tabs: tabs(w, &name, 1),
        choose: chosen.map(|operation| Filters {
            label: w.of("mask-choose").into(),
            action: here,
            fields: vec![Field::select("operation", w.of("trace-operation"), options, operation.operation.clone())],
            submit: w.of("list-show").into(),
            reset: None,
            found: String::new(),
        }),
        notice: chosen.is_none().then(|| Alert::new(Tone::Info, w.of("mask-none"), w.of("mask-none-text"))),
        table: chosen.map(|operation| table(w, operation)),
        preview,
        shell: call.shell(w.of("mask-title").with("api", w.text(&view.api.title))).under(way(w)),
    })
}

/// The scopes of the query that the operation knows; before any was chosen, the first one.
fn granted(call: &PageCall, operation: &OperationView) -> ScopeSet {
    let known = |text: &&str| operation.opens.contains_key(*text);
    let asked: Vec<&str> = call.query.all("scope").filter(known).collect();
    let chosen = if asked.is_empty() { operation.opens.keys().take(1).map(String::as_str).collect() } else { asked };
    chosen.into_iter().filter_map(|text| text.parse().ok()).collect()
}

/// Each field and the scopes that open it.
fn table(w: Words, operation: &OperationView) -> Table {
    let always = || operation.always.iter().map(String::as_str);
    let scopes: Vec<&String> = operation.opens.keys().collect();
    let caption = w.of("mask-caption").and("operation", &operation.operation).into();
    if scopes.len() > COLUMNS {
        let mut rows: Vec<Vec<Cell>> =
            operation.opens.iter().map(|(scope, fields)| vec![Cell::Code(scope.clone()), Cell::Items(fields.clone())]).collect();
        if !operation.always.is_empty() {
            rows.push(vec![Cell::text(w.of("mask-always")), Cell::Items(operation.always.clone())]);
        }
        let columns = vec![Column::text(w.of("mask-scope")), Column::text(w.of("mask-fields"))];
        return Table { caption, columns, rows, empty: String::new() };
    }
    let fields: BTreeSet<&str> = operation.opens.values().flatten().map(String::as_str).chain(always()).collect();
    let mut columns = vec![Column::text(w.of("mask-field"))];
    columns.extend(scopes.iter().map(|scope| Column::text(scope.as_str())));
    let row = |field: &str| {
        let mut row = vec![Cell::Code(field.to_owned())];
        for scope in &scopes {
            let opens = operation.opens.get(*scope).is_some_and(|fields| fields.iter().any(|open| open == field));
            row.push(Cell::text(if always().any(|open| open == field) {
                w.of("mask-always")
            } else if opens {
                w.of("mask-opens")
            } else {
                w.of("mask-closed")
            }));
        }
        row
    };
    Table { caption, columns, rows: fields.into_iter().map(row).collect(), empty: String::new() }
}

fn preview(w: Words, here: &str, operation: &OperationView, granted: &ScopeSet, sample: Option<MaskPreviewView>) -> Preview {
    let check = |scope: &String| Check {
        value: scope.clone(),
        label: scope.clone(),
        hint: String::new(),
        checked: granted.iter().any(|held| held.as_str() == scope),
        locked: false,
    };
    let checks = CheckGroup { name: String::new(), checks: operation.opens.keys().map(check).collect() };
    let one = |text: &str| vec![(text.to_owned(), text.to_owned())];
    let scopes = Filters {
        label: w.of("mask-try").into(),
        action: here.to_owned(),
        fields: vec![
            Field::select("operation", w.of("trace-operation"), one(&operation.operation), operation.operation.clone()),
            Field::new("scope", w.of("mask-scopes"), Control::Checks { groups: vec![checks] }),
        ],
        submit: w.of("mask-show").into(),
        reset: None,
        found: String::new(),
    };
    let code = |label: super::words::Phrase, text: &str| Code {
        label: label.into(),
        code: laid_out(text),
        copy: w.of("copy").into(),
        copied: w.of("copied").into(),
    };
    match sample {
        None => {
            let outcome = Alert::new(Tone::Info, w.of("mask-no-sample"), w.of("mask-no-sample-text"));
            Preview { scopes, outcome, whole: None, masked: None }
        }
        Some(sample) => Preview {
            outcome: if sample.open {
                Alert::new(Tone::Info, w.of("mask-removed").with("count", sample.removed), w.of("mask-removed-text"))
            } else {
                Alert::new(Tone::Warning, w.of("mask-refused"), w.of("mask-refused-text"))
            },
            masked: sample.open.then(|| code(w.of("mask-masked"), &sample.masked)),
            whole: Some(code(w.of("mask-whole"), &sample.whole)),
            scopes,
        },
    }
}

/// A JSON text on several lines; what is none stays as it is.
fn laid_out(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| text.to_owned(), |value| format!("{value:#}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use octroi_domain::text::Language;

    use super::*;

    fn operation(scopes: usize) -> OperationView {
        let opens: BTreeMap<String, Vec<String>> =
            (0..scopes).map(|n| (format!("s{n}"), vec![format!("$.f{n}"), "$.shared".to_owned()])).collect();
        OperationView { operation: "GET /x".into(), scopes: opens.keys().cloned().collect(), opens, always: vec!["$.meta".into()] }
    }

    #[test]
    fn a_few_scopes_are_columns_and_many_are_rows() {
        let w = Words::new(Language::En);
        let few = table(w, &operation(2));
        assert_eq!((few.columns.len(), few.rows.len()), (3, 4));
        let many = table(w, &operation(7));
        assert_eq!((many.columns.len(), many.rows.len()), (2, 8));
    }
}
