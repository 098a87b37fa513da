//! An application for codes, on the phone of one person.

use octroi_oauth::totp;

use super::{
    House,
    browser::{Browser, main},
};

/// What an application for codes does with the key that the page shows.
pub struct Phone(pub Vec<u8>);
impl Phone {
    pub fn reads(page: &str) -> Self {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let key = page.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
        let (mut bits, mut held, mut seed) = (0, 0_u32, Vec::new());
        for letter in key.chars().filter(|letter| *letter != ' ') {
            held = (held << 5) | u32::try_from(LETTERS.find(letter).unwrap()).unwrap();
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                seed.push(u8::try_from(held >> bits).unwrap());
                held &= (1 << bits) - 1;
            }
        }
        assert_eq!(seed.len(), 20);
        Self(seed)
    }
    pub fn shows(&self, house: &House) -> String {
        totp::code(&self.0, house.now().micros().div_euclid(1_000_000) / totp::STEP)
    }
}

pub async fn set_up(browser: &mut Browser<'_>) -> (Phone, Vec<String>) {
    browser.get("/account/second-factor").await;
    let page = browser.send("/account/totp/begin", &[]).await;
    assert!(page.text.contains("<svg") && page.headers["cache-control"] == "no-store", "{}", main(&page.text));
    let phone = Phone::reads(&page.text);
    let wrong = browser.post("/account/totp", &[("code", "000000")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("<svg"), "{}", main(&wrong.text));
    let code = phone.shows(browser.house);
    let page = browser.post("/account/totp", &[("code", &code)]).await;
    assert_eq!(page.status, 200, "{}", main(&page.text));
    let codes = page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
    let codes: Vec<String> = codes.lines().map(str::to_owned).collect();
    assert!(codes.len() == 10 && codes.iter().all(|code| code.len() == 19), "{codes:?}");
    (phone, codes)
}
