## Reviewers’ lists
review-title = Requests to review
review-permits-title = Granted permits
review-states = By state
review-all-states = All
review-all-definitions = All my definitions
review-search = Search the requests
review-permits-search = Search the permits
review-words = Words to look for
review-words-hint = Organisation, SIRET, project, applicant, D12 or H12
review-permits-words-hint = Organisation, SIRET, project, applicant or H12
review-state = State
review-definition = Definition
review-sort = Order
review-sort-submitted = Oldest first
review-sort-changed = Last changed first
review-sort-created = Last created first
review-permit-sort-granted = Last granted first
review-permit-sort-expires = Next to expire first
review-submit = Search
review-reset = Clear the search
review-request = Request
review-permit = Permit
review-organization = Organisation
review-applicant = Applicant
review-submitted = Submitted on
review-not-submitted = not yet
review-changed = Changed on
review-granted = Granted on
review-expires = Expires on
review-no-end = Does not expire
review-actions = Actions
review-pages = Pages of the list
review-first-page = First page
review-next-page = Next page
review-empty = No request here. Choose another state above.
review-empty-search = No request has all these words. Try the beginning of a word, the SIRET, or another state.
review-permits-empty = No permit here. Choose another state or clear the search.
review-kind-initial = First request
review-kind-amendment = Amendment
review-kind-stage_change = Stage change

## Reviewing a request
review-one-title = { $id } · { $title }
review-who = Who asks
review-what = What is asked for
review-siret = SIRET
review-email = E-mail address
review-link = Link with the organisation
review-link-since = Linked since
review-link-level-none = No longer a member
review-link-level-unverified = Not verified
review-link-level-verified = Verified
review-link-level-certified = Certified
review-link-unsure = The link between the person and the organisation is not verified
review-link-unsure-text = Make sure that this person may apply for the organisation before you approve.
review-form = Form
review-form-of-vendor = { $form } (vendor: { $vendor })
review-kind = Kind
review-stage = Stage
review-of-permit = Permit that it follows
review-created = Created
review-validity = How long the permit lasts
review-validity-months = { $count ->
    [one] One month
   *[other] { $count } months
}
review-to-request = See the whole history and the messages
review-to-permit = See the permit { $id }
review-granted-permit = This request led to the permit { $id }
review-to-decision = Go to the decision
review-back-to-list = { $count ->
    [0] Back to the list: no request waits any more
    [one] Back to the list: one request waits
   *[other] Back to the list: { $count } requests wait
}
review-next = Next request: { $id }
review-skip-to = Skip to the next one: { $id }
review-stale = The request changed while you were reading it
review-stale-text = Nothing was decided. The page now shows what is there; your message is kept: read again, then decide.
review-late = This request no longer waits for a decision
review-late-text = What you sent changed nothing: this came first.
review-not-decided = Your decision was not recorded
review-conflict = You cannot decide on this request
review-conflict-text = You made it, or you belong to the organisation that applies. Somebody else must decide.
review-read-only = You can read this request, not decide on it
review-read-only-text = Your role lets you read. To decide, ask a manager for the role of reviewer.
review-last-message = Last message of the reviewers
review-since-form = Differs from the text that the form proposed
review-since-permit = Changed since the permit { $id }
review-added = Added
review-removed = Removed
review-before = Before
review-after = Now
review-not-chosen = { $count ->
    [one] One scope that is offered is not asked for
   *[other] { $count } scopes that are offered are not asked for
}
review-others = What the organisation has already
review-other-requests = Other requests of the organisation
review-other-requests-none = No other request of this organisation among those that you may see.
review-other-permits = Permits of the organisation
review-other-permits-none = No permit of this organisation among those that you may see.
review-happened = What happened
review-scope-rules = Rules on the choice of scopes
review-quoted = “{ $text }”
review-scopes-one-of = At least one of: { $scopes }.
review-scopes-exclusive = { $scope } does not go with: { $others }.
review-scopes-incompatible = Nothing of { $left } goes with { $right }.
review-scopes-alone = { $scope } is asked for alone.
review-scopes-requires = { $scope } also needs: { $needs }.

## Rules of a field
review-rule-text = One line, at most 255 characters.
review-rule-long-text = A text of at most 10,000 characters.
review-rule-email = An e-mail address.
review-rule-phone = A telephone number.
review-rule-date = A date.
review-rule-url = The address of a page.
review-rule-siret = A SIRET.
review-rule-integer = A number from { $minimum } to { $maximum }.
review-rule-boolean = Yes or no.
review-rule-agreement = A box to tick.
review-rule-choice = One of the definition’s choices.
review-rule-choices = Some of the definition’s choices.
review-rule-level = One of the definition’s levels.
review-rule-contact = A person: name, job, address, telephone.
review-rule-certification = An authority and two dates.
review-rule-documents = Links to documents, at most six.
review-rule-scopes = The data asked for, one by one.
review-messages = Messages
review-rule-always = Required.
review-rule-never = Optional.
review-rule-above = Required when “{ $field }” is above { $limit }.
review-rule-locked = Fixed by the form.
review-rule-hidden = Not shown to the applicant: the answer is the form’s.

## Decision
decision-title = Your decision
decision = What do you decide?
decision-missing = Choose what you decide.
decision-approve = Approve
decision-approve-hint = The permit is granted at once, for exactly what this page shows.
decision-request-changes = Ask for changes
decision-request-changes-hint = The request goes back to the applicant, with your message.
decision-refuse = Refuse
decision-refuse-hint = The request is closed, with your message.
decision-word-approve = Approve
decision-word-request_changes = Changes
decision-word-refuse = Refuse
decision-message = Message to the applicant
decision-message-hint = Required to refuse or to ask for changes: say what to do. At most 5,000 characters.
decision-kept = Your message, which was not sent
decision-templates = Prepared texts
decision-template = Prepared text
decision-insert = Add this text to the message
decision-send = Send the decision
decision-consequence = The applicant receives a mail with your message. The decision is written to the ledger.
decision-consequence-amendment = If you approve, the new permit replaces { $id }, and the subscriptions follow. The applicant receives a mail with your message.
flash-review-approved = The request { $about } is approved: the permit is in force.
flash-review-changes-asked = Changes were asked for on { $about }.
flash-review-refused = The request { $about } is refused.

## What can happen to a permit
permit-suspend = Suspend
permit-suspend-of = Suspend { $id }
permit-suspend-title = Suspend the permit { $id }
permit-suspend-consequence = As soon as you send this, every call made with { $id } is refused, until it is resumed.
permit-resume = Resume
permit-resume-of = Resume { $id }
permit-resume-title = Resume the permit { $id }
permit-resume-consequence = As soon as you send this, calls made with { $id } are served again.
permit-revoke = Revoke for good
permit-revoke-of = Revoke { $id }
permit-revoke-title = Revoke the permit { $id }
permit-revoke-consequence = As soon as you send this, every call made with { $id } is refused. This is for good: a new request will be needed.
permit-reason = Reason
permit-reason-hint = The holder reads it. At most 5,000 characters.
permit-move-back = Change nothing
permit-move-late = This permit changed in the meantime
permit-move-late-text = What you sent changed nothing: this came first.
permit-move-impossible = The permit { $id } cannot be changed in this way now
permit-move-impossible-text = It is in the state “{ $state }”.
permit-move-see = See the permit { $id }
flash-permit-suspended = The permit { $about } is suspended.
flash-permit-resumed = The permit { $about } is in force again.
flash-permit-revoked = The permit { $about } is revoked.
