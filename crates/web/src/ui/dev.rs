//! `/dev/components`: every component in every state, for who writes pages. Demo only.

use askama::Template;
use octroi_app::Error;

use super::{
    kit::{
        Alert, ButtonLink, Cell, Chart, ChartKind, Check, CheckGroup, Code, Column, Control, Dialog, Difference, DifferencePart,
        Disclosure, ErrorSummary, Facts, Field, Figure, Figures, Filters, Frame, Happening, Hue, Link, OneTimeSecret, Pages, PasskeyForm,
        PostButton, Progress, Qr, Series, Snippets, Step, Stepper, Table, Tabs, Tag, Tile, Tiles, Timeline, Tone, Typed,
    },
    page::{PageAnswer, PageCall, Shell},
};

#[derive(Template)]
#[template(path = "dev_components.html")]
struct ComponentsPage {
    shell: Shell,
    parts: Vec<(&'static str, Vec<String>)>,
}

const TONES: [Tone; 5] = [Tone::Neutral, Tone::Info, Tone::Good, Tone::Warning, Tone::Bad];
const LOREM: &str = "Une phrase d’exemple, assez longue pour passer à la ligne sur un téléphone. A sample sentence.";

/// `GET /dev/components`
pub async fn components(call: PageCall) -> PageAnswer {
    if !call.app().settings().demo {
        return Err(Error::NotFound.into());
    }
    let shell = call.shell(call.words.of("components-title")).under(vec![Link::new("/", call.words.of("menu-home"))]);
    let mut parts = words();
    parts.extend(navigation());
    parts.extend(forms(&shell));
    parts.extend(figures(&call));
    call.render(&ComponentsPage { shell, parts })
}

fn words() -> Vec<(&'static str, Vec<String>)> {
    let alert = |tone| Alert::new(tone, "Titre · Title", LOREM).link("#", "Lien · Link").to_string();
    let when = super::words::Words::new(octroi_domain::text::Language::Fr).when("2026-11-22T10:00:00Z");
    let happening = |tone| Happening { when: when.clone(), title: "Titre · Title".into(), text: LOREM.into(), tone };
    let parts = vec![DifferencePart::Same("Avant ".into()), DifferencePart::Removed("12".into()), DifferencePart::Added("36".into())];
    vec![
        ("alert", TONES.map(alert).into()),
        ("error_summary", vec![ErrorSummary { title: "2 erreurs".into(), errors: vec![Link::new("#f-line", "Ligne · Line")] }.to_string()]),
        ("tag", TONES.map(|tone| Tag::new(tone, "État · State").to_string()).into()),
        ("timeline", vec![Timeline { happenings: TONES.map(happening).into() }.to_string()]),
        ("difference", vec![Difference { before_word: "retiré :".into(), after_word: "ajouté :".into(), parts }.to_string()]),
        ("typed", vec![Typed { text: "Une ligne\nUne autre ligne".into() }.to_string()]),
        ("frame", vec![Frame { title: "Message".into(), src: "/dev/mails/fr/request-approved/html".into() }.to_string()]),
        ("disclosure", vec![Disclosure { summary: "Plus · More".into(), body: Typed { text: LOREM.into() }.to_string() }.to_string()]),
    ]
}

fn navigation() -> Vec<(&'static str, Vec<String>)> {
    let step = |name: &str, done, href: Option<&str>| Step { name: name.into(), href: href.map(str::to_owned), done, unread: false };
    let steps = vec![step("Le projet", true, Some("#")), step("Les données", false, Some("#")), step("Résumé", false, None)];
    let stepper = Stepper {
        label: "Étapes".into(),
        position: "Étape 2 sur 3".into(),
        done_word: "fait".into(),
        unread_word: "à vérifier".into(),
        steps,
        current: 1,
    };
    let tile = |title: &str| Tile {
        link: Link::new("#", title),
        text: LOREM.into(),
        tags: vec![Tag::new(Tone::Info, "Tag")],
        note: "Note".into(),
        level: 3,
    };
    vec![
        ("stepper", vec![stepper.to_string()]),
        ("tiles", vec![Tiles { tiles: vec![tile("Un"), tile("Deux")] }.to_string()]),
        (
            "tabs",
            vec![Tabs { label: "Vues · Views".into(), tabs: vec![Link::new("#a", "Un"), Link::new("#b", "Deux")], current: 0 }.to_string()],
        ),
        ("button_link", vec![ButtonLink::new("#", "Continuer").to_string(), ButtonLink::new("#", "Autre").secondary().to_string()]),
        (
            "pages",
            vec![Pages { label: "Pages".into(), first: Some(Link::new("#", "Début")), next: Some(Link::new("#", "Suite")) }.to_string()],
        ),
    ]
}

fn forms(shell: &Shell) -> Vec<(&'static str, Vec<String>)> {
    let check = |value: &str, checked, locked| Check {
        value: value.into(),
        label: format!("Choix {value}"),
        hint: "Aide · Hint".into(),
        checked,
        locked,
    };
    let group = |name: &str| CheckGroup { name: name.into(), checks: vec![check("a", true, true), check("b", false, false)] };
    let options = vec![("a".to_owned(), "Un".to_owned()), ("b".to_owned(), "Deux".to_owned())];
    let fields = [
        Field::line("line", "Ligne · Line", "").hint("Aide · Hint").error("À corriger · Mend this").required(),
        Field::line("email", "Courriel · E-mail", "a@example.org").kind("email", "email").optional("(facultatif)"),
        Field::area("area", "Texte · Text", LOREM),
        Field::select("select", "Liste · List", options.clone(), "b"),
        Field::new("radios", "Un choix · One", Control::Radios { options: vec![check("a", true, false), check("b", false, false)] }),
        Field::new("checks", "Plusieurs · Several", Control::Checks { groups: vec![group("Groupe 1"), group("Groupe 2")] }),
        Field::new("box", "Case · Box", Control::Box { checked: true }),
        Field::new("file", "Fichier · File", Control::File { accept: ".pdf".into() }).hint("PDF"),
        Field::new("fixed", "Fixé · Fixed", Control::Fixed { value: LOREM.into() }),
    ];
    let post = |label: &str| PostButton::new("/language", label, shell.guard()).hidden("return_to", "/dev/components");
    let dialog = Dialog {
        id: "sure".into(),
        opener: Link::new("#", "Révoquer… · Revoke…"),
        title: "Révoquer ? · Revoke?".into(),
        text: LOREM.into(),
        form: post("Oui · Yes").danger(),
        close: "Non · No".into(),
    };
    let passkey = PasskeyForm {
        action: "/sign-in/passkey".into(),
        options: "/sign-in/passkey/options".into(),
        make: false,
        label: "Clé d’accès · Passkey".into(),
        failed: "Rien n’est venu · Nothing came".into(),
        guard: shell.guard(),
        hidden: Vec::new(),
        fields: Vec::new(),
    };
    let filters = Filters {
        label: "Recherche · Search".into(),
        action: "/dev/components".into(),
        fields: vec![Field::line("q", "Mots · Words", "").kind("search", "off"), Field::select("s", "État · State", options, "a")],
        submit: "Chercher".into(),
        reset: Some(Link::new("/dev/components", "Tout")),
        found: "12 résultats".into(),
    };
    vec![
        ("field", fields.iter().map(ToString::to_string).collect()),
        ("post_button", vec![post("Envoyer").primary().to_string(), post("Autre").to_string(), post("Danger").danger().to_string()]),
        ("dialog", vec![dialog.to_string()]),
        ("passkey", vec![passkey.to_string()]),
        ("filters", vec![filters.to_string()]),
    ]
}

fn figures(call: &PageCall) -> Vec<(&'static str, Vec<String>)> {
    let w = call.words;
    let chart = |id: &str, kind| Chart {
        id: id.into(),
        kind,
        title: format!("Appels · Calls ({id})"),
        description: "Les appels de quatre jours.".into(),
        axis: "Jour · Day".into(),
        labels: ["1", "2", "3", "4"].map(str::to_owned).into(),
        series: vec![
            Series { name: "Bons · Good".into(), hue: Hue::Green, values: vec![12.0, 30.0, 22.0, 41.0] },
            Series { name: "Refusés · Refused".into(), hue: Hue::Red, values: vec![2.0, 0.0, 5.0, 1.0] },
        ],
        table_word: "En tableau · As a table".into(),
        format: super::kit::whole,
        words: w,
    };
    let table = Table {
        caption: "Tableau · Table".into(),
        columns: vec![Column::text("Nom"), Column::text("État"), Column::number("Nombre")],
        rows: vec![vec![Cell::link("#", "D12"), Cell::Tag(Tag::new(Tone::Good, "Bon")), Cell::text(w.number(1234))]],
        empty: String::new(),
    };
    let none = Table { rows: Vec::new(), empty: "Rien encore · Nothing yet".into(), ..table.clone() };
    let facts = Facts::default()
        .text("Nom · Name", LOREM)
        .with("Code", Cell::Code("client_id".into()))
        .with("Lignes · Lines", Cell::coded(Cell::text("API Particulier"), "dinum/api-particulier"));
    let code =
        |label: &str| Code {
            label: label.into(), code: "curl https://…".into(), copy: w.of("copy").into(), copied: w.of("copied").into()
        };
    let secret = OneTimeSecret {
        label: "Clé · Key".into(),
        value: "oct_test_key_…".into(),
        warning: "Montrée une seule fois · Shown once".into(),
        copy: w.of("copy").into(),
        copied: w.of("copied").into(),
    };
    let figure = |value: &str, href: Option<&str>| Figure { value: value.into(), name: "demandes".into(), href: href.map(str::to_owned) };
    vec![
        ("chart", vec![chart("bars", ChartKind::Bars).to_string(), chart("lines", ChartKind::Lines).to_string()]),
        ("table", vec![table.to_string(), none.to_string()]),
        ("facts", vec![facts.to_string()]),
        ("figures", vec![Figures { figures: vec![figure("12", None), figure("3", Some("#"))] }.to_string()]),
        ("code", vec![code("Shell").to_string()]),
        ("snippets", vec![Snippets { id: "languages".into(), snippets: vec![code("curl"), code("Python")] }.to_string()]),
        ("secret", vec![secret.to_string()]),
        ("qr", Qr::of("Image · Picture", "octroi").iter().map(ToString::to_string).collect()),
        ("progress", vec![Progress { id: "done".into(), label: "Vérification · Verifying".into(), percent: 40 }.to_string()]),
    ]
}
