//! Filling the steps of a request in, from the example of its form: with the mouse or with the keyboard alone.

use serde_json::{Value, json};

use crate::person::{DOWN, Person, SPACE, TAB};

/// Name, type and value of the controls of the step, in their order.
const CONTROLS: &str = "return [...document.querySelectorAll('main form[data-autosave] [name]')]
    .filter((control) => control.type !== 'hidden' && control.tagName !== 'BUTTON' && !control.disabled)
    .map((control) => [control.name, control.type, control.value])";
const CONTROL: &str = "return [...document.querySelectorAll('main form[data-autosave] [name]')]
    .find((control) => control.name === arguments[0] && (arguments[1] === null || control.value === arguments[1]))";
/// The same of what has the focus, with whether it is ticked, and what it holds.
const FOCUSED: &str = "const at = document.activeElement; return at.form?.dataset.autosave === undefined || at.tagName === 'BUTTON' ? null
    : [at.name, at.type, at.value, at.checked === true]";

/// The answer for the control `field`, `field.member` or `field.0.member`.
fn answer<'a>(example: &'a Value, name: &str) -> Option<&'a Value> {
    let found = example.pointer(&format!("/{}", name.replace('.', "/")))?;
    (!found.is_null()).then_some(found)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Is the box or the radio button of this value part of the answer?
fn chosen(answer: &Value, value: &str) -> bool {
    match answer {
        Value::Array(items) => items.iter().any(|item| text(item) == value),
        Value::Bool(ticked) => *ticked,
        other => text(other) == value,
    }
}

/// One step, with the mouse.
#[track_caller]
pub fn by_hand(person: &Person, example: &Value) {
    let driver = &person.driver;
    for control in driver.run(CONTROLS, &[]).as_array().unwrap() {
        let (name, kind, value) = (text(&control[0]), text(&control[1]), text(&control[2]));
        let Some(answer) = answer(example, &name) else { continue };
        let ticks = matches!(kind.as_str(), "radio" | "checkbox");
        // The page that the list was read from has been left: the step is told once more.
        let Some(at) = driver.find(CONTROL, &[json!(name), if ticks { json!(value) } else { Value::Null }]) else { return };
        if ticks {
            let ticked = driver.run("return arguments[0].checked", &[at.json()]) == json!(true);
            if chosen(answer, &value) != ticked {
                driver.click(&at).unwrap_or_else(|error| panic!("{name} cannot be ticked: {error}"));
            }
        } else if kind == "select-one" {
            driver.run("arguments[0].value = arguments[1]", &[at.json(), json!(text(answer))]);
        } else {
            driver.clear(&at);
            driver.type_into(&at, &text(answer));
        }
    }
}

/// One step, from wherever the focus is to the button that ends it.
#[track_caller]
pub fn by_keyboard(person: &Person, example: &Value, end: &str) {
    for _ in 0..400 {
        person.driver.press(TAB);
        let at = person.driver.run(FOCUSED, &[]);
        if at.is_null() {
            if person.driver.focused().1 == end {
                return;
            }
            continue;
        }
        let (name, kind, value) = (text(&at[0]), text(&at[1]), text(&at[2]));
        let Some(answer) = answer(example, &name) else { continue };
        match kind.as_str() {
            "checkbox" if chosen(answer, &value) != (at[3] == json!(true)) => person.driver.press(SPACE),
            "radio" => choose(person, &name, answer),
            "checkbox" => {}
            // Tab selects what a line holds; what is written in its place is the answer.
            _ if value == text(answer) => {}
            _ => {
                assert!(kind != "textarea" || value.is_empty(), "{name} holds “{value}”");
                person.driver.press(&text(answer));
            }
        }
    }
    panic!("Tab does not reach “{end}” on {}", person.path());
}

/// Arrows go through radio buttons; Space chooses the first.
#[track_caller]
fn choose(person: &Person, name: &str, answer: &Value) {
    person.driver.press(SPACE);
    for _ in 0..20 {
        let at = person.driver.run(FOCUSED, &[]);
        if chosen(answer, &text(&at[2])) && at[3] == json!(true) {
            return;
        }
        person.driver.press(DOWN);
    }
    panic!("{name} has no {answer}");
}
