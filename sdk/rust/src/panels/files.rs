//! Macros for panels that are described by files.

/// The panels that the files in the folder `panels` describe, as a `Vec<Panel>`; for a plugin that has others, too.
///
/// The plugin's `build.rs` calls `chm_plugin_build::panels()`.
#[macro_export]
macro_rules! panel_files {
    () => {
        include!(concat!(env!("OUT_DIR"), "/panels.rs"))
    };
}

/// Makes a crate a plugin whose panels are files: `export_panel_files!(Mine);` is all its `src/lib.rs` needs.
///
/// It names the type that has the trait [`Panels`](crate::Panels), for the plugin's tests. The plugin's `build.rs` calls
/// `chm_plugin_build::panels()`.
#[macro_export]
macro_rules! export_panel_files {
    ($name:ident) => {
        /// The panels that the files in the folder `panels` describe.
        pub struct $name;

        impl $crate::Panels for $name {
            fn describe() -> ::std::vec::Vec<$crate::panels::Panel> {
                $crate::panel_files!()
            }
        }

        $crate::export!(panels: $name);
    };
}
