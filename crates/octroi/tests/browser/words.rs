//! The words of the portal, as people read them on its buttons and labels: a test names the word, and
//! tells the same story in each language.

use std::{collections::BTreeMap, path::Path, sync::OnceLock};

pub struct Words(BTreeMap<String, String>);

impl Words {
    pub fn of(language: &str) -> &'static Self {
        static BOTH: [OnceLock<Words>; 2] = [OnceLock::new(), OnceLock::new()];
        BOTH[usize::from(language == "en")].get_or_init(|| Self::read(language))
    }

    /// Messages of one line; where there is something to fill in, what stands before it.
    fn read(language: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales").join(language);
        let mut words = BTreeMap::new();
        for file in std::fs::read_dir(&folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let lines = text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
            let pairs = lines
                .filter_map(|line| line.split_once('='))
                .map(|(key, text)| (key.trim(), text.split('{').next().unwrap_or(text).trim()));
            words.extend(pairs.filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key.to_owned(), text.to_owned())));
        }
        assert!(words.len() > 20, "no words in {}", folder.display());
        Self(words)
    }

    #[track_caller]
    pub fn get(&self, key: &str) -> &str {
        self.0.get(key).unwrap_or_else(|| panic!("locales/ has no plain word `{key}`"))
    }
}
