# Connected applications: what each was given, and ending it.

connected-title = Connected applications
connected-text = The services that you sign in to with this account, and what you share with them. Take access back from those that you no longer use: it takes effect at once.
connected-none = No application is connected to your account. The list fills when you sign in to a service with it.
connected-see = See the applications
connected-shared = What you share
connected-organizations = On behalf of
connected-state = State
connected-active = connected
connected-agreed = agreed to, nothing under way
connected-since = Since
connected-used = Last used
connected-disconnect = Take access back
connected-disconnect-one = Take access back from { $client }
connected-disconnect-title = Take access back from { $client }?
connected-disconnect-text = { $client } will no longer be able to read anything of your account, and you will be signed out there. When you come back, you will be asked again whether you agree. What the service has stored stays there: ask the service to erase it.
flash-connected-disconnected = Access is taken back.
