//! A manifest travels inside its component.

use chm_manifest::{
    EmbedError, ExtractError, MANIFEST_SECTION, MAX_COMPONENT_BYTES, Manifest, check_size, embed, extract,
};
use proptest::prelude::*;
use wasm_encoder::{Component, CustomSection, Module, ModuleSection};

const MANIFEST: &str = "id = \"ab\"\nversion = \"0.1.0\"\napi = \"0.1\"\nsummary = \"S.\"\n";

fn custom<'a>(name: &'a str, data: &'a [u8]) -> CustomSection<'a> {
    CustomSection { name: name.into(), data: data.into() }
}

/// A component with a foreign custom section, and a module inside that has a manifest section of its own.
fn component() -> Vec<u8> {
    let mut module = Module::new();
    module.section(&custom(MANIFEST_SECTION, b"not ours"));
    let mut component = Component::new();
    component.section(&custom("producers", b"\0")).section(&ModuleSection(&module));
    component.finish()
}

#[test]
fn what_was_embedded_is_extracted() {
    let bytes = embed(&component(), MANIFEST).unwrap();
    assert_eq!(extract(&bytes), Ok(Manifest::parse(MANIFEST).unwrap()));
    wasmparser::validate(&bytes).unwrap();
}

#[test]
fn embedding_again_replaces_the_manifest() {
    let first = embed(&component(), &MANIFEST.replace("\"ab\"", "\"first\"")).unwrap();
    let second = embed(&first, MANIFEST).unwrap();
    assert_eq!(extract(&second).unwrap().id.as_str(), "ab");
    assert_eq!(second, embed(&component(), MANIFEST).unwrap());
}

#[test]
fn a_file_without_a_good_manifest_is_refused_with_what_it_is() {
    let mut twice = embed(&component(), MANIFEST).unwrap();
    let one = twice[component().len()..].to_vec();
    twice.extend(one);
    let mut not_text = Component::new();
    not_text.section(&custom(MANIFEST_SECTION, b"\xff"));
    let mut bad = Component::new();
    bad.section(&custom(MANIFEST_SECTION, b"id = 1"));
    let mut cut = component();
    cut.pop();
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("empty", vec![], "not WebAssembly"),
        ("text", b"(component)".to_vec(), "not WebAssembly"),
        ("module", Module::new().finish(), "chm-host plugin build"),
        ("bare", component(), "no `chm:manifest` section"),
        ("twice", twice, "2 `chm:manifest` sections"),
        ("latin", not_text.finish(), "not UTF-8"),
        ("bad", bad.finish(), "line 1, key `id`"),
        ("cut", cut, "damaged"),
    ];
    for (name, bytes, word) in cases {
        let said = extract(bytes).unwrap_err().to_string();
        assert!(said.contains(word), "{name}: {said}");
    }
}

#[test]
fn only_a_good_manifest_goes_into_only_a_component() {
    assert!(matches!(embed(&component(), "id = 1"), Err(EmbedError::Manifest(_))));
    assert_eq!(embed(b"x", MANIFEST), Err(EmbedError::Component(ExtractError::NotWasm)));
    assert_eq!(embed(&Module::new().finish(), MANIFEST), Err(EmbedError::Component(ExtractError::CoreModule)));
}

#[test]
fn a_file_above_the_cap_is_too_large() {
    assert_eq!(check_size(MAX_COMPONENT_BYTES), Ok(()));
    assert!(check_size(MAX_COMPONENT_BYTES + 1).unwrap_err().to_string().contains("33554433"));
}

proptest! {
    #[test]
    fn any_manifest_text_comes_back(summary in "[a-zA-Z0-9 äß]{1,80}", others in prop::collection::vec(("[a-z]{1,8}", prop::collection::vec(any::<u8>(), 0..40)), 0..4)) {
        prop_assume!(!summary.trim().is_empty());
        let mut component = Component::new();
        for (name, data) in &others {
            component.section(&custom(name, data));
        }
        let text = MANIFEST.replace("S.", &summary);
        let bytes = embed(&component.finish(), &text).unwrap();
        prop_assert_eq!(extract(&bytes).unwrap().summary, summary);
    }

    #[test]
    fn no_bytes_make_extract_panic(tail in prop::collection::vec(any::<u8>(), 0..200), header in any::<bool>()) {
        let mut bytes = if header { Component::new().finish() } else { Vec::new() };
        bytes.extend(tail);
        drop(extract(&bytes));
        drop(embed(&bytes, MANIFEST));
    }

    #[test]
    fn no_flipped_byte_makes_extract_panic(at in 0usize..1000, with in any::<u8>()) {
        let mut bytes = embed(&component(), MANIFEST).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= with;
        drop(extract(&bytes));
    }
}
