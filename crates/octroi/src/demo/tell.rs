//! What the demo prints: who, where, and lines to paste.

use std::path::Path;

use super::file::DemoFile;

/// A call whose answer is in the shipped mocks.
const CALL: &str = "/dinum/api-particulier/v3/dss/quotient_familial/identite";
const QUERY: &str = "nomNaissance=MOREL&prenoms%5B%5D=INES&prenoms%5B%5D=JADE&anneeDateNaissance=1988&moisDateNaissance=4&jourDateNaissance=17&sexeEtatCivil=F&codeCogInseeCommuneNaissance=31555&codeCogInseePaysNaissance=99100";

pub fn tell(demo: &DemoFile, path: &Path) {
    println!();
    println!("  portal               {}", demo.portal);
    println!("  API documentation    {}/api/docs", demo.portal);
    println!("  production gateway   {}", demo.gateway_production);
    println!("  sandbox gateway      {}", demo.gateway_sandbox);
    println!("  health and metrics   {}/metrics", demo.admin);
    println!("  example upstream     {}/echo", demo.upstream);
    println!();
    println!("  {:<20} {:<34} {:<18} organisation", "account", "e-mail", "password");
    for account in &demo.accounts {
        println!("  {:<20} {:<34} {:<18} {}", account.role, account.email, account.password, account.organization);
    }
    println!();
    if let Some(client) = demo.clients.iter().find(|client| client.stage == "sandbox") {
        println!("  A call in the sandbox, with the example application \u{201c}{}\u{201d}:", client.name);
        println!();
        println!("  curl '{}{CALL}?{}' -H 'X-Api-Key: {}'", demo.gateway_sandbox, QUERY, client.api_key);
        println!();
        println!("  The same with OAuth:");
        println!();
        println!(
            "  TOKEN=$(curl -s {}/api/oauth/token -d grant_type=client_credentials -d client_id={} -d client_secret={} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')",
            demo.gateway_sandbox, client.client_id, client.client_secret
        );
        println!("  curl '{}{CALL}?{}' -H \"Authorization: Bearer $TOKEN\"", demo.gateway_sandbox, QUERY);
        println!();
    }
    println!("  All of it, for programs: {}", path.display());
    println!();
}
