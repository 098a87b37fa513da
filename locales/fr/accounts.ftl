## Venir
sign-in-next = Continuer
sign-in-by-mail = Recevoir un lien par courriel
sign-in-by-passkey = Se connecter avec une clé d’accès
sign-in-forgotten = J’ai oublié mon mot de passe
sign-in-no-account = Ouvrir un compte
sign-in-otherwise = Se connecter autrement
email-missing = Écrivez votre adresse électronique, par exemple nom@exemple.fr.
wait-seconds = Réessayez dans { $seconds ->
    [one] une seconde
   *[other] { $seconds } secondes
}.
not-possible = Ce n’est pas possible
passkey-failed = Le navigateur n’a pas donné de clé d’accès. Recommencez, ou utilisez un autre moyen.
mail-code-title = Saisir le code reçu
mail-code = Code reçu par courriel
mail-again = Envoyer un autre courriel
mail-again-in = Vous pourrez demander un autre courriel dans { $seconds ->
    [one] une seconde
   *[other] { $seconds } secondes
}.
mail-not-there = Rien reçu ? Regardez dans les indésirables, et vérifiez l’adresse.
sign-in-mail-sent = Si un compte a l’adresse { $email }, un courriel vient d’y partir. Ouvrez son lien, ou saisissez ici le code qu’il contient : il vaut { $minutes } minutes.
link-spent-title = Ce lien ne fonctionne plus
link-spent = Il a déjà servi, ou il a expiré
link-spent-text = Demandez-en un autre : seul le lien du dernier courriel reçu fonctionne.
link-open = Me connecter ici
link-open-text = Ce lien connecte le compte { $email } dans ce navigateur, qui n’est pas celui où il a été demandé.
link-not-mine = Ce n’est pas mon compte

## Ouvrir un compte
sign-up = Ouvrir un compte
sign-up-text = Saisissez votre adresse professionnelle : un code y sera envoyé.
sign-up-known = J’ai déjà un compte
sign-up-sent = Un courriel vient de partir pour { $email }. Saisissez ici le code qu’il contient : il vaut { $minutes } minutes.
sign-up-other-address = Utiliser une autre adresse
sign-up-finish = Terminer l’ouverture du compte
sign-up-finish-text = L’adresse { $email } est vérifiée.
sign-up-open = Ouvrir le compte
given-name = Prénom
family-name = Nom
password-new = Nouveau mot de passe
password-hint = De { $least } à { $most } caractères. Quelques mots sans rapport entre eux font un bon mot de passe.

## Mot de passe oublié
reset-title = Choisir un nouveau mot de passe
reset-text = Saisissez l’adresse de votre compte : un lien pour choisir un nouveau mot de passe y sera envoyé.
reset-ask = Recevoir un lien
reset-sent = Regardez vos courriels
reset-sent-text = Si un compte a l’adresse { $email }, un lien vient d’y partir : il vaut { $minutes } minutes et sert une seule fois.
reset-choose = Changer le mot de passe
reset-choose-text = Vos sessions ouvertes prendront fin ; la double authentification reste demandée si vous l’avez mise en place.
flash-password-reset = Le mot de passe est changé : connectez-vous.

## Second facteur
second-factor = Double authentification
second-factor-text = Confirmez que c’est bien vous par un second moyen.
second-factor-code = Code
second-factor-code-hint = Les six chiffres de votre application, ou un code de secours.
second-factor-show = Continuer
second-factor-passkey = Utiliser une clé d’accès
again-title = Confirmer que c’est vous
again-text = Cette page change ce qui ouvre votre compte, et votre connexion date de plus de quinze minutes.
again-confirm = Confirmer
again-by-mail = Recevoir un code par courriel
again-by-passkey = Confirmer avec une clé d’accès
again-wrong = Ce mot de passe n’est pas le bon.
again-mail-sent = Un code vient de partir pour { $email }.

## Compte
account-title = Mon compte
account-who = Qui je suis
account-ways-in = Comment je me connecte
account-change-name = Changer mes nom et prénom
account-change-email = Changer ou vérifier mon adresse
account-change-password = Changer mon mot de passe
account-add-password = Choisir un mot de passe
account-second-factor = Double authentification et codes de secours
account-second-factor-needed = Votre rôle demande la double authentification
account-second-factor-needed-text = Tant qu’elle n’est pas en place et faite, ce rôle est suspendu : choisissez une application qui donne des codes, ou une clé d’accès.
account-second-factor-set-up = La mettre en place
account-unverified = Votre adresse n’est pas vérifiée
account-unverified-text = Un code envoyé à cette adresse le fera.
account-verify = Vérifier mon adresse
email-verified = vérifiée
email-unverified = non vérifiée
account-there = en place
account-not-there = pas en place
account-save = Enregistrer
account-confirm = Confirmer
account-send-code = Envoyer un code
account-email-text = Un code part pour l’adresse saisie ; elle devient celle du compte quand il est confirmé. L’ancienne adresse en est prévenue. Les organisations que l’ancienne adresse prouvait seront à prouver de nouveau.
account-password-text = Vos autres sessions prendront fin.
account-sessions = Mes sessions
account-sessions-open = { $count ->
    [one] Une session est ouverte
   *[other] { $count } sessions sont ouvertes
}.
account-sessions-see = Voir mes sessions
account-sessions-text = Les navigateurs où votre compte est ouvert. Une session prend fin après douze heures, ou une heure sans rien faire.
account-end = Fin du compte
account-end-text = Vos demandes et leurs décisions restent, sans votre nom.
account-delete = Supprimer mon compte
account-delete-text = Vos noms, votre adresse, vos rôles et tout ce qui ouvre le compte seront effacés, et vos sessions fermées. Les demandes, les habilitations et le registre gardent un identifiant sans nom, parce que la loi demande que les décisions restent prouvables. Cela ne se défait pas.
account-delete-email = Écrivez l’adresse de votre compte pour confirmer
account-delete-confirm = Supprimer définitivement
account-keep = Ne rien changer
session-browser = Navigateur
session-known-browser = { $browser } sur { $system }
session-unknown-browser = Navigateur inconnu
session-address = Adresse réseau
session-methods = Ouverte avec
session-opened = Ouverte
session-seen = Vue
session-action = Action
session-this = celle-ci
session-end = Fermer
session-end-others = Fermer toutes les autres
method-password = mot de passe
method-passkey = clé d’accès
method-security_key = clé de sécurité
method-totp = code d’application
method-recovery_code = code de secours
method-mail = courriel
method-upstream = autre fournisseur d’identité
method-upstream_mfa = autre fournisseur d’identité, deux facteurs

## Clés d’accès, codes
passkeys-title = Clés d’accès
passkeys-count = { $count ->
    [0] aucune
    [one] une
   *[other] { $count }
}
passkeys-text = Une clé d’accès ouvre votre compte sans mot de passe : votre téléphone, votre ordinateur ou une clé de sécurité la garde, et vérifie que c’est vous.
passkeys-none = Aucune clé d’accès pour l’instant : ajoutez celle de cet appareil ci-dessous.
passkeys-script = Ajouter une clé d’accès demande un navigateur qui les connaît, avec JavaScript. Les autres moyens d’entrer n’en ont pas besoin.
passkeys-second = Une clé d’accès suffit à elle seule : elle remplace le mot de passe et le code.
passkeys-not-here = Pas de clé d’accès ici
passkeys-not-here-text = Cette plateforme est atteinte par une adresse sans nom, à laquelle une clé d’accès ne peut pas être liée.
passkey-add = Ajouter une clé d’accès
passkey-name = Nom de la clé
passkey-name-hint = Pour la reconnaître, par exemple « téléphone ».
passkey-rename = Renommer une clé d’accès
passkey-added = Ajoutée
passkey-used = Utilisée
passkey-never-used = jamais
passkey-remove = Retirer
second-factor-why = En plus du mot de passe, un second moyen garde votre compte fermé à qui aurait votre mot de passe ou votre boîte aux lettres.
second-factor-first = Mettez en place l’un de ces moyens pour continuer
second-factor-first-text = Ce que vous alliez faire demande la double authentification. Vous y reviendrez ensuite.
totp-title = Application qui donne des codes
totp-text = Une application de votre téléphone donne un code de six chiffres, demandé à chaque connexion.
totp-begin = Mettre en place une application
totp-set-up = Mettre en place une application
totp-step-install = Installez sur votre téléphone une application qui donne des codes (TOTP), si vous n’en avez pas.
totp-step-read = Faites-lui lire cette image, ou saisissez la clé.
totp-step-code = Saisissez le code qu’elle montre.
totp-qr = Image de la clé, à lire avec le téléphone
totp-secret = Clé à saisir
totp-code = Code de l’application
totp-code-hint = Six chiffres.
totp-remove = Retirer l’application
totp-remove-text = Plus aucun code ne sera demandé, et vos codes de secours ne serviront plus. Si votre rôle demande la double authentification, il sera suspendu.
totp-remove-confirm = Retirer
recovery-title = Codes de secours
recovery-left = { $count ->
    [0] Il n’en reste aucun : faites-en d’autres
    [one] Il en reste un
   *[other] Il en reste { $count }
}.
recovery-renew = Faire d’autres codes de secours
recovery-text = Chacun de ces codes remplace une fois celui de l’application, si vous perdez votre téléphone. Imprimez-les, ou gardez-les dans un coffre de mots de passe.
recovery-once = Ces codes ne seront plus montrés
recovery-kept = Je les ai gardés
flash-account-saved = C’est enregistré.
flash-account-email = L’adresse est vérifiée.
flash-account-password = Le mot de passe est changé, et vos autres sessions sont fermées.
flash-account-deleted = Le compte est supprimé.
flash-passkey-added = La clé d’accès est ajoutée.
flash-passkey-removed = La clé d’accès est retirée.
flash-totp-removed = L’application est retirée.
flash-session-ended = La session est fermée.
flash-sessions-ended = Les autres sessions sont fermées.
go-on-there = Reprendre là où vous en étiez
