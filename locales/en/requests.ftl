## Dashboard
dashboard-welcome = Welcome
dashboard-welcome-text = To obtain data, make a request: the form guides you, and everything is saved as you go.
dashboard-start = Make a request
dashboard-waiting = What waits for you
dashboard-nothing = Nothing waits for you now.
waiting-changes = Requests to complete
waiting-messages = Unread messages
waiting-stopped = Permits that were stopped: calls are refused
waiting-expiring = Permits that end in less than { $days } days
waiting-drafts = Drafts to finish
waiting-unused = Permits that no application uses yet
review-waiting = { $count ->
    [one] request to review
   *[other] requests to review
}
review-oldest = The oldest requests to review
review-since = Submitted
review-none = No request waits for your decision.
my-requests = My requests
my-requests-none = No request yet. Choose what to ask for: “Make a request”.
my-requests-latest = Requests, the latest changed first
my-requests-all = All requests of my organisation
my-permits = My permits
my-permits-none = No permit yet: they appear here when a request is approved.
my-permits-latest = Permits, the latest granted first
my-permits-all = All permits of my organisation
my-applications = My applications
my-applications-list = Applications of my organisation
my-applications-none = No application yet. Create one to call an API.
application-column = Application
application-active = Active
application-stopped = Suspended
request-column = Request
request-line = { $id } · { $title }
permit-column = Permit
list-words = Words to find
list-search = Search
list-reset = Clear the search
list-any = All
list-who = Who made the request
list-organization = My whole organisation
list-me = Me
list-pages = Pages of the list
list-first = First page
list-next = Next page

## Choosing what to ask for
start-title = Make a request
start-lead = Choose the data that you need. You will then choose the form that suits you.
start-helper = I do not know what to choose
start-none = No request can be made now.
start-offer-note = { $provider } · { $count ->
    [one] one form
   *[other] { $count } forms
}
start-provider = Provider
start-stages = Stages, one after the other
start-validity = How long the permit lasts
months = { $count ->
    [one] one month
   *[other] { $count } months
}
start-by-use = By use case
start-by-vendor = With your software
start-by-vendor-text = If your vendor is in this list, almost everything is filled in already.
start-free = Another case
start-unsure = Not sure?
start-form-short = Partly filled in for you
start-form-steps = { $count ->
    [one] One step
   *[other] { $count } steps, with reading over
}
start-form-title = { $definition }: { $form }
start-asked = What you will be asked
start-fixed = What the form settles for you
start-draft-text = Everything is saved at each step: you can stop and go on later.
start-organization = For which organisation?
start-begin = Begin the request
start-sign-in = Sign in to begin
helper-title = Find the right form
helper-lead = Two questions, and we propose the forms that fit.
helper-use = What will the data be for?
helper-other-use = Something else
helper-vendor = Which software do you use?
helper-no-vendor = Another one, or none
helper-submit = Propose forms
helper-found = { $count ->
    [0] No form fits
    [one] One form fits
   *[other] { $count } forms fit
}
helper-of = { $provider } · { $note }
helper-form = { $form } ({ $definition })

## Filling in a request
form-title = { $step } (request { $id })
form-steps = Steps of the request
form-position = Step { $step } of { $count }
form-step-done = filled in
form-step-unread = filled in for you, to be checked
form-summary = Read over and submit
form-next = Save and continue
form-back = Previous step
form-who-reads = The reviewers and the members of your organisation can read this request while you fill it in. Nobody decides on it before you send it.
form-later = Save and finish later
form-saved-at = Draft saved at
form-cancel = Cancel
form-choose = Choose…
form-fixed = Fixed by the form.
form-needed-above = Required when “{ $field }” is above { $limit }.
form-stale = The request has changed meanwhile
form-stale-text = Somebody, or another window, changed it while you were typing. Nothing that you typed is lost: compare, mend if needed, then save again.
form-not-saved = What you typed was not saved
form-closed = The request can no longer be changed: it was submitted, archived or handed over. Copy what you want to keep, then look at the request.
form-see-request = See the request
form-stale-table = What is stored and what you typed
form-question = Question
form-stored = Stored
form-mine = What you typed
answer-none = Not filled in
answer-yes = Yes
answer-no = No
answer-from-until = From { $from } until { $until }
contact-family_name = Family name
contact-given_name = Given name
contact-email = E-mail address
contact-phone = Telephone
contact-job = Job
contact-is-me = It is me: fill in from my account
certification-authority = Authority that certified
certification-from = Start date
certification-until = End date
document-title = Title of the document
document-url = Address of the document (https://…)
document-number = { $label }: document { $number }
document-add = Add a document
document-remove = Remove document { $number }
scope-opens = Opens: { $fields }.
scope-included = Always included.
scope-given-up = No longer offered: to be removed.
scope-name = Data
scope-group = Group
scope-word = Word for programs

## Reading over
summary-title = Read over request { $id }
summary-edit = Change “{ $step }”
summary-submit-title = Submit the request
summary-submit-text = Once submitted, the request cannot be changed, unless the provider asks you to.
summary-submit = Submit the request
summary-stale-text = Read what this page shows now, then submit again.
summary-held = { $count ->
    [one] The request cannot be submitted yet: one step is incomplete.
   *[other] The request cannot be submitted yet: { $count } steps are incomplete.
}
summary-held-form = The request cannot be submitted: what the form settles no longer fits. Take another form.
summary-other-form = Choose another form
summary-held-other = The request is not submitted yet. Only the person who opened it, { $who }, can complete and submit it.
answers-title = Answers of request { $id }
missing-title = { $count ->
    [one] One answer is still missing
   *[other] { $count } answers are still missing
}
missing-line = { $field }: { $message }
missing-member = { $field }, { $member }
terms-read = Read the terms of use
terms-accept = I have read and accept the terms of use
terms-needed = Accept the terms of use to submit the request.

## One request
request-title = Request { $id }
request-headline = { $id } · { $title }
request-state = State
request-definition = Kind of permit
request-form = Form
request-organization = Organisation
organization-siret = { $name } (SIRET { $siret })
request-applicant = Applicant
request-stage = Stage
request-of-amendment = Amends the permit
request-of-stage_change = Follows the permit
request-created = Created
request-updated = Last changed
request-facts = In short
request-next-draft-mine = Your request has not been submitted yet
request-next-draft = { $who } is preparing this request
request-next-changes-mine = The provider ({ $provider }) asks you to complete the request
request-next-changes = { $who } has to complete the request
request-next-submitted = The provider ({ $provider }) is reviewing the request. You will be told by e-mail.
request-next-to-review = This request waits for a decision
request-next-approved = Request approved: the permit { $permit } is granted
request-next-refused = The provider ({ $provider }) refused the request
request-next-archived = The request { $id } is archived
request-changes-asked = The provider ({ $provider }) asks you to complete the request
request-go-on = Go on with the request
request-see-permit = See the permit { $permit }
request-review = Review the request
request-answers = See the answers
request-actions = Other actions
request-transfer = Hand the request to a colleague
request-archive = Archive the request
archive-title = Archive request { $id }
archive-text = An archived request is no longer dealt with and can no longer be changed. It can still be read.
archive-do = Archive
transfer-title = Hand over request { $id }
transfer-text = The person you choose becomes responsible for the request: only they can change it. You can still read it.
transfer-email = E-mail address of your colleague
transfer-hint = Somebody of the same organisation who has an account here.
transfer-do = Hand over

## Messages
messages-heading = Messages
messages-none = No message yet.
messages-title = Messages of request { $id }
messages-earlier = Earlier messages
messages-later = Later messages
messages-pages = Pages of messages
messages-count = Unread messages
messages-latest = Latest message
message-from = { $who }
message-seen = { $who } (read)
message-label = Your message
message-hint = { $most } characters at most. The other side is told by e-mail.
message-not-sent = Your message was not sent
message-send = Send the message

## History
timeline-heading = History
actor-you = You
actor-named = { $name } ({ $organization })
actor-reviewer = Reviewing team ({ $organization })
actor-platform = Automatically
timeline-access_request-created = Request created · { $who }
timeline-access_request-edited = Request changed · { $who }
timeline-access_request-submitted = Request submitted · { $who }
timeline-access_request-changes_requested = Changes asked for · { $who }
timeline-access_request-refused = Request refused · { $who }
timeline-access_request-archived = Request archived · { $who }
timeline-access_request-transferred = Request handed to { $to } · { $who }
timeline-permit-granted = Request approved, permit { $permit } granted · { $who }
timeline-permit-suspended = Permit { $permit } suspended · { $who }
timeline-permit-resumed = Permit { $permit } in force again · { $who }
timeline-permit-revoked = Permit { $permit } revoked · { $who }
timeline-permit-expired = Permit { $permit } expired · { $who }
timeline-permit-superseded = Permit replaced by { $permit } · { $who }

## Permits
permit-title = Permit { $id }
permit-holder = Holder
permit-provider = Provider
permit-both-stages = Sandbox and production
permit-granted = Granted on
permit-until = Until
permit-no-end = No end
permit-request = Request
permit-scopes = Data that it opens
permit-scopes-none = This permit opens no data by name: it opens the whole API.
permit-uses = Applications that use it
permit-uses-none = No application uses it yet. Subscribe one to call the API.
permit-use-api = API
permit-uses-none-stopped = No application uses it.
permit-use-pending = Pending
permit-use-active = Active
permit-use-suspended = Suspended
permit-use-revoked = Ended
permit-is-suspended = This permit is suspended: calls are refused
permit-is-revoked = This permit is revoked: calls are refused
permit-is-expired = This permit has expired
permit-is-expired-text = Make a new request to go on.
permit-stop-suspended = The permit { $permit } has been suspended since { $date }
permit-stop-revoked = The permit { $permit } was revoked on { $date }
permit-stop-expired = The permit { $permit } expired on { $date }
permit-stop-superseded = The permit { $permit } was replaced by { $by } on { $date }
permit-stopped-suspended = Suspended since
permit-stopped-revoked = Revoked on
permit-stopped-expired = Expired on
permit-stopped-superseded = Replaced on
permit-why = Reason
permit-wait = A message will tell you when it is in force again.
permit-since = Since
permit-next = Next
permit-see-why = See why { $permit } is suspended
permit-is-superseded = This permit was replaced
permit-is-followed = A request to change it is under way
permit-subscribe = Subscribe an application
permit-receipt = Receipt to print
permit-amend = Change or renew
permit-amend-title = Change or renew the permit { $id }
permit-amend-text = A change is a new request, filled in already with what { $id } says: you change what has to be, then send it. The permit { $id } stays in force meanwhile; it is replaced only if the change is approved.
permit-amend-begin = Begin the change
permit-next-stage = Ask for the next stage ({ $stage })
permit-next-stage-text = It is a new request, filled in already with what { $id } says: you complete it, then send it. The permit { $id } stays in force meanwhile, on its stage.
permit-next-stage-begin = Begin the request
permit-ask-again = Apply again
permit-moves = Stop or resume
receipt-title = Receipt of permit { $id }
receipt-lead = What was granted, as the reviewing team read it. The content is frozen: any change is another permit.
receipt-evidence = Evidence
receipt-content = SHA-256 of the content
receipt-version = Version of the kind of permit
receipt-entry = Number of the entry in the ledger
receipt-entry-hash = SHA-256 of the entry
receipt-made = Receipt made
receipt-how = The entry in the ledger holds the hash of the content and the hash of the entry before it: the operator of the portal can verify the whole chain at any time.

## What was just done
flash-draft-created = The draft { $about } was created.
flash-request-created = Request { $about } is open.
flash-draft-saved = The draft of { $about } is saved.
flash-request-submitted = Request { $about } is submitted.
flash-request-archived = Request { $about } is archived.
flash-request-transferred = Request { $about } was handed over.
flash-message-sent = Your message was sent.
