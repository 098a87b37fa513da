//! What happened to a request and what was written about it, as parts of pages of both sides.

use octroi_app::{
    messages::{MessageView, MessagesView},
    timeline::{ActorView, TimelineEntry},
};

use super::{
    kit::{Alert, Control, Field, Happening, Timeline, Tone},
    words::Words,
};

/// A decision that came too late: what happened instead, and what was typed.
pub struct Late {
    pub alert: Alert,
    pub happened: Timeline,
    /// None where it stands in its field again.
    pub kept: Option<Field>,
}

/// What was typed for a decision that can no longer be made.
pub fn kept(w: Words, typed: &str) -> Option<Field> {
    (!typed.trim().is_empty()).then(|| Field::new("kept", w.of("decision-kept"), Control::Fixed { value: typed.to_owned() }))
}

/// Who it was, as the reader is told.
pub fn actor(w: Words, actor: &ActorView) -> String {
    let organization = actor.organization.clone().unwrap_or_default();
    match (&actor.name, actor.side.as_str()) {
        _ if actor.you => w.of("actor-you").into(),
        (Some(name), _) => w.of("actor-named").with("name", name.clone()).with("organization", organization).into(),
        (None, "reviewer") => w.of("actor-reviewer").with("organization", organization).into(),
        (None, "platform") => w.of("actor-platform").into(),
        (None, _) => organization,
    }
}

/// The moves of a request, the latest first; at most `most`.
pub fn timeline(w: Words, entries: &[TimelineEntry], most: usize) -> Timeline {
    let happening = |entry: &TimelineEntry| {
        let action = entry.action.replace('.', "-");
        let title = w
            .one_of("timeline", &action)
            .with("who", actor(w, &entry.actor))
            .with("to", entry.to.clone().unwrap_or_default())
            .with("permit", entry.permit.clone().unwrap_or_default());
        let tone = match entry.action.as_str() {
            "permit.granted" | "permit.resumed" => Tone::Good,
            "access_request.refused" | "permit.revoked" => Tone::Bad,
            "access_request.changes_requested" | "permit.suspended" | "permit.expired" => Tone::Warning,
            _ => Tone::Neutral,
        };
        Happening { when: w.when(&entry.at), title: title.into(), text: entry.message.clone().unwrap_or_default(), tone }
    };
    Timeline { happenings: entries.iter().rev().take(most).map(happening).collect() }
}

/// Messages, the latest last; `most` of them, after skipping the `skip` latest.
pub fn messages(w: Words, held: &MessagesView, most: usize, skip: usize) -> Timeline {
    let happening = |message: &MessageView| {
        let seen = message.author.you && message.read_at.is_some();
        let who = actor(w, &message.author);
        let title = if seen { w.of("message-seen").with("who", who) } else { w.of("message-from").with("who", who) };
        let tone = if message.author.side == "reviewer" { Tone::Info } else { Tone::Neutral };
        Happening { when: w.when(&message.at), title: title.into(), text: message.text.clone(), tone }
    };
    let mut happenings: Vec<Happening> = held.items.iter().rev().skip(skip).take(most).map(happening).collect();
    happenings.reverse();
    Timeline { happenings }
}

/// Where a message is written.
pub fn field(w: Words, text: &str, error: String) -> Field {
    Field::area("text", w.of("message-label"), text)
        .hint(w.of("message-hint").with("most", octroi_app::access_requests::MAX_MESSAGE))
        .required()
        .error(error)
}
