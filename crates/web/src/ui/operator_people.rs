//! Organisations, people and roles: the operator's pages, and that of managers for their definitions.

use axum::http::StatusCode;
use octroi_app::{
    App, Error,
    people::{HolderView, MemberView, NewUser, UserDetail},
    sessions::{MembershipView, RoleView},
    view::{OrganizationView, PersonView},
};
use octroi_domain::{
    Id, Slug,
    organization::{Organization, RegistryId},
    text::Language,
    user::{LinkLevel, Perimeter, Role, RoleGrant, User},
};

use super::{
    applications::made,
    errors,
    kit::{ButtonLink, Cell, Column, Facts, Field, FieldError, Hidden, Link, Options, PostButton, Table, Tag, Tone},
    moderation,
    operator::{FormView, OperatorPage, Place, ROWS, Section, pages, search},
    page::{Page, PageAnswer, PageCall, Shell},
    review::spaced,
    words::Words,
};
use crate::problem::Failure;

/// The roles that a manager may give for a definition.
const MANAGED: [Role; 5] = [Role::Reviewer, Role::Observer, Role::Subscriber, Role::Developer, Role::Manager];

fn message(errors: &[FieldError], name: &str) -> String {
    errors.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default()
}

/// A refusal of the operation's members, or of what could not even be read from the form.
fn refused(call: &PageCall, error: Error) -> Result<Vec<FieldError>, Failure> {
    match error {
        Error::Invalid(found) => Ok(errors::fields(call, &found)),
        Error::Conflict { code: "already_exists", text } => {
            // The page says which of its two fields it is about.
            let name = if call.form.has("siret") && !call.form.has("email") { "siret" } else { "email" };
            Ok(vec![FieldError { name: name.to_owned(), message: call.words.text(&text) }])
        }
        error => Err(error.into()),
    }
}

// Organisations.

/// `GET /operator/organizations`
pub async fn organizations(call: PageCall) -> PageAnswer {
    let words = call.query.some("q");
    let found = call.app().list_organizations(&call.context(), words.as_deref(), call.page(ROWS)).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Organizations, w.of("operator-organizations"), Vec::new());
    page.actions.push(ButtonLink::new("/operator/organizations/new", w.of("organization-new")));
    page.filters =
        Some(search(&call, "/operator/organizations", w.of("organization-search").into(), w.of("organization-search-hint").into()));
    let row = |organization: &OrganizationView| {
        vec![
            Cell::link(format!("/operator/organizations/{}", organization.id), &organization.name),
            Cell::text(spaced(&organization.siret)),
        ]
    };
    page.sections.push(Section::of_table(Table {
        caption: w.of("operator-organizations").into(),
        columns: [w.of("review-organization"), w.of("review-siret")].map(Column::text).into(),
        rows: found.items.iter().map(row).collect(),
        empty: w.of("organization-none").into(),
    }));
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

/// `GET /operator/organizations/new`
pub async fn new_organization(call: PageCall) -> PageAnswer {
    App::manage(&call.context())?;
    organization_form(&call, Vec::new())
}

fn organization_form(call: &PageCall, errors: Vec<FieldError>) -> PageAnswer {
    let w = call.words;
    let way = vec![Link::new("/operator/organizations", w.of("operator-organizations"))];
    let mut page = OperatorPage::new(call, Place::Organizations, w.of("organization-new"), way);
    page.summary = errors::summary(call, &errors);
    page.sections.push(Section {
        form: Some(FormView {
            action: "/operator/organizations/new".to_owned(),
            fields: vec![
                Field::line("name", w.of("organization-name"), call.form.text("name")).required().error(message(&errors, "name")),
                Field::line("siret", w.of("review-siret"), call.form.text("siret"))
                    .hint(w.of("organization-siret-hint"))
                    .required()
                    .error(message(&errors, "siret")),
            ],
            button: w.of("create").into(),
            back: Some(Link::new("/operator/organizations", w.of("cancel"))),
            ..FormView::default()
        }),
        ..Section::default()
    });
    call.render(&page)
}

/// `POST /operator/organizations/new`
pub async fn create_organization(call: PageCall) -> PageAnswer {
    let typed: String = call.form.text("siret").chars().filter(|c| !c.is_whitespace()).collect();
    let Ok(siret) = typed.parse::<RegistryId>() else {
        let error = FieldError { name: "siret".to_owned(), message: call.words.of("organization-siret-wrong").into() };
        return Ok(organization_form(&call, vec![error])?.status(StatusCode::UNPROCESSABLE_ENTITY));
    };
    match call.app().create_organization(&call.once(), siret.clone(), call.form.text("name")).await {
        Ok(_) => {
            let id = call.app().organization_of_siret(&siret).await?.ok_or(Error::NotFound)?;
            Ok(Page::to(format!("/operator/organizations/{id}")).flash("organization-created", ""))
        }
        Err(error) => Ok(organization_form(&call, refused(&call, error)?)?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    }
}

/// `GET /operator/organizations/{id}`
pub async fn organization(call: PageCall) -> PageAnswer {
    organization_page(&call, Vec::new()).await
}

/// The page of one organisation, with what was wrong in one of its forms.
pub async fn organization_page(call: &PageCall, wrong: Vec<FieldError>) -> PageAnswer {
    let id: Id<Organization> = call.id("id")?;
    let found = call.app().read_organization(&call.context(), id).await?;
    let w = call.words;
    let profile = call.app().organization_profile(&call.context(), id).await?;
    let way = vec![Link::new("/operator/organizations", w.of("operator-organizations"))];
    let mut page = OperatorPage::new(call, Place::Organizations, &found.organization.name, way);
    page.summary = errors::summary(call, &wrong);
    page.actions.push(ButtonLink::new(format!("/operator/people/new?organization={}", found.organization.siret), w.of("person-new-here")));
    let facts = Facts::default()
        .text(w.of("review-siret"), spaced(&found.organization.siret))
        .with(w.of("review-created"), Cell::When(w.when(&found.created_at)))
        .with(w.of("ledger-history"), history(w, &format!("organization:{}", found.organization.id)));
    let row = |member: &MemberView| {
        let proof = profile.members.iter().find(|found| found.person.id == member.person.id).map(|found| found.proof.as_str());
        vec![
            Cell::link(format!("/operator/people/{}", member.person.id), &member.person.name),
            Cell::text(&member.person.email),
            level_cell(w, &member.level),
            Cell::text(w.one_of("link-proof", proof.unwrap_or("nothing"))),
            Cell::text(w.date(&member.since)),
        ]
    };
    let members = Table {
        caption: w.of("organization-members").into(),
        columns: [w.of("person-name"), w.of("review-email"), w.of("review-link"), w.of("link-proof"), w.of("review-link-since")]
            .map(Column::text)
            .into(),
        rows: found.members.iter().map(row).collect(),
        empty: w.of("organization-no-member").into(),
    };
    let text = if found.more_members { w.of("organization-more-members").into() } else { String::new() };
    page.sections = vec![Section { facts: Some(facts), ..Section::default() }, Section { text, ..Section::of_table(members) }];
    let number = &found.organization.siret;
    let below = moderation::profile_sections(call, &page.shell, (id, number), &profile, &wrong);
    page.sections.extend(below);
    call.render(&page)
}

fn history(w: Words, subject: &str) -> Cell {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("subject", subject).finish();
    Cell::link(format!("/operator/ledger?{query}"), w.of("ledger-see"))
}

fn level_cell(w: Words, level: &str) -> Cell {
    let tone = if level == "unverified" { Tone::Warning } else { Tone::Good };
    Cell::Tag(Tag::new(tone, w.one_of("review-link-level", level)))
}

fn levels(w: Words) -> Options {
    LinkLevel::ALL.iter().map(|level| (level.as_str().to_owned(), w.one_of("review-link-level", level.as_str()).to_string())).collect()
}

fn level(text: &str) -> Option<LinkLevel> {
    LinkLevel::ALL.into_iter().find(|level| level.as_str() == text)
}

// People.

/// `GET /operator/people`
pub async fn people(call: PageCall) -> PageAnswer {
    let words = call.query.some("q");
    let found = call.app().list_users(&call.context(), words.as_deref(), call.page(ROWS)).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::People, w.of("operator-people"), Vec::new());
    page.actions.push(ButtonLink::new("/operator/people/new", w.of("person-new")));
    page.filters = Some(search(&call, "/operator/people", w.of("person-search").into(), w.of("person-search-hint").into()));
    let row = |person: &PersonView| vec![Cell::link(format!("/operator/people/{}", person.id), &person.name), Cell::text(&person.email)];
    page.sections.push(Section::of_table(Table {
        caption: w.of("operator-people").into(),
        columns: [w.of("person-name"), w.of("review-email")].map(Column::text).into(),
        rows: found.items.iter().map(row).collect(),
        empty: w.of("person-none").into(),
    }));
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

/// `GET /operator/people/new`
pub async fn new_person(call: PageCall) -> PageAnswer {
    App::manage(&call.context())?;
    person_form(&call, Vec::new())
}

fn person_form(call: &PageCall, errors: Vec<FieldError>) -> PageAnswer {
    let w = call.words;
    let way = vec![Link::new("/operator/people", w.of("operator-people"))];
    let mut page = OperatorPage::new(call, Place::People, w.of("person-new"), way);
    page.summary = errors::summary(call, &errors);
    let typed = |name: &str| call.form.get(name).or_else(|| call.query.get(name)).unwrap_or_default().to_owned();
    let line = |name: &'static str, label: String| Field::line(name, label, typed(name)).error(message(&errors, name));
    let chosen = if typed("level").is_empty() { LinkLevel::Verified.as_str().to_owned() } else { typed("level") };
    let languages = ["fr", "en"].map(|code| (code.to_owned(), w.one_of("language", code).to_string()));
    page.sections.push(Section {
        form: Some(FormView {
            action: "/operator/people/new".to_owned(),
            fields: vec![
                line("given_name", w.of("person-given-name").into()).required(),
                line("family_name", w.of("person-family-name").into()).required(),
                line("email", w.of("review-email").into()).kind("email", "off").required(),
                Field::select("language", w.of("person-language"), languages.into(), typed("language")),
                // Not shown again after an error: a password never stands in a page.
                Field::line("password", w.of("person-password"), "")
                    .kind("password", "new-password")
                    .hint(w.of("person-password-hint"))
                    .required()
                    .error(message(&errors, "password")),
                line("organization", w.of("person-organization").into()).hint(w.of("person-organization-hint")).optional(w.of("optional")),
                Field::select("level", w.of("review-link"), levels(w), chosen),
            ],
            button: w.of("create").into(),
            back: Some(Link::new("/operator/people", w.of("cancel"))),
            ..FormView::default()
        }),
        ..Section::default()
    });
    call.render(&page)
}

/// The organisation of a typed SIRET.
async fn organization_of(call: &PageCall) -> Result<Result<Option<Id<Organization>>, FieldError>, Failure> {
    let typed: String = call.form.text("organization").chars().filter(|c| !c.is_whitespace()).collect();
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    let found = match typed.parse::<RegistryId>() {
        Ok(siret) => call.app().organization_of_siret(&siret).await?,
        Err(_) => None,
    };
    let unknown = || FieldError { name: "organization".to_owned(), message: call.words.of("person-organization-unknown").into() };
    Ok(found.map(Some).ok_or_else(unknown))
}

/// `POST /operator/people/new`
pub async fn create_person(call: PageCall) -> PageAnswer {
    let link = match organization_of(&call).await? {
        Ok(found) => found.map(|id| (id, level(call.form.text("level")).unwrap_or(LinkLevel::Unverified))),
        Err(error) => return Ok(person_form(&call, vec![error])?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    };
    let new = NewUser {
        email: call.form.text("email").to_owned(),
        given_name: call.form.text("given_name").to_owned(),
        family_name: call.form.text("family_name").to_owned(),
        language: if call.form.text("language") == "en" { Language::En } else { Language::Fr },
        password: call.form.get("password").unwrap_or_default().to_owned(),
        organization: link,
        roles: Vec::new(),
    };
    match call.app().create_user(&call.once(), new).await {
        Ok(done) => {
            let id = made(&done, |person| &person.id);
            Ok(Page::to(format!("/operator/people/{id}")).flash("person-created", ""))
        }
        Err(error) => Ok(person_form(&call, refused(&call, error)?)?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    }
}

/// `GET /operator/people/{id}`
pub async fn person(call: PageCall) -> PageAnswer {
    person_page(&call, Vec::new()).await
}

async fn person_page(call: &PageCall, errors: Vec<FieldError>) -> PageAnswer {
    let id: Id<User> = call.id("id")?;
    let found = call.app().read_user(&call.context(), id).await?;
    let w = call.words;
    let way = vec![Link::new("/operator/people", w.of("operator-people"))];
    let mut page = OperatorPage::new(call, Place::People, &found.person.name, way);
    page.summary = errors::summary(call, &errors);
    let facts = Facts::default()
        .text(w.of("review-email"), &found.person.email)
        .text(w.of("person-language"), w.one_of("language", &found.language))
        .with(w.of("review-created"), Cell::When(w.when(&found.created_at)))
        .with(w.of("ledger-history"), history(w, &format!("user:{}", found.person.id)));
    page.sections = vec![
        Section { facts: Some(facts), ..Section::default() },
        Section { table: Some(memberships(w, &page.shell, &found)), ..Section::titled(w.of("person-organizations")) },
        Section { form: Some(membership_form(call, &found, &errors)), ..Section::titled(w.of("person-link-new")) },
        Section { table: Some(roles(w, &page.shell, &found)), ..Section::titled(w.of("person-roles")) },
        Section { form: Some(role_form(call, &found, &errors)), ..Section::titled(w.of("person-role-new")) },
    ];
    call.render(&page)
}

fn memberships(w: Words, shell: &Shell, found: &UserDetail) -> Table {
    let row = |member: &MembershipView| {
        let end = PostButton::new(format!("/operator/people/{}/organizations", found.person.id), w.of("person-link-end"), shell.guard())
            .danger()
            .about(member.organization.name.clone())
            .hidden("organization", member.organization.siret.clone())
            .hidden("end", "1");
        vec![
            Cell::link(format!("/operator/organizations/{}", member.organization.id), &member.organization.name),
            Cell::text(spaced(&member.organization.siret)),
            level_cell(w, &member.level),
            Cell::Actions(vec![end]),
        ]
    };
    Table {
        caption: w.of("person-organizations").into(),
        columns: [w.of("review-organization"), w.of("review-siret"), w.of("review-link"), w.of("review-actions")].map(Column::text).into(),
        rows: found.organizations.iter().map(row).collect(),
        empty: w.of("person-no-organization").into(),
    }
}

fn membership_form(call: &PageCall, found: &UserDetail, errors: &[FieldError]) -> FormView {
    let w = call.words;
    let chosen = level(call.form.text("level")).unwrap_or(LinkLevel::Verified);
    FormView {
        action: format!("/operator/people/{}/organizations", found.person.id),
        fields: vec![
            Field::line("organization", w.of("person-organization"), call.form.text("organization"))
                .hint(w.of("person-organization-hint"))
                .required()
                .error(message(errors, "organization")),
            Field::select("level", w.of("review-link"), levels(w), chosen.as_str()),
        ],
        button: w.of("person-link-send").into(),
        ..FormView::default()
    }
}

/// `POST /operator/people/{id}/organizations`: makes or changes a link; with `end`, ends it.
pub async fn link(call: PageCall) -> PageAnswer {
    let id: Id<User> = call.id("id")?;
    let organization = match organization_of(&call).await? {
        Ok(Some(found)) => found,
        Ok(None) => {
            let missing = FieldError { name: "organization".to_owned(), message: call.words.of("person-organization-unknown").into() };
            return Ok(person_page(&call, vec![missing]).await?.status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        Err(error) => return Ok(person_page(&call, vec![error]).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    };
    let wanted = (!call.form.has("end")).then(|| level(call.form.text("level")).unwrap_or(LinkLevel::Unverified));
    let flash = if wanted.is_some() { "person-linked" } else { "person-unlinked" };
    call.app().set_membership(&call.once(), id, organization, wanted).await?;
    Ok(Page::to(format!("/operator/people/{id}")).flash(flash, ""))
}

fn roles(w: Words, shell: &Shell, found: &UserDetail) -> Table {
    let row = |role: &RoleView| {
        let withdraw = PostButton::new(format!("/operator/people/{}/roles", found.person.id), w.of("role-withdraw"), shell.guard())
            .danger()
            .about(format!("{} · {}", w.one_of("role", &role.role), role.perimeter))
            .hidden("role", role.role.clone())
            .hidden("perimeter", role.perimeter.clone())
            .hidden("withdraw", "1");
        vec![Cell::text(w.one_of("role", &role.role)), Cell::Code(role.perimeter.clone()), Cell::Actions(vec![withdraw])]
    };
    Table {
        caption: w.of("person-roles").into(),
        columns: [w.of("role"), w.of("role-perimeter"), w.of("review-actions")].map(Column::text).into(),
        rows: found.roles.iter().map(row).collect(),
        empty: w.of("person-no-role").into(),
    }
}

fn role_form(call: &PageCall, found: &UserDetail, errors: &[FieldError]) -> FormView {
    let w = call.words;
    // Every member may apply: that role is not given.
    let option = |role: &Role| (role.as_str().to_owned(), w.one_of("role", role.as_str()).to_string());
    FormView {
        action: format!("/operator/people/{}/roles", found.person.id),
        fields: vec![
            Field::select(
                "role",
                w.of("role"),
                Role::ALL.iter().filter(|role| **role != Role::Applicant).map(option).collect(),
                call.form.text("role"),
            )
            .error(message(errors, "role")),
            Field::line("perimeter", w.of("role-perimeter"), call.form.text("perimeter"))
                .hint(w.of("role-perimeter-hint"))
                .required()
                .error(message(errors, "perimeter")),
        ],
        button: w.of("role-grant").into(),
        ..FormView::default()
    }
}

/// The role and the perimeter of a form.
fn grant(call: &PageCall) -> Result<RoleGrant, FieldError> {
    let wrong = |name: &str, message: String| FieldError { name: name.to_owned(), message };
    let role: Role = call.form.text("role").parse().map_err(|_| wrong("role", call.words.of("role-wrong").into()))?;
    let perimeter: Perimeter =
        call.form.text("perimeter").parse().map_err(|_| wrong("perimeter", call.words.of("role-perimeter-wrong").into()))?;
    Ok(RoleGrant { role, perimeter })
}

/// `POST /operator/people/{id}/roles`: gives a role; with `withdraw`, takes it away.
pub async fn set_role(call: PageCall) -> PageAnswer {
    let id: Id<User> = call.id("id")?;
    let grant = match grant(&call) {
        Ok(grant) => grant,
        Err(error) => return Ok(person_page(&call, vec![error]).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    };
    let held = !call.form.has("withdraw");
    match call.app().set_role(&call.once(), id, grant, held).await {
        Ok(_) => Ok(Page::to(format!("/operator/people/{id}")).flash(if held { "role-granted" } else { "role-withdrawn" }, "")),
        Err(error) => {
            let errors = refused(&call, error)?;
            Ok(person_page(&call, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}

// Roles of definitions, for their managers.

/// `GET /manage/roles`
pub async fn managed(call: PageCall) -> PageAnswer {
    let mine = call.app().managed_definitions(&call.context()).await?;
    if mine.is_empty() {
        return Err(Error::Forbidden(octroi_domain::policy::Forbidden::RoleMissing).into());
    }
    // One is enough to go straight there.
    if let [only] = mine.as_slice() {
        return Ok(Page::to(format!("/manage/roles/{}", only.slug)));
    }
    let w = call.words;
    let row = |definition: &octroi_app::people::ManagedDefinition| {
        vec![Cell::link(format!("/manage/roles/{}", definition.slug), w.text(&definition.name)), Cell::text(&definition.provider)]
    };
    let table = Table {
        caption: w.of("operator-definitions").into(),
        columns: [w.of("review-definition"), w.of("published-provider")].map(Column::text).into(),
        rows: mine.iter().map(row).collect(),
        empty: String::new(),
    };
    let mut page = OperatorPage::bare(call.shell(w.of("manage-roles")), None);
    page.sections.push(Section { text: w.of("manage-roles-text").into(), ..Section::of_table(table) });
    call.render(&page)
}

/// `GET /manage/roles/{slug}`
pub async fn holders(call: PageCall) -> PageAnswer {
    holders_page(&call, Vec::new()).await
}

async fn holders_page(call: &PageCall, errors: Vec<FieldError>) -> PageAnswer {
    let slug: Slug = call.id("slug")?;
    let holders = call.app().roles_of_definition(&call.context(), &slug).await?;
    let mine = call.app().managed_definitions(&call.context()).await?;
    let w = call.words;
    let name = mine.iter().find(|definition| definition.slug == slug.as_str()).map(|definition| w.text(&definition.name));
    let title = w.of("manage-roles-for").with("definition", name.unwrap_or_else(|| slug.to_string()));
    let shell = call.shell(title);
    let shell = if mine.len() > 1 { shell.under(vec![Link::new("/manage/roles", w.of("manage-roles"))]) } else { shell };
    let option = |role: &Role| (role.as_str().to_owned(), w.one_of("role", role.as_str()).to_string());
    let form = FormView {
        action: format!("/manage/roles/{slug}"),
        hidden: vec![Hidden { name: "perimeter".to_owned(), value: format!("definition:{slug}") }],
        fields: vec![
            Field::line("email", w.of("review-email"), call.form.text("email"))
                .kind("email", "off")
                .hint(w.of("manage-email-hint"))
                .required()
                .error(message(&errors, "email")),
            Field::select("role", w.of("role"), MANAGED.iter().map(option).collect(), call.form.text("role"))
                .hint(w.of("manage-role-hint")),
        ],
        button: w.of("role-grant").into(),
        back: None,
    };
    let mut page = OperatorPage::bare(shell, None);
    page.summary = errors::summary(call, &errors);
    page.sections = vec![
        Section { text: w.of("manage-roles-note").into(), ..Section::of_table(holders_table(call, &page.shell, &slug, &holders)) },
        Section { form: Some(form), ..Section::titled(w.of("person-role-new")) },
    ];
    call.render(&page)
}

fn holders_table(call: &PageCall, shell: &Shell, slug: &Slug, holders: &[HolderView]) -> Table {
    let w = call.words;
    let own = call.me.as_ref().and_then(|me| me.user.as_ref()).map(|user| user.id.clone());
    let perimeter = format!("definition:{slug}");
    let row = |holder: &HolderView| {
        // One's own roles, and those held for the whole provider, are changed by somebody else.
        let mine = holder.perimeter == perimeter && own.as_ref() != Some(&holder.person.id);
        let withdraw = mine.then(|| {
            PostButton::new(format!("/manage/roles/{slug}"), w.of("role-withdraw"), shell.guard())
                .danger()
                .about(format!("{} · {}", w.one_of("role", &holder.role), holder.person.name))
                .hidden("email", holder.person.email.clone())
                .hidden("role", holder.role.clone())
                .hidden("perimeter", perimeter.clone())
                .hidden("withdraw", "1")
        });
        vec![
            Cell::text(&holder.person.name),
            Cell::text(&holder.person.email),
            Cell::text(w.one_of("role", &holder.role)),
            Cell::text(if holder.perimeter == perimeter { w.of("manage-this-definition") } else { w.of("manage-whole-provider") }),
            Cell::Actions(withdraw.into_iter().collect()),
        ]
    };
    Table {
        caption: w.of("manage-holders").into(),
        columns: [w.of("person-name"), w.of("review-email"), w.of("role"), w.of("role-perimeter"), w.of("review-actions")]
            .map(Column::text)
            .into(),
        rows: holders.iter().map(row).collect(),
        empty: w.of("manage-no-holder").into(),
    }
}

/// `POST /manage/roles/{slug}`: gives a role to a person named by their address; with `withdraw`, takes it away.
pub async fn manage(call: PageCall) -> PageAnswer {
    let slug: Slug = call.id("slug")?;
    let role = match grant(&call) {
        Ok(grant) => grant.role,
        Err(error) => return Ok(holders_page(&call, vec![error]).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    };
    let held = !call.form.has("withdraw");
    let grant = RoleGrant { role, perimeter: Perimeter::Definition(slug.clone()) };
    match call.app().set_role_by_email(&call.once(), call.form.text("email"), grant, held).await {
        Ok(_) => Ok(Page::to(format!("/manage/roles/{slug}")).flash(if held { "role-granted" } else { "role-withdrawn" }, "")),
        Err(error) => {
            let errors = refused(&call, error)?;
            Ok(holders_page(&call, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}
