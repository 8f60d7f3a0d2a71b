//! The section of a component that carries its manifest.

use std::ops::Range;

use wasm_encoder::{CustomSection, Section as _};
use wasmparser::{BinaryReader, Parser};

use crate::error::ManifestError;
use crate::manifest::Manifest;

/// Name of the custom section, at the component's top level, that holds the text of `plugin.toml`.
pub const MANIFEST_SECTION: &str = "chm:manifest";

/// Why no manifest can be taken out of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Not WebAssembly.
    #[error("the file is not WebAssembly; expected a component, as `chm-host plugin build` makes it")]
    NotWasm,
    /// A core module.
    #[error("the file is a core WebAssembly module, not a component; build it with `chm-host plugin build`")]
    CoreModule,
    /// The sections do not add up.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// A component without a manifest.
    #[error(
        "the component has no `{MANIFEST_SECTION}` section; build it with `chm-host plugin build`, which puts its plugin.toml in"
    )]
    NoManifest,
    /// More than one manifest.
    #[error("the component has {0} `{MANIFEST_SECTION}` sections; expected one")]
    ManyManifests(usize),
    /// The manifest is not UTF-8.
    #[error("the component's `{MANIFEST_SECTION}` section is not UTF-8 text")]
    NotText,
    /// The manifest is refused.
    #[error("the component's manifest is refused: {0}")]
    Manifest(#[from] ManifestError),
}

/// Why a manifest cannot be put into a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// The file is not a component.
    #[error(transparent)]
    Component(ExtractError),
    /// The manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Puts the text of a `plugin.toml` into a component, in place of any it has.
///
/// The manifest becomes the last section, so the same inputs always give the same bytes.
///
/// # Errors
/// [`EmbedError`] when the manifest is not valid, or the bytes are not a component.
pub fn embed(component: &[u8], manifest_toml: &str) -> Result<Vec<u8>, EmbedError> {
    Manifest::parse(manifest_toml)?;
    let mut bytes = component.get(..HEADER_BYTES).unwrap_or_default().to_vec();
    for section in sections(component).map_err(EmbedError::Component)? {
        if section.manifest.is_none() {
            bytes.extend_from_slice(component.get(section.range).unwrap_or_default());
        }
    }
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest_toml.as_bytes().into() }.append_to(&mut bytes);
    Ok(bytes)
}

/// Takes the manifest out of a component and checks it. Sections of modules and components inside it do not count.
///
/// # Errors
/// [`ExtractError`] says what the file is instead, or what is wrong with the manifest.
pub fn extract(bytes: &[u8]) -> Result<Manifest, ExtractError> {
    let mut found: Vec<&[u8]> = sections(bytes)?.into_iter().filter_map(|section| section.manifest).collect();
    match (found.pop(), found.len()) {
        (None, _) => Err(ExtractError::NoManifest),
        (Some(data), 0) => {
            let text = std::str::from_utf8(data).map_err(|_| ExtractError::NotText)?;
            Ok(Manifest::parse(text)?)
        }
        (Some(_), others) => Err(ExtractError::ManyManifests(others + 1)),
    }
}

/// Magic number and version.
const HEADER_BYTES: usize = 8;

/// One section of a component's top level.
struct Section<'a> {
    /// Where it lies in the file, with its own header.
    range: Range<usize>,
    /// What the section holds, if it is a manifest.
    manifest: Option<&'a [u8]>,
}

/// Walks the top level only: what nested modules contain is their business, and is not read.
fn sections(bytes: &[u8]) -> Result<Vec<Section<'_>>, ExtractError> {
    if Parser::is_core_wasm(bytes) {
        return Err(ExtractError::CoreModule);
    }
    if !Parser::is_component(bytes) {
        return Err(ExtractError::NotWasm);
    }
    let damaged = |error: wasmparser::Error| ExtractError::Damaged(error.to_string());
    let body = bytes.get(HEADER_BYTES..).unwrap_or_default();
    let mut reader = BinaryReader::new(body, HEADER_BYTES);
    let mut sections = Vec::new();
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8().map_err(damaged)?;
        let length = reader.read_var_u32().map_err(damaged)?;
        let data = reader.read_bytes(length as usize).map_err(damaged)?;
        let mut inner = BinaryReader::new(data, reader.original_position() - data.len());
        let mut manifest = None;
        if id == CUSTOM && inner.read_string().map_err(damaged)? == MANIFEST_SECTION {
            manifest = Some(inner.read_bytes(inner.bytes_remaining()).map_err(damaged)?);
        }
        sections.push(Section { range: start..reader.original_position(), manifest });
    }
    Ok(sections)
}

/// The id of custom sections.
const CUSTOM: u8 = 0;
