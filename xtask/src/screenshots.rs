//! `cargo xtask screenshots`: a picture of every page, in both languages, on a phone and on a desktop, and one sheet with all of them.
//!
//! The browser tests take the pictures while they look at each page, if they are asked to; here they are run so, and the pictures laid side by side.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::Result;

/// Pixels of a row of the sheet.
const ROW: usize = 330;
/// Rows of one picture: Chromium draws no more than 16,384 pixels.
const ROWS: usize = 45;

/// Takes the pictures, and writes `index.html`, and the same as `sheet-1.png` and so on, beside them.
///
/// # Errors
/// When there is no browser, or no picture was taken. Faults that the tests find on the pages are printed, and stop nothing.
pub fn run(root: &Path) -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = target.join("screenshots");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let arguments = ["test", "--package", "octroi", "--test", "browser", "--", "pages::every_page", "--nocapture"];
    let told =
        Command::new(env!("CARGO")).args(arguments).current_dir(root).env("OCTROI_BROWSER", "1").env("OCTROI_PICTURES", "1").status()?;
    let pictures = pictures(&folder)?;
    let sheet = folder.join("index.html");
    let rows: Vec<(&String, &Vec<String>)> = pictures.iter().collect();
    for (number, part) in rows.chunks(ROWS).enumerate() {
        fs::write(&sheet, page(part))?;
        draw(&sheet, &folder.join(format!("sheet-{}.png", number + 1)), part.len())?;
    }
    fs::write(&sheet, page(&rows))?;
    println!("{} pages: {}", pictures.len(), sheet.display());
    if told.success() { Ok(()) } else { Err("the pictures are there, but the pages have faults: see above".into()) }
}

/// Name of a page → its pictures, `LANGUAGE/WIDTH/NAME.png` below the folder.
fn pictures(folder: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for language in sorted(folder)? {
        for width in sorted(&folder.join(&language))? {
            for file in sorted(&folder.join(&language).join(&width))? {
                if let Some(name) = file.strip_suffix(".png") {
                    found.entry(name.to_owned()).or_default().push(format!("{language}/{width}/{file}"));
                }
            }
        }
    }
    if found.is_empty() { Err("no picture was taken".into()) } else { Ok(found) }
}

/// The names in a folder; none, where it is a file.
fn sorted(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn page(pictures: &[(&String, &Vec<String>)]) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Pages</title><style>
body{font:14px system-ui;margin:16px}section{height:314px;overflow:hidden;margin-bottom:16px}h2{font-size:14px;margin:0 0 4px}
a{display:inline-block;margin-right:8px}img{height:280px;width:auto;max-width:400px;object-fit:cover;object-position:top left;border:1px solid #999}
</style>",
    );
    for (name, files) in pictures {
        let _ = write!(html, "<section><h2>{name}</h2>");
        for file in files.iter() {
            let _ = write!(html, "<a href=\"{file}\"><img src=\"{file}\" alt=\"{file}\"></a>");
        }
        html.push_str("</section>\n");
    }
    html
}

/// A sheet as a picture.
fn draw(sheet: &Path, picture: &Path, rows: usize) -> Result<()> {
    let told = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"])
        .arg(format!("--window-size=1900,{}", rows * ROW + 32))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", sheet.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if told.success() && picture.exists() { Ok(()) } else { Err("chromium did not draw the sheet".into()) }
}
