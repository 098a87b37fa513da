//! What people write is shown as they wrote it, on every page that shows it, and never becomes part of the page.

use crate::{
    driver::{self, FRENCH},
    pages::{PAGES, act},
    world::World,
};

/// Ends a quoted attribute, a script, a style, a title, a text field and a comment, then tries to become an element or a script.
const MARK: &str = "\"'--></script></style></title></textarea><img data-xss src onerror=window.__xss=1>{{7*7}}";
/// Did any of it run, or become an element?
const TAKEN: &str = "return window.__xss !== undefined || document.querySelector('[data-xss]') !== null || /window.__xss/.test(
    [...document.querySelectorAll('[onload], [onerror], a[href^=\"javascript:\" i]')].map((at) => at.outerHTML).join())";
/// Is it there to be read, as text or in a field?
const SHOWN: &str = "document.querySelectorAll('details').forEach((part) => { part.removeAttribute('name'); part.open = true; });
    const mark = arguments[0];
    return document.body.innerText.includes(mark) || [...document.querySelectorAll('input, textarea')].some((field) => field.value.includes(mark))";

/// Pages that show words of people, so that a mark that is on none of them is missed.
const SHOWING: [&str; 6] = ["dashboard", "request-submitted", "request-returned", "summary", "permit", "review-one"];

#[test]
fn what_people_write_is_shown_literally() {
    if !driver::present() {
        return;
    }
    let world = World::start(MARK);
    let person = world.person(FRENCH);
    let mut wrong = Vec::new();
    let mut shown = Vec::new();
    let mut dressed = None;
    for page in PAGES.iter().filter(|page| page.status == 200) {
        if dressed != Some(page.who) {
            world.dress(&person, page.who);
            dressed = Some(page.who);
        }
        if page.forgets() {
            dressed = None;
        }
        person.go(&world.path(page.path));
        act(&person, page);
        if person.driver.run(TAKEN, &[]) == true {
            wrong.push(page.name);
        }
        if person.driver.run(SHOWN, &[MARK.into()]) == true {
            shown.push(page.name);
        }
    }
    assert!(wrong.is_empty(), "what people wrote became part of the page: {wrong:?}");
    let missing: Vec<&&str> = SHOWING.iter().filter(|name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "not shown as written: {missing:?}; it is on {shown:?}");
}
