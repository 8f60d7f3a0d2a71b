//! `keys`: API keys from the command line, with the configuration and the store of the server.

use clap::{Args, Subcommand};

use super::{Common, runtime, say};
use crate::audit::Circumstances;
use crate::config::Loaded;
use crate::keys::{KeyDesk, KeyWish, Minted, now};

/// Make, list and end API keys
#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a key; prints its token, which is kept nowhere
    Mint(Mint),
    /// List the keys, newest first
    List(List),
    /// End a key at once
    Revoke(Revoke),
    /// Make a successor of a key, which may do the same; prints its token
    Rotate(Rotate),
}

#[derive(Args)]
pub(super) struct Mint {
    #[command(flatten)]
    common: Common,
    /// Whom it is for
    #[arg(long, default_value = "cli")]
    label: String,
    /// Days it lasts, 1 to 365
    #[arg(long, default_value_t = 30)]
    days: i64,
    /// What it may do, for example tables:read; may be repeated. Everything when absent
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A key that may do nothing, to be replaced by hand or to try things out with
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// A role it carries; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    common: Common,
    /// The key's id
    id: String,
}

#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    common: Common,
    /// The key's id
    id: String,
    /// Seconds that the old key is still valid
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    overlap: i64,
    /// Days that the successor lasts; as long as the old key was made for when absent
    #[arg(long)]
    days: Option<i64>,
}

impl Keys {
    pub fn run(&self) -> anyhow::Result<()> {
        let common = match self {
            Self::Mint(mint) => &mint.common,
            Self::List(list) => &list.common,
            Self::Revoke(revoke) => &revoke.common,
            Self::Rotate(rotate) => &rotate.common,
        };
        let loaded = common.load()?;
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
        runtime()?.block_on(async { self.with(&loaded, &desk(&loaded).await?).await })
    }

    async fn with(&self, loaded: &Loaded, desk: &KeyDesk) -> anyhow::Result<()> {
        let by = Circumstances::of_a_command();
        match self {
            Self::Mint(mint) => {
                // Which features plugins bring is not known here; whoever has a table may have one.
                let plugins: Vec<_> = loaded.config.plugins.keys().cloned().collect();
                let scopes = (mint.no_scopes || !mint.scopes.is_empty()).then_some(mint.scopes.as_slice());
                let wish = KeyWish::check(Some(&mint.label), Some(mint.days), scopes, &mint.roles, &plugins)?;
                tell(&desk.mint(&wish, &by).await?);
            }
            Self::Rotate(rotate) => {
                let minted = desk.rotate(&rotate.id, rotate.overlap, rotate.days, &by).await?;
                eprintln!(
                    "The key {} ends {}.",
                    rotate.id,
                    match rotate.overlap {
                        0 => "now".to_owned(),
                        seconds => format!("in {seconds} s"),
                    }
                );
                tell(&minted);
            }
            Self::Revoke(revoke) => {
                desk.revoke(&revoke.id, &by).await?;
                eprintln!(
                    "The key {} is revoked: every host that shares the store refuses it within a second.",
                    revoke.id
                );
            }
            Self::List(_) => list(desk).await?,
        }
        Ok(())
    }
}

async fn desk(loaded: &Loaded) -> anyhow::Result<KeyDesk> {
    let secrets = loaded.config.auth.key_secrets();
    let secrets =
        secrets.ok_or_else(|| anyhow::anyhow!("keys are off: set CHM_API_KEY_SECRET (`auth.api_key_secret`)"))?;
    let store = crate::settle::store(&loaded.config).await?;
    let store = store.ok_or_else(|| anyhow::anyhow!("keys cannot be kept: `store.url` (CHM_STORE_URL) is `none`"))?;
    Ok(KeyDesk::new(secrets, store))
}

/// The token alone goes to the standard output, so that it can be piped to where it belongs.
fn tell(minted: &Minted) {
    let key = &minted.key;
    let scopes = if key.scopes.is_empty() { "nothing".to_owned() } else { key.scopes.join(", ") };
    eprintln!("The key {} for `{}` may do: {scopes}. It ends in {} days.", key.id, key.subject, minted.days);
    eprintln!("Its token is shown this once:");
    say(&minted.token);
}

async fn list(desk: &KeyDesk) -> anyhow::Result<()> {
    let time =
        |seconds: i64| jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string());
    let mut cursor = None;
    say("ID\tSUBJECT\tSTATE\tCREATED\tEXPIRES\tLAST USED\tSCOPES");
    loop {
        let page = desk.list(1000, cursor.as_ref()).await?;
        let now = now();
        for key in page.items {
            let state = match (key.revoked_at, key.is_live(now)) {
                (Some(_), _) => "revoked",
                (None, true) => "active",
                (None, false) => "expired",
            };
            let (created, expires) = (time(key.created_at), time(key.expires_at));
            let used = key.last_used_at.map_or_else(|| "never".to_owned(), time);
            let scopes = key.scopes.join(",");
            say(format!("{}\t{}\t{state}\t{created}\t{expires}\t{used}\t{scopes}", key.id, key.subject));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
