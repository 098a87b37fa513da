//! The admin listener: health and metrics, on an address of their own.

use std::{collections::HashMap, fmt::Write, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use octroi_app::App;
use octroi_domain::{connection::HandOff, stage::Stage};
use octroi_gateway::Handle;

#[derive(Clone)]
struct Watched {
    app: App,
    gateways: Arc<HashMap<Stage, Handle>>,
}

/// `/health/live`, `/health/ready`, `/metrics`.
pub fn router(app: App, gateways: Arc<HashMap<Stage, Handle>>) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Watched { app, gateways })
}

/// Ready: the store answers, and each gateway has a view that is fresh enough to serve restricted APIs.
async fn ready(State(watched): State<Watched>) -> impl IntoResponse {
    let mut wrong = String::new();
    if !matches!(tokio::time::timeout(Duration::from_secs(1), watched.app.store().ping()).await, Ok(Ok(()))) {
        wrong.push_str("the store does not answer\n");
    }
    for (stage, handle) in watched.gateways.iter() {
        if !handle.is_ready() {
            let _ = writeln!(wrong, "the {stage} gateway has no fresh view");
        }
    }
    if wrong.is_empty() { (StatusCode::OK, "ready\n".to_owned()) } else { (StatusCode::SERVICE_UNAVAILABLE, wrong) }
}

/// Prometheus text format (version 0.0.4).
async fn metrics(State(watched): State<Watched>) -> impl IntoResponse {
    let mut text = String::new();
    let _ = writeln!(text, "# HELP octroi_up The program runs.\n# TYPE octroi_up gauge\noctroi_up 1");
    let _ = writeln!(text, "# HELP octroi_hand_offs_total People handed over to products, by mode.\n# TYPE octroi_hand_offs_total counter");
    for mode in HandOff::ALL {
        let _ = writeln!(text, "octroi_hand_offs_total{{mode=\"{}\"}} {}", mode.as_str(), watched.app.hand_off_counts().of(mode));
    }
    for (stage, handle) in watched.gateways.iter() {
        handle.stats().prometheus(*stage, &mut text);
    }
    ([("content-type", "text/plain; version=0.0.4")], text)
}
