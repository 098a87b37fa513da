## The operator’s pages
operator-title = Running the platform
operator-overview = Overview
operator-organizations = Organisations
operator-organizations-text = Search, create, see the members.
operator-people = People
operator-people-text = Accounts, memberships and roles.
operator-apis = APIs
operator-apis-text = Versions, stages and upstreams.
operator-definitions = Definitions
operator-definitions-text = Versions and what the lint says.
operator-outbox = Mails
operator-outbox-text = What waits, failed or left.
operator-ledger = Ledger
operator-ledger-text = Browse the entries and verify the chain.
operator-settings = Settings
operator-settings-text = The settings in force, without secrets.
operator-health = Health
operator-health-text = Database, gateways, disk and jobs.
create = Create
cancel = Cancel

## Health
health-good = Everything works
health-no-database = The database does not answer
health-no-database-text = Check that it runs and can be reached; calls go on as long as the gateways’ view is fresh.
health-gateway-stale = The gateway { $stage } has no fresh view
health-gateway-stale-text = Restricted APIs are refused there. Look into the program’s log: the reason is written there.
health-traces-lost = { $count ->
    [one] One trace was lost
   *[other] { $count } traces were lost
}
health-mails-failed = { $count ->
    [one] One mail could not leave
   *[other] { $count } mails could not leave
}
health-disk-low = Little room is left on the disk
health-disk-low-text = Less than a tenth is free. Make the disk larger or free some room before it is full.
health-job-failed = The job “{ $job }” failed
health-database = Database
health-no-answer = Does not answer
health-ms = { $ms } ms
health-outbox-counts = { $waiting } waiting, { $failed } failed
health-outbox-oldest = Oldest mail that waits
health-disk = Disk
health-disk-room = { $free } GB free of { $total } GB
health-gateways = Gateways of this node
health-gateways-none = No gateway runs in this program.
health-gateway = Gateway
health-state = State
health-ready = Ready
health-not-ready = Stale view
health-never = Never
health-view-age = Age of the view
health-view-version = Version of the view
health-lost = Traces lost
health-jobs = Jobs of this node
health-jobs-note = Each node has its own; this page shows the one that answered.
health-jobs-none = No job has run yet.
health-job = Job
health-last-run = Last run
health-took = Took
health-last-error = Last error
health-no-error = None
job-counters = Counters of quotas
job-mails = Sending mails
job-expiry = End of permits
job-retention = Anonymising traces
job-purge = Clearing out

## Settings
settings-name = Setting
settings-value = Value
settings-origin = Origin
settings-default = Default
settings-set = Chosen
settings-note = To change one, edit octroi.toml and restart. Passwords are never shown.
settings-none = This program does not tell its settings.

## Mails
outbox-all = All mails
outbox-state-waiting = Waiting
outbox-state-failed = Failed
outbox-state-done = Left
outbox-to = To
outbox-subject = Subject
outbox-created = Written
outbox-attempts = Attempts
outbox-when = Next attempt or end
outbox-retry = Try again now
outbox-retry-all = Try all failed ones again
outbox-none = No mail here.
flash-mail-retried = The mail waits again.
flash-mails-retried = The failed mails wait again.

## What is published
published-name = Name
published-slug = Identifier
published-provider = Provider
published-stages = Stages
published-versions = Versions
published-version = version { $version } of { $date }
published-current = Version in force
published-number = Version
published-at = Published
published-hash = SHA-256
published-forms = Forms
published-none = Nothing is published. Apply a catalogue with the command octroi apply.
published-yes = Published
published-withdrawn = Withdrawn
published-retired = Retired
published-startable = Takes requests
published-not-startable = Takes no requests
published-upstream = { $stage }: { $upstream }
published-mocks = { $stage }: prepared answers
visibility-public = Public
visibility-private = Private
lint-good = Lint: no fault
lint-faults = { $count ->
    [one] Lint: one fault
   *[other] Lint: { $count } faults
}
lint-fault = Fault found by the lint

## Organisations
organization-new = Create an organisation
organization-search = Search for an organisation
organization-search-hint = Beginning of a word of its name, or SIRET
organization-none = No organisation matches. Clear the search or create it.
organization-name = Name
organization-siret-hint = 14 digits
organization-siret-wrong = This is not a SIRET: 14 digits, the last of which checks the others.
organization-members = Members
organization-no-member = No member. Create a person for this organisation.
organization-more-members = Only the first members are shown.
flash-organization-created = The organisation is created.

## People
person-new = Create a person
person-new-here = Create a person here
person-search = Search for a person
person-search-hint = Beginning of a name or of the address
person-none = Nobody matches. Clear the search or create the account.
person-name = Name
person-given-name = Given name
person-family-name = Family name
person-language = Language of mails
person-password = First password
person-password-hint = At least 12 characters. Hand it over by another way than mail.
person-organization = SIRET of the organisation
person-organization-hint = 14 digits
person-organization-unknown = No organisation has this SIRET: check it, or create the organisation first.
person-organizations = Organisations
person-no-organization = Belongs to no organisation.
person-link-new = Add or change a membership
person-link-send = Save the membership
person-link-end = End
person-roles = Roles
person-no-role = No role: this person may apply for their organisations.
person-role-new = Give a role
language-fr = French
language-en = English
flash-person-created = The account is created.
flash-person-linked = The membership is saved.
flash-person-unlinked = The membership is ended.

## Roles
role = Role
role-applicant = Applicant
role-reviewer = Reviewer
role-observer = Observer
role-subscriber = Subscriber to notifications
role-manager = Manager
role-developer = Developer
role-api_administrator = API administrator
role-operator = Operator
role-perimeter = Perimeter
role-perimeter-hint = definition:name, api:provider/name, provider:name, or platform for the operator
role-perimeter-wrong = Write definition:name, api:provider/name, provider:name or platform.
role-wrong = Choose a role.
role-grant = Give this role
role-withdraw = Withdraw
flash-role-granted = The role is given.
flash-role-withdrawn = The role is withdrawn.
manage-roles = Roles by definition
manage-roles-of = See who has which role
manage-roles-for = Roles for { $definition }
manage-roles-text = Choose the definition whose roles you want to change.
manage-roles-note = Nobody changes their own roles. Those for a whole provider are given by the operator.
manage-holders = Who has which role
manage-no-holder = Nobody has a role for this definition.
manage-this-definition = This definition
manage-whole-provider = The whole provider
manage-email-hint = The person must have an account.
manage-role-hint = Reviewer: decides. Observer: reads. Developer: reads and uses the API. Manager: decides and gives roles. Subscriber: receives notifications.

## Ledger
ledger-search = Search the ledger
ledger-subject = Subject
ledger-subject-hint = D12, H12, user:identifier…
ledger-actor = Actor
ledger-actor-hint = user:identifier, application:identifier, system
ledger-action = Action
ledger-action-hint = permit.granted, role.withdrawn…
ledger-number = Number
ledger-at = When
ledger-details = Facts
ledger-none = No entry matches: the three fields are compared exactly.
ledger-history = History
ledger-see = See in the ledger
ledger-verify-title = Verification of the ledger
ledger-verify-text = Reads every entry again, checks that each follows the one before, and compares with the permits. It goes on if you close this page.
ledger-verify = Verify the whole ledger
ledger-verify-running = Verification under way
ledger-verifying = Entries read
ledger-refresh = Refresh
ledger-verifications = Latest verifications
ledger-never-verified = The ledger was not verified from this page yet.
ledger-started = Started
ledger-read = Read
ledger-outcome = What was found
ledger-entries-of = { $entries } of { $total }
ledger-fault = entry { $entry }: { $fault }
ledger-broken = The ledger is broken
verification-running = Under way
verification-interrupted = Interrupted
verification-sound = Sound
verification-broken = Broken
verification-failed = Not carried out
flash-ledger-verifying = The verification has begun.
